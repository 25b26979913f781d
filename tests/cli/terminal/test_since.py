"""`--since`: a date, a time, or how long ago."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ccsync.cli.terminal.since import read_since

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01", datetime(2026, 10, 31, 23, tzinfo=UTC)),
        ("2026-07-01T08:00", datetime(2026, 7, 1, 6, tzinfo=UTC)),
        ("2026-07-01 08:00:30", datetime(2026, 7, 1, 6, 0, 30, tzinfo=UTC)),
        ("2026-07-01T08:00:00Z", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01T08:00:00-05:00", datetime(2026, 7, 1, 13, tzinfo=UTC)),
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(weeks=1)),
    ],
)
def test_a_time_is_read_as_it_is_meant(text: str, expected: datetime) -> None:
    """Local without an offset, exact with one, or counted back from now."""
    assert read_since(text, NOW) == expected


def test_an_hour_that_comes_twice_is_asked_about() -> None:
    """In the night when clocks go back, the message shows both moments."""
    with pytest.raises(ValueError, match=r"\+02:00 and .*\+01:00"):
        read_since("2026-10-25T02:30", NOW)


@pytest.mark.parametrize("text", ["yesterday", "3 d", "d", "-2h", "2026-13-01", "", "999999w", "0001-01-01T00:00"])
def test_anything_else_is_refused(text: str) -> None:
    """No guessing: what cannot be read is an error, whatever is wrong with it."""
    with pytest.raises((ValueError, OverflowError)):
        read_since(text, NOW)


def first_instant(monkeypatch: pytest.MonkeyPatch, zone: str, day: str) -> datetime:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    return read_since(day, NOW)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("America/Sao_Paulo", "2018-11-04", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # 00:00 was skipped to 01:00
        ("Africa/Cairo", "2026-04-24", datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("America/Havana", "2026-11-01", datetime(2026, 11, 1, 4, tzinfo=UTC)),  # 00:00 came twice: the first
        ("America/Toronto", "1919-03-31", datetime(1919, 3, 31, 4, 30, tzinfo=UTC)),  # 23:30 to 00:30
        ("Pacific/Apia", "2011-12-31", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_begins_with_its_first_instant(
    monkeypatch: pytest.MonkeyPatch, zone: str, day: str, expected: datetime
) -> None:
    """Also where clocks skip midnight, or show it twice."""
    assert first_instant(monkeypatch, zone, day) == expected


def test_a_day_that_was_skipped_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samoa had no 30 December 2011."""
    with pytest.raises(ValueError, match="2011-12-30 was skipped"):
        first_instant(monkeypatch, "Pacific/Apia", "2011-12-30")


def test_a_time_that_was_skipped_is_called_so() -> None:
    """In the night when clocks go forward, instead of a moment that nobody meant."""
    with pytest.raises(ValueError, match="2026-03-29T02:30 was skipped"):
        read_since("2026-03-29T02:30", NOW)
