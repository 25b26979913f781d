"""What ccsync has set at Kibo, noted beforehand, so that the echo is recognized even after a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.rows import marks
from ccsync.state.database.store import Store


@dataclass(frozen=True, slots=True)
class KiboWrite:
    """The last value ccsync set, or set out to set. `done_at` and `updated_at` are `None` until it is done.

    The other times are Kibo's. `updated_at` may be of a later change, where the answer to the write was lost.
    """

    account_id: int
    person: bytes
    accepts_marketing: bool
    reason: str
    done_at: datetime | None
    updated_at: datetime | None
    set_out_at: datetime


def set_out(store: Store, account_id: int, person: bytes, accepts: bool, reason: str, at: datetime) -> None:
    """ccsync is about to set this, at `at` by Kibo's clock; commit it first."""
    columns = "account_id, person, accepts_marketing, reason, set_out_at"
    sql = f"INSERT OR REPLACE INTO kibo_writes ({columns}) VALUES (?, ?, ?, ?, ?)"
    store.run(sql, account_id, person, accepts, reason, at)


def finish(store: Store, account_id: int, at: datetime, updated_at: datetime | None) -> None:
    """Kibo shows the value; inside the caller's transaction."""
    assigned = "done_at = coalesce(done_at, ?), updated_at = coalesce(updated_at, ?)"
    store.run(f"UPDATE kibo_writes SET {assigned} WHERE account_id = ?", at, updated_at, account_id)


def withdraw(store: Store, account_id: int) -> None:
    """Kibo turned down what ccsync had set out to do."""
    store.run("DELETE FROM kibo_writes WHERE account_id = ? AND done_at IS NULL", account_id)


def forget(store: Store, account_id: int) -> None:
    """The person has changed it since; inside the caller's transaction."""
    store.run("DELETE FROM kibo_writes WHERE account_id = ?", account_id)


def among(store: Store, account_ids: Sequence[int]) -> dict[int, KiboWrite]:
    """What ccsync last set on these accounts."""
    columns = "account_id, person, accepts_marketing, reason, done_at, updated_at, set_out_at"
    sql = f"SELECT {columns} FROM kibo_writes WHERE account_id IN ({marks(account_ids)})"
    return {one.account_id: one for one in store.records(KiboWrite, sql, *account_ids)}
