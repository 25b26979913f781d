"""What people did at Constant Contact that Kibo has to be told: queued with the suppression, kept until it is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Row, Store
from ccsync.state.database.times import from_text, from_text_or_raise, storable, to_text, to_text_or_none
from ccsync.state.people import DEPARTED, UNSUBSCRIBED

RESUBSCRIBED = "resubscribed"
"""Came back to Constant Contact by their own act."""
KINDS = (UNSUBSCRIBED, DEPARTED, RESUBSCRIBED)

_COLUMNS = (
    "id, person, kind, list_id, happened_at, contact_id, source, is_checked, was_on_list, seen_at, is_wanted,"
    " attempts, next_at, last_error, told_at, outcome"
)
# Told before and queued again: the same opt-out is news to an account that turned up since.
_AGAIN = (
    " ON CONFLICT (person, kind, list_id, happened_at) DO UPDATE SET told_at = NULL, is_wanted = 0, attempts = 0,"
    " outcome = '', seen_at = excluded.seen_at, next_at = excluded.next_at WHERE told_at IS NOT NULL"
)
_FROM_SUPPRESSIONS = (
    "INSERT INTO untold (person, kind, list_id, happened_at, contact_id, source, is_checked, was_on_list, seen_at,"
    " next_at) SELECT person, kind, list_id, coalesce(since, ''), contact_id, source, ?4 OR kind != 'departed',"
    " EXISTS (SELECT 1 FROM contacts WHERE contacts.person = suppressions.person AND contacts.list_id IS NOT NULL),"
)


@dataclass(frozen=True, slots=True)
class Untold:
    """One change of consent. `attempts` and `last_error` are of telling Kibo; `outcome` is how that ended."""

    id: int
    person: bytes
    kind: str
    list_id: str
    happened_at: datetime | None
    contact_id: str | None
    source: str | None
    is_checked: bool
    was_on_list: bool
    seen_at: datetime
    is_wanted: bool
    attempts: int
    next_at: datetime
    last_error: str
    told_at: datetime | None
    outcome: str


def queue(store: Store, person: bytes, kind: str, at: datetime, *, is_checked: bool = False) -> None:
    """Queue a suppression that was just recorded, inside the transaction that records it."""
    sql = f"{_FROM_SUPPRESSIONS} ?3, ?3 FROM suppressions WHERE person = ?1 AND kind = ?2{_AGAIN}"
    store.run(sql, person, kind, to_text(at), int(is_checked))


def queue_return(store: Store, person: bytes, contact_id: str, happened_at: datetime | None, at: datetime) -> None:
    """Queue a person's own return, inside the transaction that records it."""
    store.run(
        "INSERT INTO untold (person, kind, list_id, happened_at, contact_id, source, is_checked, was_on_list, seen_at,"  # noqa: S608 - our own text
        f" next_at) VALUES (?1, ?2, '', ?3, ?4, 'Contact', 1, 0, ?5, ?5){_AGAIN}",
        person,
        RESUBSCRIBED,
        to_text_or_none(happened_at) or "",
        contact_id,
        to_text(at),
    )


def queue_again(store: Store, newcomers: Iterable[tuple[bytes, datetime | None]], at: datetime) -> None:
    """Accounts (person, made at) that turned up with an opt-in on a suppressed address, inside a transaction.

    An account made after the opt-out is a newer word of the person's, and is left alone.
    """
    sql = (
        f"{_FROM_SUPPRESSIONS} ?3, ?3 FROM suppressions WHERE person = ?1 AND kind IN ('unsubscribed', 'departed')"
        f" AND (since IS NULL OR ?2 IS NULL OR since >= ?2){_AGAIN}"
    )
    store.run_many(sql, [(person, to_text_or_none(made_at), to_text(at), 0) for person, made_at in newcomers])


def due(
    store: Store, at: datetime, kinds: Sequence[str], *, wanted: bool, after: int = 0, limit: int = -1
) -> list[Untold]:
    """What may be told now, longest waiting first; `wanted`: where an account is known that has to be written.

    `after` is the last one that the caller has dealt with already.
    """
    marks = ",".join("?" * len(kinds))
    return _read(
        store,
        f"told_at IS NULL AND is_wanted = ? AND id > ? AND next_at <= ? AND kind IN ({marks}) ORDER BY id LIMIT ?",
        int(wanted),
        after,
        to_text(at),
        *kinds,
        limit,
    )


def of_person(store: Store, person: bytes) -> list[Untold]:
    """Everything that Kibo was or is to be told of a person, oldest first."""
    return _read(store, "person = ? ORDER BY id", person)


def failing(store: Store, limit: int = -1) -> list[Untold]:
    """What Kibo was to be told and did not take yet, longest waiting first."""
    return _read(store, "told_at IS NULL AND attempts > 0 ORDER BY id LIMIT ?", limit)


def count_waiting(store: Store) -> int:
    """How many changes Kibo has not been told yet."""
    return store.number("SELECT count(*) FROM untold WHERE told_at IS NULL")


def want(store: Store, ids: Iterable[int]) -> None:
    """Accounts were found for these that have to be written."""
    with store.transaction():
        store.run_many("UPDATE untold SET is_wanted = 1 WHERE id = ?", [(one,) for one in ids])


def check(store: Store, untold_id: int, source: str | None) -> None:
    """A departure was looked at and is one; inside the caller's transaction."""
    store.run("UPDATE untold SET is_checked = 1, source = ? WHERE id = ?", source, untold_id)


def settle(store: Store, untold_id: int, at: datetime, outcome: str) -> None:
    """Kibo knows, or need not; inside the caller's transaction."""
    store.run(
        "UPDATE untold SET told_at = ?, outcome = ?, last_error = '' WHERE id = ?", to_text(at), outcome, untold_id
    )


def fail(store: Store, untold_id: int, next_at: datetime, error: str) -> None:
    """Kibo did not take it; a later run tries again."""
    store.run(
        "UPDATE untold SET attempts = attempts + 1, next_at = ?, last_error = ? WHERE id = ?",
        to_text(next_at),
        storable(error),
        untold_id,
    )


def withdraw(store: Store, person: bytes, kind: str) -> bool:
    """It turned out not to be so; inside the caller's transaction. Was it still to be told?"""
    return store.run("DELETE FROM untold WHERE person = ? AND kind = ? AND told_at IS NULL", person, kind) > 0


def prune(store: Store, before: datetime) -> None:
    """Forget what was told before that."""
    store.run("DELETE FROM untold WHERE told_at < ?", to_text(before))


def _read(store: Store, where: str, *values: str | bytes | int) -> list[Untold]:
    return [_to_untold(row) for row in store.rows(f"SELECT {_COLUMNS} FROM untold WHERE {where}", *values)]  # noqa: S608 - our own text


def _to_untold(row: Row) -> Untold:
    number, person, kind, list_id, happened_at, contact_id, source, is_checked, was_on_list, seen_at = row[:10]
    is_wanted, attempts, next_at, last_error, told_at, outcome = row[10:]
    return Untold(
        int(str(number)),
        person if isinstance(person, bytes) else b"",
        str(kind),
        str(list_id),
        from_text(happened_at),
        None if contact_id is None else str(contact_id),
        None if source is None else str(source),
        bool(is_checked),
        bool(was_on_list),
        from_text_or_raise(seen_at),
        bool(is_wanted),
        int(str(attempts)),
        from_text_or_raise(next_at),
        str(last_error),
        from_text(told_at),
        str(outcome),
    )
