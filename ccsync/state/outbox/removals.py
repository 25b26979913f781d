"""Who is to be taken off the list: a task for each, from the decision until Constant Contact has done it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.contacts import ON_LIST
from ccsync.state.database.store import Row, Store
from ccsync.state.database.times import storable, to_text
from ccsync.state.outbox.tasks import DONE, PENDING, REMOVE

OPTED_OUT = "opted-out"
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Removal:
    """One person who leaves a list. `contact_id` is `None` when ccsync never saw the contact.

    `activity_ids` are the bulk jobs that are not known to be over. `is_done`: they are off the list, and are watched,
    because such a job or an import may still change that.
    """

    id: int
    person: bytes
    list_id: str
    account_id: int
    email: str | None
    reason: str
    contact_id: str | None
    activity_ids: tuple[str, ...]
    attempts: int = 0
    is_done: bool = False


def ask(
    store: Store,
    people: Sequence[bytes],
    account_id: int,
    email: str | None,
    reason: str,
    at: datetime,
    *,
    only_own: bool = False,
) -> int:
    """Have people taken off the lists they are on, inside the caller's transaction; how many are on one.

    Somebody whose import is still under way counts as being on its list, and so does who has to confirm before being
    on it. `only_own` leaves alone whom ccsync found
    on the list: members who came another way stay.
    """
    own = " AND (fingerprint NOT NULL OR is_ours)" if only_own else ""
    asked = 0
    for person in people:
        asked += store.run(
            "INSERT INTO tasks (kind, account_id, person, list_id, reason, email, status, queued_at, next_at)"
            " SELECT ?6, ?2, person, list_id, ?4, ?3, ?7, ?5, ?5 FROM"
            f" (SELECT sent.person, sent.list_id FROM sent JOIN contacts USING (person) WHERE sent.person = ?1"
            f"  AND (({ON_LIST}) OR (removed_at IS NULL AND permission = 'pending_confirmation')){own} UNION"
            "  SELECT person, batches.list_id FROM batch_rows JOIN batches ON batches.id = batch_id WHERE person = ?1)"
            " WHERE 1 ON CONFLICT (person, list_id) WHERE kind = 'remove' DO UPDATE SET account_id = ?2,"
            " email = coalesce(?3, email), reason = ?4, outcome = '',"
            " status = CASE status WHEN 'failed' THEN ?7 ELSE status END, next_at = min(next_at, ?5)",
            person,
            account_id,
            None if email is None else storable(email),
            reason,
            to_text(at),
            REMOVE,
            PENDING,
        )
    return asked


def waiting(store: Store, list_id: str, at: datetime) -> list[Removal]:
    """Everybody who is to leave the list now: those with fewer attempts first, then who has waited longest.

    Those whose bulk job is under way are among them, and so are those who are parked and whose time has come: consent
    is never given up.
    """
    return [
        _to_removal(row)
        for row in store.rows(
            "SELECT tasks.id, tasks.person, tasks.list_id, account_id, email, reason, contacts.contact_id, activity_id,"
            " attempts, outcome FROM tasks LEFT JOIN contacts USING (person) WHERE kind = ? AND tasks.list_id = ?"
            " AND (next_at <= ? OR activity_id NOT NULL) ORDER BY attempts, tasks.id",
            REMOVE,
            list_id,
            to_text(at),
        )
    ]


def _to_removal(row: Row) -> Removal:
    task_id, person, list_id, account_id, email, reason, contact_id, activity_ids, attempts, outcome = row
    return Removal(
        int(str(task_id)),
        person if isinstance(person, bytes) else b"",
        str(list_id),
        int(str(account_id)),
        None if email is None else str(email),
        str(reason),
        None if contact_id is None else str(contact_id),
        tuple(str(activity_ids or "").split()),
        int(str(attempts)),
        outcome == DONE,
    )


def count(store: Store, list_id: str) -> int:
    """How many people are to leave the list."""
    return store.number("SELECT count(*) FROM tasks WHERE kind = ? AND list_id = ?", REMOVE, list_id)


def failed_attempts(store: Store, list_id: str) -> tuple[int, ...]:
    """How often each removal that Constant Contact did not carry out has failed."""
    rows = store.rows("SELECT attempts FROM tasks WHERE kind = ? AND list_id = ? AND attempts > 0", REMOVE, list_id)
    return tuple(int(str(attempts)) for (attempts,) in rows)


def is_asked(store: Store, person: bytes, list_id: str) -> bool:
    """Is the person to leave the list?"""
    sql = "SELECT 1 FROM tasks WHERE kind = ? AND person = ? AND list_id = ?"
    return store.one(sql, REMOVE, person, list_id) is not None


def add_activity(store: Store, people: Sequence[bytes], list_id: str, activity_id: str) -> None:
    """One more bulk job takes these people off the list."""
    with store.transaction():
        store.run_many(
            "UPDATE tasks SET activity_id = ltrim(coalesce(activity_id, '') || ' ' || ?)"
            " WHERE kind = ? AND person = ? AND list_id = ?",
            [(activity_id, REMOVE, person, list_id) for person in people],
        )


def record_activity(store: Store, people: Sequence[bytes], list_id: str, activity_id: str | None) -> None:
    """A bulk job, or several, take these people off the list; `None`: they failed, and another one has to."""
    with store.transaction():
        store.run_many(
            "UPDATE tasks SET activity_id = ? WHERE kind = ? AND person = ? AND list_id = ?",
            [(activity_id, REMOVE, person, list_id) for person in people],
        )


def watch(store: Store, task_id: int, until: datetime, activity_ids: Sequence[str]) -> None:
    """It is done, and done once more at `until`, or looked at when these jobs are over; in the caller's transaction."""
    store.run(
        "UPDATE tasks SET outcome = ?, next_at = ?, activity_id = ? WHERE id = ?",
        DONE,
        to_text(until),
        " ".join(activity_ids) or None,
        task_id,
    )


def known_activities(store: Store) -> set[str]:
    """The bulk jobs that take people off lists now."""
    sql = "SELECT DISTINCT activity_id FROM tasks WHERE kind = ? AND activity_id IS NOT NULL"
    return {one for (ids,) in store.rows(sql, REMOVE) for one in str(ids).split()}


def drop(store: Store, person: bytes, list_id: str) -> None:
    """It is done, or no longer wanted; inside the caller's transaction."""
    store.run("DELETE FROM tasks WHERE kind = ? AND person = ? AND list_id = ?", REMOVE, person, list_id)


def drop_unsent(store: Store, person: bytes) -> None:
    """It is no longer wanted, unless a bulk job is at it already; inside the caller's transaction."""
    store.run("DELETE FROM tasks WHERE kind = ? AND person = ? AND activity_id IS NULL", REMOVE, person)


def forget_other_lists(store: Store, list_id: str) -> None:
    """Lists that are no longer active are never touched again."""
    store.run("DELETE FROM tasks WHERE kind = ? AND list_id != ?", REMOVE, list_id)


def held_among(store: Store, some: Sequence[bytes]) -> set[bytes]:
    """Those of a page of people whom a suppression keeps from being sent, or who are to be taken off a list."""
    marks = ",".join("?" * len(some))
    where = f"person IN ({marks})"
    sql = f"SELECT person FROM suppressions WHERE {where} UNION SELECT person FROM tasks WHERE kind = ? AND {where}"
    return {person for (person,) in store.rows(sql, *some, REMOVE, *some) if isinstance(person, bytes)}
