"""Who is to be taken off the list, from the decision until Constant Contact has done it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import storable, to_text

OPTED_OUT = "opted-out"
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Removal:
    """One person who leaves a list. `contact_id` is `None` when ccsync never saw the contact."""

    person: bytes
    list_id: str
    account_id: int
    email: str | None
    reason: str
    contact_id: str | None
    activity_id: str | None


def ask(store: Store, people: Sequence[bytes], account_id: int, email: str | None, reason: str, at: datetime) -> int:
    """Have people taken off the list on which ccsync put them, inside the caller's transaction; how many are on one.

    Somebody whose import is still under way counts as being on its list.
    """
    asked = 0
    for person in people:
        asked += store.run(
            "INSERT INTO removals (person, list_id, account_id, email, reason, asked_at)"
            " SELECT person, list_id, ?2, ?3, ?4, ?5 FROM"
            " (SELECT person, list_id FROM contacts WHERE person = ?1 AND list_id IS NOT NULL UNION"
            "  SELECT person, batches.list_id FROM batch_rows JOIN batches ON batches.id = batch_id WHERE person = ?1)"
            " WHERE 1 ON CONFLICT (person, list_id) DO UPDATE SET account_id = ?2, email = coalesce(?3, email),"
            " reason = ?4",
            person,
            account_id,
            None if email is None else storable(email),
            reason,
            to_text(at),
        )
    return asked


def waiting(store: Store, list_id: str) -> list[Removal]:
    """Everybody who is to leave the list, longest waiting first."""
    return [
        Removal(
            person,
            str(on_list),
            int(str(account_id)),
            None if email is None else str(email),
            str(reason),
            None if contact_id is None else str(contact_id),
            None if activity_id is None else str(activity_id),
        )
        for person, on_list, account_id, email, reason, contact_id, activity_id in store.rows(
            "SELECT person, removals.list_id, account_id, email, reason, contact_id, activity_id"
            " FROM removals LEFT JOIN contacts USING (person) WHERE removals.list_id = ? ORDER BY asked_at, person",
            list_id,
        )
        if isinstance(person, bytes)
    ]


def count(store: Store, list_id: str) -> int:
    """How many people are to leave the list."""
    return store.number("SELECT count(*) FROM removals WHERE list_id = ?", list_id)


def is_asked(store: Store, person: bytes, list_id: str) -> bool:
    """Is the person to leave the list?"""
    return store.one("SELECT 1 FROM removals WHERE person = ? AND list_id = ?", person, list_id) is not None


def record_activity(store: Store, people: Sequence[bytes], list_id: str, activity_id: str | None) -> None:
    """A bulk job takes these people off the list; `None`: it failed, and another one has to."""
    with store.transaction():
        store.run_many(
            "UPDATE removals SET activity_id = ? WHERE person = ? AND list_id = ?",
            [(activity_id, person, list_id) for person in people],
        )


def drop(store: Store, person: bytes) -> None:
    """It is done, or no longer wanted; inside the caller's transaction."""
    store.run("DELETE FROM removals WHERE person = ?", person)


def drop_unsent(store: Store, person: bytes) -> None:
    """It is no longer wanted, unless a bulk job is at it already; inside the caller's transaction."""
    store.run("DELETE FROM removals WHERE person = ? AND activity_id IS NULL", person)


def forget_other_lists(store: Store, list_id: str) -> None:
    """Lists that are no longer active are never touched again."""
    store.run("DELETE FROM removals WHERE list_id != ?", list_id)


def held_among(store: Store, some: Sequence[bytes]) -> set[bytes]:
    """Those of a page of people whom a suppression keeps from being sent, or who are to be taken off a list."""
    marks = ",".join("?" * len(some))
    where = f"WHERE person IN ({marks})"
    sql = f"SELECT person FROM suppressions {where} UNION SELECT person FROM removals {where}"  # noqa: S608 - marks
    return {person for (person,) in store.rows(sql, *some, *some) if isinstance(person, bytes)}
