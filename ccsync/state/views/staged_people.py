"""Staged people with all that a decision about them needs, read a chunk at a time instead of one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.models import KnownContact
from ccsync.state import contacts, staging, suppressions
from ccsync.state.contacts import known_contact_of
from ccsync.state.database.store import Store
from ccsync.state.staging import Staged
from ccsync.state.suppressions import Suppression
from ccsync.state.views.known_rows import HAS_ROW, UNDECIDED


@dataclass(frozen=True, slots=True)
class StagedPerson:
    """A staged person; `known` is their contact, `refused` the fingerprint that Constant Contact would not take."""

    staged: Staged
    known: KnownContact | None
    suppressions: Sequence[Suppression]
    refused: bytes | None


def iter_staged_people(
    store: Store, list_id: str, at: datetime, *, longer_than: int = 0, only_contacts: bool = False
) -> Iterator[StagedPerson]:
    """One account for each staged person: the most recently updated one, whose data a contact gets.

    Left out are rows that were known again and whose people stand as they did (`known_rows`). Only people whose address
    is `longer_than` so many characters; `only_contacts`: only those with something to send, of whom a contact is known.
    A refusal that has expired by `at` counts no more.
    The caller may write between two items. What it writes about people still to come may be seen a chunk late.
    """
    sql = (
        "SELECT staged.person, staged.account_id, staged.fingerprint, row, is_own_sign_up,"
        " CASE WHEN expires_at IS NULL OR expires_at > ?2 THEN parked.fingerprint END,"
        " EXISTS (SELECT 1 FROM suppressions WHERE suppressions.person = staged.person),"
        f" {contacts.COLUMNS} FROM staged {'' if only_contacts else 'LEFT'} JOIN contacts USING (person)"
        " LEFT JOIN parked USING (account_id)"
        " LEFT JOIN sent ON sent.person = staged.person AND sent.list_id = ?3"
        " WHERE staged.person > ?1 AND (?4 = 0 OR length(json_extract(row, '$.email')) > ?4)"
        f" AND {HAS_ROW if only_contacts else UNDECIDED}"
        " ORDER BY staged.person, updated_at DESC, staged.account_id DESC"
    )
    staging.sort(store)
    last = None
    # Spelled out, not by `record_of`: an export goes through everybody more than once.
    for row in store.iter_chunks(sql, at, list_id, longer_than):
        person, account_id, fingerprint, content, is_own_sign_up, refused, is_held, *known = row
        if person != last:
            contact = None if known[0] is None else known_contact_of(known)
            held = suppressions.of_person(store, person) if is_held else ()
            staged = Staged(account_id, None, person, fingerprint, content, bool(is_own_sign_up))
            yield StagedPerson(staged, contact, held, refused)
        last = person
