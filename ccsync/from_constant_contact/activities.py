"""Checks on Constant Contact's bulk jobs and waits for them, but never long enough to delay consent."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from ccsync.consent.decisions import LOOK_SLACK
from ccsync.models import Activity
from ccsync.run import clocks
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import batches, properties
from ccsync.state.database.times import to_text
from ccsync.state.outbox import removals, tag_tasks

POLL_SECONDS = (1.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 30.0)
"""Between two looks at most about half as long as was waited so far: a job that is over is found soon after."""
PATIENCE_SECONDS = 180.0
"""How long a cron run waits for its bulk jobs in total."""
STALL_SECONDS = 1_800.0
"""A run that a person waits for keeps waiting as long as another bulk job ends within this time."""


_NEWEST = "newest_bulk_job"


def be_patient(context: Context) -> None:
    """A person waits for this run: let it wait as long as bulk jobs keep ending."""
    context.is_patient, context.patience_seconds = True, STALL_SECONDS


def shown(context: Context) -> list[Activity]:
    """The bulk jobs that Constant Contact shows."""
    found = context.constant_contact.get_activities()
    if properties.looked_for_restore(context.store) == context.run_id:
        note_newest(context, found)
    return found


def known(context: Context) -> set[str]:
    """The ids of ccsync's own bulk jobs that the state file knows."""
    store = context.store
    found = batches.known_activities(store), removals.known_activities(store), tag_tasks.known_activities(store)
    return set().union(*found)


def note_newest(context: Context, found: Iterable[Activity]) -> None:
    """Note which bulk job is the newest: what is made after it is not known."""
    newest = max((one.created_at for one in found if one.created_at is not None), default=None)
    if newest is not None and newest != newest_known(context):
        properties.put(context.store, _NEWEST, to_text(newest))


def newest_known(context: Context) -> datetime | None:
    """When the newest bulk job was made that was shown so far, by Constant Contact's records."""
    noted = properties.get(context.store, _NEWEST)
    return datetime.fromisoformat(noted) if noted else None


def look_at(context: Context, activity_ids: Iterable[str]) -> dict[str, Activity | None]:
    """Those of these jobs that are over, each with how it ended; `None` for one the vendor has forgotten."""
    wanted = set(activity_ids)
    if not wanted:
        return {}
    # One call returns the state of every job of the last ten days.
    jobs = {one.activity_id: one for one in shown(context)}
    over: dict[str, Activity | None] = {}
    for activity_id in sorted(wanted):
        activity = jobs.get(activity_id) or context.constant_contact.get_activity(activity_id)
        if activity is None or activity.is_finished:
            over[activity_id] = activity
    return over


def arrival(context: Context, activity: Activity | None, sent_at: datetime) -> tuple[datetime, int | None]:
    """When what a job did was surely done, and how many seconds before that it may have been, if it is over a minute.

    By the job's own dates, which are of the same clock as those of opt-ins; where it shows none, by what was read of
    that clock. A job that hangs may have worked hours before its end.
    """
    began_at, ended_at = (activity.created_at, activity.completed_at) if activity else (None, None)
    at = ended_at or vendor_now(context)
    took = at - (began_at or min(sent_at, clocks.contact_time(context).at))
    return at, int(took.total_seconds()) if took > LOOK_SLACK else None


def await_activities(context: Context, activity_ids: Iterable[str]) -> dict[str, Activity | None]:
    """Wait for these jobs as long as the run may; return those that are over, as `look_at` does.

    Those that are missing are still running: they stay noted, and the next run looks at them again.
    """
    running = set(activity_ids)
    over: dict[str, Activity | None] = {}
    waits = Waits(context)
    while running:
        found = look_at(context, running)
        over |= found
        running -= found.keys()
        if not running or not waits.wait(has_moved=bool(found)):
            break
    return over


class Waits:
    """The waits between looks at bulk jobs, ever longer, within what the run may wait for them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seconds = _ever_longer()
        self._waited = 0.0
        self._looked_at = context.clock.monotonic()

    def wait(self, *, has_moved: bool) -> bool:
        """Wait before the next look; false when the run has waited long enough."""
        context = self._context
        if has_moved:
            self._seconds = islice(_ever_longer(), 1, None)  # the next one may be over soon
            if context.is_patient:
                context.patience_seconds = STALL_SECONDS
        # After a job that did not end, a patient run still gives the next jobs their time.
        is_new = context.is_patient and self._waited < PATIENCE_SECONDS
        if context.patience_seconds <= 0 and not is_new:
            return False
        seconds = next(self._seconds)
        if not context.is_patient:
            seconds = min(seconds, context.patience_seconds)
        context.patience_seconds -= seconds
        self._waited += seconds
        # What was done since the latest look was part of the wait.
        context.clock.sleep(max(0.0, self._looked_at + seconds - context.clock.monotonic()))
        self._looked_at = context.clock.monotonic()
        return True


def _ever_longer() -> Iterator[float]:
    yield from POLL_SECONDS
    while True:
        yield POLL_SECONDS[-1]
