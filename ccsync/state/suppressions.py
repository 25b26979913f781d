"""Suppressions: why an address may not be sent, each with the fact it rests on.

One that is withdrawn leaves the facts as they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.rows import marks, values_of
from ccsync.state.database.store import Store
from ccsync.state.database.times import to_text

UNSUBSCRIBED = "unsubscribed"
"""At Constant Contact, for the whole account."""
DEPARTED = "departed"
"""Left only the list."""
OPTED_OUT = "opted-out"
"""An observed opt-out at Kibo."""
FORGOTTEN = "forgotten"
"""Erased at the person's own wish."""
RESTORED = "restored"
"""The source of a DEPARTED who was off the list when an older state file was put back, by an unknown act."""
UNORDERED = "unordered"
"""The source of a DEPARTED who is off the list and has joined it or come back: in which order is not known."""
BY_UNKNOWN_ACT = (RESTORED, UNORDERED)
"""The sources of a DEPARTED that is nobody's opt-out: they are held back, and nothing is written."""
OWN = "ccsync"
"""The source of an UNSUBSCRIBED that ccsync itself has set, for an opt-out in the store."""
NOBODY_OPTED_IN = "nobody-opted-in"
"""The source of a FORGOTTEN whose accounts all said no then: any later yes is newer."""
FORMER = "former-address"
"""The source of an OPTED_OUT by an account that had another address by then: whoever opts in with it outweighs it."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address may not be sent.

    `list_id` is "" for the whole account. It rests on the act of a contact (`contact_id`) or of an account
    (`account_id`); `since` is when that was, where the vendor tells, and `source` whose act, where it shows it.
    Constant Contact does not date departures: `since` is when one was noticed, by Kibo's clock, and `last_on_list_at`
    when the person was last known to be on the list, by Constant Contact's. `opt_in_shown` is the opt-in that an
    unsubscribed contact showed when it was seen so last: by its records' dates, any later one came after that.
    """

    person: bytes
    kind: str
    list_id: str
    contact_id: str | None
    since: datetime | None
    source: str | None
    account_id: int | None = None
    last_on_list_at: datetime | None = None
    opt_in_shown: datetime | None = None


COLUMNS = (
    "person, kind, list_id, contact_id, since, source, account_id, last_on_list_at, opt_in_shown FROM suppressions"
)
"""The fields of a `Suppression`."""


def of_person(store: Store, person: bytes) -> list[Suppression]:
    """All suppressions of `person`, for any list."""
    return store.records(Suppression, f"SELECT {COLUMNS} WHERE person = ?", person)


def held_among(store: Store, some: Sequence[bytes], list_id: str) -> set[bytes]:
    """Those of these people who may not be sent to the list."""
    sql = f"SELECT DISTINCT person FROM suppressions WHERE list_id IN ('', ?) AND person IN ({marks(some)})"
    return set(store.column(bytes, sql, list_id, *some))


def any_among(store: Store, some: Sequence[bytes]) -> set[bytes]:
    """Those of these people who have a suppression of any kind, for any list."""
    return set(store.column(bytes, f"SELECT DISTINCT person FROM suppressions WHERE person IN ({marks(some)})", *some))


def holds(store: Store, person: bytes, list_id: str) -> bool:
    """Is the person suppressed for the list?"""
    return store.exists("SELECT 1 FROM suppressions WHERE person = ? AND list_id IN ('', ?)", person, list_id)


def record(store: Store, found: Suppression, at: datetime, run_id: int) -> bool:
    """Remember a suppression and that it was seen; return whether it is new or its date has moved on."""
    known = "SELECT coalesce(since, '') FROM suppressions WHERE person = ? AND kind = ? AND list_id = ?"
    before = store.value(str, known, found.person, found.kind, found.list_id)
    sql = (
        "INSERT INTO suppressions (person, kind, list_id, contact_id, since, source, account_id, last_on_list_at,"
        " opt_in_shown, seen_at, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (person, kind, list_id) DO UPDATE SET contact_id = excluded.contact_id,"
        " since = coalesce(max(since, excluded.since), since, excluded.since),"
        " source = excluded.source, account_id = excluded.account_id, last_on_list_at = excluded.last_on_list_at,"
        " opt_in_shown = excluded.opt_in_shown, seen_at = excluded.seen_at, run_id = excluded.run_id"
    )
    store.run(sql, *values_of(found), at, run_id)
    return before is None or (found.since is not None and to_text(found.since) > before)


def note_departed_by(store: Store, person: bytes, at: datetime) -> None:
    """Kibo's record shows that the person's departure was written there by then: it was noticed no later.

    The `Date` header that dated it may have been wrong, and whoever opts in after it was written is back.
    """
    where = f"person = ? AND kind = '{DEPARTED}' AND source IS NOT '{RESTORED}' AND source IS NOT '{UNORDERED}'"
    store.run(f"UPDATE suppressions SET since = min(since, ?) WHERE {where}", at, person)


def seen_at(store: Store, person: bytes, kind: str) -> datetime | None:
    """When a suppression was seen last, by our clock."""
    return store.value(datetime, "SELECT max(seen_at) FROM suppressions WHERE person = ? AND kind = ?", person, kind)


def run_of(store: Store, one: Suppression) -> int:
    """The run that saw a suppression last; 0 where a pass has missed it since."""
    sql = "SELECT coalesce(max(run_id), 0) FROM suppressions WHERE person = ? AND kind = ? AND list_id = ?"
    return store.number(sql, one.person, one.kind, one.list_id)


def unsubscribed_among(store: Store, contact_ids: Sequence[str]) -> set[str]:
    """Those of these contacts that are the reason for an unsubscribe."""
    where = f"kind = ? AND contact_id IN ({marks(contact_ids)})"
    return set(store.column(str, f"SELECT contact_id FROM suppressions WHERE {where}", UNSUBSCRIBED, *contact_ids))


def follow(store: Store, contact_id: str, person: bytes) -> bool:
    """An unsubscribe of a contact holds for the address that it has now, too; is that new? In a transaction."""
    same = "kind, list_id, contact_id, since, source, account_id, opt_in_shown, seen_at, run_id"
    rows = f"SELECT ?2, {same} FROM suppressions WHERE contact_id = ?1 AND person != ?2 AND kind = ?3"
    sql = f"INSERT OR IGNORE INTO suppressions (person, {same}) {rows}"
    return store.run(sql, contact_id, person, UNSUBSCRIBED) > 0


def of_same_departure(store: Store, person: bytes, list_id: str) -> list[bytes]:
    """Who is suppressed for the departure from the list that `person` is: each address of one contact."""
    sql = (
        "SELECT other.person FROM suppressions AS own JOIN suppressions AS other USING (kind, list_id, contact_id)"
        " WHERE own.person = ? AND own.kind = ? AND own.list_id = ?"
    )
    return list(dict.fromkeys([person, *store.column(bytes, sql, person, DEPARTED, list_id)]))


# By the run that has seen them, and not by when: our clock may be behind what it showed in an earlier run.
_UNSEEN = f"kind = '{UNSUBSCRIBED}' AND coalesce(run_id, 0) != ?"


def note_missed(store: Store, run_id: int) -> None:
    """A pass of this run has not shown these unsubscribes: each may be undone, until a run sees it again."""
    store.run(f"UPDATE suppressions SET run_id = 0 WHERE {_UNSEEN} AND run_id != 0", run_id)


def count_unseen(store: Store, run_id: int) -> int:
    """How many unsubscribes this run has not seen."""
    return store.number(f"SELECT count(*) FROM suppressions WHERE {_UNSEEN}", run_id)


def unseen_among(store: Store, run_id: int, persons: Sequence[bytes]) -> list[Suppression]:
    """The unsubscribes of these people that this run has not seen."""
    return store.records(
        Suppression, f"SELECT {COLUMNS} WHERE {_UNSEEN} AND person IN ({marks(persons)})", run_id, *persons
    )


def longest_unseen(store: Store, run_id: int, limit: int) -> list[Suppression]:
    """The unsubscribes that this run has not seen, oldest sighting first."""
    return store.records(Suppression, f"SELECT {COLUMNS} WHERE {_UNSEEN} ORDER BY seen_at LIMIT ?", run_id, limit)


def lift(store: Store, person: bytes, kind: str, list_id: str | None = None) -> bool:
    """Drop a suppression that no longer holds; of a departure only that of `list_id`, where one is given."""
    sql = "DELETE FROM suppressions WHERE person = ? AND kind = ? AND list_id = coalesce(?, list_id)"
    return store.run(sql, person, kind, list_id) > 0
