"""Everything the state file holds about one person or one account, for `why`.

It only reads, over its neighbours' tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.rows import marks, record_of
from ccsync.state.database.store import Store
from ccsync.state.log.runs import RejectedRecord


@dataclass(frozen=True, slots=True)
class AccountKnown:
    """A Kibo account as last observed; `person` is who had it then."""

    account_id: int
    person: bytes
    accepts_marketing: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejection of a record, with its run."""

    run_id: int
    record: RejectedRecord


@dataclass(frozen=True, slots=True)
class SuppressionSeen:
    """When a suppression was last seen, and by which run."""

    kind: str
    list_id: str
    seen_at: datetime
    run_id: int | None


def people_of(store: Store, account_id: int) -> list[bytes]:
    """Every person ccsync connects with an account, the present one first: its present and past addresses."""
    found = store.rows(
        "SELECT person, 0 FROM accounts WHERE account_id = ?1 UNION ALL SELECT person, 1 FROM account_addresses"
        " WHERE account_id = ?1 UNION ALL SELECT person, 2 FROM consent WHERE account_id = ?1"
        " UNION ALL SELECT person, 3 FROM history WHERE account_id = ?1 ORDER BY 2",
        account_id,
    )
    return list(dict.fromkeys(person for person, _ in found))


def accounts_of(store: Store, person: bytes) -> list[int]:
    """Every account that ccsync connects with a person."""
    sql = (
        "SELECT account_id FROM accounts WHERE person = ?1"
        " UNION SELECT account_id FROM account_addresses WHERE person = ?1"
        " UNION SELECT account_id FROM consent WHERE person = ?1"
        " UNION SELECT account_id FROM history WHERE person = ?1"
        " UNION SELECT account_id FROM tasks WHERE person = ?1 AND account_id NOT NULL"
        " UNION SELECT account_id FROM batch_rows WHERE person = ?1 ORDER BY 1"
    )
    return [one for one in store.column(int, sql, person) if one is not None]


def accounts_of_moved_contact(store: Store, person: bytes) -> list[int]:
    """The accounts that opt in with the address that a contact of ccsync's had before it moved to this person's."""
    sql = "SELECT account_id FROM contacts JOIN accounts USING (person)"
    return store.column(int, f"{sql} WHERE moved_to = ? AND is_ours AND accepts_marketing ORDER BY 1", person)


def accounts_rejected_as(store: Store, address: str) -> list[int]:
    """The accounts whose record was rejected with this address, in its comparison form or as it is."""
    sql = "SELECT DISTINCT account_id FROM rejected WHERE account_id NOT NULL AND (lower(trim(email)) = ? OR email = ?)"
    return store.column(int, sql, address.strip().lower(), address)


def accounts_known(store: Store, account_ids: Sequence[int]) -> list[AccountKnown]:
    """These accounts as last observed."""
    sql = "SELECT account_id, person, accepts_marketing, seen_at FROM accounts"
    return store.records(AccountKnown, f"{sql} WHERE account_id IN ({marks(account_ids)})", *account_ids)


def rejections_of(store: Store, account_ids: Sequence[int]) -> list[Rejected]:
    """Every rejection of these accounts' records, oldest first."""
    sql = (
        "SELECT run_id, account_id, email, code, reason, at FROM rejected"
        f" WHERE account_id IN ({marks(account_ids)}) ORDER BY at, account_id"
    )
    return [Rejected(run_id, record_of(RejectedRecord, row)) for run_id, *row in store.rows(sql, *account_ids)]


def suppressions_seen(store: Store, person: bytes) -> list[SuppressionSeen]:
    """When each suppression of a person was last seen."""
    sql = "SELECT kind, list_id, seen_at, run_id FROM suppressions WHERE person = ?"
    return store.records(SuppressionSeen, sql, person)


def import_under_way(store: Store, person: bytes, list_id: str) -> int | None:
    """The run whose import to the list holds the person and has no outcome yet."""
    sql = (
        "SELECT run_id FROM batch_rows JOIN batches ON batches.id = batch_id WHERE person = ? AND list_id = ?"
        " ORDER BY batch_id DESC LIMIT 1"
    )
    return store.value(int, sql, person, list_id)


def removal_reason(store: Store, person: bytes, list_id: str) -> str | None:
    """Why the person is to leave the list, if so."""
    sql = "SELECT reason FROM tasks WHERE kind = 'remove' AND person = ? AND list_id = ?"
    return store.value(str, sql, person, list_id)
