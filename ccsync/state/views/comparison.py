"""Both systems side by side, in temporary tables: a store and a list may have a million people each."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Row, Store
from ccsync.state.database.times import from_text, storable, to_text_or_none
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, OPTED_OUT, UNSUBSCRIBED

_CHUNK = 500
_TABLES = (
    "CREATE TEMP TABLE at_kibo (account_id INTEGER PRIMARY KEY, person BLOB, email TEXT, opts_in INTEGER,"
    " created_at TEXT, updated_at TEXT, why_not TEXT NOT NULL) STRICT",
    "CREATE INDEX temp.at_kibo_by_person ON at_kibo (person, opts_in)",
    "CREATE TEMP TABLE on_list (person BLOB PRIMARY KEY, email TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TEMP TABLE findings (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, person BLOB NOT NULL, email TEXT,"
    " account_ids TEXT NOT NULL, reason TEXT NOT NULL, repair TEXT NOT NULL) STRICT",
)
# An unsubscribed contact is no member: lists and exports may show it all the same.
_MAILED = (
    "FROM on_list WHERE NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.person = on_list.person"
    f" AND kind = '{UNSUBSCRIBED}')"
)
_OPTS_IN = "EXISTS (SELECT 1 FROM at_kibo WHERE at_kibo.person = on_list.person AND opts_in)"
_HELD = (
    "EXISTS (SELECT 1 FROM suppressions WHERE suppressions.person = on_list.person"
    f" AND kind IN ('{OPTED_OUT}', '{FORGOTTEN}', '{DEPARTED}') AND list_id IN ('', ?2))"
)


@dataclass(frozen=True, slots=True)
class AtKibo:
    """An account as a reading shows it. `why_not` says why it cannot be sent, "" if it can."""

    account_id: int
    person: bytes | None
    email: str | None
    opts_in: bool | None
    created_at: datetime | None
    updated_at: datetime | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One person about whom the systems differ, or of whom an operator should know."""

    kind: str
    person: bytes
    email: str | None
    account_ids: tuple[int, ...]
    reason: str
    repair: str = ""


def begin(store: Store) -> None:
    """Make the tables, empty; they are gone when the state file is closed."""
    for name in ("at_kibo", "on_list", "findings"):
        store.run(f"DROP TABLE IF EXISTS temp.{name}")
    for statement in _TABLES:
        store.run(statement)


def note_accounts(store: Store, accounts: Iterable[AtKibo]) -> None:
    """Keep accounts; one read again replaces what was kept of it."""
    with store.transaction():
        store.run_many(
            "INSERT OR REPLACE INTO at_kibo VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.account_id,
                    one.person,
                    None if one.email is None else storable(one.email),
                    None if one.opts_in is None else int(one.opts_in),
                    to_text_or_none(one.created_at),
                    to_text_or_none(one.updated_at),
                    one.why_not,
                )
                for one in accounts
            ],
        )


def note_members(store: Store, members: Iterable[tuple[bytes, str]]) -> None:
    """Keep members of the list: (person, address)."""
    with store.transaction():
        store.run_many(
            "INSERT OR REPLACE INTO on_list VALUES (?, ?)", [(person, storable(email)) for person, email in members]
        )


def forget_members(store: Store) -> None:
    """A reading of the list was not whole."""
    store.run("DELETE FROM on_list")


def count_accounts(store: Store) -> int:
    """How many distinct accounts were read."""
    return store.number("SELECT count(*) FROM at_kibo")


def count_members(store: Store) -> int:
    """How many distinct members were read."""
    return store.number("SELECT count(*) FROM on_list")


def count_listed_without_account(store: Store) -> int:
    """How many members no opted-in account stands behind."""
    return store.number(f"SELECT count(*) {_MAILED} AND NOT {_OPTS_IN}")


def iter_listed_without_account(store: Store) -> Iterator[tuple[bytes, str]]:
    """Those members: (person, address)."""
    return _iter_people(store, f"SELECT person, email {_MAILED} AND NOT {_OPTS_IN} AND person > ?1")


def iter_doubtful_members(store: Store, list_id: str) -> Iterator[tuple[bytes, str]]:
    """Members whom no opted-in account stands behind, or whom something keeps from being sent: (person, address)."""
    return _iter_people(
        store, f"SELECT person, email {_MAILED} AND (NOT {_OPTS_IN} OR {_HELD}) AND person > ?1", list_id
    )


def iter_not_listed(store: Store) -> Iterator[tuple[bytes, str]]:
    """People who opt in and could be sent, and are not members: (person, address of one account)."""
    return _iter_people(
        store,
        "SELECT person, min(email) FROM at_kibo WHERE opts_in AND why_not = '' AND person > ?1 AND NOT EXISTS"
        f" (SELECT 1 {_MAILED} AND on_list.person = at_kibo.person) GROUP BY person",
    )


def iter_several(store: Store) -> Iterator[tuple[bytes, str]]:
    """People with more than one opted-in account: (person, address of one)."""
    return _iter_people(
        store,
        "SELECT person, min(email) FROM at_kibo WHERE opts_in AND person > ?1 GROUP BY person HAVING count(*) > 1",
    )


def iter_unusable(store: Store) -> Iterator[AtKibo]:
    """Accounts that opt in and cannot be sent."""
    last = 0
    while rows := store.rows(
        "SELECT * FROM at_kibo WHERE opts_in AND why_not != '' AND account_id > ? ORDER BY account_id LIMIT ?",
        last,
        _CHUNK,
    ):
        found = [_to_account(row) for row in rows]
        yield from found
        last = found[-1].account_id


def accounts_of(store: Store, person: bytes) -> list[AtKibo]:
    """The accounts on a person's address, as read."""
    return [
        _to_account(row) for row in store.rows("SELECT * FROM at_kibo WHERE person = ? ORDER BY account_id", person)
    ]


def linked_accounts(store: Store, person: bytes) -> list[int]:
    """The accounts for which ccsync ever put this address on a list."""
    rows = store.rows("SELECT account_id FROM account_addresses WHERE person = ? ORDER BY account_id", person)
    return [int(str(row[0])) for row in rows]


def was_sent_as_another(store: Store, person: bytes, list_id: str) -> bool:
    """Had the person's contact another address when ccsync put it on the list?"""
    sql = (
        "SELECT 1 FROM contacts AS before JOIN sent USING (person)"
        " WHERE before.moved_to = ? AND sent.list_id = ? AND sent.removed_at IS NULL"
    )
    return store.one(sql, person, list_id) is not None


def opted_in_among(store: Store, account_ids: Sequence[int]) -> list[int]:
    """Those of these accounts that opt in, whatever their address."""
    marks = ",".join("?" * len(account_ids))
    sql = f"SELECT account_id FROM at_kibo WHERE opts_in AND account_id IN ({marks})"
    return [int(str(row[0])) for row in store.rows(sql, *account_ids)]


def add(store: Store, findings: Iterable[Finding]) -> None:
    """Keep findings."""
    with store.transaction():
        store.run_many(
            "INSERT INTO findings (kind, person, email, account_ids, reason, repair) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    one.kind,
                    one.person,
                    None if one.email is None else storable(one.email),
                    json.dumps(one.account_ids),
                    storable(one.reason),
                    one.repair,
                )
                for one in findings
            ],
        )


def count_by_kind(store: Store) -> dict[str, int]:
    """How many findings there are of each kind."""
    return {str(kind): int(str(number)) for kind, number in _count_by(store, "kind")}


def count_by_repair(store: Store) -> dict[str, int]:
    """How many findings each repair would put right; "": none can."""
    return {str(repair): int(str(number)) for repair, number in _count_by(store, "repair")}


def _count_by(store: Store, column: str) -> list[Row]:
    return store.rows(f"SELECT {column}, count(*) FROM findings GROUP BY 1")


def iter_findings(store: Store, kinds: Sequence[str]) -> Iterator[Finding]:
    """The findings of these kinds, in the order of the kinds."""
    for kind in kinds:
        last = 0
        while rows := store.rows(
            "SELECT id, kind, person, email, account_ids, reason, repair FROM findings"
            " WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            kind,
            last,
            _CHUNK,
        ):
            yield from (_to_finding(row[1:]) for row in rows)
            last = int(str(rows[-1][0]))


def _iter_people(store: Store, sql: str, *values: str) -> Iterator[tuple[bytes, str]]:
    """(person, address) in the order of `person`, a chunk at a time, so that the caller may write between two."""
    last = b""
    while rows := store.rows(f"{sql} ORDER BY 1 LIMIT {_CHUNK}", last, *values):
        found = [(person, str(email or "")) for person, email in rows if isinstance(person, bytes)]
        yield from found
        last = found[-1][0]


def _to_account(row: Row) -> AtKibo:
    account_id, person, email, opts_in, created_at, updated_at, why_not = row
    return AtKibo(
        int(str(account_id)),
        person if isinstance(person, bytes) else None,
        None if email is None else str(email),
        None if opts_in is None else bool(opts_in),
        from_text(created_at),
        from_text(updated_at),
        str(why_not),
    )


def _to_finding(row: Row) -> Finding:
    kind, person, email, account_ids, reason, repair = row
    return Finding(
        str(kind),
        person if isinstance(person, bytes) else b"",
        None if email is None else str(email),
        tuple(json.loads(str(account_ids))),
        str(reason),
        str(repair),
    )
