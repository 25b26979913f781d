"""Accounts to read from Kibo and process: one task for each, however many events it has.

Accounts that a run has read stay marked until everything that follows is done at both vendors. If the run dies, they
are read again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from ccsync.state import accounts
from ccsync.state.database.rows import Value, marks
from ccsync.state.database.store import Store
from ccsync.state.outbox import tasks
from ccsync.state.outbox.tasks import FAILED, PENDING, READ

DELETED = "customeraccount.deleted"
SEGMENT = "customersegment."
"""The prefix of the topics about a customer's segments."""
_CHUNK = 500
_DUE = f"kind = '{READ}' AND status != '{FAILED}' AND next_at <= ? AND read_upto IS NULL"
_NEW = "INSERT INTO tasks (kind, account_id, status, queued_at, next_at)"
_OPEN_EVENTS = "FROM events WHERE events.account_id = tasks.account_id AND done_at IS NULL"
_ONLY_SEGMENTS = f"coalesce((SELECT min(topic) {_OPEN_EVENTS}), '') LIKE '{SEGMENT}%'"
"""Is every open event of a waiting account about its segments? Topics of accounts come first in the alphabet."""
_NEWEST_EVENT = "coalesce((SELECT max(number) FROM events WHERE events.account_id = tasks.account_id), 0)"


@dataclass(frozen=True, slots=True)
class Due:
    """A due account: its attempts, the time of its newest event, and whether an event says deleted.

    A change of segments has no time: whether it moves the account's own date is not known.
    """

    account_id: int
    attempts: int
    changed_at: datetime | None
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Queued:
    """An account in the queue."""

    account_id: int
    status: str
    attempts: int
    next_at: datetime
    last_error: str


def enqueue(store: Store, account_ids: Iterable[int], at: datetime) -> None:
    """Queue accounts to be read; one that failed before starts over."""
    store.run_many(
        f"{_NEW} VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (account_id) WHERE kind = 'read' DO UPDATE"
        " SET status = ?3, next_at = ?4, attempts = 0, last_error = '', read_upto = NULL",
        [(READ, one, PENDING, at) for one in account_ids],
    )


def enqueue_person(store: Store, person: bytes, at: datetime) -> None:
    """Queue the accounts with this person's address: it is decided about them anew."""
    enqueue(store, accounts.of_person(store, person), at)


def enqueue_new(store: Store, account_ids: Iterable[int], at: datetime) -> None:
    """Queue accounts that are not waiting already, even parked ones; inside the caller's transaction."""
    sql = f"{_NEW} VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (account_id) WHERE kind = 'read' DO NOTHING"
    store.run_many(sql, [(READ, one, PENDING, at) for one in account_ids])


def enqueue_expired(store: Store, account_ids: Iterable[int], at: datetime) -> None:
    """Queue accounts whose refusal has expired, unless they are waiting already; inside the caller's transaction."""
    store.run_many(
        f"{_NEW} VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (account_id) WHERE kind = 'read' DO UPDATE"
        " SET status = ?3, next_at = ?4, attempts = 0, last_error = '' WHERE status = ?5",
        [(READ, one, PENDING, at, FAILED) for one in account_ids],
    )


def enqueue_under_way(store: Store, at: datetime) -> None:
    """Queue staged accounts of people whom an import holds with other data: they are decided on when it is over.

    Inside the caller's transaction.
    """
    sql = (
        f"{_NEW} SELECT ?1, staged.account_id, ?2, ?3, ?3 FROM staged JOIN batch_rows USING (person)"
        " WHERE staged.fingerprint != batch_rows.fingerprint"
        " AND batch_id IN (SELECT id FROM batches WHERE state IN ('prepared', 'running', 'adopted'))"
        " ON CONFLICT (account_id) WHERE kind = 'read' DO UPDATE SET read_upto = NULL, next_at = ?3"
    )
    store.run(sql, READ, PENDING, at)


def enqueue_vanished(store: Store, at: datetime) -> None:
    """Queue the accounts that opted in when last seen and were not among those just staged, some at a time."""
    sql = (
        "SELECT account_id FROM accounts WHERE account_id > ?1 AND accepts_marketing AND kind = ''"
        " AND account_id NOT IN (SELECT account_id FROM staged)"
        " AND NOT EXISTS (SELECT 1 FROM tasks WHERE kind = 'read' AND tasks.account_id = accounts.account_id)"
        " ORDER BY account_id"
    )
    vanished = (account_id for (account_id,) in store.iter_chunks(sql, after=0))
    while some := list(islice(vanished, _CHUNK)):
        with store.transaction():
            enqueue(store, some, at)


def due(store: Store, at: datetime, limit: int, *, only_listed: str | None = None) -> list[Due]:
    """Accounts whose time has come and that this run has not read yet; those that failed before come last.

    Where many customers moved to another segment, those who may have opted out do not wait for them.

    `only_listed` leaves out accounts of which ccsync has put nobody on that list.
    """
    listed = " AND account_id IN (SELECT account_addresses.account_id FROM account_addresses JOIN sent USING (person)"
    listed = f"{listed} WHERE sent.list_id = ?)" if only_listed is not None else ""
    values: list[Value] = [at, *([only_listed] if only_listed is not None else []), limit]
    return _read_due(store, f"{listed} ORDER BY attempts, {_ONLY_SEGMENTS}, queued_at, account_id LIMIT ?", *values)


def due_among(store: Store, at: datetime, account_ids: Sequence[int]) -> list[Due]:
    """Those of these accounts whose time has come and that this run has not read yet."""
    return _read_due(store, f" AND account_id IN ({marks(account_ids)})", at, *account_ids)


def _read_due(store: Store, which: str, *values: Value) -> list[Due]:
    changed = f"(SELECT max(created_at) {_OPEN_EVENTS} AND topic NOT LIKE '{SEGMENT}%')"
    columns = f"{changed}, EXISTS (SELECT 1 {_OPEN_EVENTS} AND topic = '{DELETED}')"
    return store.records(Due, f"SELECT account_id, attempts, {columns} FROM tasks WHERE {_DUE}{which}", *values)


def oldest_change(store: Store, at: datetime) -> datetime | None:
    """The time of the oldest change behind a waiting account's events; `None` if one has no date."""
    sql = (
        "SELECT iif(max(changed IS NULL), NULL, min(changed)) FROM (SELECT max(created_at) AS changed FROM tasks"
        " LEFT JOIN events ON events.account_id = tasks.account_id AND events.done_at IS NULL"
        f" AND topic NOT LIKE '{SEGMENT}%'"
        f" WHERE {_DUE} GROUP BY tasks.account_id)"
    )
    return store.value(datetime, sql, at)


def count_due(store: Store, at: datetime) -> int:
    """How many accounts wait for their turn now."""
    return store.number(f"SELECT count(*) FROM tasks WHERE {_DUE}", at)


def note_failure(
    store: Store, account_id: int, attempts: int, next_at: datetime, error: str, *, is_parked: bool = False
) -> None:
    """An account could not be processed; see `tasks.note_failure`."""
    task_id = store.value(int, f"SELECT id FROM tasks WHERE kind = '{READ}' AND account_id = ?", account_id)
    if task_id is not None:
        tasks.note_failure(store, task_id, attempts, next_at, error, is_parked=is_parked)


def retry(store: Store, at: datetime, account_ids: Sequence[int] | None = None) -> int:
    """Make failed and retrying accounts due now: these, or all; how many there were.

    What Constant Contact has refused of them is tried again, too.
    """
    if account_ids is None:
        with store.transaction():
            return _retry(store, at, "", [])
    retried = 0
    with store.transaction():
        for start in range(0, len(account_ids), _CHUNK):
            part = account_ids[start : start + _CHUNK]
            retried += _retry(store, at, f" AND account_id IN ({marks(part)})", part)
    return retried


def _retry(store: Store, at: datetime, chosen: str, values: Sequence[int]) -> int:
    which = f"WHERE kind = '{READ}' AND status != '{PENDING}'{chosen}"
    store.run(f"DELETE FROM parked WHERE account_id IN (SELECT account_id FROM tasks {which})", *values)
    return store.run(f"UPDATE tasks SET status = ?, attempts = 0, next_at = ? {which}", PENDING, at, *values)


def queued(store: Store, account_id: int) -> Queued | None:
    """How an account stands in the queue; `None` if it does not wait."""
    columns = "account_id, status, attempts, next_at, last_error"
    sql = f"SELECT {columns} FROM tasks WHERE kind = '{READ}' AND account_id = ?"
    return next(iter(store.records(Queued, sql, account_id)), None)


# read by the current run


def begin_reading(store: Store) -> None:
    """Unmark what a run that died had read."""
    store.run("UPDATE tasks SET read_upto = NULL WHERE kind = ? AND read_upto IS NOT NULL", READ)


def mark_read(store: Store, account_ids: Iterable[int]) -> None:
    """Mark accounts as read, together with every event known about them by now."""
    store.run_many(
        f"UPDATE tasks SET read_upto = {_NEWEST_EVENT} WHERE kind = '{READ}' AND account_id = ?",
        [(one,) for one in account_ids],
    )


def mark_staged_read(store: Store) -> None:
    """Accounts that were staged were read, whatever brought them; those that are parked stay as they are."""
    for first, last in _spans(store):
        store.run(
            f"UPDATE tasks SET read_upto = {_NEWEST_EVENT} WHERE kind = ? AND account_id BETWEEN ? AND ?"
            " AND account_id IN (SELECT account_id FROM staged WHERE person IS NOT NULL)"
            " AND account_id NOT IN (SELECT account_id FROM parked)",
            READ,
            first,
            last,
        )


def release_staged(store: Store) -> None:
    """What was staged is not sent yet: keep its accounts waiting."""
    for first, last in _spans(store):
        store.run(
            "UPDATE tasks SET read_upto = NULL WHERE kind = ? AND account_id BETWEEN ? AND ?"
            " AND account_id IN (SELECT account_id FROM staged WHERE person NOT NULL)",
            READ,
            first,
            last,
        )


def _spans(store: Store) -> Iterator[tuple[int, int]]:
    """The queued accounts, some at a time: the first and the last of each part."""
    last = 0
    while found := store.rows(
        "SELECT account_id FROM tasks WHERE kind = 'read' AND account_id > ? ORDER BY account_id LIMIT ?", last, _CHUNK
    ):
        first, last = found[0][0], found[-1][0]
        yield first, last


def ids_read(store: Store) -> list[int]:
    """The queued accounts that this run has read."""
    sql = "SELECT account_id FROM tasks WHERE kind = ? AND read_upto IS NOT NULL ORDER BY 1"
    return store.column(int, sql, READ)


def give_up_rejected(store: Store, run_id: int) -> None:
    """Park accounts whose record this run has rejected until they change, inside the caller's transaction."""
    sql = (
        "UPDATE tasks SET status = ?1, attempts = attempts + 1, read_upto = NULL, last_error ="
        " (SELECT reason FROM rejected WHERE run_id = ?2 AND rejected.account_id = tasks.account_id)"
        " WHERE kind = ?3 AND read_upto IS NOT NULL"
        " AND account_id IN (SELECT account_id FROM rejected WHERE run_id = ?2)"
    )
    store.run(sql, FAILED, run_id, READ)


def finish(store: Store, at: datetime) -> Counter[str]:
    """Mark what was read as processed, some accounts at a time; returns the number of events by topic.

    An account with an event that came after it was read stays in the queue.
    """
    done = Counter[str]()
    for span in _spans(store):
        with store.transaction():
            done += _finish(store, at, *span)
    begin_reading(store)
    return done


def _finish(store: Store, at: datetime, first: int, last: int) -> Counter[str]:
    read = "done_at IS NULL AND account_id BETWEEN ?1 AND ?2 AND number <= (SELECT read_upto FROM tasks"
    read += " WHERE kind = 'read' AND tasks.account_id = events.account_id)"
    counted = store.rows(f"SELECT topic, count(*) FROM events WHERE {read} GROUP BY topic", first, last)
    store.run(f"UPDATE events SET done_at = ?3 WHERE {read}", first, last, at)
    store.run(
        "DELETE FROM tasks WHERE kind = 'read' AND account_id BETWEEN ? AND ? AND read_upto IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM events WHERE events.account_id = tasks.account_id AND events.done_at IS NULL)",
        first,
        last,
    )
    return Counter(dict(counted))
