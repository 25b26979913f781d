"""Takes people off the list who opted out in the store, or whose account is gone.

What is to be done is a task (`state.outbox.removals`) from the decision until Constant Contact has done it. A contact
that cannot be removed does not hold up the others: it is retried by the common policy.
"""

from collections.abc import Sequence

from ccsync.consent.safety_limit import let_through
from ccsync.errors import RefusedError, SafetyLimitError, VendorUnreachable
from ccsync.from_constant_contact import unsubscribes
from ccsync.run import control
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state import contacts
from ccsync.state.outbox import removals
from ccsync.state.outbox.removals import Removal
from ccsync.to_constant_contact.list_removals import bulk_jobs, contacts_to_remove, lost_answers, outcomes
from ccsync.words import people


class Removals:
    """The removals of one run, in as many goes as it takes; `accept` is what a person lets through the safety limit."""

    def __init__(self, context: Context, accept: int) -> None:
        self._context = context
        self._accept = accept
        self._done = self._held = 0
        self._hanging: Sequence[Removal] = ()

    def look_at_earlier(self) -> None:
        """Look at the removals that earlier runs have started.

        If a job is not over, its removals are started again: that is harmless, and no opt-out waits for it.
        """
        context = self._context
        removals.forget_other_lists(context.store, context.list_id)
        under_way = [one for one in _waiting(context) if one.activity_ids]
        with context.gate.for_opt_outs():
            over, open_now = lost_answers.look(context, under_way)
        hanging = list[Removal]()
        for one in under_way:
            removals.record_activities(context.store, one, open_now[one.id])
            if any(outcomes.has_worked(over.get(each)) for each in one.activity_ids):
                outcomes.done(context, one, "taken off the list")
            elif open_now[one.id]:
                hanging += [one] if not one.is_done and outcomes.is_wanted(context, one) else []
            elif one.is_done or not outcomes.is_wanted(context, one):
                outcomes.end(context, one)
        self._hanging = hanging

    def remove_due(self) -> None:
        """Remove everybody who is due to leave the list within the safety limit, and people whose job hangs.

        Opt-outs may use the reserve of the day's calls. Raises what `ccsync.errors` lists; what was done is saved.
        """
        context = self._context
        if context.is_dry_run or not removals.count(context.store, context.list_id):
            return
        with context.gate.for_opt_outs():
            require_list(context)
            hanging, self._hanging = self._hanging, ()
            going, held = plan(context, self._accept, self._done)
            again = [one for one in _waiting(context) if one.is_done and not one.activity_ids]
            found = contacts_to_remove.with_contacts(context, [*going, *hanging, *again])
            unsubscribing = [one for one in found if is_unsubscribed(context, one)]
            for number, one in enumerate(unsubscribing, start=1):
                _unsubscribe(context, one)
                context.show("unsubscribing", number, len(unsubscribing))
            bulk_jobs.take_off(context, [one for one in found if not is_unsubscribed(context, one)])
        self._done, self._held = self._done + len(going), len(held)

    def raise_held(self) -> None:
        """Raise `SafetyLimitError` when the safety limit holds somebody back."""
        if self._held:
            raise over_the_limit(self._held, self._done)


def plan(context: Context, accept: int, done: int = 0) -> tuple[list[Removal], list[Removal]]:
    """Who is removed now, after `done` in this run, and whom the safety limit stops."""
    waiting = [one for one in _waiting(context) if not one.is_done and _is_to_start(context, one)]
    on_list = contacts.count_on_list(context.store, context.list_id)
    may_go = let_through(len(waiting), done, on_list, context.config.sync.max_opt_outs, accept)
    return waiting[:may_go], waiting[may_go:]


def _is_to_start(context: Context, one: Removal) -> bool:
    # A dry run looks for no lost job: most have never been started.
    is_lost = context.is_dry_run and set(one.activity_ids) == {removals.LOST}
    return not one.activity_ids or (is_lost and outcomes.is_wanted(context, one))


def over_the_limit(held: int, done: int) -> SafetyLimitError:
    """What to say when the safety limit holds people back; the caller raises it."""
    return SafetyLimitError(
        f"The store's changes would remove {people(held)} from the list; the safety limit stopped it.",
        "this looks like a mistake (a bulk change in the store, the wrong tenant) rather than people's own choice."
        " They stay on the list meanwhile, where a campaign would reach them"
        f"{f'; removed already: {people(done)}' if done else ''}.",
        f"Check them: ccsync flush-events --dry-run. If it is correct: ccsync flush-events --accept {held}",
    )


def _waiting(context: Context) -> list[Removal]:
    return removals.waiting(context.store, context.list_id, context.now())


def is_unsubscribed(context: Context, one: Removal) -> bool:
    """Is this opt-out to end all mail? A deleted account is no opt-out."""
    return context.config.sync.opt_out == "unsubscribe" and one.reason == removals.OPTED_OUT


def _unsubscribe(context: Context, one: Removal) -> None:
    try:
        for contact_id in one.contact_ids:
            context.constant_contact.unsubscribe(contact_id, unsubscribes.OPT_OUT_REASON)
    except (RefusedError, VendorUnreachable) as error:
        control.blame_record_at_constant_contact(context, error)
        outcomes.fail(context, one, error)
    else:
        outcomes.done(context, one, "unsubscribed")
