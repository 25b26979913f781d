"""The vendors' tokens, each written whole in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime

from ccsync.state.database.store import Store


@dataclass(frozen=True, slots=True)
class SavedToken:
    """One vendor's tokens as last received."""

    vendor: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scope: str
    obtained_at: datetime
    expires_at: datetime


def get(store: Store, vendor: str) -> SavedToken | None:
    """The saved tokens of `vendor`, freshly read."""
    columns = "vendor, access_token, refresh_token, scope, obtained_at, expires_at"
    return next(iter(store.records(SavedToken, f"SELECT {columns} FROM tokens WHERE vendor = ?", vendor)), None)


def scope(store: Store, vendor: str) -> str:
    """What the saved login may do, "" without one."""
    saved = get(store, vendor)
    return saved.scope if saved else ""


def save(store: Store, token: SavedToken) -> None:
    """Commit `token` before it is used."""
    store.run_records("INSERT OR REPLACE INTO tokens", [token])
