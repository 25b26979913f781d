"""Suppressions: why an address may not be sent, each with the fact it rests on.

One that is withdrawn leaves the facts as they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store, Value
from ccsync.state.database.times import from_text, to_text, to_text_or_none

UNSUBSCRIBED = "unsubscribed"
"""At Constant Contact, for the whole account."""
DEPARTED = "departed"
"""Left the list alone."""
OPTED_OUT = "opted-out"
"""An observed opt-out at Kibo."""
FORGOTTEN = "forgotten"
"""Erased at the person's own wish."""
RESTORED = "restored"
"""The source of a DEPARTED who was off the list when an older state file was put back: nobody knows by whose act."""
NOBODY_OPTED_IN = "nobody-opted-in"
"""The source of a FORGOTTEN whose accounts all said no then: any later yes is newer."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address may not be sent.

    `list_id` is "" for the whole account. It rests on the act of a contact (`contact_id`) or of an account
    (`account_id`); `since` is when that was, where the vendor tells, and `source` whose act, where it shows it.
    """

    person: bytes
    kind: str
    list_id: str
    contact_id: str | None
    since: datetime | None
    source: str | None
    account_id: int | None = None


COLUMNS = "kind, list_id, contact_id, since, source, account_id"


def of_person(store: Store, person: bytes) -> list[Suppression]:
    """Everything that keeps `person` from being sent, on any list."""
    rows = store.rows(f"SELECT {COLUMNS} FROM suppressions WHERE person = ?", person)
    return [suppression_of(person, row) for row in rows]


def held_among(store: Store, some: Sequence[bytes], list_id: str) -> set[bytes]:
    """Those of these people who may not be sent to the list."""
    marks = ",".join("?" * len(some))
    sql = f"SELECT DISTINCT person FROM suppressions WHERE list_id IN ('', ?) AND person IN ({marks})"
    return {person for (person,) in store.rows(sql, list_id, *some) if isinstance(person, bytes)}


def suppression_of(person: bytes, row: Sequence[Value]) -> Suppression:
    """The suppression of these `COLUMNS`."""
    kind, list_id, contact_id, since, source, account_id = row
    return Suppression(
        person,
        str(kind),
        str(list_id),
        None if contact_id is None else str(contact_id),
        from_text(since),
        None if source is None else str(source),
        account_id if isinstance(account_id, int) else None,
    )


def record(store: Store, found: Suppression, at: datetime, run_id: int) -> bool:
    """Remember a suppression and that it was seen; return whether it is new or its date has moved on."""
    before = store.one(
        "SELECT since FROM suppressions WHERE person = ? AND kind = ? AND list_id = ?",
        found.person,
        found.kind,
        found.list_id,
    )
    since = to_text_or_none(found.since)
    store.run(
        "INSERT INTO suppressions (person, kind, list_id, contact_id, since, source, account_id, seen_at, run_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, kind, list_id) DO UPDATE"
        " SET contact_id = excluded.contact_id, since = coalesce(max(since, excluded.since), since, excluded.since),"
        " source = excluded.source, account_id = excluded.account_id, seen_at = excluded.seen_at,"
        " run_id = excluded.run_id",
        found.person,
        found.kind,
        found.list_id,
        found.contact_id,
        since,
        found.source,
        found.account_id,
        to_text(at),
        run_id,
    )
    return before is None or (since is not None and since > str(before[0] or ""))


def count_not_seen_since(store: Store, kind: str, at: datetime) -> int:
    """How many suppressions of this kind no pass has shown since `at`."""
    return store.number("SELECT count(*) FROM suppressions WHERE kind = ? AND seen_at < ?", kind, to_text(at))


def not_seen_among(store: Store, kind: str, at: datetime, persons: Sequence[bytes]) -> list[Suppression]:
    """Those of these people whose suppression of this kind no pass has shown since `at`."""
    marks = ",".join("?" * len(persons))
    sql = f"SELECT person, {COLUMNS} FROM suppressions WHERE kind = ? AND seen_at < ? AND person IN ({marks})"
    found = store.rows(sql, kind, to_text(at), *persons)
    return [suppression_of(person, rest) for person, *rest in found if isinstance(person, bytes)]


def not_seen_since(store: Store, kind: str, at: datetime, limit: int) -> list[Suppression]:
    """Suppressions of this kind that no pass has shown since `at`, oldest sighting first."""
    return [
        suppression_of(person, rest)
        for person, *rest in store.rows(
            f"SELECT person, {COLUMNS} FROM suppressions WHERE kind = ? AND seen_at < ? ORDER BY seen_at LIMIT ?",
            kind,
            to_text(at),
            limit,
        )
        if isinstance(person, bytes)
    ]


def lift(store: Store, person: bytes, kind: str, list_id: str | None = None) -> bool:
    """Drop a suppression that no longer holds; of a departure only that of `list_id`, where one is given."""
    if list_id is None:
        return store.run("DELETE FROM suppressions WHERE person = ? AND kind = ?", person, kind) > 0
    return (
        store.run("DELETE FROM suppressions WHERE person = ? AND kind = ? AND list_id = ?", person, kind, list_id) > 0
    )
