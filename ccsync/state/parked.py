"""Records that stay rejected until they change: not sent again meanwhile, and not reported as new again."""

from collections.abc import Iterable
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import to_text


def standing(store: Store, account_id: int) -> tuple[str, bytes | None] | None:
    """Why an account is parked: the code, and the fingerprint of the row that was refused."""
    row = store.one("SELECT code, fingerprint FROM parked WHERE account_id = ?", account_id)
    return None if row is None else (str(row[0]), row[1] if isinstance(row[1], bytes) else None)


def put(store: Store, account_id: int, code: str, fingerprint: bytes | None, at: datetime, run_id: int) -> None:
    """Park an account. It is this run's news when the reason or the row is another than before."""
    if standing(store, account_id) != (code, fingerprint):
        store.run(
            "INSERT OR REPLACE INTO parked (account_id, code, fingerprint, since, run_id) VALUES (?, ?, ?, ?, ?)",
            account_id,
            code,
            fingerprint,
            to_text(at),
            run_id,
        )


def release(store: Store, account_id: int) -> None:
    """The account is no longer our business."""
    store.run("DELETE FROM parked WHERE account_id = ?", account_id)


def release_checked(store: Store, account_ids: Iterable[int]) -> None:
    """These records pass our own checks again, inside the caller's transaction.

    What the vendor has refused stays: only a changed row is tried again.
    """
    store.run_many("DELETE FROM parked WHERE account_id = ? AND fingerprint IS NULL", [(one,) for one in account_ids])


def release_batch(store: Store, batch_id: int) -> None:
    """The accounts of a batch that arrived are well, inside the caller's transaction."""
    store.run("DELETE FROM parked WHERE account_id IN (SELECT account_id FROM batch_rows WHERE batch_id = ?)", batch_id)


def news_of(store: Store, run_id: int) -> int:
    """How many records this run was the first to reject."""
    return store.number("SELECT count(*) FROM parked WHERE run_id = ?", run_id)


def account_ids(store: Store) -> list[int]:
    """Every account that is parked."""
    return [int(str(row[0])) for row in store.rows("SELECT account_id FROM parked ORDER BY account_id")]
