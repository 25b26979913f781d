"""Waits for Constant Contact's bulk jobs."""

from collections.abc import Iterable, Iterator

from ccsync.errors import VendorUnreachable
from ccsync.models import Activity
from ccsync.run.context import Context

POLL_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
STALL_SECONDS = 1_800.0


def await_activities(context: Context, activity_ids: Iterable[str]) -> dict[str, Activity | None]:
    """Wait until these jobs are over; each with how it ended, `None` for one the vendor has forgotten.

    Raises `VendorUnreachable` when one is not over after half an hour.
    """
    running = set(activity_ids)
    over: dict[str, Activity | None] = {}
    waited = 0.0
    waits = poll_waits()
    while running:
        shown = {one.activity_id: one for one in context.constant_contact.get_activities()}
        for activity_id in sorted(running):
            activity = shown.get(activity_id) or context.constant_contact.get_activity(activity_id)
            if activity is None or activity.is_finished:
                over[activity_id] = activity
        running -= over.keys()
        if not running:
            break
        if waited > STALL_SECONDS:
            raise VendorUnreachable(
                f"Constant Contact has not finished {len(running)} bulk jobs within half an hour.",
                "they are queued or still running there.",
                "Nothing is lost; the next run asks for them again.",
            )
        seconds = next(waits)
        context.clock.sleep(seconds)
        waited += seconds
    return over


def poll_waits() -> Iterator[float]:
    """Seconds between two looks, ever longer."""
    yield from POLL_SECONDS
    while True:
        yield POLL_SECONDS[-1]
