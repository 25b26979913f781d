"""The bulk jobs that take people off the list; those that are refused or fail are bisected."""

from collections.abc import Iterator, Sequence

from ccsync.errors import CallFailure, RefusedError, VendorUnreachable
from ccsync.from_constant_contact.activities import await_activities
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state.outbox import removals
from ccsync.state.outbox.removals import Removal
from ccsync.to_constant_contact.bisection import Bisection, Tried
from ccsync.to_constant_contact.list_removals import outcomes
from ccsync.words import counted

MOST_AT_ONCE = 500


def take_off(context: Context, leaving: Sequence[Removal]) -> None:
    """Start the jobs that take people off, and bisect those that are refused or fail."""
    search = Bisection[Removal](lambda groups: _carry_out(context, groups), context.run_id)
    # People who failed before go in a job of their own, so that a known refusal does not bisect the rest.
    fresh, known = [one for one in leaving if not one.attempts], [one for one in leaving if one.attempts]
    most = MOST_AT_ONCE // 2 if any(one.other_id for one in leaving) else MOST_AT_ONCE
    starts = ((some, start) for some in (fresh, known) for start in range(0, len(some), most))
    search.run([some[start : start + most] for some, start in starts])
    # A single contact is judged by the control; of several that are all refused alike none is newly blamed.
    is_vendors = len(fresh) > 1 and not search.has_passed
    spared = list[CallFailure]()
    for one, error in search.refused:
        if not _is_there(context, one, error):
            outcomes.done(context, one, "was not in Constant Contact any more")
        elif is_vendors and not one.attempts:
            spared.append(error)
        else:
            outcomes.fail(context, one, error)
    if spared:
        raise spared[0]


def _carry_out(context: Context, groups: Sequence[Sequence[Removal]]) -> Iterator[Tried[Removal]]:
    started = dict[str, Sequence[Removal]]()
    for group in groups:
        try:
            activity_id = _start(context, group)
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_constant_contact(context, error)
            yield Tried(group, error)
        else:
            started[activity_id] = group
    over = await_activities(context, started)
    for activity_id, group in started.items():
        if activity_id not in over:
            yield Tried(group, is_open=True)
            continue
        removals.is_over(context.store, group, activity_id)
        if outcomes.has_worked(over[activity_id]):
            for one in group:
                outcomes.done(context, one, "taken off the list")
            yield Tried(group)
        else:
            yield Tried(group, _job_failed(len(group)))


def _start(context: Context, group: Sequence[Removal]) -> str:
    """Start a bulk job. If its answer is lost it may have been started, and take effect at any time from now on."""
    retries = context.constant_contact.transport.retries
    removals.set_out(context.store, group)
    ids = [contact_id for one in group for contact_id in one.contact_ids]
    try:
        activity_id = context.constant_contact.remove_from_list(ids, context.list_id).activity_id
    except RefusedError:
        removals.has_answered(context.store, group, None)
        raise
    if context.constant_contact.transport.retries > retries:
        removals.set_out(context.store, group)  # the answer to an earlier try was lost
    removals.has_answered(context.store, group, activity_id)
    return activity_id


def _job_failed(number: int) -> RefusedError:
    return RefusedError(
        f"Constant Contact did not carry out the removal of {counted(number, 'contact')} from the list.",
        "its bulk job failed or was canceled; nobody was removed.",
        "Nothing is lost: the next run starts it again. If it persists, look at Activity in Constant Contact.",
    )


def _is_there(context: Context, one: Removal, error: CallFailure) -> bool:
    """A job is refused for an id that Constant Contact no longer knows, too. Who cannot be looked at is there."""
    try:
        return context.constant_contact.get_contact(one.contact_id or "") is not None
    except (RefusedError, VendorUnreachable):
        control.blame_record_at_constant_contact(context, error)
        return True
