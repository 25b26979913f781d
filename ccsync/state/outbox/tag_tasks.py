"""Tags to set and to remove at Constant Contact: a task for each person and direction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.contacts import ON_LIST
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable
from ccsync.state.outbox.tasks import PENDING, REMOVE, TAG

ADD = "add"
TAKE_OFF = "take-off"
PERHAPS = 2
"""`is_set` while a job sets a tag or takes it off, and when that did not end well: it may have done so. 1: it is set,
0: it is not."""

_OPEN = "person_tags.person = tasks.person AND is_wanted = (reason = 'add') AND is_set != is_wanted"
_HELD = (
    "(EXISTS (SELECT 1 FROM suppressions WHERE suppressions.person = tasks.person AND list_id IN ('', ?1))"
    f" OR EXISTS (SELECT 1 FROM tasks AS other WHERE other.kind = '{REMOVE}' AND other.person = tasks.person))"
)
_ON_LIST = f"EXISTS (SELECT 1 FROM sent WHERE sent.person = tasks.person AND sent.list_id = ?1 AND {ON_LIST})"


@dataclass(frozen=True, slots=True)
class TagTask:
    """One person's tags to be set, or to be taken off (`reason`): `tags` by their numbers."""

    id: int
    person: bytes
    reason: str
    tags: tuple[int, ...]
    email: str | None
    contact_id: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class TagJob:
    """A bulk job under way, as the tasks that it carries remember it."""

    activity_id: str
    reason: str
    tags: tuple[int, ...]
    is_overdue: bool


def finish(store: Store, person: bytes, email: str | None, at: datetime) -> None:
    """Queue what of the person's tags is open, and drop what is not; inside the caller's transaction."""
    shown = None if email is None else storable(email)
    for reason in (ADD, TAKE_OFF):
        is_open = "SELECT 1 FROM person_tags WHERE person = ? AND is_wanted = ? AND is_set != is_wanted"
        if store.exists(is_open, person, reason == ADD):
            sql = (
                "INSERT INTO tasks (kind, person, reason, email, status, queued_at, next_at)"
                f" VALUES ('{TAG}', ?1, ?2, ?3, '{PENDING}', ?4, ?4) ON CONFLICT (person, reason) WHERE kind = 'tag'"
                " DO UPDATE SET email = coalesce(excluded.email, email)"
            )
            store.run(sql, person, reason, shown, at)
        else:
            # The kind as a literal: else its index is not used, and each person costs a look at all tasks.
            sql = f"DELETE FROM tasks WHERE kind = '{TAG}' AND person = ? AND reason = ? AND activity_id IS NULL"
            store.run(sql, person, reason)


def enqueue_open(store: Store, at: datetime) -> None:
    """Queue everything that is open and has no task; inside the caller's transaction."""
    sql = (
        "INSERT OR IGNORE INTO tasks (kind, person, reason, status, queued_at, next_at)"
        f" SELECT DISTINCT '{TAG}', person, iif(is_wanted, '{ADD}', '{TAKE_OFF}'), '{PENDING}', ?1, ?1"
        " FROM person_tags WHERE is_wanted != is_set"
    )
    store.run(sql, at)


def enqueue_back(store: Store, list_id: str, at: datetime) -> None:
    """Queue what is open of people who are back on the list, where it was dropped when they were off it, or whose
    contact is another one now: no account is read again for that.
    """
    sql = (
        "INSERT OR IGNORE INTO tasks (kind, person, reason, status, queued_at, next_at)"
        f" SELECT DISTINCT '{TAG}', person, iif(is_wanted, '{ADD}', '{TAKE_OFF}'), '{PENDING}', ?2, ?2"
        f" FROM person_tags AS tasks WHERE is_wanted != is_set AND NOT {_HELD} AND {_ON_LIST}"
    )
    store.run(sql, list_id, at)


def drop_needless(store: Store, list_id: str) -> None:
    """Drop what is of nobody on the list: tagging never brings anybody there. An import under way is waited for."""
    is_sent = "EXISTS (SELECT 1 FROM batch_rows WHERE batch_rows.person = tasks.person)"
    needless = f"({_HELD} OR NOT {_ON_LIST} AND NOT {is_sent})"
    store.run(f"DELETE FROM tasks WHERE kind = '{TAG}' AND activity_id IS NULL AND {needless}", list_id)


def drop_all(store: Store) -> None:
    """Segments are no longer mapped to tags."""
    store.run("DELETE FROM tasks WHERE kind = ?", TAG)


def count(store: Store) -> int:
    """How many tasks there are."""
    return store.number("SELECT count(*) FROM tasks WHERE kind = ?", TAG)


def due(store: Store, list_id: str, at: datetime, limit: int) -> list[TagTask]:
    """What may be done now, of people on the list who have not opted out: alike ones beside one another."""
    sql = (
        "SELECT * FROM (SELECT tasks.id, tasks.person, reason, (SELECT json_group_array(tag) FROM"
        f" (SELECT tag FROM person_tags JOIN tags ON number = tag WHERE {_OPEN} AND tag_id NOT NULL ORDER BY tag)"
        ") AS tags, tasks.email, contacts.contact_id, attempts FROM tasks LEFT JOIN contacts USING (person)"
        f" WHERE kind = '{TAG}' AND next_at <= ?2 AND activity_id IS NULL AND NOT {_HELD} AND {_ON_LIST})"
        " WHERE tags != '[]' ORDER BY attempts > 0, reason, tags, id LIMIT ?3"
    )
    return store.records(TagTask, sql, list_id, at, limit)


def set_out(store: Store, some: Sequence[TagTask]) -> list[tuple[bytes, int]]:
    """A job is about to set these tags or take them off, which is alike for all; commit it first.

    Returns the people and tags of which it was known until now whether they are set.
    """
    pairs = [(one.person, tag, one.reason == TAKE_OFF) for one in some for tag in one.tags]
    is_known = "SELECT 1 FROM person_tags WHERE person = ? AND tag = ? AND is_set = ?"
    fresh = [(person, tag) for person, tag, is_set in pairs if store.exists(is_known, person, tag, is_set)]
    store.run_many(f"UPDATE person_tags SET is_set = {PERHAPS} WHERE person = ? AND tag = ?", fresh)
    return fresh


def take_back(store: Store, fresh: Sequence[tuple[bytes, int]], reason: str) -> None:
    """The job that was to set these, or to take them off, was refused."""
    was_set = int(reason == TAKE_OFF)
    store.run_many(f"UPDATE person_tags SET is_set = {was_set} WHERE person = ? AND tag = ?", fresh)


def begin(store: Store, some: Sequence[TagTask], activity_id: str, overdue_at: datetime) -> None:
    """A bulk job carries these tasks, which are alike; it is `overdue_at` when it has not ended by then."""
    sql = "UPDATE tasks SET activity_id = ?, outcome = ?, next_at = ? WHERE id = ?"
    store.run_many(sql, [(activity_id, json.dumps(one.tags), overdue_at, one.id) for one in some])


def under_way(store: Store, at: datetime) -> list[TagJob]:
    """The bulk jobs that have not been seen to end."""
    sql = (
        "SELECT activity_id, reason, outcome, min(next_at) <= ? FROM tasks WHERE kind = ? AND activity_id NOT NULL"
        " GROUP BY activity_id, reason, outcome"
    )
    return store.records(TagJob, sql, at, TAG)


def known_activities(store: Store) -> set[str]:
    """The bulk jobs that are under way for tags."""
    sql = "SELECT DISTINCT activity_id FROM tasks WHERE kind = ? AND activity_id NOT NULL"
    return set(store.column(str, sql, TAG))


def complete(store: Store, job: TagJob, at: datetime) -> int:
    """The job has done its work: note what its people have now, and drop their tasks. How many people that are."""
    with store.transaction():
        sql = "SELECT person, email FROM tasks WHERE kind = ? AND activity_id = ?"
        people = store.rows(sql, TAG, job.activity_id)
        pairs = [(int(job.reason == ADD), person, tag) for person, _ in people for tag in job.tags]
        store.run_many("UPDATE person_tags SET is_set = ? WHERE person = ? AND tag = ?", pairs)
        clean = "DELETE FROM person_tags WHERE person = ? AND NOT is_set AND NOT is_wanted"
        store.run_many(clean, [(person,) for person, _ in people])
        release(store, job.activity_id, at)
        for person, email in people:
            finish(store, person, email, at)
    return len(people)


def release(store: Store, activity_id: str, at: datetime) -> None:
    """The job did not do its work: its tasks are due again."""
    sql = "UPDATE tasks SET activity_id = NULL, outcome = '', next_at = ? WHERE kind = ? AND activity_id = ?"
    store.run(sql, at, TAG, activity_id)
