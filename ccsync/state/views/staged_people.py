"""Staged people with all that a decision about them needs, read a chunk at a time instead of one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state import contacts, suppressions
from ccsync.state.contacts import KnownContact, known_contact_of
from ccsync.state.database.store import Row, Store
from ccsync.state.database.times import to_text
from ccsync.state.staging import Staged
from ccsync.state.suppressions import Suppression, suppression_of

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class StagedPerson:
    """A staged person; `known` is their contact, `refused` the fingerprint that Constant Contact would not take."""

    staged: Staged
    known: KnownContact | None
    suppressions: Sequence[Suppression]
    refused: bytes | None


def iter_staged_people(store: Store, list_id: str, at: datetime) -> Iterator[StagedPerson]:
    """One account for each staged person: the most recently updated one, whose data a contact gets.

    A refusal that has expired by `at` counts no more.
    The caller may write between two items. What it writes about people still to come may be seen a chunk late.
    """
    last = b""
    while True:
        rows = store.rows(
            "SELECT staged.person, staged.account_id, staged.fingerprint, row, is_own_sign_up,"
            " CASE WHEN expires_at IS NULL OR expires_at > ? THEN parked.fingerprint END,"
            f" {contacts.COLUMNS} FROM staged LEFT JOIN contacts USING (person) LEFT JOIN parked USING (account_id)"
            " LEFT JOIN sent ON sent.person = staged.person AND sent.list_id = ?"
            " WHERE staged.person > ? ORDER BY staged.person, updated_at DESC, staged.account_id DESC LIMIT ?",
            to_text(at),
            list_id,
            last,
            _CHUNK,
        )
        holding = _suppressions(store, last, rows[-1][0]) if rows else {}
        for row in rows:
            person = row[0]
            if isinstance(person, bytes) and person != last:
                last = person
                yield _to_person(person, row, holding.get(person, ()))
        if len(rows) < _CHUNK:
            return


def _to_person(person: bytes, row: Row, suppressions: Sequence[Suppression]) -> StagedPerson:
    _, account_id, fingerprint, text, is_own_sign_up, refused, *known = row
    staged = Staged(
        int(str(account_id)),
        None,
        person,
        fingerprint if isinstance(fingerprint, bytes) else b"",
        str(text),
        bool(is_own_sign_up),
    )
    contact = None if known[0] is None else known_contact_of(known)
    return StagedPerson(staged, contact, suppressions, refused if isinstance(refused, bytes) else None)


def _suppressions(store: Store, after: bytes, last: object) -> dict[bytes, list[Suppression]]:
    found: dict[bytes, list[Suppression]] = {}
    for person, *rest in store.rows(
        f"SELECT person, {suppressions.COLUMNS} FROM suppressions WHERE person > ? AND person <= ?",
        after,
        last if isinstance(last, bytes) else b"",
    ):
        if isinstance(person, bytes):
            found.setdefault(person, []).append(suppression_of(person, rest))
    return found
