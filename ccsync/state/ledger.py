"""The consent ledger: append-only rows of what changed in a person's consent and how ccsync knows."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ccsync.state.database.store import Row, Store
from ccsync.state.database.times import from_text, from_text_or_raise, storable, to_text, to_text_or_none

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """One change: `change` is opted-in, opted-out, unsubscribed, resubscribed, left-list or back-on-list.

    `source` says who told ("kibo", "constant_contact"), or who did it: "ccsync" writes to Kibo what was told by
    Constant Contact. `happened_at` is the vendor's date where it gives one.
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


def append(store: Store, run_id: int, changes: Iterable[ConsentChange]) -> None:
    """Add rows, inside the caller's transaction. Nothing ever updates or deletes them."""
    store.run_many(
        "INSERT INTO consent (person, email, account_id, contact_id, change, source, happened_at, seen_at, run_id,"
        " evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                change.person,
                None if change.email is None else storable(change.email),
                change.account_id,
                change.contact_id,
                change.change,
                change.source,
                to_text_or_none(change.happened_at),
                to_text(change.seen_at),
                run_id,
                storable(json.dumps(dict(change.evidence))),
            )
            for change in changes
        ],
    )


def of_person(store: Store, person: bytes) -> list[ConsentChange]:
    """A person's rows, oldest first."""
    return [one.change for one in _chunk(store, 0, "person = ?", person, limit=-1)]


def iter_ledger(store: Store, person: bytes | None = None, since: datetime | None = None) -> Iterator[LedgerRow]:
    """The rows of one person, or of everybody, that were written since then; oldest first.

    Read a chunk at a time: a reader never holds a writer up, and memory does not grow. A row without an address has
    the one that its person was last known by.
    """
    wanted, values = ["1"], list[bytes | str]()
    if person is not None:
        wanted, values = [*wanted, "person = ?"], [*values, person]
    if since is not None:
        wanted, values = [*wanted, "seen_at >= ?"], [*values, to_text(since)]
    last = 0
    while rows := _chunk(store, last, " AND ".join(wanted), *values, limit=_CHUNK):
        for one in rows:
            known = one.change.email or address_of(store, one.change.person)
            yield replace(one, change=replace(one.change, email=known))
        last = rows[-1].number


def _chunk(store: Store, after: int, wanted: str, *values: bytes | str, limit: int) -> list[LedgerRow]:
    return [
        _to_ledger_row(row)
        for row in store.rows(
            "SELECT id, person, email, change, source, happened_at, seen_at, account_id, contact_id, evidence, run_id"
            f" FROM consent WHERE id > ? AND {wanted} ORDER BY id LIMIT ?",
            after,
            *values,
            limit,
        )
    ]


def _to_ledger_row(row: Row) -> LedgerRow:
    number, person, email, change, source, happened, seen, account_id, contact_id, evidence, run_id = row
    return LedgerRow(
        int(str(number)),
        ConsentChange(
            person if isinstance(person, bytes) else b"",
            None if email is None else str(email),
            str(change),
            str(source),
            from_text(happened),
            from_text_or_raise(seen),
            account_id if isinstance(account_id, int) else None,
            None if contact_id is None else str(contact_id),
            json.loads(str(evidence)),
        ),
        run_id if isinstance(run_id, int) else None,
    )


def latest_opt_in(store: Store, person: bytes, *, other_than: int) -> datetime | None:
    """When another account than `other_than` last changed to yes for this person, as far as that has a date."""
    row = store.one(
        "SELECT max(happened_at) FROM consent WHERE person = ? AND change = 'opted-in' AND account_id != ?",
        person,
        other_than,
    )
    return from_text(row[0]) if row else None


def has_been_answered(store: Store, person: bytes) -> bool:
    """Since the latest opt-out at Constant Contact: did ccsync tell Kibo, or was a newer opt-in seen there?"""
    return (
        store.one(
            "SELECT 1 FROM consent WHERE person = ?1 AND id > (SELECT coalesce(max(id), 0) FROM consent"
            " WHERE person = ?1 AND change IN ('unsubscribed', 'left-list')) AND (change = 'opted-out' AND"
            " source = 'ccsync' OR change = 'opted-in' AND source = 'kibo' AND happened_at NOT NULL)",
            person,
        )
        is not None
    )


def address_of(store: Store, person: bytes) -> str | None:
    """The person's address as last told by a vendor."""
    row = store.one("SELECT email FROM consent WHERE person = ? AND email IS NOT NULL ORDER BY id DESC LIMIT 1", person)
    return None if row is None else str(row[0])


def addresses_of(store: Store, person: bytes) -> list[str]:
    """The person's address in every spelling that a vendor has told, the latest first."""
    rows = store.rows(
        "SELECT email FROM consent WHERE person = ? AND email IS NOT NULL GROUP BY email ORDER BY max(id) DESC", person
    )
    return [str(row[0]) for row in rows]
