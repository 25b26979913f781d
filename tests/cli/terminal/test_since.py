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
