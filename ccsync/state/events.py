"""Events pulled from Kibo: an event only says that an account changed; `queue` has the accounts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ccsync.models import Event
from ccsync.state.database.rows import record_of
from ccsync.state.database.store import Store
from ccsync.state.database.times import from_text, storable
from ccsync.state.outbox import queue
from ccsync.state.outbox.tasks import DONE, FAILED, PENDING

_OPTS_IN = "SELECT 1 FROM accounts WHERE account_id = ? AND accepts_marketing"
_PRUNE = "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE done_at < ?1 AND seen_at < ?1 LIMIT 1000)"
_QUEUE = "(SELECT account_id, queued_at, status, attempts, last_error FROM tasks WHERE kind = 'read')"


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """One event as `ccsync events` shows it; `attempts` and `last_error` are its account's.

    An account that was queued without an event has neither `event_id` nor `topic`.
    """

    event_id: str | None
    account_id: int
    topic: str | None
    created_at: datetime | None
    status: str
    attempts: int
    last_error: str


def take_in(store: Store, events: Iterable[Event], at: datetime) -> int:
    """Keep the events not seen before and queue their accounts, inside the caller's transaction; how many are new.

    A new event gives an account that failed before a fresh start: it has changed. Segment events of a customer who does
    not opt in are marked as done right away.
    """
    new = 0
    sql = (
        "INSERT OR IGNORE INTO events (event_id, account_id, topic, created_at, seen_at, done_at)"
        " VALUES (?, ?, ?, ?, ?5, iif(?6, NULL, ?5))"
    )
    for event in events:
        matters = not event.topic.startswith(queue.SEGMENT) or store.exists(_OPTS_IN, event.account_id)
        if store.run(sql, storable(event.event_id), event.account_id, event.topic, event.created_at, at, matters):
            new += 1
            queue.enqueue(store, [event.account_id] if matters else [], at)
    return new


def account_of(store: Store, event_id: str) -> int | None:
    """The account that an event is about."""
    return store.value(int, "SELECT account_id FROM events WHERE event_id = ?", event_id)


def view(store: Store, *, wants_done: bool = False, only_failed: bool = False, limit: int = -1) -> list[QueuedEvent]:
    """The first of `iter_view`."""
    return list(iter_view(store, wants_done=wants_done, only_failed=only_failed, limit=limit))


def iter_view(
    store: Store, *, wants_done: bool = False, only_failed: bool = False, limit: int = -1
) -> Iterator[QueuedEvent]:
    """Events with the state of their account, newest first, and accounts that were queued without an event.

    An account without one was queued by an export or a sweep; its time is when that was.
    """
    found = store.iter_rows(
        f"{_view(wants_done, only_failed)} ORDER BY at DESC, number DESC LIMIT ?3", PENDING, DONE, limit
    )
    return (record_of(QueuedEvent, row[:7]) for row in found)


def by_account(
    store: Store, *, wants_done: bool = False, only_failed: bool = False, limit: int = -1
) -> list[QueuedEvent]:
    """The same with one row per account, as its newest event has it; `topic` lists the topics of all its events."""
    # Beside max(), SQLite takes the other columns from the row that has the maximum.
    rows = store.rows(
        "SELECT NULL, account_id, group_concat(DISTINCT topic), created_at, state, attempts, last_error, max(at) AS at"
        f" FROM ({_view(wants_done, only_failed)}) GROUP BY account_id ORDER BY at DESC, account_id DESC LIMIT ?3",
        PENDING,
        DONE,
        limit,
    )
    return [record_of(QueuedEvent, row[:7]) for row in rows]


def _view(wants_done: bool, only_failed: bool) -> str:
    failed = f"status = '{FAILED}'"
    wanted = f"done_at IS NULL AND {failed}" if only_failed else "1" if wants_done else "done_at IS NULL"
    return (
        "SELECT event_id, events.account_id AS account_id, topic, created_at,"
        " CASE WHEN done_at IS NULL THEN coalesce(status, ?1) ELSE ?2 END AS state, coalesce(attempts, 0) AS attempts,"
        " coalesce(last_error, '') AS last_error, coalesce(created_at, seen_at) AS at, number"
        f" FROM events LEFT JOIN {_QUEUE} AS queue ON queue.account_id = events.account_id AND done_at IS NULL"
        f" WHERE {wanted}"
        " UNION ALL SELECT NULL, account_id, NULL, queued_at, status, attempts, last_error, queued_at, 0"
        f" FROM {_QUEUE} AS queue"
        " WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.account_id = queue.account_id AND done_at IS NULL)"
        f" AND {failed if only_failed else '1'}"
    )


def of_account(store: Store, account_id: int) -> list[tuple[QueuedEvent, datetime, datetime | None]]:
    """An account's events, oldest first: the event, when it was seen, and when it was done."""
    sql = (
        "SELECT event_id, account_id, topic, created_at, 'pending', 0, '', seen_at, done_at FROM events"
        " WHERE account_id = ? ORDER BY number"
    )
    return [
        (record_of(QueuedEvent, row[:7]), datetime.fromisoformat(row[7]), from_text(row[8]))
        for row in store.rows(sql, account_id)
    ]


def have_ever_come(store: Store) -> bool:
    """Has any event ever been pulled?"""
    return store.exists("SELECT 1 FROM events")


def prune(store: Store, before: datetime) -> None:
    """Forget events that were done before `before`, a few at a time."""
    store.run_in_pieces(_PRUNE, before)
