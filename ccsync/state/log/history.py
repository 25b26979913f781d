"""What was decided and done about each person, and why; pruned with the runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import from_text_or_raise, storable, to_text
from ccsync.state.log.runs import oldest_kept

_CHUNK = 1_000


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
        store.run(
            "INSERT INTO history (person, account_id, run_id, at, act, reason, field_set, fingerprint)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            one.person,
            one.account_id,
            run_id,
            to_text(at),
            one.act,
            storable(one.reason),
            field_set(store, one.fields),
            one.fingerprint,
        )


def append_batch(store: Store, run_id: int, batch_id: int, at: datetime) -> None:
    """The contacts of a batch arrived, inside the caller's transaction."""
    store.run(
        "INSERT INTO history (person, account_id, run_id, at, act, reason, field_set, fingerprint)"
        " SELECT person, account_id, ?, ?, CASE WHEN is_new THEN 'added' ELSE 'updated' END, reason, field_set,"
        " fingerprint FROM batch_rows WHERE batch_id = ?",
        run_id,
        to_text(at),
        batch_id,
    )


def of_person(store: Store, person: bytes) -> list[Step]:
    """A person's steps, oldest first."""
    return [
        Step(
            person,
            account_id if isinstance(account_id, int) else None,
            str(act),
            str(reason),
            str(names or ""),
            fingerprint if isinstance(fingerprint, bytes) else None,
            from_text_or_raise(at),
            int(str(run_id)),
        )
        for account_id, run_id, at, act, reason, names, fingerprint in store.rows(
            "SELECT account_id, run_id, at, act, reason, names, fingerprint FROM history"
            " LEFT JOIN field_sets ON field_sets.id = field_set WHERE person = ? ORDER BY history.id",
            person,
        )
    ]


def prune(store: Store, before: datetime) -> None:
    """Forget the steps of runs that ended before then, a few at a time."""
    oldest = oldest_kept(store, before)
    while True:
        with store.transaction():
            sql = "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE run_id < ? LIMIT ?)"
            gone = store.run(sql, oldest, _CHUNK)
        if gone < _CHUNK:
            return
