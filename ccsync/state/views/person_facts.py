"""Everything the state file holds about one person or one account, for `why`.

It only reads, over its neighbours' tables.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Row, Store, Value
from ccsync.state.database.times import from_text, from_text_or_raise
from ccsync.state.ledger import ConsentChange
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
class ConsentRow:
    """One row of the consent ledger, with its run."""

    run_id: int | None
    change: ConsentChange


@dataclass(frozen=True, slots=True)
class SuppressionSeen:
    """When a suppression was last seen, and by which run."""

    kind: str
    list_id: str
    seen_at: datetime
    run_id: int | None


def people_of(store: Store, account_id: int) -> list[bytes]:
    """Everybody ccsync connects with an account, whoever has it now first: its present and past addresses."""
    found = store.rows(
        "SELECT person, 0 FROM accounts WHERE account_id = ?1 UNION ALL SELECT person, 1 FROM account_addresses"
        " WHERE account_id = ?1 UNION ALL SELECT person, 2 FROM consent WHERE account_id = ?1"
        " UNION ALL SELECT person, 3 FROM history WHERE account_id = ?1 UNION ALL"
        " SELECT person, 4 FROM staged WHERE account_id = ?1 AND person IS NOT NULL ORDER BY 2",
        account_id,
    )
    return list(dict.fromkeys(person for person, _ in found if isinstance(person, bytes)))


def accounts_of(store: Store, person: bytes) -> list[int]:
    """Every account that ccsync connects with a person."""
    found = store.rows(
        "SELECT account_id FROM accounts WHERE person = ?1"
        " UNION SELECT account_id FROM account_addresses WHERE person = ?1"
        " UNION SELECT account_id FROM consent WHERE person = ?1 UNION SELECT account_id FROM history"
        " WHERE person = ?1 UNION SELECT account_id FROM staged WHERE person = ?1 UNION SELECT account_id FROM tasks"
        " WHERE person = ?1 AND account_id NOT NULL"
        " UNION SELECT account_id FROM batch_rows WHERE person = ?1 ORDER BY 1",
        person,
    )
    return [number for (number,) in found if isinstance(number, int)]


def accounts_rejected_as(store: Store, address: str) -> list[int]:
    """The accounts whose record was rejected with this address, in its comparison form or as it is."""
    found = store.rows(
        "SELECT DISTINCT account_id FROM rejected WHERE lower(trim(email)) = ? OR email = ?",
        address.strip().lower(),
        address,
    )
    return [number for (number,) in found if isinstance(number, int)]


def accounts_known(store: Store, account_ids: Sequence[int]) -> list[AccountKnown]:
    """These accounts as last observed."""
    sql = "SELECT account_id, person, accepts_marketing, seen_at FROM accounts"
    found = _rows_among(store, sql, account_ids, "account_id")
    return [
        AccountKnown(int(str(account_id)), person, bool(accepts), from_text_or_raise(seen_at))
        for account_id, person, accepts, seen_at in found
        if isinstance(person, bytes)
    ]


def consent_of(store: Store, person: bytes) -> list[ConsentRow]:
    """A person's rows of the consent ledger, oldest first."""
    found = store.rows(
        "SELECT run_id, email, account_id, contact_id, change, source, happened_at, seen_at, evidence FROM consent"
        " WHERE person = ? ORDER BY id",
        person,
    )
    return [ConsentRow(_number(row[0]), _change(person, row[1:])) for row in found]


def _change(person: bytes, row: Sequence[Value]) -> ConsentChange:
    email, account_id, contact_id, change, source, happened_at, seen_at, evidence = row
    return ConsentChange(
        person,
        None if email is None else str(email),
        str(change),
        str(source),
        from_text(happened_at),
        from_text_or_raise(seen_at),
        _number(account_id),
        None if contact_id is None else str(contact_id),
        json.loads(str(evidence)),
    )


def rejections_of(store: Store, account_ids: Sequence[int]) -> list[Rejected]:
    """Every rejection of these accounts' records, oldest first."""
    sql = "SELECT run_id, account_id, email, code, reason, at FROM rejected"
    found = sorted(_rows_among(store, sql, account_ids, "account_id"), key=lambda row: (str(row[5]), str(row[1])))
    return [
        Rejected(
            int(str(run_id)),
            RejectedRecord(
                _number(account_id),
                None if email is None else str(email),
                str(code),
                str(reason),
                from_text_or_raise(at),
            ),
        )
        for run_id, account_id, email, code, reason, at in found
    ]


def suppressions_seen(store: Store, person: bytes) -> list[SuppressionSeen]:
    """When each suppression of a person was last seen."""
    return [
        SuppressionSeen(str(kind), str(list_id), from_text_or_raise(seen_at), _number(run_id))
        for kind, list_id, seen_at, run_id in store.rows(
            "SELECT kind, list_id, seen_at, run_id FROM suppressions WHERE person = ?", person
        )
    ]


def import_under_way(store: Store, person: bytes, list_id: str) -> int | None:
    """The run whose import to the list holds the person and has no outcome yet."""
    row = store.one(
        "SELECT run_id FROM batch_rows JOIN batches ON batches.id = batch_id WHERE person = ? AND list_id = ?"
        " ORDER BY batch_id DESC LIMIT 1",
        person,
        list_id,
    )
    return int(str(row[0])) if row else None


def removal_reason(store: Store, person: bytes, list_id: str) -> str | None:
    """Why the person is to leave the list, if so."""
    row = store.one("SELECT reason FROM tasks WHERE kind = 'remove' AND person = ? AND list_id = ?", person, list_id)
    return str(row[0]) if row else None


def is_staged(store: Store, person: bytes) -> bool:
    """Has a run read the person that has not ended yet?"""
    return store.one("SELECT 1 FROM staged WHERE person = ? LIMIT 1", person) is not None


def _rows_among(store: Store, sql: str, account_ids: Sequence[int], column: str) -> list[Row]:
    marks = ",".join("?" * len(account_ids))
    return store.rows(f"{sql} WHERE {column} IN ({marks})", *account_ids)


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) else None
