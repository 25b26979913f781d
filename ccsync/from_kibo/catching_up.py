"""Compares all accounts with what was sent before, where events may have been missed. Only what changed is sent."""

from datetime import datetime

from ccsync.errors import OutOfTime, TemporaryError
from ccsync.from_kibo import events
from ccsync.from_kibo.full_sweep import gather_everybody
from ccsync.from_kibo.pages import FILTER
from ccsync.kibo.events import PAGE_SIZE
from ccsync.run.context import Context
from ccsync.state import properties, queue, staging


def catch_up(context: Context) -> tuple[datetime, TemporaryError | None]:
    """Stage everybody who opts in, and queue whoever did so when last seen and is not among them.

    Returns the start of the sweep by Kibo's clock, and what went wrong in the end, if anything.
    Raises `OutOfTime` when the store is too large for a run that has to end.
    """
    context.remarks.append(_why(context.now(), properties.bookmark(context.store, events.STREAM)))
    customers = context.kibo.get_customers(start=0, size=1, filter=FILTER).total
    _check_time(context, customers)
    started_at = context.kibo.transport.server_time(context.now())
    missing = gather_everybody(context, started_at).missing
    context.counts["read"] += staging.have_read(context.store)
    with context.store.transaction():
        queue.mark_staged_read(context.store)
        if not missing:
            queue.enqueue_vanished(context.store, context.now())
    return started_at, _incomplete(missing) if missing else None


def _why(now: datetime, bookmark: datetime | None) -> str:
    because = (
        "It is not known how far events were read"
        if bookmark is None
        else f"Events were last read {(now - bookmark).days} days ago, and Kibo may not keep them so long"
    )
    return f"{because}: all customers were compared with what was sent before."


def _check_time(context: Context, customers: int) -> None:
    left = context.clock.seconds_left()
    needed = customers / PAGE_SIZE / context.config.limits.kibo_requests_per_second
    if left is not None and needed > left / 2:
        raise OutOfTime(
            f"Events may be missing, and comparing all {customers:,} customers takes longer than this run may.",
            f"about {needed / 60:.0f} minutes of reading.",
            "ccsync export        (takes as long as it needs, and the events go on from there)",
        )


def _incomplete(missing: int) -> TemporaryError:
    return TemporaryError(
        f"Kibo counts {missing:,} customers more than it showed; everybody it showed was dealt with.",
        "rows kept moving while they were read.",
        "The next run compares all customers again.",
    )
