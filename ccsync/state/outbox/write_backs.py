"""What people did at Constant Contact, to be written back to Kibo: queued with the suppression, until it is done."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state import suppressions
from ccsync.state.database.rows import Value, marks
from ccsync.state.database.store import Store
from ccsync.state.outbox.tasks import DONE, PENDING, WRITE_BACK
from ccsync.state.suppressions import DEPARTED, OWN, RESTORED, UNORDERED, UNSUBSCRIBED

RESUBSCRIBED = "resubscribed"
"""The person came back to Constant Contact by their own act."""
KINDS = (UNSUBSCRIBED, DEPARTED, RESUBSCRIBED)

_COLUMNS = (
    "id, person, reason, list_id, happened_at, contact_id, source, is_checked, was_on_list, queued_at, is_wanted,"
    " attempts, next_at, last_error, done_at, outcome, status"
)
_INTO = (
    "INSERT INTO tasks (kind, person, reason, list_id, happened_at, contact_id, source, is_checked, was_on_list,"
    " status, queued_at, next_at)"
)
# Written before and queued again: the same opt-out is news to an account that turned up since.
_AGAIN = (
    " ON CONFLICT (person, reason, list_id, happened_at) WHERE kind = 'write-back' DO UPDATE SET done_at = NULL,"
    " is_wanted = 0, attempts = 0, outcome = '', status = excluded.status, queued_at = excluded.queued_at,"
    " next_at = excluded.next_at WHERE done_at IS NOT NULL OR status = 'failed'"
)
# The person had already left by another act.
_WAS_ON_LIST = (
    "EXISTS (SELECT 1 FROM sent WHERE sent.person = suppressions.person AND removed_at IS NULL) AND NOT EXISTS"
    " (SELECT 1 FROM suppressions AS other WHERE other.person = suppressions.person"
    " AND other.kind != suppressions.kind)"
)
_FROM_SUPPRESSIONS = (
    f"{_INTO} SELECT '{WRITE_BACK}', person, kind, list_id, coalesce(since, ''), contact_id, source,"
    f" ?4 OR kind != '{DEPARTED}', {_WAS_ON_LIST}, '{PENDING}', ?3, ?3 FROM suppressions"
)


@dataclass(frozen=True, slots=True)
class WriteBack:
    """One change of consent on its way to Kibo. `outcome` is how that ended."""

    id: int
    person: bytes
    kind: str
    list_id: str
    happened_at: datetime | None
    contact_id: str | None
    source: str | None
    is_checked: bool
    was_on_list: bool
    queued_at: datetime
    is_wanted: bool
    attempts: int
    next_at: datetime
    last_error: str
    done_at: datetime | None
    outcome: str
    status: str


def enqueue(
    store: Store, person: bytes, kind: str, at: datetime, *, list_id: str = "", is_checked: bool = False
) -> None:
    """Queue the write back of a new suppression, for this list, inside the transaction that records it."""
    sql = f"{_FROM_SUPPRESSIONS} WHERE person = ?1 AND kind = ?2 AND list_id = ?5{_AGAIN}"
    store.run(sql, person, kind, at, is_checked, list_id)


def enqueue_return(store: Store, person: bytes, contact_id: str, happened_at: datetime | None, at: datetime) -> None:
    """Queue a person's own return, inside the transaction that records it."""
    values = f"('{WRITE_BACK}', ?1, '{RESUBSCRIBED}', '', coalesce(?2, ''), ?3, 'Contact', 1, 0, '{PENDING}', ?4, ?4)"
    store.run(f"{_INTO} VALUES {values}{_AGAIN}", person, happened_at, contact_id, at)


def enqueue_again(store: Store, newcomers: Iterable[tuple[bytes, datetime | None]], list_id: str, at: datetime) -> None:
    """Accounts (person, made at) that turned up with an opt-in on a suppressed address, inside a transaction.

    An account made after a departure was noticed lifts it. Who is off the list by an unknown act
    is nobody's opt-out, and an unsubscribe of ccsync's own is the store's already.
    """
    sql = (
        f"{_FROM_SUPPRESSIONS} WHERE person = ?1 AND kind IN ('{UNSUBSCRIBED}', '{DEPARTED}') AND list_id IN ('', ?5)"
        f" AND coalesce(source, '') NOT IN ('{OWN}', '{RESTORED}', '{UNORDERED}')"
        f" AND (kind = '{UNSUBSCRIBED}' OR since IS NULL OR ?2 IS NULL OR since >= ?2){_AGAIN}"
    )
    found = list(newcomers)
    held = suppressions.any_among(store, [person for person, _ in found])
    store.run_many(sql, [(person, made_at, at, False, list_id) for person, made_at in found if person in held])


@dataclass(frozen=True, slots=True)
class Tally:
    """How many changes: `gone` of people whom ccsync had put on the list, of whom `departed` left only the list."""

    total: int = 0
    gone: int = 0
    departed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.total + other.total, self.gone + other.gone, self.departed + other.departed)


def tally(
    store: Store, at: datetime, kinds: Sequence[str], list_id: str, *, wanted: bool, is_unchecked: bool = False
) -> Tally:
    """How many may be written now; `is_unchecked`: only departures that have not been checked."""
    sql = (
        f"SELECT count(*), total(was_on_list), total(was_on_list AND reason = '{DEPARTED}') FROM tasks"
        f" WHERE {_due(kinds)} AND (NOT ? OR NOT is_checked)"
    )
    return Tally(*(int(one) for one in store.rows(sql, wanted, at, list_id, *kinds, is_unchecked)[0]))


def due(store: Store, at: datetime, kinds: Sequence[str], list_id: str, *, after: int, limit: int) -> list[WriteBack]:
    """What may be written now and no account is known for yet, after the task that the caller has seen last.

    Consent is never given up: what is parked comes again when its time has come.
    """
    where = f"{_due(kinds)} AND id > ? ORDER BY id LIMIT ?"
    return store.records(
        WriteBack, f"SELECT {_COLUMNS} FROM tasks WHERE {where}", False, at, list_id, *kinds, after, limit
    )


def iter_wanted(store: Store, at: datetime, kinds: Sequence[str], list_id: str) -> Iterator[WriteBack]:
    """What may be written now where an account is known that has to be, fewest attempts and longest waiting first."""
    attempts = after = -1
    sql = (
        f"SELECT {_COLUMNS} FROM tasks WHERE {_due(kinds)} AND (attempts, id) > (?, ?) ORDER BY attempts, id LIMIT 1000"
    )
    while rows := store.records(WriteBack, sql, True, at, list_id, *kinds, attempts, after):
        yield from rows
        attempts, after = rows[-1].attempts, rows[-1].id


# Nobody can check any more who left a list that is not the active one: it may have been deleted.
_IN_FORCE = "(is_checked OR list_id = ?)"


def _due(kinds: Sequence[str]) -> str:
    of_kinds = f"{_IN_FORCE} AND reason IN ({marks(kinds)})"
    return f"kind = '{WRITE_BACK}' AND done_at IS NULL AND is_wanted = ? AND next_at <= ? AND {of_kinds}"


def want_unchecked(store: Store, at: datetime, kinds: Sequence[str], list_id: str) -> None:
    """Departures by the thousand wait for a person's decision as what has to be written does."""
    which = f"SELECT id FROM tasks WHERE {_due(kinds)} AND NOT is_checked LIMIT 1000"
    store.run_in_pieces(f"UPDATE tasks SET is_wanted = 1 WHERE id IN ({which})", False, at, list_id, *kinds)


def of_person(store: Store, person: bytes) -> list[WriteBack]:
    """Everything of a person that was or is to be written back, oldest first."""
    return _read(store, "person = ? ORDER BY id", person)


def failing(store: Store) -> list[WriteBack]:
    """What Kibo did not take yet, longest waiting first."""
    return _read(store, "done_at IS NULL AND attempts > 0 ORDER BY id")


def count_waiting(store: Store, list_id: str | None) -> int:
    """How many changes have not been written back yet, while this list is the active one."""
    sql = f"SELECT count(*) FROM tasks WHERE kind = ? AND done_at IS NULL AND {_IN_FORCE}"
    return store.number(sql, WRITE_BACK, list_id)


def of_former_lists(store: Store, list_id: str | None) -> dict[str, int]:
    """How many departures nobody has checked from each list that is not the active one."""
    sql = f"SELECT list_id, count(*) FROM tasks WHERE kind = ? AND done_at IS NULL AND NOT {_IN_FORCE} GROUP BY list_id"
    return dict(store.rows(sql, WRITE_BACK, list_id or ""))


def withdraw_unchecked(store: Store, list_id: str) -> None:
    """Nobody can check these any more: it is not known that anybody has left this list."""
    which = "SELECT id FROM tasks WHERE kind = ? AND done_at IS NULL AND list_id = ? AND NOT is_checked LIMIT 1000"
    store.run_in_pieces(f"DELETE FROM tasks WHERE id IN ({which})", WRITE_BACK, list_id)


def count_missed(store: Store) -> int:
    """How many unsubscribes are not written before a look shows that they were not undone: a full pass missed them."""
    of_person = "suppressions.person = tasks.person AND suppressions.kind = tasks.reason"
    where = f"tasks.kind = '{WRITE_BACK}' AND done_at IS NULL AND reason = '{UNSUBSCRIBED}'"
    return store.number(f"SELECT count(*) FROM tasks JOIN suppressions ON {of_person} WHERE {where} AND run_id = 0")


def want(store: Store, ids: Iterable[int]) -> None:
    """Accounts were found for these that have to be written."""
    store.run_many("UPDATE tasks SET is_wanted = 1 WHERE id = ?", [(one,) for one in ids])


def check(store: Store, task_id: int, source: str | None) -> None:
    """A departure was checked and confirmed; inside the caller's transaction."""
    store.run("UPDATE tasks SET is_checked = 1, source = ? WHERE id = ?", source, task_id)


def finish(store: Store, task_id: int, at: datetime, outcome: str) -> None:
    """Kibo has it, or does not need it."""
    sql = "UPDATE tasks SET done_at = ?, status = ?, outcome = ?, last_error = '' WHERE id = ?"
    store.run(sql, at, DONE, outcome, task_id)


def withdraw(store: Store, person: bytes, kind: str, list_id: str = "") -> bool:
    """Drop one that proved wrong; inside the caller's transaction. Returns whether it was still to be written."""
    sql = "DELETE FROM tasks WHERE kind = ? AND person = ? AND reason = ? AND list_id = ? AND done_at IS NULL"
    return store.run(sql, WRITE_BACK, person, kind, list_id) > 0


def prune(store: Store, before: datetime) -> None:
    """Forget what was written back before that, some at a time."""
    which = "SELECT id FROM tasks WHERE kind = ? AND done_at < ? LIMIT 1000"
    store.run_in_pieces(f"DELETE FROM tasks WHERE id IN ({which})", WRITE_BACK, before)


def _read(store: Store, where: str, *values: Value) -> list[WriteBack]:
    return store.records(WriteBack, f"SELECT {_COLUMNS} FROM tasks WHERE kind = '{WRITE_BACK}' AND {where}", *values)
