"""The log of runs and the records each of them could not use."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ccsync.state.database.lock import is_alive, this_process
from ccsync.state.database.rows import Row, marks, record_of
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a job, as the log shows it."""

    id: int | None
    job: str
    direction: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    total_contacts: int
    errors: int
    counts: Mapping[str, int]
    message: str


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """One record that a run could not use, and why."""

    account_id: int | None
    email: str | None
    code: str
    reason: str
    at: datetime


_COLUMNS = "id, job, direction, status, started_at, finished_at, total_contacts, errors, counts, message, process"
_DIED = "the process ended before the run did"


def start(store: Store, job: str, direction: str, at: datetime) -> int:
    """Write a RUNNING row and return its id. The caller holds the lock, so older RUNNING rows have died."""
    with store.transaction():
        died = "status = 'INTERRUPTED', finished_at = ?, message = ?"
        store.run(f"UPDATE runs SET {died} WHERE status = 'RUNNING'", at, _DIED)
        sql = "INSERT INTO runs (job, direction, status, started_at, process) VALUES (?, ?, 'RUNNING', ?, ?)"
        return store.insert(sql, job, direction, at, this_process())


def update(store: Store, run_id: int, counts: Mapping[str, int]) -> None:
    """Write how far a running run has come."""
    sql = "UPDATE runs SET counts = ?, total_contacts = ?, errors = ? WHERE id = ?"
    store.run(sql, json.dumps(counts), total_contacts(counts), counts.get("rejected", 0), run_id)


def finish(store: Store, run_id: int, status: str, at: datetime, counts: Mapping[str, int], message: str) -> None:
    """Close a run's row."""
    with store.transaction():
        update(store, run_id, counts)
        sql = "UPDATE runs SET status = ?, finished_at = ?, message = ? WHERE id = ?"
        store.run(sql, status, at, storable(message), run_id)


def total_contacts(counts: Mapping[str, int]) -> int:
    """The log's Total Contacts: everybody the run processed, with any outcome."""
    return sum(
        counts.get(key, 0)
        for key in ("added", "updated", "unchanged", "removed", "unsubscribed", "resubscribed", "departed")
    )


def get(store: Store, run_id: int) -> Run | None:
    """One run by its id."""
    row = store.one(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", run_id)
    return _to_run(row) if row else None


def latest(
    store: Store,
    *,
    direction: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[Run]:
    """The runs, newest first; those that started at `since` or later."""
    where = "direction = coalesce(?1, direction) AND started_at >= coalesce(?2, '')"
    sql = f"SELECT {_COLUMNS} FROM runs WHERE {where} ORDER BY id DESC"
    runs = (_to_run(row) for row in store.rows(sql, direction or None, since))
    wanted = [run for run in runs if status is None or run.status == status]
    return wanted if limit is None else wanted[:limit]


def last_of(store: Store, job: str) -> Run | None:
    """The latest run of a job."""
    row = store.one(f"SELECT {_COLUMNS} FROM runs WHERE job = ? ORDER BY id DESC LIMIT 1", job)
    return _to_run(row) if row else None


def last_success_of(store: Store, job: str) -> datetime | None:
    """When the latest run of a job that did its work ended."""
    sql = "SELECT finished_at FROM runs WHERE job = ? AND status = 'COMPLETE' ORDER BY id DESC LIMIT 1"
    return store.value(datetime, sql, job)


def ended_before(store: Store, run_id: int, at_most: int | None = None) -> datetime | None:
    """When the run before this one ended, of whatever job, or an earlier one; `None` where there was none."""
    sql = "SELECT finished_at FROM runs WHERE id < ?1 AND id <= coalesce(?2, id) ORDER BY id DESC LIMIT 1"
    return store.value(datetime, sql, run_id, at_most)


def failures_of(store: Store, job: str) -> int:
    """How often a job has failed since it last did its work."""
    done = "coalesce((SELECT max(id) FROM runs WHERE job = ?1 AND status = 'COMPLETE'), 0)"
    return store.number(f"SELECT count(*) FROM runs WHERE job = ?1 AND status = 'FAILED' AND id > {done}", job)


def other_alive(store: Store) -> Run | None:
    """A run of another process that is still alive, if the system can confirm that it is the same one."""
    where = "status = 'RUNNING' AND process LIKE '%:_%' AND process <> ?"
    rows = store.rows(f"SELECT {_COLUMNS} FROM runs WHERE {where}", this_process())
    return next((run for run in map(_to_run, rows) if run.status == "RUNNING"), None)


def add_rejected(store: Store, run_id: int, records: Iterable[RejectedRecord]) -> None:
    """Keep the records a run could not use."""
    store.run_records("INSERT OR REPLACE INTO rejected", records, run_id=run_id)


def drop_rejected(store: Store, run_id: int, account_ids: Iterable[int]) -> None:
    """These records turned out well after all, inside the caller's transaction."""
    found = list(account_ids)
    store.run(f"DELETE FROM rejected WHERE run_id = ? AND account_id IN ({marks(found)})", run_id, *found)


def count_rejected(store: Store, run_id: int) -> int:
    """How many records the run could not use."""
    return store.number("SELECT count(*) FROM rejected WHERE run_id = ?", run_id)


def commonest_reason(store: Store, run_id: int) -> tuple[str, int]:
    """The reason that most of a run's rejected records have, and how many do."""
    sql = "SELECT reason, count(*) FROM rejected WHERE run_id = ? GROUP BY reason ORDER BY 2 DESC, min(id) LIMIT 1"
    row = store.one(sql, run_id)
    return (row[0], row[1]) if row else ("", 0)


def rejected(store: Store, run_id: int, limit: int | None = None) -> list[RejectedRecord]:
    """The records a run could not use, in the order they were met."""
    sql = "SELECT account_id, email, code, reason, at FROM rejected WHERE run_id = ? ORDER BY id LIMIT ?"
    return store.records(RejectedRecord, sql, run_id, -1 if limit is None else limit)


def drop(store: Store, run_id: int) -> None:
    """A run that was none: its row goes, and its number is not given again."""
    store.run("DELETE FROM runs WHERE id = ?", run_id)


def prune(store: Store, before: datetime) -> None:
    """Forget runs that ended before then, and their rejected records, a few at a time."""
    oldest = oldest_kept(store, before)
    sql = "DELETE FROM rejected WHERE id IN (SELECT id FROM rejected WHERE run_id < ? LIMIT 1000)"
    store.run_in_pieces(sql, oldest)
    store.run("DELETE FROM runs WHERE id < ?", oldest)


def oldest_kept(store: Store, before: datetime) -> int:
    """The first run that ended after `before`, and not far in the future; what came after it is kept whatever its date.

    The caller's run has just ended, by a clock that is right, or was set back a little: then all runs before it have
    later dates. As far ahead as runs are kept, the date is from a clock that was wrong.
    """
    latest = store.value(datetime, "SELECT finished_at FROM runs ORDER BY id DESC LIMIT 1") or before
    sql = "SELECT min(id) FROM runs WHERE finished_at BETWEEN ? AND ?"
    return store.number(sql, before, latest + max(latest - before, timedelta()))


def _to_run(row: Row) -> Run:
    *columns, process = row
    run = record_of(Run, columns)
    is_dead = run.status == "RUNNING" and not is_alive(process)
    return replace(run, status="INTERRUPTED", message=_DIED) if is_dead else run
