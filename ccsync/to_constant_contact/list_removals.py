"""Takes people off the list who opted out in the store, or whose account is gone.

What is to be done stands in the state file (`state.removals`) from the decision until Constant Contact has done it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ccsync.consent.safety_limit import let_through
from ccsync.errors import BrakeError, RefusedError
from ccsync.from_constant_contact import members
from ccsync.from_constant_contact.activities import await_activities
from ccsync.from_constant_contact.contact_list import require_list
from ccsync.from_constant_contact.sightings import vendor_now
from ccsync.from_kibo import deletions
from ccsync.models import Activity
from ccsync.run.context import Context
from ccsync.state import contacts, ledger, removals
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.removals import Removal

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
UNSUBSCRIBE = "unsubscribe"
OPT_OUT_REASON = "Opted out in the web shop"


@dataclass(frozen=True, slots=True)
class Removed:
    """How a removal ended: how many were done, and how many the brake held back."""

    done: int
    held: int


class Removals:
    """The removals of one run, in as many goes as it takes; `accept` is what a person lets through the safety limit."""

    def __init__(self, context: Context, accept: int) -> None:
        self._context = context
        self._accept = accept
        self._done = self._held = 0

    def remove_due(self) -> None:
        """Take off the list whoever is to leave it now. Raises what `ccsync.errors` lists; what was done is kept."""
        context = self._context
        if context.is_dry_run or not removals.count(context.store, context.list_id):
            return
        with context.gate.for_opt_outs():
            require_list(context)
        removed = remove(context, self._accept, self._done)
        self._done, self._held = self._done + removed.done, removed.held

    def raise_held(self) -> None:
        """Raise `BrakeError` when the safety limit holds somebody back."""
        if self._held:
            raise braked(self._held, self._done)


def finish_earlier(context: Context) -> None:
    """Find out about the removals that an earlier run started. Raises what `ccsync.errors` lists."""
    removals.forget_other_lists(context.store, context.list_id)
    under_way = [
        one for one in removals.waiting(context.store, context.list_id, context.now()) if one.activity_id is not None
    ]
    if under_way:
        with context.gate.for_opt_outs():
            _await(context, under_way)


def plan(context: Context, accept: int, done: int = 0) -> tuple[list[Removal], list[Removal]]:
    """Who goes out now, after `done` in this run, and whom the brake holds back."""
    waiting = removals.waiting(context.store, context.list_id, context.now())
    on_list = contacts.count_on_list(context.store, context.list_id)
    may_go = let_through(len(waiting), done, on_list, context.config.sync.max_opt_outs, accept)
    return waiting[:may_go], waiting[may_go:]


def remove(context: Context, accept: int, done: int) -> Removed:
    """Take off the list whoever is to leave it, as far as the brake lets them.

    Opt-outs may use the reserve of the day's calls. Raises what `ccsync.errors` lists; what was done is kept.
    """
    going, held = plan(context, accept, done)
    with context.gate.for_opt_outs():
        found = _with_contacts(context, going)
        unsubscribing = [one for one in found if _is_unsubscribed(context, one)]
        leaving = [one for one in found if not _is_unsubscribed(context, one)]
        for number, one in enumerate(unsubscribing, start=1):
            _unsubscribe(context, one)
            context.show("unsubscribing", number, len(unsubscribing))
        for start in range(0, len(leaving), MOST_AT_ONCE):
            _start(context, leaving[start : start + MOST_AT_ONCE])
        _await(
            context,
            [
                one
                for one in removals.waiting(context.store, context.list_id, context.now())
                if one.activity_id is not None
            ],
        )
    return Removed(len(going), len(held))


def braked(held: int, done: int) -> BrakeError:
    """What to say when the brake holds people back; the caller raises it."""
    return BrakeError(
        f"{held:,} people are to be taken off the list because of what the store says; the brake holds them back.",
        "so many at once look like a mishap (a bulk change in the store, the wrong tenant) rather than their own wish."
        f" They are not mailed anything by ccsync meanwhile{f'; {done:,} others were taken off' if done else ''}.",
        f"Look at them: ccsync flush-events --dry-run. If it is right: ccsync flush-events --accept {held + done}",
    )


def _is_unsubscribed(context: Context, one: Removal) -> bool:
    """Is this opt-out to end all mail? A deleted account is no opt-out."""
    return context.config.sync.opt_out == UNSUBSCRIBE and one.reason == removals.OPTED_OUT


def _with_contacts(context: Context, going: Sequence[Removal]) -> list[Removal]:
    """Those whose contact Constant Contact has; whoever it does not know is off the list already."""
    unknown = [(one.person, _address(context, one)) for one in going if one.contact_id is None]
    members.find_contacts(context, [(person, address) for person, address in unknown if address])
    if not all(address for _, address in unknown):
        members.read_list(context)  # nothing else tells who they are
    ids = {one.person: _contact_id(context, one.person) for one in going}
    for one in going:
        if ids[one.person] is None:
            _done(context, one, "was not on the list any more")
    return [replace(one, contact_id=contact_id) for one in going if (contact_id := ids[one.person]) is not None]


def _address(context: Context, one: Removal) -> str | None:
    return one.email or ledger.address_of(context.store, one.person)


def _contact_id(context: Context, person: bytes) -> str | None:
    known = contacts.known(context.store, person, context.list_id)
    return known.contact_id if known else None


def _unsubscribe(context: Context, one: Removal) -> None:
    context.constant_contact.unsubscribe(one.contact_id or "", OPT_OUT_REASON)
    _done(context, one, "unsubscribed")


def _start(context: Context, part: Sequence[Removal]) -> None:
    try:
        activity = context.constant_contact.remove_from_list([one.contact_id or "" for one in part], context.list_id)
    except RefusedError as error:
        if error.status not in (400, 404, 422):
            raise
        _start_halves(context, part, error)
        return
    removals.record_activity(context.store, [one.person for one in part], context.list_id, activity.activity_id)


def _start_halves(context: Context, part: Sequence[Removal], error: RefusedError) -> None:
    """The vendor refused the job as a whole: an id that it no longer knows must not keep the others on the list."""
    if len(part) == 1:
        if context.constant_contact.get_contact(part[0].contact_id or "") is not None:
            raise error
        _done(context, part[0], "was not in Constant Contact any more")
        return
    middle = len(part) // 2
    _start(context, part[:middle])
    _start(context, part[middle:])


def _await(context: Context, under_way: Sequence[Removal]) -> None:
    """Wait for the jobs that take people off; whose job failed is left for the next run."""
    over = await_activities(context, {one.activity_id for one in under_way if one.activity_id})
    failed = [one for one in under_way if not _has_worked(over.get(one.activity_id or ""))]
    for one in under_way:
        if one not in failed:
            _done(context, one, "taken off the list")
    if failed:
        removals.record_activity(context.store, [one.person for one in failed], context.list_id, None)
        raise RefusedError(
            f"Constant Contact did not carry out a removal of {len(failed):,} contacts from the list.",
            "its bulk job failed or was cancelled; they are still on the list.",
            "Nothing is lost: the next run starts it again. If it stays so, look at Activity in Constant Contact.",
        )


def _has_worked(activity: Activity | None) -> bool:
    return activity is not None and activity.has_completed


def _done(context: Context, one: Removal, how: str) -> None:
    """It is done: remember it, and forget the person if the account is gone."""
    why = "its account was deleted in the store" if one.reason == removals.DELETED else "opted out in the store"
    act = "unsubscribed" if how == "unsubscribed" else "removed"
    with context.store.transaction():
        contacts.note_removed(context.store, one.person, one.list_id, vendor_now(context))
        removals.drop(context.store, one.person, one.list_id)
        step = Step(one.person, one.account_id, act, f"{why}; {how}" if act == "removed" else why)
        history.append(context.store, context.run_id, context.now(), [step])
        context.counts[act] += 1
        if one.reason == removals.DELETED:
            deletions.forget_removed(context, one.account_id, one.person)
