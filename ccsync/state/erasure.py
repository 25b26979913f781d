"""Erases what the state file holds about a person or an account; a suppression stays, as a keyed hash."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ccsync.state import accounts, properties
from ccsync.state.database.rows import T, Value, marks
from ccsync.state.database.store import Store
from ccsync.state.people import person_key
from ccsync.state.suppressions import FORGOTTEN

HELD_BY: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "contacts": ("person",),
    "consent": ("person",),
    "consent_evidence": ("person",),
    "history": ("person",),
    "account_addresses": ("person", "account_id"),
    "contact_addresses": ("person",),
    "sent": ("person",),
    "batch_rows": ("person",),
    "rejected": ("account_id",),
    "parked": ("account_id",),
    "events": ("account_id",),
    "tasks": ("person", "account_id"),
    "person_tags": ("person",),
    "kibo_writes": ("person", "account_id"),
}
"""Every table with data about a person, and the columns that tell whose; suppressions are kept."""
UNFINISHED = "erasure_unfinished"
_BLOCK = 1 << 20


def erase_account(store: Store, account_id: int) -> None:
    """Forget a Kibo account, inside the caller's transaction, but not its person."""
    for table in ("accounts", "account_addresses", "parked", "rejected", "kibo_writes"):
        store.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)


def erase_person(store: Store, person: bytes) -> None:
    """Forget a person, inside the caller's transaction: contact, history, and the rows of the consent ledger.

    Nothing else deletes rows of the ledger. Suppressions stay: without them an erased person could be sent again.
    """
    store.run("INSERT OR IGNORE INTO erasing VALUES (?)", person)
    tables = ("consent", "history", "contacts", "contact_addresses", "sent", "account_addresses", "batch_rows")
    for table in (*tables, "person_tags", "consent_evidence"):
        store.run(f"DELETE FROM {table} WHERE person = ?", person)
    # The numbers of deleted last rows are reused, and the rows that get them still have to be looked up.
    last = "min(CAST(value AS INTEGER), (SELECT coalesce(max(id), 0) FROM consent))"
    store.run(f"UPDATE meta SET value = CAST({last} AS TEXT) WHERE key = ?", properties.LOOKED_UP)
    store.run("DELETE FROM tasks WHERE person = ? AND (kind IN ('remove', 'tag') OR done_at IS NOT NULL)", person)
    # What was not written back yet still must be; the write back finds the accounts by their address.
    store.run("UPDATE tasks SET contact_id = NULL WHERE person = ?", person)
    store.run("UPDATE suppressions SET contact_id = NULL, opt_in_shown = NULL WHERE person = ?", person)
    store.run("DELETE FROM erasing")


def is_somebodys(store: Store, person: bytes) -> bool:
    """Does any account that ccsync knows of have this address?"""
    return store.exists("SELECT 1 FROM accounts WHERE person = ?", person)


def forgotten_among(store: Store, persons: Sequence[bytes]) -> set[bytes]:
    """Those of these people who asked to be forgotten and have not opted in since."""
    sql = f"SELECT person FROM suppressions WHERE kind = ? AND person IN ({marks(persons)})"
    return set(store.column(bytes, sql, FORGOTTEN, *persons))


def keep_forgotten(store: Store, person: bytes) -> None:
    """Keep a forgotten person's contact forgotten when an old fact about it turns up again."""
    is_forgotten = "EXISTS (SELECT 1 FROM suppressions WHERE person = ?1 AND kind = ?2)"
    known = "person = ?1 AND contact_id NOT NULL"
    sql = f"UPDATE suppressions SET contact_id = NULL, opt_in_shown = NULL WHERE {known} AND {is_forgotten}"
    store.run(sql, person, FORGOTTEN)


@dataclass(frozen=True, slots=True)
class Held:
    """What the state file holds about a person who wants to be forgotten.

    `people` are their address and the other ones of its accounts and contacts; `moved_accounts` had the address once
    and have another now. `rows` counts what would be erased, by table.
    """

    people: tuple[bytes, ...]
    account_ids: tuple[int, ...]
    contact_ids: tuple[str, ...]
    moved_accounts: tuple[int, ...]
    rejected_ids: tuple[int, ...]
    addresses: frozenset[str]
    rows: Mapping[str, int]
    is_suppressed: bool

    @property
    def is_known(self) -> bool:
        return bool(self.rows) or self.is_suppressed


def find(store: Store, person: bytes, also: Iterable[bytes] = ()) -> Held:
    """Everything that is held about the person, in any table. `also` are addresses that the vendors show for them."""
    person_of = person_key(store)
    # An address that no account has may be the present one of a contact that ccsync put on the list for an account.
    moved_here = "SELECT account_id FROM accounts JOIN contacts USING (person) WHERE moved_to = ?"
    account_ids = accounts.of_person(store, person) or store.column(int, moved_here, person)
    people = [person, *_other_addresses(store, person, account_ids, also)]
    contact_ids = _values(store, str, "contacts", "contact_id", "person", people)
    moved = (
        "SELECT DISTINCT account_id FROM accounts WHERE person != ?1 AND (account_id IN"
        " (SELECT account_id FROM account_addresses WHERE person = ?1) OR account_id IN"
        " (SELECT account_id FROM consent WHERE person = ?1))"
    )
    rejected = [
        number
        for number, email in store.iter_rows("SELECT id, email FROM rejected WHERE email IS NOT NULL")
        if person_of(email) in people
    ]
    rejected += _values(store, int, "rejected", "id", "account_id", account_ids)
    rows = {table: count for table in HELD_BY if (count := _count(store, table, people, account_ids))}
    if rejected:
        rows["rejected"] = len(set(rejected))
    return Held(
        tuple(people),
        tuple(account_ids),
        tuple(contact_ids),
        tuple(one for one in store.column(int, moved, person) if one not in account_ids),
        tuple(sorted(set(rejected))),
        frozenset(_addresses(store, people, rejected)),
        rows,
        store.exists("SELECT 1 FROM suppressions WHERE person = ?", person),
    )


def erase(store: Store, held: Held) -> None:
    """Erase all of it but the suppressions, inside the caller's transaction; `finish` has to follow."""
    for person in held.people:
        erase_person(store, person)
    for table, columns in HELD_BY.items():
        for column in columns:
            wanted: Sequence[Value] = held.people if column == "person" else held.account_ids
            if not table.startswith("consent") and wanted:
                store.run(f"DELETE FROM {table} WHERE {column} IN ({marks(wanted)})", *wanted)
    store.run_many("DELETE FROM rejected WHERE id = ?", [(one,) for one in held.rejected_ids])
    properties.put(store, UNFINISHED, "yes")


def finish(store: Store, addresses: Iterable[str]) -> bool:
    """Make sure that none of these addresses is left in the files; false if a reader prevented it.

    Deleted data is overwritten, but a page that was rearranged earlier may hold a copy. Then, and after an interrupted
    erasure, the whole file is rewritten.
    """
    was_interrupted = properties.get(store, UNFINISHED) is not None
    is_scrubbed = store.scrub()
    if was_interrupted or has_traces(store, addresses):
        store.rebuild()
        is_scrubbed = store.scrub()
    if is_scrubbed:
        properties.forget(store, UNFINISHED)
    return is_scrubbed


def has_traces(store: Store, addresses: Iterable[str]) -> bool:
    """Is any of these addresses, in any case of letters, in the state file or its write-ahead log?"""
    wanted = [one.encode("utf-8", "replace").lower() for one in addresses if one]
    longest = max(map(len, wanted), default=0)
    for path in (store.path, store.path.with_name(store.path.name + "-wal")):
        if not wanted or not path.exists():
            continue
        with path.open("rb") as file:
            tail = b""
            while block := file.read(_BLOCK):
                text = tail + block.lower()
                if any(one in text for one in wanted):
                    return True
                tail = text[-longest:]
    return False


def _other_addresses(store: Store, person: bytes, account_ids: Sequence[int], also: Iterable[bytes]) -> list[bytes]:
    """What else these accounts and their contacts were known by, unless another account has that address now."""
    found = dict.fromkeys(
        one
        for table in ("accounts", "account_addresses", "consent", "history")
        for one in _values(store, bytes, table, "person", "account_id", account_ids)
    )
    contact_ids = _values(store, str, "contacts", "contact_id", "person", [person, *found])
    for table in ("contacts", "contact_addresses"):
        found |= dict.fromkeys(_values(store, bytes, table, "person", "contact_id", contact_ids))
    others = f"SELECT 1 FROM accounts WHERE person = ? AND account_id NOT IN ({marks(account_ids)})"
    return [one for one in found | dict.fromkeys(also) if one != person and not store.exists(others, one, *account_ids)]


def _addresses(store: Store, people: Sequence[bytes], rejected: Sequence[Value]) -> list[str]:
    found = _values(store, str, "rejected", "email", "id", rejected)
    for table in ("consent", "tasks", "batch_rows"):
        found += _values(store, str, table, "email", "person", people)
    return found


def _count(store: Store, table: str, people: Sequence[bytes], account_ids: Sequence[int]) -> int:
    wanted: dict[str, Sequence[Value]] = {"person": people, "account_id": account_ids}
    clauses = [f"{column} IN ({marks(wanted[column])})" for column in HELD_BY[table]]
    values = [one for column in HELD_BY[table] for one in wanted[column]]
    return store.number(f"SELECT count(*) FROM {table} WHERE {' OR '.join(clauses)}", *values)


def _values(store: Store, kind: type[T], table: str, column: str, by: str, wanted: Sequence[Value]) -> list[T]:
    where = f"{by} IN ({marks(wanted)}) AND {column} NOT NULL"
    return store.column(kind, f"SELECT DISTINCT {column} FROM {table} WHERE {where}", *wanted)
