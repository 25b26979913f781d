"""Contacts as Constant Contact last showed them, and what ccsync has put on a list: facts, never conclusions.

A sighting is of an address; a contact keeps its id when its address changes, and the addresses it has had are kept.
What was sent survives departures, removals and suppressions; only erasure deletes it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from ccsync.models import KnownContact, Sent, Sighting
from ccsync.state.accounts import B2B
from ccsync.state.database.rows import Value, marks
from ccsync.state.database.store import Store
from ccsync.state.database.times import from_text
from ccsync.state.suppressions import FORGOTTEN

_DATE_STEP = timedelta(seconds=2)

COLUMNS = (
    "is_ours, contact_id, permission, member_of, seen_at, moved_to, opt_ins_until,"
    " sent.list_id, sent.fingerprint, sent_at, removed_at, took_seconds"
)
"""What `known_contact_of` reads of `contacts LEFT JOIN sent`."""

ON_LIST = (
    "sent.removed_at IS NULL AND EXISTS (SELECT 1 FROM contacts AS seen WHERE seen.person = sent.person"
    " AND seen.member_of = sent.list_id)"
)
"""Of a row of `sent`: is the person still on that list, as far as ccsync has seen? The same as `KnownContact.is_on`."""
_ANOTHER = (
    "seen_at NOT NULL AND NOT EXISTS (SELECT 1 FROM batch_rows WHERE person = contacts.person) AND"
    " coalesce(contact_id, (SELECT min(contact_id) FROM contact_addresses AS had WHERE had.person = contacts.person"
    "  HAVING total(contact_id = ?2) = 0)) != ?2"
)
"""Of a row of `contacts`: is the contact ?2 not the one that was seen at the address since ccsync last sent it?"""
_INTO_SENT = "INSERT INTO sent (person, list_id, fingerprint, account_id, sent_at, took_seconds)"
_SENT_ANEW = (
    "ON CONFLICT (person, list_id) DO UPDATE SET fingerprint = excluded.fingerprint,"
    " account_id = excluded.account_id, sent_at = excluded.sent_at, took_seconds = excluded.took_seconds,"
    " removed_at = NULL"
)


def known(store: Store, person: bytes, list_id: str) -> KnownContact | None:
    """The contact of `person` and what was sent of it to this list, if ccsync knows of one."""
    row = store.one(
        f"SELECT {COLUMNS} FROM contacts LEFT JOIN sent ON sent.person = contacts.person AND sent.list_id = ?"
        " WHERE contacts.person = ?",
        list_id,
        person,
    )
    return None if row is None else known_contact_of(row)


def id_of(store: Store, person: bytes) -> str | None:
    """The id of the person's contact, where ccsync knows it."""
    return store.value(str, "SELECT contact_id FROM contacts WHERE person = ?", person)


def is_member(store: Store, person: bytes, list_id: str) -> bool:
    """Did the latest look at this person find them on the list, under whatever address?"""
    return store.exists("SELECT 1 FROM contacts WHERE person = ? AND member_of = ?", person, list_id)


def was_seen(store: Store, person: bytes, since: datetime, until: datetime) -> bool:
    """Is the latest sighting of the person of this span, by Constant Contact's clock?"""
    return store.exists("SELECT 1 FROM contacts WHERE person = ? AND seen_at BETWEEN ? AND ?", person, since, until)


def known_contact_of(row: Sequence[Any]) -> KnownContact:
    """The contact of these `COLUMNS`. Spelled out, not by `record_of`: an export makes some for every customer."""
    is_ours, contact_id, permission, member_of, seen_at, moved_to, until, list_id, fingerprint, sent_at, *rest = row
    sent = None
    if list_id is not None:
        sent = Sent(list_id, fingerprint, datetime.fromisoformat(sent_at), from_text(rest[0]), rest[1])
    seen = from_text(seen_at), moved_to, sent, from_text(until)
    return KnownContact(bool(is_ours), contact_id, permission, member_of, *seen)


def observe(store: Store, seen: Iterable[Sighting], adopt_list_id: str | None = None) -> None:
    """Note contacts as Constant Contact showed them, inside the caller's transaction.

    Somebody ccsync has not sent is another source's; so is a contact that is older than ccsync's first try to send it,
    or younger than its last, or not the one that was seen since: ours was erased, or has another address now. With
    `adopt_list_id`, members of that list are ours from now on, as if ccsync had put them there; but for those whom it
    did put there, by the address alone: they are another source's as before. A contact of ours stays ours under a new
    address. Nothing is noted about people who asked to be forgotten.
    """
    found = list(seen)
    store.run_many(
        "INSERT OR IGNORE INTO contact_addresses SELECT contact_id, person FROM contacts"
        " WHERE person = ?1 AND contact_id != ?2",
        [(one.person, one.contact_id) for one in found],
    )
    store.run_many(
        "UPDATE sent SET fingerprint = NULL, removed_at = iif(EXISTS (SELECT 1 FROM accounts WHERE person = ?1"
        f" AND accepts_marketing AND kind != '{B2B}'), NULL, ?4) WHERE person = ?1 AND list_id = ?3"
        f" AND removed_at IS NULL AND EXISTS (SELECT 1 FROM contacts WHERE person = ?1 AND {_ANOTHER})",
        [(one.person, one.contact_id, one.member_of, one.seen_at) for one in found if one.member_of and one.contact_id],
    )
    store.run_many(
        "INSERT INTO contacts (person, is_ours, contact_id, permission, member_of, seen_at, opt_ins_until)"
        " SELECT ?1, ?7 OR EXISTS (SELECT 1 FROM contacts WHERE contact_id = ?2 AND is_ours), ?2, ?3, ?4, ?5, ?10"
        " WHERE NOT EXISTS (SELECT 1 FROM suppressions WHERE person = ?1 AND kind = ?8)"
        " OR EXISTS (SELECT 1 FROM contacts WHERE person = ?1)"
        " ON CONFLICT (person) DO UPDATE SET contact_id = coalesce(?2, contact_id), permission = ?3, member_of = ?4,"
        "  seen_at = ?5, opt_ins_until = ?10, moved_to = NULL, is_ours ="
        "  CASE WHEN ?7 AND NOT EXISTS (SELECT 1 FROM sent WHERE person = ?1 AND list_id = ?4 AND fingerprint NOT NULL)"
        "   THEN 1 WHEN prepared_at > ?6 AND NOT EXISTS (SELECT 1 FROM sent WHERE person = ?1) THEN 0"
        "   WHEN ?9 > (SELECT max(sent_at) FROM sent WHERE person = ?1 AND fingerprint NOT NULL)"
        "   AND NOT EXISTS (SELECT 1 FROM batch_rows WHERE person = ?1) THEN 0"
        f"  WHEN {_ANOTHER} THEN 0 ELSE is_ours END",
        [_shown(one, adopt_list_id) for one in found],
    )
    if adopt_list_id is not None:
        store.run_many(
            "INSERT INTO sent (person, list_id, sent_at) SELECT person, member_of, seen_at FROM contacts"
            " WHERE person = ? AND member_of = ? AND is_ours ON CONFLICT (person, list_id) DO UPDATE"
            " SET sent_at = excluded.sent_at, took_seconds = NULL, removed_at = NULL",
            [(one.person, adopt_list_id) for one in found if one.member_of == adopt_list_id],
        )
    _note_moves(store, found)


def _shown(one: Sighting, adopt_list_id: str | None) -> tuple[Value, ...]:
    # Dates have whole seconds: a contact that our import created must not look older than the import.
    after, before = (one.created_at + _DATE_STEP, one.created_at - _DATE_STEP) if one.created_at else (None, None)
    is_adopted = one.member_of is not None and one.member_of == adopt_list_id
    seen = one.person, one.contact_id, one.permission, one.member_of, one.seen_at
    return *seen, after, is_adopted, FORGOTTEN, before, one.opt_ins_until


def _note_moves(store: Store, found: Sequence[Sighting]) -> None:
    """When a contact's address changed, its membership and consent moved along with it."""
    by_id = {one.contact_id: one.person for one in found if one.contact_id is not None}
    known = f"SELECT contact_id, person FROM contacts WHERE contact_id IN ({marks(list(by_id))})"
    moved = {one: by_id[one] for one, person in store.rows(known, *by_id) if person != by_id[one]}
    _link(store, moved.items())
    # Sent since it was last seen: that may have reached this contact, or created another one at the old address.
    store.run_many(
        "UPDATE contacts SET moved_to = ?2, permission = now.permission, member_of = now.member_of,"
        " opt_ins_until = now.opt_ins_until,"
        " seen_at = CASE WHEN contacts.seen_at NOT NULL THEN now.seen_at END FROM contacts AS now"
        " WHERE now.person = ?2 AND contacts.contact_id = ?1 AND contacts.person != ?2",
        moved.items(),
    )


def note_unsubscribed(store: Store, seen: Sighting) -> None:
    """A contact ccsync knows (old opt-outs may be half a million) was shown as unsubscribed, without its lists."""
    if store.exists("SELECT 1 FROM contacts WHERE person = ? OR contact_id = ?", seen.person, seen.contact_id):
        observe(store, [seen])


def _link(store: Store, pairs: Iterable[tuple[str, bytes]]) -> None:
    """The contacts (contact id, person) that had another address before: keep all that they have had."""
    moves = "FROM contacts WHERE contact_id = ?1 AND person != ?2"
    store.run_many(
        f"INSERT OR IGNORE INTO contact_addresses SELECT contact_id, person {moves}"
        f" UNION SELECT ?1, ?2 WHERE EXISTS (SELECT 1 {moves})",
        pairs,
    )


def note_moved(store: Store, contact_id: str, person: bytes) -> None:
    """A contact was shown under this address, without its lists. Inside the caller's transaction."""
    _link(store, [(contact_id, person)])
    store.run("UPDATE contacts SET moved_to = ?2 WHERE contact_id = ?1 AND person != ?2", contact_id, person)


def note_absent(store: Store, person: bytes, at: datetime | None, permission: str | None = None) -> None:
    """This member is not on the list, as a look at `at` showed. `None`: nobody has looked, and the last sighting, which
    may be an import that took hours, stays the last. `permission` is what is known of the contact now.
    """
    seen = "seen_at = coalesce(?, seen_at), permission = coalesce(?, permission)"
    store.run(f"UPDATE contacts SET member_of = NULL, {seen} WHERE person = ?", at, permission, person)


def begin_anew(store: Store, person: bytes, list_id: str, at: datetime, said_at: datetime | None = None) -> None:
    """An opt-in in the store is newer than what happened to the contact, or ccsync has taken it off the list itself.
    Inside the caller's transaction.

    With `said_at` only of a contact that is not shown any more: what was sent has gone with it. `None`: also of one
    off the list: it may have another address, and is looked for by the person's. One on the list stays the person's;
    that it was seen on another list, which was the active one before, says nothing.
    """
    is_gone = "permission = 'vanished' AND (?2 IS NULL OR seen_at < ?2)"
    gone = f"FROM contacts WHERE contacts.person = ?1 AND sent.person = ?1 AND {is_gone}"
    store.run(f"UPDATE sent SET removed_at = ?3 {gone} AND removed_at IS NULL", person, said_at, at)
    which = f"person = ?1 AND ({is_gone} OR (member_of IS NOT ?3 AND ?2 IS NULL))"
    keep = "INSERT OR IGNORE INTO contact_addresses SELECT contact_id, person FROM contacts"
    for change in (keep, "UPDATE contacts SET moved_to = NULL, permission = NULL, contact_id = NULL"):
        store.run(f"{change} WHERE {which}", person, said_at, list_id)


def note_member(store: Store, person: bytes, list_id: str, at: datetime) -> None:
    """A look showed the person among the members of the list."""
    sql = "UPDATE contacts SET member_of = ?, seen_at = ?, opt_ins_until = NULL, moved_to = NULL WHERE person = ?"
    store.run(sql, list_id, at, person)


def addresses_of_contact(store: Store, contact_id: str | None, person: bytes) -> list[bytes]:
    """Every person whose address the contact has had, `person` first: an act of the contact concerns them all."""
    sql = (
        "SELECT person FROM contact_addresses WHERE contact_id = ?1"
        " UNION SELECT person FROM contacts WHERE contact_id = ?1"
    )
    return list(dict.fromkeys([person, *store.column(bytes, sql, contact_id)]))


def confirm_batch(
    store: Store, batch_id: int, upto: bytes, list_id: str, at: datetime, took_seconds: int | None
) -> None:
    """The people of this part of the batch are on the list with what was sent, until a look shows otherwise.

    Inside the caller's transaction. What was seen before says nothing of them now.
    """
    store.run(
        "UPDATE contacts SET member_of = ?, seen_at = NULL, opt_ins_until = NULL, permission = NULL, moved_to = NULL,"
        # A contact that is sent again after a deletion may get a new id: a removal by the old id would only seem to
        # work.
        " contact_id = CASE WHEN permission = 'deleted' THEN NULL ELSE contact_id END"
        " WHERE person IN (SELECT person FROM batch_rows WHERE batch_id = ? AND person <= ?)",
        list_id,
        batch_id,
        upto,
    )
    rows = "SELECT person, ?, fingerprint, account_id, ?, ? FROM batch_rows WHERE batch_id = ? AND person <= ?"
    store.run(f"{_INTO_SENT} {rows} {_SENT_ANEW}", list_id, at, took_seconds, batch_id, upto)


def confirm(
    store: Store,
    person: bytes,
    list_id: str,
    fingerprint: bytes,
    account_id: int,
    at: datetime,
    took_seconds: int | None = None,
) -> None:
    """One person was sent to the list, and `observe` has noted what the vendor answered. In a transaction."""
    values = person, list_id, fingerprint, account_id, at, took_seconds
    store.run(f"{_INTO_SENT} VALUES (?, ?, ?, ?, ?, ?) {_SENT_ANEW}", *values)


def found_on_list(store: Store, account_id: int, person: bytes, list_id: str, at: datetime) -> None:
    """Another source had put this account's person on the list before ccsync came."""
    again = "SET sent_at = excluded.sent_at, took_seconds = NULL, removed_at = NULL"
    values = f"VALUES (?, ?, NULL, ?, ?, NULL) ON CONFLICT (person, list_id) DO UPDATE {again}"
    store.run(f"{_INTO_SENT} {values}", person, list_id, account_id, at)


def note_removed(store: Store, person: bytes, list_id: str | None, at: datetime) -> None:
    """The person is off the list, or off every list: removed by ccsync, or by an act that has been resolved."""
    listed = "person = ?1 AND (?2 IS NULL OR {} = ?2)".format
    with store.transaction():
        sent = f"{listed('list_id')} AND removed_at IS NULL"
        store.run(f"UPDATE sent SET removed_at = ?3 WHERE {sent}", person, list_id, at)
        store.run(f"UPDATE contacts SET member_of = NULL WHERE {listed('member_of')}", person, list_id)


def count_on_list(store: Store, list_id: str) -> int:
    """How many people ccsync has on the list."""
    return store.number(f"SELECT count(*) FROM sent WHERE list_id = ? AND {ON_LIST}", list_id)
