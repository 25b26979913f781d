"""Single facts: the tenant's URL, whose account this is, which list was exported, how far streams were read."""

from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import from_text, storable, to_text

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


def bookmark(store: Store, stream: str) -> datetime | None:
    """How far `stream` has been read."""
    row = store.one("SELECT at FROM bookmarks WHERE stream = ?", stream)
    return from_text(row[0]) if row else None


def advance(store: Store, stream: str, at: datetime) -> None:
    """Move a stream's bookmark; it never moves back."""
    store.run(
        "INSERT INTO bookmarks VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET at = max(at, excluded.at)",
        stream,
        to_text(at),
    )


def reset(store: Store, stream: str) -> None:
    """Let a stream begin anew, inside the caller's transaction or by itself."""
    store.run("DELETE FROM bookmarks WHERE stream = ?", stream)
