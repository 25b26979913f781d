"""Staged people with all that a decision about them needs, read a chunk at a time instead of one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ccsync.state.database.store import Row, Store
from ccsync.state.people import KnownContact, Suppression, suppression_of, to_known_contact
from ccsync.state.staging import Staged

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Prospect:
    """A staged person; `known` is their contact, `refused` the fingerprint that Constant Contact would not take."""

    staged: Staged
    known: KnownContact | None
    suppressions: Sequence[Suppression]
    refused: bytes | None


def iter_prospects(store: Store) -> Iterator[Prospect]:
    """One account for each staged person: the most recently updated one, whose data a contact gets.

    The caller may write between two items. What it writes about people still to come may be seen a chunk late.
    """
    last = b""
    while True:
        rows = store.rows(
            "SELECT person, staged.account_id, staged.fingerprint, row, is_own_sign_up,"
            " is_ours, list_id, contacts.fingerprint, contact_id, seen_list_id, set_aside.fingerprint"
            " FROM staged LEFT JOIN contacts USING (person) LEFT JOIN set_aside USING (account_id)"
            " WHERE person > ? ORDER BY person, updated_at DESC, account_id DESC LIMIT ?",
            last,
            _CHUNK,
        )
        holding = _suppressions(store, last, rows[-1][0]) if rows else {}
        for row in rows:
            person = row[0]
            if isinstance(person, bytes) and person != last:
                last = person
                yield _to_prospect(person, row, holding.get(person, ()))
        if len(rows) < _CHUNK:
            return


def _to_prospect(person: bytes, row: Row, suppressions: Sequence[Suppression]) -> Prospect:
    _, account_id, fingerprint, text, is_own_sign_up, *known, refused = row
    staged = Staged(
        int(str(account_id)),
        None,
        person,
        fingerprint if isinstance(fingerprint, bytes) else b"",
        str(text),
        bool(is_own_sign_up),
    )
    contact = None if known[0] is None else to_known_contact(known)
    return Prospect(staged, contact, suppressions, refused if isinstance(refused, bytes) else None)


def _suppressions(store: Store, after: bytes, last: object) -> dict[bytes, list[Suppression]]:
    found: dict[bytes, list[Suppression]] = {}
    for person, *rest in store.rows(
        "SELECT person, kind, list_id, contact_id, since, source FROM suppressions WHERE person > ? AND person <= ?",
        after,
        last if isinstance(last, bytes) else b"",
    ):
        if isinstance(person, bytes):
            found.setdefault(person, []).append(suppression_of(person, rest))
    return found
