"""Compares all accounts with what was sent before, where events may have been missed. Only what changed is sent."""

from datetime import datetime

from ccsync.errors import OutOfTime, TemporaryError
from ccsync.jobs import events
from ccsync.jobs.gathering import gather_everybody
from ccsync.jobs.reading import FILTER
from ccsync.jobs.work import Work
from ccsync.kibo.events import PAGE_SIZE
from ccsync.state import dealt, meta, staging
from ccsync.state import events as queue


def catch_up(work: Work) -> tuple[datetime, TemporaryError | None]:
    """Stage everybody who opts in, and queue whoever did so when last seen and is not among them.

    Returns the start of the sweep by Kibo's clock, and what went wrong in the end, if anything.
    Raises `OutOfTime` when the store is too large for a run that has to end.
    """
    work.remarks.append(_why(work.now(), meta.bookmark(work.store, events.STREAM)))
    customers = work.kibo.get_customers(start=0, size=1, filter=FILTER).total
    _check_time(work, customers)
    started_at = work.kibo.transport.server_time(work.now())
    missing = gather_everybody(work, started_at).missing
    work.counts["read"] += staging.have_read(work.store)
    with work.store.transaction():
        dealt.mark_staged(work.store)
        if not missing:
            queue.enqueue_vanished(work.store, work.now())
    return started_at, _incomplete(missing) if missing else None


def _why(now: datetime, bookmark: datetime | None) -> str:
    because = (
        "It is not known how far events were read"
        if bookmark is None
        else f"Events were last read {(now - bookmark).days} days ago, and Kibo may not keep them so long"
    )
    return f"{because}: all customers were compared with what was sent before."


def _check_time(work: Work, customers: int) -> None:
    left = work.clock.seconds_left()
    needed = customers / PAGE_SIZE / work.config.limits.kibo_requests_per_second
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
