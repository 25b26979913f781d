"""Records that stay rejected until they change, or until a refusal without a reason expires.

They are not sent again meanwhile, and not reported as new again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.rows import marks, record_of
from ccsync.state.database.store import Store


def standing(store: Store, account_id: int) -> tuple[str, bytes | None] | None:
    """Why an account is parked: the code, and the fingerprint of the row that was refused."""
    row = store.one("SELECT code, fingerprint FROM parked WHERE account_id = ?", account_id)
    return None if row is None else (row[0], row[1])


def is_refused(store: Store, account_id: int, at: datetime) -> bool:
    """Has Constant Contact refused the account's row, and does that still hold at `at`?"""
    sql = "SELECT 1 FROM parked WHERE account_id = ? AND fingerprint NOT NULL AND coalesce(expires_at > ?, 1)"
    return store.exists(sql, account_id, at)


def put(store: Store, account_id: int, code: str, fingerprint: bytes | None, at: datetime, run_id: int) -> None:
    """Park an account. It counts as news of this run if the reason or the row is new."""
    if standing(store, account_id) != (code, fingerprint):
        sql = "INSERT OR REPLACE INTO parked (account_id, code, fingerprint, since, run_id) VALUES (?, ?, ?, ?, ?)"
        store.run(sql, account_id, code, fingerprint, at, run_id)


def refusals_of(store: Store, account_id: int, code: str, fingerprint: bytes) -> int:
    """How often this row of an account has been refused for this reason before."""
    sql = "SELECT attempts FROM parked WHERE account_id = ? AND code = ? AND fingerprint = ?"
    return store.number(sql, account_id, code, fingerprint)


def put_until(store: Store, account_id: int, refusals: int, expires_at: datetime) -> None:
    """A parked account was refused without a reason for the `refusals`-th time: it is tried again at `expires_at`."""
    sql = "UPDATE parked SET attempts = ?, expires_at = ? WHERE account_id = ?"
    store.run(sql, refusals, expires_at, account_id)


def due_again(store: Store, at: datetime) -> list[int]:
    """The accounts whose refusal has expired."""
    sql = "SELECT account_id FROM parked WHERE expires_at <= ? ORDER BY account_id"
    return store.column(int, sql, at)


def expire_since(store: Store, since: datetime) -> None:
    """Retry people first refused since then, because others pass again."""
    first = "expires_at NOT NULL AND attempts = 1"
    store.run(f"UPDATE parked SET expires_at = since WHERE {first} AND since >= ?", since)


def release_expired(store: Store, at: datetime) -> None:
    """What has expired, was read again by this run and was not refused again is well; in the caller's transaction.

    Those whose import is still under way are not known to be.
    """
    store.run(
        "DELETE FROM parked WHERE expires_at <= ? AND account_id IN (SELECT account_id FROM tasks"
        " WHERE kind = 'read' AND read_upto NOT NULL) AND account_id NOT IN (SELECT account_id FROM batch_rows)",
        at,
    )


def release(store: Store, account_id: int) -> None:
    """Forget that an account is parked."""
    store.run("DELETE FROM parked WHERE account_id = ?", account_id)


def release_checked(store: Store, account_ids: Iterable[int]) -> None:
    """These records pass our own checks again, inside the caller's transaction.

    What the vendor has refused stays: only a changed row is tried again.
    """
    found = list(account_ids)
    store.run(f"DELETE FROM parked WHERE fingerprint IS NULL AND account_id IN ({marks(found)})", *found)


def release_batch(store: Store, batch_id: int, upto: bytes) -> None:
    """The accounts of a part of a batch that arrived are well, inside the caller's transaction."""
    which = "SELECT account_id FROM batch_rows WHERE batch_id = ? AND person <= ?"
    store.run(f"DELETE FROM parked WHERE account_id IN ({which})", batch_id, upto)


def news_of(store: Store, run_id: int) -> int:
    """How many records were rejected for the first time by this run."""
    return store.number("SELECT count(*) FROM parked WHERE run_id = ?", run_id)


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record as it is rejected now, with the run that rejected it last, as far as the log goes back."""

    account_id: int
    email: str | None
    reason: str
    code: str
    at: datetime
    run_id: int


def iter_records(store: Store) -> Iterator[ParkedRecord]:
    """Every record that is rejected now, the newest first."""
    sql = (
        "SELECT parked.account_id, email, coalesce(reason, parked.code), parked.code, since,"
        " coalesce(latest.run_id, parked.run_id) FROM parked LEFT JOIN"
        " (SELECT account_id, email, reason, max(run_id) AS run_id FROM rejected GROUP BY account_id) AS latest"
        " USING (account_id) ORDER BY since DESC, parked.account_id"
    )
    for row in store.iter_rows(sql):
        yield record_of(ParkedRecord, row)


def account_ids(store: Store) -> list[int]:
    """Every account that is parked."""
    return store.column(int, "SELECT account_id FROM parked ORDER BY account_id")


def count_by_code(store: Store) -> dict[str, int]:
    """How many records stay rejected, by reason; the commonest first."""
    return dict(store.rows("SELECT code, count(*) FROM parked GROUP BY code ORDER BY 2 DESC, 1"))
