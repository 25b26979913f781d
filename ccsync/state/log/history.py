"""What was decided and done about each person, and why; pruned with the runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import storable
from ccsync.state.log.runs import oldest_kept

_INTO = "INSERT INTO history (person, account_id, run_id, at, act, reason, field_set, fingerprint)"


@dataclass(frozen=True, slots=True)
class Step:
    """One decision carried out, or standing: `act` as the counts name it, `fields` the names of what was sent."""

    person: bytes
    account_id: int | None
    act: str
    reason: str
    fields: str = ""
    fingerprint: bytes | None = None
    at: datetime | None = None
    run_id: int = 0


def field_set(store: Store, names: str) -> int:
    """The number of a set of field names: most people are sent the same ones. Inside the caller's transaction."""
    if not names:
        return 0
    store.run("INSERT OR IGNORE INTO field_sets (names) VALUES (?)", storable(names))
    return store.number("SELECT id FROM field_sets WHERE names = ?", storable(names))


def append(store: Store, run_id: int, at: datetime, steps: Iterable[Step]) -> None:
    """Keep steps, inside the caller's transaction; one that only repeats the person's latest is left out."""
    for one in steps:
        latest = store.one("SELECT act, reason FROM history WHERE person = ? ORDER BY id DESC LIMIT 1", one.person)
        if one.fingerprint is None and latest == (one.act, one.reason):
            continue
        what = (one.act, storable(one.reason), field_set(store, one.fields), one.fingerprint)
        store.run(f"{_INTO} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", one.person, one.account_id, run_id, at, *what)


def append_batch(store: Store, run_id: int, batch_id: int, upto: bytes, at: datetime) -> None:
    """The contacts of a part of a batch arrived, inside the caller's transaction."""
    columns = "person, account_id, ?, ?, iif(is_new, 'added', 'updated'), reason, field_set, fingerprint"
    which = "batch_id = ? AND person <= ?"
    store.run(f"{_INTO} SELECT {columns} FROM batch_rows WHERE {which}", run_id, at, batch_id, upto)


def of_person(store: Store, person: bytes) -> list[Step]:
    """A person's steps, oldest first."""
    sql = (
        "SELECT person, account_id, act, reason, coalesce(names, ''), fingerprint, at, run_id FROM history"
        " LEFT JOIN field_sets ON field_sets.id = field_set WHERE person = ? ORDER BY history.id"
    )
    return store.records(Step, sql, person)


def prune(store: Store, before: datetime) -> None:
    """Forget the steps of runs that ended before then, a few at a time."""
    sql = "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE run_id < ? LIMIT 1000)"
    store.run_in_pieces(sql, oldest_kept(store, before))
