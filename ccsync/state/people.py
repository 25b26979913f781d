"""What ccsync knows of people: their contact at Constant Contact, who is suppressed; `accounts` has their accounts.

People are known by `person`, the keyed hash of their address in its comparison form.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state import properties
from ccsync.state.database.store import Store, Value
from ccsync.state.database.times import from_text, to_text, to_text_or_none

UNSUBSCRIBED = "unsubscribed"
"""At Constant Contact, for the whole account."""
DEPARTED = "departed"
"""Left the list alone."""
OPTED_OUT = "opted-out"
"""An observed opt-out at Kibo."""
FORGOTTEN = "forgotten"
"""Erased at the person's own wish."""
NOBODY_OPTED_IN = "nobody-opted-in"
"""The source of a FORGOTTEN whose accounts all said no then: any later yes is newer."""


def person_key(store: Store) -> Callable[[str], bytes]:
    """The function from an address in its comparison form to its `person` (16 bytes)."""
    secret = bytes.fromhex(properties.get(store, "person_secret") or "")

    def key(text: str) -> bytes:
        return hmac.digest(secret, text.encode("utf-8", "replace"), hashlib.sha256)[:16]

    return key


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A contact as far as ccsync knows it.

    `fingerprint` and `list_id` are set once an import was confirmed; `list_id` alone for an adopted member.
    """

    is_ours: bool
    list_id: str | None
    fingerprint: bytes | None
    contact_id: str | None
    seen_list_id: str | None


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address may not be sent."""

    person: bytes
    kind: str
    list_id: str  # "" for the whole account
    contact_id: str | None
    since: datetime | None
    source: str | None


def known_contact(store: Store, person: bytes) -> KnownContact | None:
    """The contact of `person`, if ccsync knows of one."""
    row = store.one(
        "SELECT is_ours, list_id, fingerprint, contact_id, seen_list_id FROM contacts WHERE person = ?", person
    )
    return None if row is None else to_known_contact(row)


def to_known_contact(row: Sequence[Value]) -> KnownContact:
    """The contact of these columns of `contacts`: is_ours, list_id, fingerprint, contact_id, seen_list_id."""
    is_ours, list_id, fingerprint, contact_id, seen = row
    return KnownContact(
        bool(is_ours),
        None if list_id is None else str(list_id),
        fingerprint if isinstance(fingerprint, bytes) else None,
        None if contact_id is None else str(contact_id),
        None if seen is None else str(seen),
    )


def suppressions(store: Store, person: bytes) -> list[Suppression]:
    """Everything that keeps `person` from being sent, on any list."""
    rows = store.rows("SELECT kind, list_id, contact_id, since, source FROM suppressions WHERE person = ?", person)
    return [suppression_of(person, row) for row in rows]


def suppression_of(person: bytes, row: Sequence[Value]) -> Suppression:
    """The suppression of these columns: kind, list_id, contact_id, since, source."""
    kind, list_id, contact_id, since, source = row
    return Suppression(
        person,
        str(kind),
        str(list_id),
        None if contact_id is None else str(contact_id),
        from_text(since),
        None if source is None else str(source),
    )


def suppress(store: Store, found: Suppression, at: datetime, run_id: int) -> bool:
    """Remember a suppression and that it was seen; return whether it is new or its date has moved on."""
    before = store.one(
        "SELECT since FROM suppressions WHERE person = ? AND kind = ? AND list_id = ?",
        found.person,
        found.kind,
        found.list_id,
    )
    since = to_text_or_none(found.since)
    store.run(
        "INSERT INTO suppressions VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, kind, list_id) DO UPDATE"
        " SET contact_id = excluded.contact_id, since = coalesce(max(since, excluded.since), since, excluded.since),"
        " source = excluded.source, seen_at = excluded.seen_at, run_id = excluded.run_id",
        found.person,
        found.kind,
        found.list_id,
        found.contact_id,
        since,
        found.source,
        to_text(at),
        run_id,
    )
    return before is None or (since is not None and since > str(before[0] or ""))


def not_seen_since(store: Store, kind: str, at: datetime, limit: int) -> list[Suppression]:
    """Suppressions of this kind that no pass has shown since `at`, oldest sighting first."""
    return [
        Suppression(person, kind, str(list_id), None if contact_id is None else str(contact_id), from_text(since), None)
        for person, list_id, contact_id, since in store.rows(
            "SELECT person, list_id, contact_id, since FROM suppressions WHERE kind = ? AND seen_at < ?"
            " ORDER BY seen_at LIMIT ?",
            kind,
            to_text(at),
            limit,
        )
        if isinstance(person, bytes)
    ]


def lift(store: Store, person: bytes, kind: str) -> bool:
    """Drop a suppression that a newer opt-in has outweighed."""
    return store.run("DELETE FROM suppressions WHERE person = ? AND kind = ?", person, kind) > 0


def observe_contacts(
    store: Store, found: Iterable[tuple[bytes, str, datetime | None, str | None]], *, adopt_list_id: str | None
) -> None:
    """Note contacts as a pass over Constant Contact showed them: (person, contact_id, created_at, seen_list_id).

    Somebody ccsync has not sent is another source's; so is somebody whose contact is older than ccsync's first
    try to send it. With `adopt_list_id`, members of that list are ours from now on, as if ccsync had put them there;
    but for those whom it did put there, by the address alone: they are another source's as before.
    Of somebody who is forgotten nothing is noted.
    """
    store.run_many(
        "INSERT INTO contacts (person, is_ours, contact_id, seen_list_id, list_id)"
        " SELECT ?1, ?4, ?2, ?5, CASE WHEN ?4 THEN ?5 END"
        " WHERE NOT EXISTS (SELECT 1 FROM suppressions WHERE person = ?1 AND kind = ?6)"
        " OR EXISTS (SELECT 1 FROM contacts WHERE person = ?1)"
        " ON CONFLICT (person) DO UPDATE SET contact_id = ?2, seen_list_id = ?5, is_ours ="
        "  CASE WHEN ?4 AND (fingerprint IS NULL OR list_id IS NOT ?5) THEN 1"
        "  WHEN fingerprint IS NULL AND list_id IS NULL AND prepared_at > ?3 THEN 0 ELSE is_ours END,"
        "  list_id = CASE WHEN ?4 THEN ?5 ELSE list_id END",
        [
            (
                person,
                contact_id,
                to_text_or_none(created_at),
                int(seen is not None and seen == adopt_list_id),
                seen,
                FORGOTTEN,
            )
            for person, contact_id, created_at, seen in found
        ],
    )


def forget_membership(store: Store) -> None:
    """Before a pass over the list: nobody has been seen on it yet."""
    store.run("UPDATE contacts SET seen_list_id = NULL WHERE seen_list_id IS NOT NULL")


def note_seen(store: Store, person: bytes, list_id: str | None) -> None:
    """A look at Constant Contact found a known person on this list, or on none of ours."""
    store.run("UPDATE contacts SET seen_list_id = ? WHERE person = ?", list_id, person)


def note_not_on_list(store: Store, person: bytes) -> None:
    """Constant Contact knows no such contact."""
    store.run("UPDATE contacts SET seen_list_id = NULL WHERE person = ?", person)


def set_out_to_send(store: Store, sent: Iterable[tuple[int, bytes]], at: datetime) -> None:
    """These (account id, person) are about to be sent to a list, inside the caller's transaction.

    Noted beforehand: whether it arrives or not, an opt-out has to find it.
    """
    pairs = list(sent)
    store.run_many("INSERT OR IGNORE INTO links VALUES (?, ?)", pairs)
    store.run_many(
        "INSERT INTO contacts (person, is_ours, prepared_at) VALUES (?, 1, ?)"
        " ON CONFLICT (person) DO UPDATE SET prepared_at = coalesce(prepared_at, excluded.prepared_at)",
        [(person, to_text(at)) for _, person in pairs],
    )


def confirm_batch(store: Store, batch_id: int, list_id: str) -> None:
    """The batch's people are on the list with what was sent. Inside the caller's transaction."""
    store.run(
        "UPDATE contacts SET list_id = ?, fingerprint ="
        " (SELECT fingerprint FROM batch_rows WHERE batch_id = ? AND batch_rows.person = contacts.person)"
        " WHERE person IN (SELECT person FROM batch_rows WHERE batch_id = ?)",
        list_id,
        batch_id,
        batch_id,
    )


def confirm(store: Store, person: bytes, contact_id: str, list_id: str, fingerprint: bytes) -> None:
    """One person is on the list with what was sent. Inside the caller's transaction."""
    store.run(
        "UPDATE contacts SET contact_id = ?, list_id = ?, seen_list_id = ?, fingerprint = ? WHERE person = ?",
        contact_id,
        list_id,
        list_id,
        fingerprint,
        person,
    )


def note_off_list(store: Store, person: bytes) -> None:
    """The person is on no list of ours any more, inside the caller's transaction."""
    store.run("UPDATE contacts SET list_id = NULL, fingerprint = NULL, seen_list_id = NULL WHERE person = ?", person)


def count_on_list(store: Store, list_id: str) -> int:
    """How many people ccsync has put on the list."""
    return store.number("SELECT count(*) FROM contacts WHERE list_id = ?", list_id)


def count_ours(store: Store) -> int:
    """How many contacts ccsync may overwrite."""
    return store.number("SELECT count(*) FROM contacts WHERE is_ours")


def found_on_list(store: Store, account_id: int, person: bytes, list_id: str) -> None:
    """Another source had put this account's person on the list before ccsync came."""
    with store.transaction():
        store.run("INSERT OR IGNORE INTO links VALUES (?, ?)", account_id, person)
        store.run("UPDATE contacts SET list_id = ? WHERE person = ?", list_id, person)
