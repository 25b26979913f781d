"""The vendors' tokens, each written whole in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import from_text, storable, to_text


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
    row = store.one(
        "SELECT access_token, refresh_token, scope, obtained_at, expires_at FROM tokens WHERE vendor = ?", vendor
    )
    if row is None:
        return None
    obtained, expires = from_text(row[3]), from_text(row[4])
    if obtained is None or expires is None:
        return None
    return SavedToken(vendor, str(row[0]), None if row[1] is None else str(row[1]), str(row[2]), obtained, expires)


def save(store: Store, token: SavedToken) -> None:
    """Commit `token` before it is used."""
    store.run(
        "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?)",
        token.vendor,
        token.access_token,
        token.refresh_token,
        storable(token.scope),
        to_text(token.obtained_at),
        to_text(token.expires_at),
    )


def delete(store: Store, vendor: str) -> None:
    """Forget a vendor's tokens."""
    store.run("DELETE FROM tokens WHERE vendor = ?", vendor)
