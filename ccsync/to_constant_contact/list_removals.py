"""Takes people off the list who opted out in the store, or whose account is gone.

What is to be done is a task (`state.outbox.removals`) from the decision until Constant Contact has done it. A contact
that cannot be removed does not hold up the others: it is retried by the common policy.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from ccsync.consent.retry import next_try
from ccsync.consent.safety_limit import let_through
from ccsync.errors import RefusedError, SafetyLimitError, VendorUnreachable
from ccsync.from_constant_contact import members, sightings, unsubscribes
from ccsync.from_constant_contact.activities import await_activities, look_at
from ccsync.from_kibo import deletions
from ccsync.models import Activity
from ccsync.run import control
from ccsync.run.clocks import vendor_now
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state import accounts, batches, contacts, ledger, suppressions
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.outbox import queue, removals, tasks
from ccsync.state.outbox.removals import Removal
from ccsync.to_constant_contact.bisection import Bisection, Failure, Tried
from ccsync.words import counted, people

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
WHILE_IMPORTING = timedelta(minutes=25)
"""A removal of a person in a running import is repeated by the next run."""


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
            over = look_at(context, {activity_id for one in under_way for activity_id in one.activity_ids})
        hanging = list[Removal]()
        for one in under_way:
            open_ids = [each for each in one.activity_ids if each not in over]
            if any(_has_worked(over.get(each)) for each in one.activity_ids):
                _done(context, one, "taken off the list", open_ids)
            elif one.is_done and not open_ids:
                _forget(context, one)
            elif not open_ids:
                removals.record_activity(context.store, [one.person], context.list_id, None)
            elif not one.is_done and _is_wanted(context, one):
                hanging.append(one)
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
            found = _with_contacts(context, [*going, *hanging, *again])
            unsubscribing = [one for one in found if is_unsubscribed(context, one)]
            for number, one in enumerate(unsubscribing, start=1):
                _unsubscribe(context, one)
                context.show("unsubscribing", number, len(unsubscribing))
            _take_off(context, [one for one in found if not is_unsubscribed(context, one)])
        self._done, self._held = self._done + len(going), len(held)

    def raise_held(self) -> None:
        """Raise `SafetyLimitError` when the safety limit holds somebody back."""
        if self._held:
            raise over_the_limit(self._held, self._done)


def plan(context: Context, accept: int, done: int = 0) -> tuple[list[Removal], list[Removal]]:
    """Who is removed now, after `done` in this run, and whom the safety limit stops."""
    waiting = [one for one in _waiting(context) if not one.activity_ids and not one.is_done]
    on_list = contacts.count_on_list(context.store, context.list_id)
    may_go = let_through(len(waiting), done, on_list, context.config.sync.max_opt_outs, accept)
    return waiting[:may_go], waiting[may_go:]


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


# who they are at Constant Contact


def _with_contacts(context: Context, going: Sequence[Removal]) -> list[Removal]:
    """The people whose contact exists at Constant Contact; the rest are off the list already."""
    unknown = [
        (one.person, one.email or ledger.address_of(context.store, one.person))
        for one in going
        if one.contact_id is None
    ]
    hidden = members.find_contacts(context, [(person, address) for person, address in unknown if address])
    if not all(address for _, address in unknown):
        members.read_list(context)  # the only way to learn their contact ids
    found = list[Removal]()
    for one in going:
        contact_id = one.contact_id or contacts.id_of(context.store, one.person)
        if one.person in hidden:
            _fail(context, one, hidden[one.person])
        elif contact_id is None:
            _done(context, one, "was not on the list any more")
        else:
            found.append(replace(one, contact_id=contact_id))
    return [two for one in found if (two := _with_other(context, one) if one.may_have_moved else one) is not None]


def _with_other(context: Context, one: Removal) -> Removal | None:
    """A contact that has another address now may have left this one to another contact, and an import found that."""
    address = one.email or ledger.address_of(context.store, one.person)
    try:
        other = context.constant_contact.find_contact(address) if address else None
    except (RefusedError, VendorUnreachable) as error:
        control.blame_record_at_constant_contact(context, error)
        _fail(context, one, error)
        return None
    found = replace(one, other_id=other.contact_id if other else None)
    if one.is_kept or (other is not None and one.reason == removals.UNSUBSCRIBED):
        found = replace(found, contact_id=found.other_id)
    if found.contact_id is None:
        _done(context, found, "its contact has another address now, which opts in")
    return found if found.contact_id else None


# one by one, and in bulk


def _unsubscribe(context: Context, one: Removal) -> None:
    try:
        for contact_id in one.contact_ids:
            context.constant_contact.unsubscribe(contact_id, unsubscribes.OPT_OUT_REASON)
    except (RefusedError, VendorUnreachable) as error:
        control.blame_record_at_constant_contact(context, error)
        _fail(context, one, error)
    else:
        _done(context, one, "unsubscribed")


def _fail(context: Context, one: Removal, error: Failure) -> None:
    """It could not be done for this one: later runs try again."""
    reason = error.sentence
    later = next_try(context.now(), one.attempts + 1, timedelta(minutes=context.config.sync.interval_minutes))
    tasks.note_failure(context.store, one.id, later.attempts, later.at, reason, is_parked=later.is_parked)
    context.counts["failed"] += 1
    log.warning("account %s is not off the list yet: %s", one.account_id, reason)


def _take_off(context: Context, leaving: Sequence[Removal]) -> None:
    """Start the jobs that take people off, and bisect those that are refused or fail."""
    removals.set_out(context.store, [one.person for one in leaving], context.list_id)
    search = Bisection[Removal](lambda groups: _carry_out(context, groups), context.run_id)
    # People who failed before go in a job of their own, so that a known refusal does not bisect the rest.
    fresh, known = [one for one in leaving if not one.attempts], [one for one in leaving if one.attempts]
    most = MOST_AT_ONCE // 2 if any(one.other_id for one in leaving) else MOST_AT_ONCE
    starts = ((some, start) for some in (fresh, known) for start in range(0, len(some), most))
    search.run([some[start : start + most] for some, start in starts])
    # A single contact is judged by the control; of several that are all refused alike none is newly blamed.
    is_vendors = len(fresh) > 1 and not search.has_passed
    spared = list[Failure]()
    for one, error in search.refused:
        if not _is_there(context, one, error):
            _done(context, one, "was not in Constant Contact any more")
        elif is_vendors and not one.attempts:
            spared.append(error)
        else:
            _fail(context, one, error)
    if spared:
        raise spared[0]


def _carry_out(context: Context, groups: Sequence[Sequence[Removal]]) -> Iterator[Tried[Removal]]:
    started = dict[str, Sequence[Removal]]()
    for group in groups:
        try:
            ids = [contact_id for one in group for contact_id in one.contact_ids]
            activity_id = context.constant_contact.remove_from_list(ids, context.list_id).activity_id
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_constant_contact(context, error)
            yield Tried(group, error)
        else:
            removals.add_activity(context.store, [one.person for one in group], context.list_id, activity_id)
            started[activity_id] = group
    over = await_activities(context, started)
    for activity_id, group in started.items():
        if activity_id not in over:
            yield Tried(group, is_open=True)
        elif _has_worked(over[activity_id]):
            for one in group:
                _done(context, one, "taken off the list", one.activity_ids)
            yield Tried(group)
        else:
            for one in group:
                removals.record_activity(context.store, [one.person], context.list_id, one.activities or None)
            yield Tried(group, _job_failed(len(group)))


def _job_failed(number: int) -> RefusedError:
    return RefusedError(
        f"Constant Contact did not carry out the removal of {counted(number, 'contact')} from the list.",
        "its bulk job failed or was canceled; nobody was removed.",
        "Nothing is lost: the next run starts it again. If it persists, look at Activity in Constant Contact.",
    )


def _is_there(context: Context, one: Removal, error: Failure) -> bool:
    """A job is refused for an id that Constant Contact no longer knows, too. Who cannot be looked at is there."""
    try:
        return context.constant_contact.get_contact(one.contact_id or "") is not None
    except (RefusedError, VendorUnreachable):
        control.blame_record_at_constant_contact(context, error)
        return True


def _has_worked(activity: Activity | None) -> bool:
    return activity is not None and activity.has_completed


# how it ends


def _done(context: Context, one: Removal, how: str, open_ids: Sequence[str] = ()) -> None:
    """It is done: remember it, and forget the person if the account is gone.

    While an import or another removal could still change that (`open_ids`), the person is watched.
    """
    why = removals.REASONS[one.reason]
    act = "unsubscribed" if how == "unsubscribed" else "removed"
    with context.store.transaction():
        ids = one.contact_ids or (None,)
        # If the person has the contact under another address, they have not left by their own act.
        for person in {two for each in ids for two in contacts.addresses_of_contact(context.store, each, one.person)}:
            contacts.note_removed(context.store, person, one.list_id, vendor_now(context))
            if person != one.person:  # who has said nothing: they are decided on again
                queue.enqueue(context.store, accounts.of_person(context.store, person), context.now())
        if not one.is_done:
            step = Step(one.person, one.account_id, act, f"{why}; {how}" if act == "removed" else why)
            history.append(context.store, context.run_id, context.now(), [step])
            context.counts[act] += 1
        if open_ids or batches.holds(context.store, one.person):
            removals.watch(context.store, one.id, context.now() + WHILE_IMPORTING, open_ids)
        else:
            _forget(context, one)


def _forget(context: Context, one: Removal) -> None:
    """Close the task. If the person said yes meanwhile, decide about them again."""
    with context.store.transaction():
        removals.drop(context.store, one.person, one.list_id)
        sightings.unlink(context, one.person)
        if one.reason == removals.DELETED:
            deletions.forget_removed(context, one.account_id, one.person)
        elif not _is_wanted(context, one):
            queue.enqueue(context.store, accounts.of_person(context.store, one.person), context.now())


def _is_wanted(context: Context, one: Removal) -> bool:
    """Does the person still say no? A started job cannot be called back, but need not be started again."""
    return one.reason == removals.DELETED or suppressions.holds(context.store, one.person, one.list_id)
