"""When work that did not reach a vendor is tried again: one policy for every task and every rejected record.

Whether an attempt counts at all is decided by a control (`run.control`): a vendor that is down costs nobody an attempt.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ccsync.state.outbox.tasks import LONGEST_BACKOFF, LONGEST_EXPIRY

MOST_ATTEMPTS = 8
"""A task is parked after this many attempts."""
_EXPIRIES = (timedelta(days=1), timedelta(days=3), LONGEST_EXPIRY)


@dataclass(frozen=True, slots=True)
class NextTry:
    """When a task is tried again: the attempts so far, and whether it is parked until then."""

    attempts: int
    at: datetime
    is_parked: bool


def next_try(at: datetime, attempts: int, interval: timedelta) -> NextTry:
    """After the `attempts`-th failure: a run later, then twice as long each time, then parked."""
    if attempts >= MOST_ATTEMPTS:
        return NextTry(attempts, expires_at(at, attempts - MOST_ATTEMPTS + 1), True)
    doubled: timedelta = interval * 2 ** (attempts - 1)
    # A moment less than a whole interval: cron's next run must not miss it by a second.
    return NextTry(attempts, at + min(doubled, LONGEST_BACKOFF) - interval / 10, False)


def expires_at(at: datetime, refusals: int) -> datetime:
    """When to retry a record that was refused for the `refusals`-th time without a stated reason.

    After one day, three days, a week, then weekly: a plan that was upgraded or an account that was mended needs nobody.
    """
    return at + _EXPIRIES[min(refusals, len(_EXPIRIES)) - 1]
