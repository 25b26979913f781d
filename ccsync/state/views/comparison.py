"""Both systems side by side, in temporary tables: a store and a list may have a million people each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.rows import Value, marks, record_of
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, OPTED_OUT, UNSUBSCRIBED

_TABLES = (
    "CREATE TEMP TABLE IF NOT EXISTS at_kibo (account_id INTEGER PRIMARY KEY, person BLOB, email TEXT, opts_in INTEGER,"
    " created_at TEXT, updated_at TEXT, why_not TEXT NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS temp.at_kibo_by_person ON at_kibo (person, opts_in)",
    "CREATE TEMP TABLE IF NOT EXISTS on_list (person BLOB PRIMARY KEY, email TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TEMP TABLE IF NOT EXISTS findings (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, person BLOB NOT NULL,"
    " email TEXT, account_ids TEXT NOT NULL, reason TEXT NOT NULL, repair TEXT NOT NULL) STRICT",
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
    """One person about whom the systems differ, or whom an operator should know about."""

    kind: str
    person: bytes
    email: str | None
    account_ids: tuple[int, ...]
    reason: str
    repair: str = ""


def begin(store: Store) -> None:
    """Make the tables, empty; they are gone when the state file is closed."""
    for statement in _TABLES:
        store.run_aside(statement)
    for name in ("at_kibo", "on_list", "findings"):
        store.run_aside(f"DELETE FROM temp.{name}")


def note_accounts(store: Store, accounts: Iterable[AtKibo]) -> None:
    """Keep accounts; one read again replaces what was kept of it."""
    store.run_records("INSERT OR REPLACE INTO at_kibo", accounts)


def note_members(store: Store, members: Iterable[tuple[bytes, str]]) -> None:
    """Keep members of the list: (person, address)."""
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
    """Members without an opted-in account, or who may not be sent: (person, address)."""
    sql = f"SELECT person, email {_MAILED} AND (NOT {_OPTS_IN} OR {_HELD}) AND person > ?1"
    return _iter_people(store, sql, list_id)


def iter_not_listed(store: Store) -> Iterator[tuple[bytes, str]]:
    """People who opt in and could be sent, and are not members: (person, address of one account)."""
    is_listed = f"EXISTS (SELECT 1 {_MAILED} AND on_list.person = at_kibo.person)"
    where = f"opts_in AND why_not = '' AND person > ?1 AND NOT {is_listed}"
    return _iter_people(store, f"SELECT person, min(email) FROM at_kibo WHERE {where} GROUP BY person")


def iter_several(store: Store) -> Iterator[tuple[bytes, str]]:
    """People with more than one opted-in account: (person, address of one)."""
    where = "opts_in AND person > ?1 GROUP BY person HAVING count(*) > 1"
    return _iter_people(store, f"SELECT person, min(email) FROM at_kibo WHERE {where}")


def iter_unusable(store: Store) -> Iterator[AtKibo]:
    """Accounts that opt in and cannot be sent."""
    sql = "SELECT * FROM at_kibo WHERE opts_in AND why_not != '' AND account_id > ?1 ORDER BY account_id"
    return (record_of(AtKibo, row) for row in store.iter_chunks(sql, after=0))


def accounts_of(store: Store, person: bytes) -> list[AtKibo]:
    """The accounts on a person's address, as read."""
    return store.records(AtKibo, "SELECT * FROM at_kibo WHERE person = ? ORDER BY account_id", person)


def linked_accounts(store: Store, person: bytes) -> list[int]:
    """The accounts for which ccsync ever put this address on a list."""
    return store.column(int, "SELECT account_id FROM account_addresses WHERE person = ? ORDER BY account_id", person)


def was_sent_as_another(store: Store, person: bytes, list_id: str) -> bool:
    """Had the person's contact another address when ccsync put it on the list?"""
    sql = (
        "SELECT 1 FROM contacts AS before JOIN sent USING (person)"
        " WHERE before.moved_to = ? AND sent.list_id = ? AND sent.removed_at IS NULL"
    )
    return store.exists(sql, person, list_id)


def is_opted_out_elsewhere(store: Store, person: bytes) -> bool:
    """Has an account another address now that ccsync opted out for this person, and nobody has changed since?"""
    sql = (
        "SELECT 1 FROM kibo_writes JOIN at_kibo USING (account_id) WHERE kibo_writes.person = ?"
        " AND at_kibo.person != kibo_writes.person AND NOT accepts_marketing AND NOT opts_in"
    )
    return store.exists(sql, person)


def opted_in_among(store: Store, account_ids: Sequence[int]) -> list[int]:
    """Those of these accounts that opt in, whatever their address; one that has none any more is as good as deleted."""
    sql = f"SELECT account_id FROM at_kibo WHERE opts_in AND why_not = '' AND account_id IN ({marks(account_ids)})"
    return store.column(int, sql, *account_ids)


def add(store: Store, findings: Iterable[Finding]) -> None:
    """Keep findings."""
    store.run_records("INSERT INTO findings", findings)


def count_by_kind(store: Store) -> dict[str, int]:
    """How many findings there are of each kind."""
    return dict(store.rows("SELECT kind, count(*) FROM findings GROUP BY 1"))


def count_by_repair(store: Store) -> dict[str, int]:
    """How many findings each repair would put right; "": none can."""
    return dict(store.rows("SELECT repair, count(*) FROM findings GROUP BY 1"))


def iter_findings(store: Store, kinds: Sequence[str]) -> Iterator[Finding]:
    """The findings of these kinds, in the order of the kinds."""
    for kind in kinds:
        sql = "SELECT * FROM findings WHERE kind = ?2 AND id > ?1 ORDER BY id"
        yield from (record_of(Finding, row[1:]) for row in store.iter_chunks(sql, kind, after=0))


def _iter_people(store: Store, sql: str, *values: Value) -> Iterator[tuple[bytes, str]]:
    """(person, address) in the order of `person`."""
    return ((person, email or "") for person, email in store.iter_chunks(f"{sql} ORDER BY 1", *values))
