"""A vendor's clock is read from its answers, and one wrong `Date` among them does no harm."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ccsync.transport.vendor_clock import VendorClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


def clock(*dates: datetime | None) -> VendorClock:
    """A clock that has heard these dates, one each second from 0 on."""
    made = VendorClock()
    for second, date in enumerate(dates):
        made.note(None if date is None else format_datetime(date, usegmt=True), float(second))
    return made


def test_without_a_date_ours_is_all_there_is() -> None:
    """No answer, or none that tells."""
    for made in (clock(), clock(None), VendorClock()):
        made.note("yesterday", 0.0)
        reading = made.read(5.0, NOON)
        assert (reading.earliest, reading.latest) == (NOON, NOON)


@pytest.mark.parametrize("skew", [-YEAR, -timedelta(minutes=10), timedelta(), 5 * YEAR])
def test_answers_that_agree_are_believed_whatever_our_clock_says(skew: timedelta) -> None:
    """Two are enough; the time since then is added."""
    reading = clock(NOON, NOON + timedelta(seconds=1)).read(61.0, NOON + skew)
    assert reading.earliest == reading.latest
    assert abs(reading.earliest - NOON - timedelta(seconds=61)) <= timedelta(seconds=1)


@pytest.mark.parametrize("off", [-YEAR, YEAR])
@pytest.mark.parametrize("nth", range(4))
def test_one_wrong_date_among_several_is_passed_over(off: timedelta, nth: int) -> None:
    """Whichever answer carries it."""
    dates = [NOON + timedelta(seconds=second) for second in range(4)]
    dates[nth] += off
    reading = clock(*dates).read(3.0, NOON)
    assert abs(reading.latest - dates[0 if nth else 1]) < timedelta(minutes=1)


@pytest.mark.parametrize("off", [-YEAR, YEAR])
def test_of_two_that_contradict_each_other_the_one_nearer_to_ours_holds(off: timedelta) -> None:
    """One of the vendor's answers is wrong, and our clock is not."""
    reading = clock(NOON + off, NOON).read(1.0, NOON)
    assert (reading.earliest, reading.latest) == (NOON, NOON)


@pytest.mark.parametrize("off", [-YEAR, YEAR])
def test_a_single_date_is_a_doubt(off: timedelta) -> None:
    """It, or our clock, may be wrong: the vendor's lies between the two."""
    reading = clock(NOON + off).read(0.0, NOON)
    assert (reading.earliest, reading.latest) == tuple(sorted((NOON, NOON + off)))


@pytest.mark.parametrize("header", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0100 00:00:00 +1400"])
def test_a_date_that_no_clock_shows_is_none(header: str) -> None:
    """It counts as no date: a sum with it would end the run with a traceback."""
    clock = VendorClock()
    clock.note(header, 0.0)
    assert clock.answers == 0
