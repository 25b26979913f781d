"""Removals from the list: a task for each, from the decision until Constant Contact has done it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.accounts import B2B
from ccsync.state.contacts import ON_LIST
from ccsync.state.database.rows import marks
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable
from ccsync.state.outbox.tasks import DONE, PENDING, REMOVE

OPTED_OUT = "opted-out"
DELETED = "deleted"
UNSUBSCRIBED = "unsubscribed"
"""The contact that had the address before has unsubscribed, and another contact may have it now."""
REASONS = {
    OPTED_OUT: "opted out in the store",
    DELETED: "its account was deleted in the store",
    UNSUBSCRIBED: "unsubscribed at Constant Contact under another address",
}
"""The reasons in words for the operator."""
STARTED = "started"
"""The outcome of a removal that a bulk job was to carry out, whatever the answer was: it may have done so."""
LOST = "?"
"""Stands among the bulk jobs for one whose answer is awaited, or was lost; before an id: perhaps it is that one."""

MOST_LOOKED_UP = 100
"""A look at an address costs a call: in a mass removal only those are looked up whose contact surely has moved."""
_ARE_FEW = f"(SELECT count(*) FROM tasks WHERE kind = '{REMOVE}') <= {MOST_LOOKED_UP}"


@dataclass(frozen=True, slots=True)
class Removal:
    """One person who leaves a list. `contact_id` is `None` when ccsync never saw the contact.

    `may_have_moved`: that contact has another address now, or was sent since it was last seen, which may have made
    another one; `other_id` is the one that has this address. `is_kept`: an account opts in with its address of now.
    `activities` names the bulk jobs that are not known to be over (`LOST`), `taken` the contacts (ids) of all jobs that
    were started, which may be known under another address by now. `is_done`: they are off the list, and are
    watched, because such a job or an import may still change that.
    """

    id: int
    person: bytes
    list_id: str
    account_id: int
    email: str | None
    reason: str
    contact_id: str | None
    activities: str
    attempts: int = 0
    is_done: bool = False
    may_have_moved: bool = False
    is_kept: bool = False
    taken: str = ""
    other_id: str | None = None

    @property
    def contact_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for one in (self.contact_id, self.other_id) if one is not None))

    @property
    def activity_ids(self) -> tuple[str, ...]:
        return tuple(self.activities.split())


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
    """Queue removals from the lists people are on, inside the caller's transaction; returns how many are on one.

    People whose import is unfinished count as being on its list, and so do people who still have to confirm. `only_own`
    leaves alone whom ccsync found on the list: members who came another way stay.
    """
    own = " AND (fingerprint NOT NULL OR is_ours)" if only_own else ""
    sql = (
        "INSERT INTO tasks (kind, account_id, person, list_id, reason, email, status, queued_at, next_at)"
        f" SELECT '{REMOVE}', ?2, person, list_id, ?4, ?3, '{PENDING}', ?5, ?5 FROM"
        " (SELECT sent.person, sent.list_id FROM sent JOIN contacts USING (person) WHERE sent.person = ?1"
        f"  AND (({ON_LIST}) OR (removed_at IS NULL AND permission = 'pending_confirmation')){own} UNION"
        "  SELECT person, batches.list_id FROM batch_rows JOIN batches ON batches.id = batch_id WHERE person = ?1)"
        " WHERE 1 ON CONFLICT (person, list_id) WHERE kind = 'remove' DO UPDATE SET account_id = ?2,"
        " email = coalesce(?3, email), reason = ?4,"
        f" outcome = CASE outcome WHEN '' THEN '' ELSE '{STARTED}' END,"
        f" status = CASE status WHEN 'failed' THEN '{PENDING}' ELSE status END, next_at = min(next_at, ?5)"
    )
    shown = None if email is None else storable(email)
    return sum(store.run(sql, person, account_id, shown, reason, at) for person in people)


def waiting(store: Store, list_id: str, at: datetime) -> list[Removal]:
    """Everyone due to leave the list: fewest attempts first, then longest waiting.

    Those whose bulk job is under way are among them, and so are those who are parked and whose time has come: consent
    is never given up.
    """
    sql = (
        "SELECT tasks.id, tasks.person, tasks.list_id, account_id, email, reason, contacts.contact_id,"
        f" coalesce(activity_id, ''), attempts, outcome = '{DONE}',"
        f" moved_to NOT NULL OR contacts.seen_at IS NULL AND {_ARE_FEW},"
        " EXISTS (SELECT 1 FROM accounts WHERE accounts.person = moved_to AND accepts_marketing"
        f" AND accounts.kind != '{B2B}'), coalesce(tasks.contact_id, '')"
        " FROM tasks LEFT JOIN contacts USING (person)"
        f" WHERE kind = '{REMOVE}' AND tasks.list_id = ? AND (next_at <= ? OR activity_id NOT NULL)"
        " ORDER BY attempts, tasks.id"
    )
    return store.records(Removal, sql, list_id, at)


def count(store: Store, list_id: str) -> int:
    """How many people are to leave the list."""
    return store.number("SELECT count(*) FROM tasks WHERE kind = ? AND list_id = ?", REMOVE, list_id)


def failed_attempts(store: Store, list_id: str) -> tuple[int, ...]:
    """The number of failures of each removal that Constant Contact did not carry out."""
    sql = "SELECT attempts FROM tasks WHERE kind = ? AND list_id = ? AND attempts > 0"
    return tuple(store.column(int, sql, REMOVE, list_id))


def is_asked(store: Store, person: bytes, list_id: str) -> bool:
    """Is the person to leave the list?"""
    sql = "SELECT 1 FROM tasks WHERE kind = ? AND person = ? AND list_id = ?"
    return store.exists(sql, REMOVE, person, list_id)


def set_out(store: Store, some: Sequence[Removal]) -> None:
    """A bulk job is about to take these people off the list; commit it first. The task keeps the ids of all contacts
    that its jobs take off.
    """
    is_noted = "instr(' ' || contact_id || ' ', ' ' || ?1 || ' ')"
    ids = f"CASE WHEN {is_noted} THEN contact_id ELSE ltrim(coalesce(contact_id, '') || ' ' || ?1) END"
    noted = [(contact_id, one.id) for one in some for contact_id in one.contact_ids]
    store.run_many(f"UPDATE tasks SET contact_id = {ids} WHERE id = ?2", noted)
    sql = (
        f"UPDATE tasks SET outcome = CASE outcome WHEN '' THEN '{STARTED}' ELSE outcome END,"
        f" activity_id = ltrim(coalesce(activity_id, '') || ' {LOST}') WHERE id = ?"
    )
    store.run_many(sql, [(one.id,) for one in some])


def has_answered(store: Store, some: Sequence[Removal], activity_id: str | None) -> None:
    """The answer to what was set out: the id of the bulk job, or `None`: it was refused, or that job is over."""
    padded, lost = "' ' || activity_id || ' '", f"' {LOST} '"
    parts = f"substr({padded}, 1, instr({padded}, {lost})) || ? || substr({padded}, instr({padded}, {lost}) + 2)"
    sql = f"UPDATE tasks SET activity_id = nullif(trim({parts}), '') WHERE id = ? AND instr({padded}, {lost})"
    store.run_many(sql, [(activity_id or "", one.id) for one in some])


def is_over(store: Store, some: Sequence[Removal], activity_id: str) -> None:
    """One of the bulk jobs that take these people off the list is over."""
    rest = "replace(' ' || activity_id || ' ', ' ' || ? || ' ', ' ')"
    sql = f"UPDATE tasks SET activity_id = nullif(trim({rest}), '') WHERE id = ?"
    store.run_many(sql, [(activity_id, one.id) for one in some])


def record_activities(store: Store, one: Removal, open_ids: Sequence[str]) -> None:
    """These of its bulk jobs are not over."""
    store.run("UPDATE tasks SET activity_id = ? WHERE id = ?", " ".join(open_ids) or None, one.id)


def record_activity(store: Store, people: Sequence[bytes], list_id: str, activity_id: str | None) -> None:
    """A bulk job takes these people off the list; `None`: it failed, and another one has to."""
    store.run_many(
        "UPDATE tasks SET activity_id = ? WHERE kind = ? AND person = ? AND list_id = ?",
        [(activity_id, REMOVE, person, list_id) for person in people],
    )


def is_under_way(store: Store, one: Removal) -> bool:
    """Is a bulk job not known to be over that takes the person off the list?"""
    return store.exists("SELECT 1 FROM tasks WHERE id = ? AND activity_id NOT NULL", one.id)


def takes_off(store: Store, contact_id: str | None, person: bytes, list_id: str) -> bool:
    """Does a bulk job, which may be over, take the contact off the list, because of somebody who had it under another
    address than `person` has it?
    """
    is_noted = "instr(' ' || contact_id || ' ', ' ' || ? || ' ')"
    is_started = f"(activity_id NOT NULL OR outcome = '{DONE}') AND {is_noted}"
    sql = f"SELECT 1 FROM tasks WHERE kind = '{REMOVE}' AND list_id = ? AND person != ? AND {is_started}"
    return store.exists(sql, list_id, person, contact_id)


def watch(store: Store, task_id: int, until: datetime) -> None:
    """It is done, and done once more at `until`, or looked at when its bulk jobs are over; in the caller's
    transaction.
    """
    store.run("UPDATE tasks SET outcome = ?, next_at = ? WHERE id = ?", DONE, until, task_id)


def known_activities(store: Store) -> set[str]:
    """The bulk jobs that take people off lists now."""
    sql = "SELECT DISTINCT activity_id FROM tasks WHERE kind = ? AND activity_id IS NOT NULL"
    return {one for ids in store.column(str, sql, REMOVE) for one in ids.split()}


def drop(store: Store, person: bytes, list_id: str) -> None:
    """Drop a removal that is done or no longer wanted; inside the caller's transaction."""
    store.run("DELETE FROM tasks WHERE kind = ? AND person = ? AND list_id = ?", REMOVE, person, list_id)


def drop_unsent(store: Store, person: bytes) -> list[str]:
    """Drop an unwanted removal unless a bulk job is under way; inside the caller's transaction.

    Returns the lists from which an earlier job that was lost or failed may have taken the person all the same.
    """
    unsent = "FROM tasks WHERE kind = ? AND person = ? AND activity_id IS NULL"
    tried = store.column(str, f"SELECT list_id {unsent} AND outcome != ''", REMOVE, person)
    store.run(f"DELETE {unsent}", REMOVE, person)
    return tried


def forget_other_lists(store: Store, list_id: str) -> None:
    """Drop removals from lists that are no longer active: those are never touched again."""
    store.run("DELETE FROM tasks WHERE kind = ? AND list_id != ?", REMOVE, list_id)


def held_among(store: Store, some: Sequence[bytes]) -> set[bytes]:
    """The people of a page who may not be sent or have to be removed from a list.

    What keeps them is a suppression, or that Constant Contact shows no contact of them any more.
    """
    where = f"person IN ({marks(some)})"
    sql = (
        f"SELECT person FROM suppressions WHERE {where} UNION SELECT person FROM tasks WHERE kind = ? AND {where}"
        f" UNION SELECT person FROM contacts WHERE permission = 'vanished' AND {where}"
    )
    return set(store.column(bytes, sql, *some, REMOVE, *some, *some))
