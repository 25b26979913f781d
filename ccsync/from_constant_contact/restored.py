"""An older copy of the state file was put back: what it no longer remembers is never taken for a person's act.

Who is off the list may have left it, or may have been taken off by ccsync and have opted in anew since. Kibo dates
changes of an account and not what changed, so nobody can tell: they are held back until they opt in after that was
seen, and Kibo is not written.
"""

from datetime import timedelta

from ccsync.from_constant_contact import activities, opt_outs, sightings
from ccsync.run import clocks
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import properties
from ccsync.state.database import copies
from ccsync.state.log import runs
from ccsync.state.suppressions import RESTORED as BY_RESTORE

SEEMS_RESTORED = (
    "An older copy of the state file seems to have been restored: Constant Contact shows bulk jobs from after the last"
    " run that it knows."
)
CLOCK_SLACK = timedelta(seconds=90)


def recognize(context: Context) -> None:
    """Look for bulk jobs that the state file does not know, when no run is known for longer than cron ever pauses.

    A copy that was put back together with what stands beside it shows itself by nothing else. A run that failed before
    it could look proves nothing: the next one looks in its place. Raises what `ccsync.errors` lists.
    """
    _look(context)
    properties.put(context.store, properties.LOOKED_FOR_RESTORE, str(context.run_id))


def _look(context: Context) -> None:
    ended_at = runs.ended_before(context.store, context.run_id, properties.looked_for_restore(context.store))
    pause = context.config.sync.interval * 1.5
    # Nor when our clock was set back since: what is shown now is remembered for when it is put right.
    if is_unresolved(context) or ended_at is None or abs(context.now() - ended_at) < pause:
        return
    read_until = clocks.bookmark(context, opt_outs.STREAM)
    if read_until is not None and ended_at < read_until.at:
        return  # a bookmark never lies ahead of our clock: that run's was behind, and says nothing
    with context.gate.for_opt_outs():
        shown = context.constant_contact.get_activities()
    newest = activities.newest_known(context)
    activities.note_newest(context, shown)
    last_at = clocks.last_end(context, ended_at) + CLOCK_SLACK
    # The clocks of the last run may have been behind, all of them. Only a copy knows of no job that is as new.
    last_at = max(last_at, newest or last_at)
    known = activities.known(context)
    if not any(
        one.created_at is not None
        and one.created_at > last_at
        and one.activity_id not in known
        and one.source_file_name is None
        for one in shown
    ):
        return
    with context.store.transaction():
        copies.note_restored(context.store)
    context.notices["restored"] = f"{SEEMS_RESTORED} {copies.WHAT_FOLLOWS}"


def is_unresolved(context: Context) -> bool:
    """Was a copy put back, and has no comparison shown since who is off the list?"""
    return properties.get(context.store, properties.RESTORED) is not None


def hold_back(context: Context, person: bytes) -> None:
    """Somebody opts in and is off the list: hold them back until they opt in later than now, by Kibo's clock."""
    seen_at, at = clocks.kibo_now(context).at, vendor_now(context)
    with context.store.transaction():
        sightings.hold_back(context, person, seen_at, BY_RESTORE, at)
