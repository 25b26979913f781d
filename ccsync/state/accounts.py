"""Kibo accounts as last observed, and the addresses that ccsync put on a list for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import to_text


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """A Kibo account with an address, as just observed."""

    account_id: int
    person: bytes
    accepts_marketing: bool


def linked_people(store: Store, account_id: int) -> list[bytes]:
    """Everybody ccsync ever put on a list for this account: its addresses, present and past."""
    return [
        one
        for (one,) in store.rows("SELECT person FROM links WHERE account_id = ?", account_id)
        if isinstance(one, bytes)
    ]


def of_person(store: Store, person: bytes) -> list[int]:
    """The accounts that had this address when last seen."""
    rows = store.rows("SELECT account_id FROM accounts WHERE person = ? ORDER BY account_id", person)
    return [int(str(row[0])) for row in rows]


def count(store: Store) -> int:
    """How many Kibo accounts ccsync has observed."""
    return store.number("SELECT count(*) FROM accounts")


def siblings(store: Store, account_id: int, person: bytes) -> list[int]:
    """The other accounts on this address that opted in when last seen."""
    found = store.rows(
        "SELECT account_id FROM accounts WHERE person = ? AND account_id != ? AND accepts_marketing"
        " ORDER BY account_id",
        person,
        account_id,
    )
    return [int(str(row[0])) for row in found]


def known_accounts(store: Store, account_ids: Sequence[int]) -> dict[int, tuple[bytes, bool]]:
    """What was last observed of these accounts: id → (person, accepts marketing)."""
    marks = ",".join("?" * len(account_ids))
    found: dict[int, tuple[bytes, bool]] = {}
    sql = f"SELECT account_id, person, accepts_marketing FROM accounts WHERE account_id IN ({marks})"  # noqa: S608 - marks
    for account_id, person, accepts in store.rows(sql, *account_ids):
        if isinstance(account_id, int) and isinstance(person, bytes):
            found[account_id] = (person, bool(accepts))
    return found


def observe_accounts(store: Store, seen: Iterable[AccountSeen], at: datetime) -> None:
    """Note accounts as Kibo showed them, inside the caller's transaction."""
    text = to_text(at)
    store.run_many(
        "INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT (account_id) DO UPDATE SET"
        " person = excluded.person, accepts_marketing = excluded.accepts_marketing, seen_at = excluded.seen_at",
        [(one.account_id, one.person, int(one.accepts_marketing), text) for one in seen],
    )
