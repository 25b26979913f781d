"""What ccsync has set at Kibo: noted before it is set, so that its echo is known even after a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import from_text, to_text, to_text_or_none


@dataclass(frozen=True, slots=True)
class KiboWrite:
    """The last value ccsync set, or set out to set; both times are `None` until it is done, the second is Kibo's."""

    account_id: int
    person: bytes
    accepts_marketing: bool
    reason: str
    done_at: datetime | None
    updated_at: datetime | None


def set_out(store: Store, account_id: int, person: bytes, accepts: bool, reason: str, at: datetime) -> None:
    """ccsync is about to set this; commit it first."""
    store.run(
        "INSERT OR REPLACE INTO kibo_writes (account_id, person, accepts_marketing, reason, set_out_at)"
        " VALUES (?, ?, ?, ?, ?)",
        account_id,
        person,
        int(accepts),
        reason,
        to_text(at),
    )


def finish(store: Store, account_id: int, at: datetime, updated_at: datetime | None) -> None:
    """Kibo shows the value; inside the caller's transaction."""
    store.run(
        "UPDATE kibo_writes SET done_at = coalesce(done_at, ?), updated_at = coalesce(updated_at, ?)"
        " WHERE account_id = ?",
        to_text(at),
        to_text_or_none(updated_at),
        account_id,
    )


def forget(store: Store, account_id: int) -> None:
    """The person has had their own say since; inside the caller's transaction."""
    store.run("DELETE FROM kibo_writes WHERE account_id = ?", account_id)


def among(store: Store, account_ids: Sequence[int]) -> dict[int, KiboWrite]:
    """What ccsync last set on these accounts."""
    marks = ",".join("?" * len(account_ids))
    found = store.rows(
        "SELECT account_id, person, accepts_marketing, reason, done_at, updated_at FROM kibo_writes"
        f" WHERE account_id IN ({marks})",
        *account_ids,
    )
    return {
        account_id: KiboWrite(account_id, person, bool(accepts), str(reason), from_text(done_at), from_text(updated_at))
        for account_id, person, accepts, reason, done_at, updated_at in found
        if isinstance(account_id, int) and isinstance(person, bytes)
    }
