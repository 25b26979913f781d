"""The consent ledger: append-only rows of what changed in a person's consent and how ccsync knows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ccsync.state.store import Store
from ccsync.state.times import from_text, from_text_or_raise, storable, to_text, to_text_or_none


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
    found = []
    for email, account_id, contact_id, change, source, happened, seen, evidence in store.rows(
        "SELECT email, account_id, contact_id, change, source, happened_at, seen_at, evidence FROM consent"
        " WHERE person = ? ORDER BY id",
        person,
    ):
        found.append(
            ConsentChange(
                person,
                None if email is None else str(email),
                str(change),
                str(source),
                from_text(happened),
                from_text_or_raise(seen),
                account_id if isinstance(account_id, int) else None,
                None if contact_id is None else str(contact_id),
                json.loads(str(evidence)),
            )
        )
    return found


def latest_opt_in(store: Store, person: bytes, *, other_than: int) -> datetime | None:
    """When another account than `other_than` last changed to yes for this person, as far as that has a date."""
    row = store.one(
        "SELECT max(happened_at) FROM consent WHERE person = ? AND change = 'opted-in' AND account_id != ?",
        person,
        other_than,
    )
    return from_text(row[0]) if row else None


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
