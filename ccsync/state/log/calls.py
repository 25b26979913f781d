"""Counts and paces the calls to each vendor, across processes and runs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ccsync.state.database.store import Store
from ccsync.state.database.times import day_of, from_text

LONGEST_HOLD_SECONDS = 3_600.0
_HOLD = " hold"
"""The row of `gates` with what a vendor asked for: until when, and since when."""
_STANDING = (
    "SELECT (SELECT calls FROM calls WHERE day = ?1 AND vendor = ?2), gate.next_at, gate.closed_until, held.next_at,"
    " held.closed_until FROM (SELECT 1) LEFT JOIN gates AS gate ON gate.vendor = ?2"
    " LEFT JOIN gates AS held ON held.vendor = ?3"
)
"""All that a call asks before it goes out. An export asks it for each page, a flush for each account."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a call may go out: after how many seconds, or not before which time."""

    wait_seconds: float
    closed_until: datetime | None
    calls_today: int


def admit(store: Store, vendor: str, now: datetime, seconds_apart: float, most: int | None) -> Admission:
    """Reserve the next slot for one call and count it, in one transaction.

    `most` is how many calls of this UTC day may be used by this kind of work (`None`: no limit).
    Nothing is counted when the day is closed or used up.
    """
    at, day = now.timestamp(), day_of(now)
    with store.transaction():
        [(counted, next_at, closing, held, held_since)] = store.rows(_STANDING, day, vendor, vendor + _HOLD)
        today, next_at, closed = counted or 0, next_at or 0.0, _still_closed(from_text(closing), now)
        if closed:
            return Admission(0.0, closed, today)
        if most is not None and today >= most:
            return Admission(0.0, next_midnight(now), today)
        # Only a few slots are reserved ahead; anything further is left over from a clock that was set back.
        paced = next_at if next_at - at <= 60 + 10 * seconds_apart else at
        slot = max(at, paced, _end_of_hold(held, from_text(held_since), at))
        store.run("INSERT OR REPLACE INTO gates VALUES (?, ?, NULL)", vendor, slot + seconds_apart)
        count = "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT (day, vendor) DO UPDATE SET calls = calls + 1"
        store.run(count, day, vendor)
    return Admission(slot - at, None, today + 1)


def give_back(store: Store, vendor: str, now: datetime) -> None:
    """A call that was admitted was not made: it does not count. Its slot stays empty."""
    store.run("UPDATE calls SET calls = max(calls - 1, 0) WHERE day = ? AND vendor = ?", day_of(now), vendor)


def hold(store: Store, vendor: str, now: datetime, seconds: float) -> None:
    """No call to `vendor` before `seconds` have passed, an hour at most, whichever process makes it."""
    until = max(now.timestamp() + min(seconds, LONGEST_HOLD_SECONDS), _held_until(store, vendor, now.timestamp()))
    store.run("INSERT OR REPLACE INTO gates VALUES (?, ?, ?)", vendor + _HOLD, until, now)


def _held_until(store: Store, vendor: str, at: float) -> float:
    """Until when the vendor asked for a wait."""
    row = store.one("SELECT next_at, closed_until FROM gates WHERE vendor = ?", vendor + _HOLD)
    return _end_of_hold(row[0], from_text(row[1]), at) if row else 0.0


def _end_of_hold(until: float | None, since: datetime | None, at: float) -> float:
    """When a wait that was noted ends; one that begins in the future is one of a clock that was set back.

    One that was noted longer (by an earlier version) ends an hour after it began all the same.
    """
    if until is None or since is None or since.timestamp() > at + 1:
        return 0.0
    return min(until, since.timestamp() + LONGEST_HOLD_SECONDS)


def close_for_today(store: Store, vendor: str, now: datetime) -> None:
    """The vendor says the day's quota is spent: nothing more before 00:00 UTC."""
    closed = "ON CONFLICT (vendor) DO UPDATE SET closed_until = excluded.closed_until"
    store.run(f"INSERT INTO gates VALUES (?, ?, ?) {closed}", vendor, now.timestamp(), next_midnight(now))


def calls_on(store: Store, vendor: str, now: datetime) -> int:
    """Calls to `vendor` on the UTC day of `now`."""
    return store.number("SELECT calls FROM calls WHERE day = ? AND vendor = ?", day_of(now), vendor)


def by_day(store: Store, vendor: str, first: date) -> dict[date, int]:
    """Calls to `vendor` on each UTC day from `first` on."""
    rows = store.rows("SELECT day, calls FROM calls WHERE vendor = ? AND day >= ? ORDER BY day", vendor, str(first))
    return {date.fromisoformat(day): number for day, number in rows}


def closed_until(store: Store, vendor: str, now: datetime) -> datetime | None:
    """Until when the vendor's quota is spent, if it says so."""
    return _still_closed(store.value(datetime, "SELECT closed_until FROM gates WHERE vendor = ?", vendor), now)


def _still_closed(closed: datetime | None, now: datetime) -> datetime | None:
    # A time after the next midnight comes from a clock that was ahead and has been set back.
    return closed if closed and now < closed <= next_midnight(now) else None


def next_midnight(now: datetime) -> datetime:
    """The next 00:00 UTC, when the vendor's day begins."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)
