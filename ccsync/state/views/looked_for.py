"""Whom a look at members is about, in a temporary table: after a change of the mapping that is everybody."""

from collections.abc import Iterable, Iterator

from ccsync.state.database.store import Store
from ccsync.state.database.times import storable

_TABLE = (
    "CREATE TEMP TABLE IF NOT EXISTS looked_for (person BLOB PRIMARY KEY, email TEXT NOT NULL, is_due INTEGER NOT NULL,"
    " counts INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "DELETE FROM temp.looked_for",
)


def begin(store: Store) -> None:
    """Make the table, empty; it is gone when the state file is closed."""
    for statement in _TABLE:
        store.run_aside(statement)


def add(store: Store, people: Iterable[tuple[bytes, str, bool]]) -> None:
    """These people (person, address, ccsync has them on the list) are to be looked at."""
    rows = [(person, storable(email), counts) for person, email, counts in people]
    with store.transaction():
        store.run_many("INSERT OR IGNORE INTO looked_for VALUES (?, ?, 1, ?)", rows)


def add_gone(store: Store, people: Iterable[bytes]) -> None:
    """These people have left the list, looked at now or before."""
    with store.transaction():
        store.run_many(
            "INSERT INTO looked_for VALUES (?, '', 0, 1) ON CONFLICT (person) DO UPDATE SET counts = 1",
            [(one,) for one in people],
        )


def count_due(store: Store) -> int:
    """How many people are to be looked at."""
    return store.number("SELECT count(*) FROM looked_for WHERE is_due")


def count(store: Store) -> int:
    """How many people ccsync has on the list or knows to have left it, of those whom this is about."""
    return store.number("SELECT count(*) FROM looked_for WHERE counts")


def iter_due(store: Store) -> Iterator[tuple[bytes, str]]:
    """Those to be looked at: (person, address), a chunk at a time."""
    return iter(store.iter_chunks("SELECT person, email FROM looked_for WHERE person > ?1 AND is_due ORDER BY person"))
