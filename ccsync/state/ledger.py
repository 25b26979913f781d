"""The consent ledger: append-only rows of what changed in a person's consent and how ccsync knows."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ccsync.models import Contact
from ccsync.state import properties
from ccsync.state.database.rows import Value, record_of
from ccsync.state.database.store import Store

_EVIDENCE = "json_patch(evidence, coalesce((SELECT found FROM consent_evidence WHERE consent_id = consent.id), '{}'))"
_COLUMNS = (
    f"id, run_id, person, email, change, source, happened_at, seen_at, account_id, contact_id, {_EVIDENCE} FROM consent"
)


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """One change: `change` is opted-in, opted-out, unsubscribed, resubscribed, left-list or back-on-list.

    `source` is where it was seen ("kibo", "constant_contact"), or who did it: "ccsync" writes to Kibo what Constant
    Contact showed. `happened_at` is the vendor's date where it gives one.
    """

    person: bytes
    email: str | None
    change: str
    source: str
    happened_at: datetime | None
    seen_at: datetime
    account_id: int | None = None
    contact_id: str | None = None
    evidence: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A change as it stands in the ledger: its number there, and the run that wrote it."""

    number: int
    change: ConsentChange
    run_id: int | None


def change_of(
    contact: Contact, person: bytes, change: str, at: datetime | None, seen_at: datetime, *, is_current: bool
) -> ConsentChange:
    """A change at Constant Contact that happened at `at`, if known, with its evidence.

    `is_current`: the contact's present address is the person's. Of another one that it had the row names none: the
    address of a row is where its person is looked for.
    """
    shown = ("permission_to_send", "opt_in_source", "opt_out_source", "update_source")
    evidence = {name: getattr(contact, name) for name in shown}
    email = contact.email if is_current else None
    return ConsentChange(person, email, change, "constant_contact", at, seen_at, None, contact.contact_id, evidence)


def append(store: Store, run_id: int, changes: Iterable[ConsentChange]) -> None:
    """Add rows, inside the caller's transaction. Nothing ever updates or deletes them."""
    store.run_records("INSERT INTO consent", changes, run_id=run_id)


def of_person(store: Store, person: bytes) -> list[ConsentChange]:
    """A person's rows, oldest first."""
    return [one.change for one in rows_of_person(store, person)]


def rows_of_person(store: Store, person: bytes) -> list[LedgerRow]:
    """A person's rows with their runs, oldest first."""
    sql = f"SELECT {_COLUMNS} WHERE person = ? ORDER BY id"
    return [_to_ledger_row(*row) for row in store.rows(sql, person)]


def iter_ledger(store: Store, person: bytes | None = None, since: datetime | None = None) -> Iterator[LedgerRow]:
    """The rows of one person, or of everybody, that were written since then; oldest first.

    It reads in chunks, so that a reader never blocks a writer and memory does not grow. A row without an address has
    the one that its person was last known by.
    """
    whose = "?2 IS NULL" if person is None else "person = ?2"
    sql = f"SELECT {_COLUMNS} WHERE id > ?1 AND {whose} AND seen_at >= coalesce(?3, '') ORDER BY id"
    for row in store.iter_chunks(sql, person, since, after=0):
        one = _to_ledger_row(*row)
        known = one.change.email or address_of(store, one.change.person)
        yield replace(one, change=replace(one.change, email=known))


def _to_ledger_row(number: int, run_id: int | None, *change: Value) -> LedgerRow:
    return LedgerRow(number, record_of(ConsentChange, change), run_id)


def not_looked_up(store: Store, since: datetime, most: int) -> list[LedgerRow]:
    """The oldest changes seen in Kibo since then that were not looked up in its audit log yet, at most `most`.

    An export meets customers who opted in long ago, by the thousand: of them only observed changes are looked up.
    """
    sql = (
        f"SELECT {_COLUMNS} WHERE id > ? AND seen_at > ? AND source = 'kibo' AND account_id NOT NULL"
        " AND change IN ('opted-in', 'opted-out') AND (happened_at NOT NULL OR run_id IN"
        " (SELECT id FROM runs WHERE job = 'flush-events')) ORDER BY id LIMIT ?"
    )
    return [_to_ledger_row(*row) for row in store.rows(sql, _looked_up(store), since, most)]


def previous_change(store: Store, row: LedgerRow) -> datetime | None:
    """When the consent of the row's account had changed before, by Kibo's clock."""
    sql = "SELECT max(happened_at) FROM consent WHERE person = ? AND account_id IS ? AND source = 'kibo' AND id < ?"
    return store.value(datetime, sql, row.change.person, row.change.account_id, row.number)


def add_evidence(store: Store, row: LedgerRow, found: Mapping[str, str]) -> None:
    """A row was looked up: add what was found about it. The row itself stays as it is."""
    with store.transaction():
        if found:
            values = (row.number, row.change.person, json.dumps(found))
            store.run("INSERT OR IGNORE INTO consent_evidence VALUES (?, ?, ?)", *values)
        properties.put(store, properties.LOOKED_UP, str(row.number))


def note_looked_up(store: Store) -> None:
    """Note that every present row was looked up, or need not be."""
    last = store.number("SELECT coalesce(max(id), 0) FROM consent")
    if last > _looked_up(store):
        properties.put(store, properties.LOOKED_UP, str(last))


def _looked_up(store: Store) -> int:
    return int(properties.get(store, properties.LOOKED_UP) or 0)


def has_been_answered(store: Store, person: bytes) -> bool:
    """Since the latest opt-out at Constant Contact: did ccsync tell Kibo, or was a newer opt-in seen there?"""
    sql = (
        "SELECT 1 FROM consent WHERE person = ?1 AND id > (SELECT coalesce(max(id), 0) FROM consent"
        " WHERE person = ?1 AND change IN ('unsubscribed', 'left-list')) AND (change = 'opted-out' AND"
        " source = 'ccsync' OR change = 'opted-in' AND source = 'kibo' AND happened_at NOT NULL)"
    )
    return store.exists(sql, person)


def address_of(store: Store, person: bytes) -> str | None:
    """The person's address as a vendor last showed it."""
    return next(iter(addresses_of(store, person)), None)


def addresses_of(store: Store, person: bytes) -> list[str]:
    """The person's address in every spelling that a vendor has shown, the latest first."""
    sql = "SELECT email FROM consent WHERE person = ? AND email IS NOT NULL GROUP BY email ORDER BY max(id) DESC"
    return store.column(str, sql, person)
