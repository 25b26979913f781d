"""The accounts of a whole store by address, in a temporary table: a store may have a million of them."""

from collections.abc import Iterable

from ccsync.models import Customer
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable

_TABLE = (
    "CREATE TEMP TABLE IF NOT EXISTS swept (account_id INTEGER PRIMARY KEY, person BLOB NOT NULL, email TEXT NOT NULL,"
    " accepts_marketing INTEGER, account_type TEXT, created_at TEXT, updated_at TEXT) STRICT",
    "CREATE INDEX IF NOT EXISTS temp.swept_by_person ON swept (person)",
    "DELETE FROM temp.swept",
)


def begin(store: Store) -> None:
    """Make the table, empty; it is gone when the state file is closed."""
    for statement in _TABLE:
        store.run_aside(statement)


def note(store: Store, accounts: Iterable[tuple[bytes, Customer]]) -> None:
    """Keep accounts (person, account); one read again replaces what was kept of it."""
    with store.transaction():
        store.run_many(
            "INSERT OR REPLACE INTO swept VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.account_id,
                    person,
                    storable(one.email or ""),
                    one.accepts_marketing,
                    None if one.account_type is None else storable(one.account_type),
                    one.created_at,
                    one.updated_at,
                )
                for person, one in accounts
            ],
        )


def of_person(store: Store, person: bytes) -> list[Customer]:
    """The accounts with this address, less what only mapping reads."""
    columns = "account_id, email, accepts_marketing, account_type, created_at, updated_at, CAST('{}' AS BLOB)"
    return store.records(Customer, f"SELECT {columns} FROM swept WHERE person = ?", person)
