"""The list's members as one reading shows them, in a temporary table: a list may have a million."""

from collections.abc import Iterable, Iterator, Sequence

from ccsync.state.database.rows import marks
from ccsync.state.database.store import Store
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, UNSUBSCRIBED


def clear(store: Store) -> None:
    """Begin a reading."""
    for table in ("list_members", "list_waiting"):
        store.run(f"CREATE TEMP TABLE IF NOT EXISTS {table} (person BLOB PRIMARY KEY) STRICT, WITHOUT ROWID")
        store.run(f"DELETE FROM {table}")


def add(store: Store, people: Iterable[bytes]) -> None:
    """These people are on the list."""
    store.run_many("INSERT OR IGNORE INTO list_members VALUES (?)", [(one,) for one in people])


def add_waiting(store: Store, people: Iterable[bytes]) -> None:
    """These people still have to confirm, and are on no list before that: nobody misses them."""
    store.run_many("INSERT OR IGNORE INTO list_waiting VALUES (?)", [(one,) for one in people])


def count(store: Store) -> int:
    """How many members were read."""
    return store.number("SELECT count(*) FROM list_members")


def is_worth_reading(store: Store, list_id: str) -> bool:
    """Is there anybody whom ccsync added to the list, or who left it and may have returned?

    Also whom a look has shown off the list: a run may have died before it noted what follows.
    """
    left = f"SELECT 1 FROM suppressions WHERE kind = '{DEPARTED}' AND list_id = ? LIMIT 1"
    added = "SELECT 1 FROM sent WHERE list_id = ? AND removed_at IS NULL LIMIT 1"
    return store.exists(added, list_id) or store.exists(left, list_id)


def count_missing(store: Store, list_id: str) -> int:
    """How many people whom ccsync added to the list are missing among its members."""
    return store.number(f"SELECT count(*) {_MISSING}", b"", list_id)


def iter_missing(store: Store, list_id: str) -> Iterator[bytes]:
    """Those people, a chunk at a time, so that the caller may write between two of them."""
    return (person for (person,) in store.iter_chunks(f"SELECT sent.person {_MISSING} ORDER BY 1", list_id))


def missing_among(store: Store, list_id: str, some: Sequence[bytes]) -> list[bytes]:
    """Those of these people who are missing so."""
    return store.column(bytes, f"SELECT sent.person {_MISSING} AND sent.person IN ({marks(some)})", b"", list_id, *some)


def iter_returned(store: Store, list_id: str) -> Iterator[bytes]:
    """People who had left the list and are among its members again."""
    sql = (
        "SELECT person FROM suppressions JOIN list_members USING (person)"
        f" WHERE person > ?1 AND list_id = ?2 AND kind = '{DEPARTED}' ORDER BY 1"
    )
    return (person for (person,) in store.iter_chunks(sql, list_id))


def iter_opted_out(store: Store, list_id: str) -> Iterator[bytes]:
    """Members whom ccsync had put or found on the list, and who opted out in the store, and are not to leave it yet."""
    sql = (
        "SELECT sent.person FROM sent JOIN list_members USING (person) JOIN suppressions USING (person)"
        f" WHERE sent.person > ?1 AND sent.list_id = ?2 AND removed_at IS NULL AND kind = '{OPTED_OUT}' AND NOT EXISTS"
        " (SELECT 1 FROM suppressions AS other WHERE other.person = sent.person"
        f" AND other.kind IN ('{UNSUBSCRIBED}', '{DEPARTED}') AND other.list_id IN ('', ?2)) AND NOT EXISTS"
        " (SELECT 1 FROM tasks WHERE kind = 'remove' AND tasks.person = sent.person AND tasks.list_id = sent.list_id)"
        " ORDER BY 1"
    )
    return (person for (person,) in store.iter_chunks(sql, list_id))


# Whoever ccsync itself is taking off the list has not left it, nor has a contact that was deleted or has another
# address now; and what was finished before is not found again.
_MISSING = (
    "FROM sent LEFT JOIN contacts USING (person) WHERE sent.person > ?1 AND sent.list_id = ?2 AND removed_at IS NULL"
    " AND NOT (coalesce(permission, '') IN ('deleted', 'vanished') AND coalesce(seen_at, '') > sent_at)"
    " AND NOT EXISTS (SELECT 1 FROM list_members WHERE list_members.person IN (sent.person, contacts.moved_to))"
    " AND NOT EXISTS (SELECT 1 FROM list_waiting WHERE list_waiting.person = sent.person)"
    " AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.person = sent.person"
    f" AND kind IN ('{UNSUBSCRIBED}', '{DEPARTED}') AND suppressions.list_id IN ('', ?2)) AND NOT EXISTS"
    " (SELECT 1 FROM tasks WHERE kind = 'remove' AND tasks.person = sent.person AND tasks.list_id = sent.list_id)"
)
