"""The one retry policy."""

from datetime import UTC, datetime, timedelta

import pytest

from ccsync.consent.retry import MOST_ATTEMPTS, expires_at, next_try

DAY = datetime(2026, 11, 23, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 27), (2, 57), (3, 117), (5, 477), (6, 717), (7, 717)])
def test_the_wait_before_the_next_attempt(attempts: int, minutes: int) -> None:
    """The next run, then twice as long each time, at most half a day; cron's seconds are allowed for."""
    found = next_try(DAY, attempts, HALF_HOUR)
    assert (found.attempts, found.at, found.is_parked) == (attempts, DAY + timedelta(minutes=minutes), False)


def test_a_task_is_parked_after_eight_attempts() -> None:
    """Parked work comes again after one day, three days, a week, then weekly."""
    found = [next_try(DAY, MOST_ATTEMPTS + number, HALF_HOUR) for number in range(5)]
    assert all(one.is_parked for one in found)
    assert [(one.at - DAY).days for one in found] == [1, 3, 7, 7, 7]


def test_eight_attempts_take_less_than_two_days() -> None:
    """A bad record is parked within two days of cron."""
    waits = [next_try(DAY, attempts, HALF_HOUR).at - DAY for attempts in range(1, MOST_ATTEMPTS)]
    assert sum(waits, timedelta()) < timedelta(days=2)


@pytest.mark.parametrize(("refusals", "days"), [(1, 1), (2, 3), (3, 7), (4, 7), (99, 7)])
def test_a_refusal_without_a_reason_expires(refusals: int, days: int) -> None:
    """After one day, three days, a week, then weekly."""
    assert expires_at(DAY, refusals) == DAY + timedelta(days=days)
