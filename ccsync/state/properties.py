"""Single facts: the tenant's URL, whose account this is, which list was exported, how far streams were read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from ccsync.clocks import Time
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable

T = TypeVar("T", bound=Time)

RESTORED = "restored"
"""An older copy of the state file was put back: how far it knows the store, by Kibo's clock.

A whole comparison of the list settles it.
"""
TENANT_URL = "tenant_url"
"""Where Kibo serves the tenant, as the login found it."""
EXPORTED_LIST = "exported_list_id"
"""The list to which an export has finished."""
FIRST_EXPORT = "first_export_at"
"""When the first export ended that ended well, by Kibo's clock."""

LOOKED_FOR_RESTORE = "looked_for_restore"
"""The last run that could have recognized that an older state file was put back."""
LOOKED_UP = "looked_up_consent"
"""The last row of the consent ledger that was looked up in Kibo's audit log."""


def get(store: Store, key: str) -> str | None:
    """The value of a fact, or `None`."""
    return store.value(str, "SELECT value FROM meta WHERE key = ?", key)


def put(store: Store, key: str, value: str) -> None:
    """Remember a fact."""
    store.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, storable(value))


def forget(store: Store, key: str) -> None:
    """Drop a fact."""
    store.run("DELETE FROM meta WHERE key = ?", key)


def looked_for_restore(store: Store) -> int | None:
    """The id of the last run that could have recognized that an older state file was put back."""
    noted = get(store, LOOKED_FOR_RESTORE)
    return int(noted) if noted else None


SLACK = timedelta(minutes=15)
"""How far a bookmark may lie ahead of the present: clocks that are right differ by less."""


def has_exported(store: Store, list_id: str | None) -> bool:
    """Has an export to this list finished, and was it the last list that one has finished to?"""
    return list_id is not None and get(store, EXPORTED_LIST) == list_id


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """Something that is read as far as a bookmark, and the clock that this is measured by."""

    name: str
    clock: Callable[[datetime], T]


def bookmark(store: Store, stream: Stream[T], now: datetime) -> T | None:
    """How far `stream` has been read; `None` also for a bookmark ahead of `now`, which a wrong clock has set."""
    at = store.value(datetime, "SELECT at FROM bookmarks WHERE stream = ?", stream.name)
    return None if at is None or at > now + SLACK else stream.clock(min(at, now))


def advance(store: Store, stream: Stream[T], at: T, now: datetime) -> None:
    """Move a stream's bookmark; it never moves back, but for one ahead of `now`."""
    moved = "CASE WHEN at > ?3 THEN ?2 ELSE max(at, ?2) END"
    sql = f"INSERT INTO bookmarks VALUES (?1, ?2) ON CONFLICT (stream) DO UPDATE SET at = {moved}"
    store.run(sql, stream.name, at.at, now + SLACK)


def reset(store: Store, stream: Stream[T]) -> None:
    """Restart a stream, inside the caller's transaction or by itself."""
    store.run("DELETE FROM bookmarks WHERE stream = ?", stream.name)
