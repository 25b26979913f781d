"""Events pulled from Kibo, and the queue of accounts they make: an event only says that an account changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.models import Event
from ccsync.state.database.store import Store, Value
from ccsync.state.database.times import from_text, from_text_or_raise, storable, to_text, to_text_or_none

PENDING = "pending"
RETRYING = "retrying"
FAILED = "failed"
DONE = "done"
DELETED = "customeraccount.deleted"

_CHUNK = 500


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


@dataclass(frozen=True, slots=True)
class Due:
    """An account to be dealt with: the attempts before, when its newest event was made, whether one says deleted."""

    account_id: int
    attempts: int
    changed_at: datetime | None
    is_deleted: bool


def take_in(store: Store, events: Iterable[Event], at: datetime) -> int:
    """Keep the events not seen before and queue their accounts, inside the caller's transaction; how many are new.

    A new event gives an account that failed before a fresh start: it has changed.
    """
    new = 0
    for event in events:
        is_new = store.run(
            "INSERT INTO events (event_id, account_id, topic, created_at, seen_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (event_id) DO NOTHING",
            storable(event.event_id),
            event.account_id,
            event.topic,
            to_text_or_none(event.created_at),
            to_text(at),
        )
        if is_new:
            new += 1
            enqueue(store, [event.account_id], at)
    return new


def enqueue(store: Store, account_ids: Iterable[int], at: datetime) -> None:
    """Queue accounts to be read, inside the caller's transaction."""
    store.run_many(
        "INSERT INTO queue VALUES (?1, ?2, ?3, ?3, 0, '', NULL) ON CONFLICT (account_id) DO UPDATE"
        " SET status = ?2, next_at = ?3, attempts = 0, last_error = '', dealt = NULL",
        [(one, PENDING, to_text(at)) for one in account_ids],
    )


def enqueue_vanished(store: Store, at: datetime) -> int:
    """Queue the accounts that opted in when last seen and were not among those just staged; how many."""
    store.run(
        "INSERT INTO queue SELECT account_id, ?1, ?2, ?2, 0, '', NULL FROM accounts WHERE accepts_marketing"
        " AND account_id NOT IN (SELECT account_id FROM staged) AND account_id NOT IN (SELECT account_id FROM queue)",
        PENDING,
        to_text(at),
    )
    return store.number(
        "SELECT count(*) FROM accounts WHERE accepts_marketing AND account_id NOT IN (SELECT account_id FROM staged)"
    )


def due(store: Store, at: datetime, limit: int, *, only_listed: str | None = None) -> list[Due]:
    """Accounts whose time has come and that this run has not read yet; those that failed before come last.

    `only_listed` leaves out accounts of which ccsync has put nobody on that list.
    """
    listed = (
        " AND account_id IN (SELECT links.account_id FROM links JOIN contacts USING (person) WHERE list_id = ?)"
        if only_listed is not None
        else ""
    )
    values: list[Value] = [FAILED, to_text(at), *([only_listed] if only_listed is not None else []), limit]
    found = store.rows(
        "SELECT account_id, attempts FROM queue WHERE status != ? AND next_at <= ? AND dealt IS NULL"  # noqa: S608 - our own text
        f"{listed} ORDER BY attempts, queued_at, account_id LIMIT ?",
        *values,
    )
    return [_due(store, row) for row in found]


def due_among(store: Store, at: datetime, account_ids: Sequence[int]) -> list[Due]:
    """Those of these accounts whose time has come and that this run has not read yet."""
    marks = ",".join("?" * len(account_ids))
    found = store.rows(
        "SELECT account_id, attempts FROM queue WHERE status != ? AND next_at <= ? AND dealt IS NULL"  # noqa: S608 - marks
        f" AND account_id IN ({marks})",
        FAILED,
        to_text(at),
        *account_ids,
    )
    return [_due(store, row) for row in found]


def _due(store: Store, row: tuple[Value, ...]) -> Due:
    account_id = int(str(row[0]))
    newest, deleted = store.rows(
        "SELECT max(created_at), max(topic = ?) FROM events WHERE account_id = ? AND done_at IS NULL",
        DELETED,
        account_id,
    )[0]
    return Due(account_id, int(str(row[1])), from_text(newest), bool(deleted))


def oldest_change(store: Store, at: datetime) -> datetime | None:
    """When the oldest change was made that a waiting account's events tell of; `None` when one has no date."""
    oldest, undated = store.rows(
        "SELECT min(changed), max(changed IS NULL) FROM (SELECT max(created_at) AS changed FROM queue"
        " LEFT JOIN events ON events.account_id = queue.account_id AND done_at IS NULL"
        " WHERE status != ? AND next_at <= ? AND dealt IS NULL GROUP BY queue.account_id)",
        FAILED,
        to_text(at),
    )[0]
    return None if undated else from_text(oldest)


def count_due(store: Store, at: datetime) -> int:
    """How many accounts wait for their turn now."""
    return store.number(
        "SELECT count(*) FROM queue WHERE status != ? AND next_at <= ? AND dealt IS NULL", FAILED, to_text(at)
    )


def put_off(store: Store, account_id: int, attempts: int, next_at: datetime, error: str) -> None:
    """An account could not be dealt with; it comes again at `next_at`."""
    _note_failure(store, account_id, RETRYING, attempts, next_at, error)


def give_up(store: Store, account_id: int, attempts: int, at: datetime, error: str) -> None:
    """An account is not tried again until it changes, or a person asks for it."""
    _note_failure(store, account_id, FAILED, attempts, at, error)


def _note_failure(store: Store, account_id: int, status: str, attempts: int, next_at: datetime, error: str) -> None:
    store.run(
        "UPDATE queue SET status = ?, attempts = ?, next_at = ?, last_error = ?, dealt = NULL WHERE account_id = ?",
        status,
        attempts,
        to_text(next_at),
        storable(error),
        account_id,
    )


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
            retried += _retry(store, at, f" AND account_id IN ({','.join('?' * len(part))})", part)
    return retried


def _retry(store: Store, at: datetime, chosen: str, values: Sequence[int]) -> int:
    store.run(
        f"DELETE FROM set_aside WHERE account_id IN (SELECT account_id FROM queue WHERE status != ?{chosen})",  # noqa: S608 - marks
        PENDING,
        *values,
    )
    return store.run(
        f"UPDATE queue SET status = ?, attempts = 0, next_at = ? WHERE status != ?{chosen}",  # noqa: S608 - marks
        PENDING,
        to_text(at),
        PENDING,
        *values,
    )


def account_of(store: Store, event_id: str) -> int | None:
    """The account that an event is about."""
    row = store.one("SELECT account_id FROM events WHERE event_id = ?", event_id)
    return int(str(row[0])) if row else None


def view(store: Store, *, wants_done: bool = False, only_failed: bool = False, limit: int = -1) -> list[QueuedEvent]:
    """The first of `iter_view`."""
    return list(iter_view(store, wants_done=wants_done, only_failed=only_failed, limit=limit))


def iter_view(
    store: Store, *, wants_done: bool = False, only_failed: bool = False, limit: int = -1
) -> Iterator[QueuedEvent]:
    """Events with the state of their account, newest first, and accounts that were queued without an event.

    An account without one was queued by an export or a sweep; its time is when that was.
    """
    failed = f"status = '{FAILED}'"
    wanted = f"done_at IS NULL AND {failed}" if only_failed else "1" if wants_done else "done_at IS NULL"
    found = store.iter_rows(
        "SELECT event_id, account_id, topic, created_at,"  # noqa: S608 - our own text
        " CASE WHEN done_at IS NULL THEN coalesce(status, ?1) ELSE ?2 END, coalesce(attempts, 0),"
        " coalesce(last_error, ''), coalesce(created_at, seen_at) AS at, number"
        f" FROM events LEFT JOIN queue USING (account_id) WHERE {wanted}"
        " UNION ALL SELECT NULL, account_id, NULL, queued_at, status, attempts, last_error, queued_at, 0 FROM queue"
        " WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.account_id = queue.account_id AND done_at IS NULL)"
        f" AND {failed if only_failed else '1'} ORDER BY at DESC, number DESC LIMIT ?3",
        PENDING,
        DONE,
        limit,
    )
    return (_to_queued(row[:7]) for row in found)


def _to_queued(row: tuple[Value, ...]) -> QueuedEvent:
    event_id, account_id, topic, created_at, status, attempts, last_error = row
    is_done = status == DONE
    return QueuedEvent(
        None if event_id is None else str(event_id),
        int(str(account_id)),
        None if topic is None else str(topic),
        from_text(created_at),
        str(status),
        0 if is_done else int(str(attempts)),
        "" if is_done else str(last_error),
    )


def of_account(store: Store, account_id: int) -> list[tuple[QueuedEvent, datetime, datetime | None]]:
    """An account's events, oldest first: the event, when it was seen, and when it was dealt with."""
    found = store.rows(
        "SELECT event_id, account_id, topic, created_at, 'pending', 0, '', seen_at, done_at FROM events"
        " WHERE account_id = ? ORDER BY number",
        account_id,
    )
    return [(_to_queued(row[:7]), from_text_or_raise(row[7]), from_text(row[8])) for row in found]


def queued(store: Store, account_id: int) -> tuple[str, int, datetime, str] | None:
    """How an account stands in the queue: status, attempts, next attempt, last error."""
    row = store.one("SELECT status, attempts, next_at, last_error FROM queue WHERE account_id = ?", account_id)
    return None if row is None else (str(row[0]), int(str(row[1])), from_text_or_raise(row[2]), str(row[3]))


def count_by_status(store: Store) -> dict[str, int]:
    """How many accounts are pending, retrying, failed."""
    return {str(s): int(str(n)) for s, n in store.rows("SELECT status, count(*) FROM queue GROUP BY status")}


def have_ever_come(store: Store) -> bool:
    """Was any event ever pulled?"""
    return store.one("SELECT 1 FROM events LIMIT 1") is not None


def prune(store: Store, before: datetime) -> None:
    """Forget events that were dealt with before `before`, a few at a time."""
    while True:
        with store.transaction():
            gone = store.run(
                "DELETE FROM events WHERE number IN"
                " (SELECT number FROM events WHERE done_at < ?1 AND seen_at < ?1 LIMIT ?2)",
                to_text(before),
                _CHUNK,
            )
        if gone < _CHUNK:
            return
