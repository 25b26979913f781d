"""Kibo accounts as last observed, also those that say no from the start, and the addresses each has had."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.rows import Value, marks
from ccsync.state.database.store import Store
from ccsync.state.database.times import to_text

B2B = "b2b"
"""The kind of an account whose consent sits on its users: it neither adds nor keeps anybody."""


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """A Kibo account with an address, as observed.

    Its consent holds `since` then at least, by Kibo's clock: the update for an observed change, else the creation.
    """

    account_id: int
    person: bytes
    accepts_marketing: bool
    since: datetime | None = None
    kind: str = ""


def observe(store: Store, seen: Iterable[AccountSeen], at: datetime) -> None:
    """Note accounts as Kibo showed them, inside the caller's transaction; `at` is our clock."""
    # To the minute: it is only ever shown, and there is one for each account.
    found, seen_at = list(seen), to_text(at)[:16] + "Z"
    sql = (
        "INSERT INTO accounts (account_id, person, accepts_marketing, since, kind, seen_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (account_id) DO UPDATE SET person = excluded.person,"
        " accepts_marketing = excluded.accepts_marketing, since = excluded.since, kind = excluded.kind,"
        " seen_at = excluded.seen_at, row_hash = NULL"
    )
    rows = [(one.account_id, one.person, one.accepts_marketing, one.since, one.kind, seen_at) for one in found]
    store.run_many(sql, rows)
    note_addresses(store, [(one.account_id, one.person) for one in found if one.accepts_marketing and not one.kind])


def note_addresses(store: Store, pairs: Iterable[tuple[int, bytes]]) -> None:
    """These accounts (account id, person) caused the address to be on the list."""
    store.run_many("INSERT OR IGNORE INTO account_addresses VALUES (?, ?)", list(pairs))


def addresses_of(store: Store, account_id: int) -> list[bytes]:
    """Every address, present and past, with which the account has opted in."""
    return store.column(bytes, "SELECT person FROM account_addresses WHERE account_id = ?", account_id)


def with_address(store: Store, person: bytes) -> list[AccountSeen]:
    """The accounts that have this address now, as last observed; B2B accounts are left out."""
    return _read(store, "person = ? AND kind != ? ORDER BY account_id", person, B2B)


def of_person(store: Store, person: bytes) -> list[int]:
    """The ids of the accounts that had this address when last seen, of whatever kind."""
    return store.column(int, "SELECT account_id FROM accounts WHERE person = ? ORDER BY account_id", person)


def count(store: Store) -> int:
    """How many Kibo accounts ccsync has observed."""
    return store.number("SELECT count(*) FROM accounts")


def known(store: Store, account_ids: Sequence[int]) -> dict[int, AccountSeen]:
    """What was last observed of these accounts."""
    return {one.account_id: one for one in _read(store, f"account_id IN ({marks(account_ids)})", *account_ids)}


def _read(store: Store, where: str, *values: Value) -> list[AccountSeen]:
    sql = f"SELECT account_id, person, accepts_marketing, since, kind FROM accounts WHERE {where}"
    return store.records(AccountSeen, sql, *values)


def drop(store: Store, account_id: int) -> None:
    """Kibo no longer has the account; its addresses are kept until they have left the list."""
    store.run("DELETE FROM accounts WHERE account_id = ?", account_id)
