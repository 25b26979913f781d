"""Single facts: the tenant's URL, whose account this is, which list was exported, how far streams were read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from ccsync.clocks import Time
from ccsync.state.database.store import Store
from ccsync.state.database.times import from_text, storable, to_text

T = TypeVar("T", bound=Time)

RESTORED = "restored"
"""An older copy of the state file was put back: how far it knows the store, by Kibo's clock.

A whole comparison of the list settles it.
"""
EXPORTED_LIST = "exported_list_id"
"""The list to which an export has finished."""


def get(store: Store, key: str) -> str | None:
    """The value of a fact, or `None`."""
    row = store.one("SELECT value FROM meta WHERE key = ?", key)
    return str(row[0]) if row else None


def put(store: Store, key: str, value: str) -> None:
    """Remember a fact."""
    store.run(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        storable(value),
    )


def forget(store: Store, key: str) -> None:
    """Drop a fact."""
    store.run("DELETE FROM meta WHERE key = ?", key)


SLACK = timedelta(minutes=15)
"""How far a bookmark may lie ahead of the present: clocks that are right differ by less."""


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """Something that is read as far as a bookmark, and the clock that this is measured by."""

    name: str
    clock: Callable[[datetime], T]


def bookmark(store: Store, stream: Stream[T], now: datetime) -> T | None:
    """How far `stream` has been read; `None` also for a bookmark ahead of `now`, which a wrong clock has set."""
    row = store.one("SELECT at FROM bookmarks WHERE stream = ?", stream.name)
    at = from_text(row[0]) if row else None
    return None if at is None or at > now + SLACK else stream.clock(min(at, now))


def advance(store: Store, stream: Stream[T], at: T, now: datetime) -> None:
    """Move a stream's bookmark; it never moves back, but for one ahead of `now`."""
    store.run(
        "INSERT INTO bookmarks VALUES (?1, ?2) ON CONFLICT (stream) DO UPDATE"
        " SET at = CASE WHEN at > ?3 THEN ?2 ELSE max(at, ?2) END",
        stream.name,
        to_text(at.at),
        to_text(now + SLACK),
    )


def reset(store: Store, stream: Stream[T]) -> None:
    """Let a stream begin anew, inside the caller's transaction or by itself."""
    store.run("DELETE FROM bookmarks WHERE stream = ?", stream.name)
