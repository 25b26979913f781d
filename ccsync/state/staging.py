"""What an export has read and not yet sent: accounts that share an address are known only when all are read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccsync.state.database.rows import marks, record_of
from ccsync.state.database.staged import BY_PERSON, STAGED
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable

_STRANGERS = (
    "FROM staged WHERE person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM contacts WHERE contacts.person = staged.person)"
)


@dataclass(frozen=True, slots=True)
class Staged:
    """One account as read, of which there is something to send. Of one that was known again no `row` is at hand."""

    account_id: int
    updated_at: datetime | None
    person: bytes
    fingerprint: bytes
    row: str | None = None  # the import row as JSON
    is_own_sign_up: bool = False
    tags: str | None = None  # the names as a JSON array, where segments are mapped and shown

    @property
    def content(self) -> dict[str, Any]:
        """The import row; empty where it is not at hand."""
        content: dict[str, Any] = json.loads(self.row or "{}")
        return content

    @property
    def email(self) -> str:
        """The address that would be sent; "" where the row is not at hand."""
        return str(self.content.get("email", ""))


KnownRow = tuple[int, datetime | None, bytes, bytes]
"""Account id, when it was updated, person, fingerprint."""


def clear(store: Store) -> None:
    """Start with nothing staged; must be called before anything is staged."""
    for statement in STAGED:
        store.run_aside(statement)


def stage(store: Store, accounts: Iterable[Staged]) -> None:
    """Keep accounts; one read again replaces what was kept of it. Inside the caller's transaction."""
    store.run_many(
        "INSERT OR REPLACE INTO staged (account_id, updated_at, person, fingerprint, row, is_own_sign_up, tags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                one.account_id,
                _seconds(one.updated_at),
                one.person,
                one.fingerprint,
                None if one.row is None else storable(one.row),
                one.is_own_sign_up,
                None if one.tags is None else storable(one.tags),
            )
            for one in accounts
        ),
    )


def stage_known(store: Store, rows: Iterable[KnownRow]) -> None:
    """Keep accounts whose rows were known again, without what would be sent. Inside the caller's transaction."""
    store.run_many(
        "INSERT OR REPLACE INTO staged (account_id, updated_at, person, fingerprint) VALUES (?, ?, ?, ?)",
        ((account_id, _seconds(at), *more) for account_id, at, *more in rows),
    )


def stage_read(store: Store, seen: Iterable[tuple[int, datetime | None]]) -> None:
    """Keep accounts (id, when it was updated) of which there is nothing to send. Inside the caller's transaction."""
    sql = "INSERT OR REPLACE INTO staged (account_id, updated_at) VALUES (?, ?)"
    store.run_many(sql, [(account_id, _seconds(at)) for account_id, at in seen])


def unstage(store: Store, account_ids: Iterable[int]) -> None:
    """Drop accounts that no longer opt in, inside the caller's transaction."""
    store.run_many("DELETE FROM staged WHERE account_id = ?", [(one,) for one in account_ids])


def have_as_is(store: Store, seen: Mapping[int, datetime | None]) -> set[int]:
    """The accounts of a page that are staged and were not updated since, by their date."""
    sql = f"SELECT account_id, updated_at FROM staged WHERE account_id IN ({marks(list(seen))})"
    staged: dict[int, float] = dict(store.rows(sql, *seen))
    return {one for one, at in seen.items() if at is not None and staged.get(one) == _seconds(at)}


def _seconds(at: datetime | None) -> float:
    return 0.0 if at is None else at.timestamp()


def have_read(store: Store) -> int:
    """How many distinct accounts were read, whatever their outcome."""
    return store.number("SELECT count(*) FROM staged")


def passed_over(store: Store, run_id: int) -> int:
    """How many staged accounts are neither a person's whose data is sent nor rejected.

    They have no address, are B2B, or are further accounts of a person already counted.
    """
    rejected = store.number(
        "SELECT count(*) FROM staged JOIN rejected USING (account_id) WHERE run_id = ? AND person IS NULL", run_id
    )
    return have_read(store) - people(store) - rejected


def people(store: Store) -> int:
    """How many distinct people there are to decide on."""
    return store.number("SELECT count(DISTINCT person) FROM staged WHERE person IS NOT NULL")


def sort(store: Store) -> None:
    """All is read: from now on people are gone through."""
    for statement in BY_PERSON:
        store.run_aside(statement)


def iter_people(store: Store) -> Iterator[Staged]:
    """One account for each person: the most recently updated one, whose data a contact gets.

    Reads a chunk at a time, so that the caller may write between two items.
    """
    sort(store)
    last = None
    for person, *row in store.iter_chunks(
        "SELECT person, account_id, NULL, person, fingerprint, row, is_own_sign_up, tags FROM staged WHERE person > ?1"
        " ORDER BY person, updated_at DESC, account_id DESC"
    ):
        if person != last:
            yield record_of(Staged, row)
        last = person


def unread_siblings(store: Store) -> list[int]:
    """Accounts that opted in when last seen, on the address of somebody staged, and are not staged themselves."""
    sql = (
        "SELECT DISTINCT accounts.account_id FROM accounts JOIN staged USING (person) WHERE accepts_marketing"
        " AND kind = '' AND accounts.account_id NOT IN (SELECT account_id FROM staged)"
    )
    return store.column(int, sql)


def hidden_siblings(store: Store) -> list[tuple[int, bytes]]:
    """The same (account, person) after a reading of everybody: most accounts are staged, so those are sought first."""
    sort(store)
    return store.rows(
        "SELECT account_id, person FROM accounts WHERE accepts_marketing AND kind = ''"
        " AND account_id NOT IN (SELECT account_id FROM staged)"
        " AND EXISTS (SELECT 1 FROM staged WHERE staged.person = accounts.person)"
    )


def drop_person(store: Store, person: bytes) -> None:
    """Drop a processed person's accounts, inside the caller's transaction."""
    store.run("DELETE FROM staged WHERE person = ?", person)


def strangers(store: Store) -> int:
    """How many staged people ccsync knows no contact of."""
    return store.number(f"SELECT count(DISTINCT person) {_STRANGERS}")


def stranger_addresses(store: Store) -> list[str]:
    """The addresses of the staged people ccsync knows no contact of."""
    return store.column(str, f"SELECT json_extract(min(row), '$.email') {_STRANGERS} GROUP BY person")


def listed_but_not_opted_in(store: Store, list_id: str) -> int:
    """Members of the list in the latest pass without an opted-in account."""
    return store.number(
        "SELECT count(*) FROM contacts WHERE member_of = ? AND moved_to IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM staged WHERE staged.person = contacts.person)",
        list_id,
    )
