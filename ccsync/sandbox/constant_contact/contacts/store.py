"""The account's contacts and who is on which list, in an in-memory SQLite database.

Nothing here knows the wire or the rules of consent.
A million contacts are meant to fit; pages are found by key, never by counting rows.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ccsync.sandbox.constant_contact.contacts.selection import Selection, marks, search

_SCHEMA = """
CREATE TABLE contacts (
    seq INTEGER PRIMARY KEY, contact_id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, address TEXT,
    permission TEXT NOT NULL, opt_in_source TEXT, opt_in_at INTEGER,
    opt_out_source TEXT, opt_out_at INTEGER, opt_out_reason TEXT,
    email_created_at INTEGER NOT NULL, email_updated_at INTEGER NOT NULL,
    first_name TEXT, last_name TEXT, job_title TEXT, company_name TEXT,
    birthday_month INTEGER, birthday_day INTEGER, anniversary TEXT,
    create_source TEXT NOT NULL, update_source TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, deleted_on TEXT,
    details TEXT NOT NULL, sms_number TEXT, sms_permission TEXT NOT NULL, status TEXT NOT NULL
) STRICT;
CREATE INDEX contacts_status ON contacts (status);
CREATE INDEX contacts_opt_out ON contacts (opt_out_at) WHERE opt_out_at IS NOT NULL;
CREATE TABLE memberships (
    list INTEGER NOT NULL, contact INTEGER NOT NULL, PRIMARY KEY (list, contact)  -- a tag is a list below 0
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_contact ON memberships (contact);
"""


class StoredContact(NamedTuple):
    """One contact. Times are whole seconds since 1970; `details` is JSON: cf, phones, addresses by name.

    A tuple, because it is also the row of the table: frozen dataclasses made imports half as fast.
    """

    seq: int  # order of creation, for ever
    contact_id: str
    key: str  # the address in lower case, or sms:NUMBER
    address: str | None
    permission: str
    opt_in_source: str | None
    opt_in_at: int | None
    opt_out_source: str | None
    opt_out_at: int | None
    opt_out_reason: str | None
    email_created_at: int
    email_updated_at: int
    first_name: str | None
    last_name: str | None
    job_title: str | None
    company_name: str | None
    birthday_month: int | None
    birthday_day: int | None
    anniversary: str | None
    create_source: str
    update_source: str
    created_at: int
    updated_at: int
    deleted_on: str | None
    details: str
    sms_number: str | None
    sms_permission: str

    @property
    def status(self) -> str:
        """The word by which `GET /contacts?status=` finds the contact."""
        if self.deleted_on:
            return "deleted"
        return "active" if self.permission in ("explicit", "implicit") else self.permission


def new_contact(seq: int, contact_id: str, key: str, address: str | None, at: int) -> StoredContact:
    """A contact as the account itself adds one: permission implicit, sources Account, nothing else known."""
    return StoredContact(
        seq=seq,
        contact_id=contact_id,
        key=key,
        address=address,
        permission="implicit",
        opt_in_source="Account",
        opt_in_at=at,
        opt_out_source=None,
        opt_out_at=None,
        opt_out_reason=None,
        email_created_at=at,
        email_updated_at=at,
        first_name=None,
        last_name=None,
        job_title=None,
        company_name=None,
        birthday_month=None,
        birthday_day=None,
        anniversary=None,
        create_source="Account",
        update_source="Account",
        created_at=at,
        updated_at=at,
        deleted_on=None,
        details="{}",
        sms_number=None,
        sms_permission="not_set",
    )


def to_details(details: Mapping[str, object]) -> str:
    """The column of that name."""
    return _ENCODER.encode(details)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_NAMES = StoredContact._fields
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join("?" * (len(_NAMES) + 1))
# The first three never change, so that their indexes are left alone.
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in (*_NAMES[3:], "status"))
# S608, here and below: nothing but column names and question marks is put together.
_SAVE = f"INSERT INTO contacts ({_COLUMNS}, status) VALUES ({_VALUES}) "  # noqa: S608
_SAVE += f"ON CONFLICT (seq) DO UPDATE SET {_CHANGES}"


class Store:
    """Contacts and memberships. Not safe for two threads at once."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._last_seq = 0

    def take_seq(self) -> int:
        """The number of the next contact to be created."""
        self._last_seq += 1
        return self._last_seq

    def save(self, contacts: Iterable[StoredContact]) -> None:
        """Insert or replace contacts by `seq`."""
        self._many(_SAVE, ((*one, one.status) for one in contacts))

    def by_keys(self, keys: Iterable[str]) -> dict[str, StoredContact]:
        """Those of `keys` that exist, deleted ones included."""
        wanted = list(keys)
        sql = f"SELECT {_COLUMNS} FROM contacts WHERE key IN ({marks(wanted)})"  # noqa: S608
        return {row[2]: StoredContact._make(row) for row in self._db.execute(sql, wanted)}

    def by_ids(self, contact_ids: Iterable[str]) -> dict[str, StoredContact]:
        """Those of these ids, in lower case, that exist, deleted ones included; in order of creation."""
        wanted = list(contact_ids)
        sql = f"SELECT {_COLUMNS} FROM contacts WHERE contact_id IN ({marks(wanted)}) ORDER BY seq"  # noqa: S608
        return {row[1]: StoredContact._make(row) for row in self._db.execute(sql, wanted)}

    def by_id(self, contact_id: str) -> StoredContact | None:
        """One contact by the vendor's id."""
        return self.by_ids([contact_id.lower()]).get(contact_id.lower())

    def rename(self, seq: int, address: str) -> None:
        """Give a contact another address, which must be free."""
        self._db.execute("UPDATE contacts SET key = ?, address = ? WHERE seq = ?", (address.lower(), address, seq))

    def erase(self, seq: int) -> None:
        """Erase a contact."""
        self._db.execute("DELETE FROM memberships WHERE contact = ?", (seq,))
        self._db.execute("DELETE FROM contacts WHERE seq = ?", (seq,))

    def page(self, selection: Selection, after: int, limit: int) -> list[StoredContact]:
        """The first `limit` contacts behind `after`, in order of creation."""
        found, parameters = search(selection, after, limit)
        sql = f"SELECT {_COLUMNS} FROM contacts WHERE seq IN ({found}) ORDER BY seq"  # noqa: S608
        return [StoredContact._make(row) for row in self._db.execute(sql, parameters)]

    def count(self, selection: Selection) -> int:
        """How many contacts a listing would give in all."""
        found, parameters = search(selection, 0, -1)
        return int(self._db.execute(f"SELECT COUNT(*) FROM ({found})", parameters).fetchone()[0])  # noqa: S608

    def count_by_permission(self, opted_in_since: int) -> Iterator[tuple[str, int, int]]:
        """Permission, contacts, and those of them opted in since; deleted ones are left out."""
        sql = (
            "SELECT permission, COUNT(*), COUNT(CASE WHEN opt_in_at >= ? THEN 1 END) FROM contacts "
            "WHERE status <> 'deleted' GROUP BY permission"
        )
        yield from self._db.execute(sql, (opted_in_since,))

    # memberships

    def join(self, members: Iterable[tuple[int, int]]) -> None:
        """Add (list, contact) pairs; those that are there already do no harm."""
        self._many("INSERT OR IGNORE INTO memberships VALUES (?, ?)", members)

    def leave(self, contact: int, list_seq: int | None = None) -> None:
        """Take a contact off one list (or tag), or off all lists."""
        sql = "DELETE FROM memberships WHERE contact = ? AND (list = ? OR (? IS NULL AND list > 0))"
        self._db.execute(sql, (contact, list_seq, list_seq))

    def drop_members(self, list_seq: int) -> None:
        """Empty a list."""
        self._db.execute("DELETE FROM memberships WHERE list = ?", (list_seq,))

    def lists_of(self, contacts: Sequence[int]) -> dict[int, list[int]]:
        """The lists of each contact."""
        return self._groups_of(contacts, "list > 0 ORDER BY list")

    def tags_of(self, contacts: Sequence[int]) -> dict[int, list[int]]:
        """The tags of each contact, oldest first, as the numbers under which they are kept."""
        return self._groups_of(contacts, "list < 0 ORDER BY list DESC")

    def _groups_of(self, contacts: Sequence[int], which: str) -> dict[int, list[int]]:
        sql = f"SELECT contact, list FROM memberships WHERE contact IN ({marks(contacts)}) AND {which}"  # noqa: S608
        found: dict[int, list[int]] = {seq: [] for seq in contacts}
        for contact, group in self._db.execute(sql, contacts):
            found[contact].append(group)
        return found

    def addresses_on(self, list_seq: int) -> list[str]:
        """Addresses of a list's members in order of creation; SMS-only members have none."""
        sql = (
            "SELECT c.address FROM memberships m CROSS JOIN contacts c ON c.seq = m.contact "
            "WHERE m.list = ? AND c.address IS NOT NULL ORDER BY m.contact"
        )
        return [address for (address,) in self._db.execute(sql, (list_seq,))]

    def member_count(self, list_seq: int, *, only_active: bool = False) -> int:
        """How many contacts a list has."""
        sql = "SELECT COUNT(*) FROM memberships m WHERE m.list = ?"
        if only_active:
            sql += " AND (SELECT status FROM contacts WHERE seq = m.contact) = 'active'"
        return int(self._db.execute(sql, (list_seq,)).fetchone()[0])

    def _many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._db.execute("BEGIN")
        try:
            self._db.executemany(sql, rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
