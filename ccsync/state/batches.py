"""Batches in progress: the contacts of each import, stored before it is sent and kept until its outcome is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.rows import marks
from ccsync.state.database.store import Store
from ccsync.state.log import history

PREPARED = "prepared"
"""Stored, and possibly sent: no answer has come back yet."""
RUNNING = "running"
ADOPTED = "adopted"
"""Running as an activity that was guessed: its people are looked up when it ends."""
OVERDUE = "overdue"
"""Still not finished long after it was sent: its people were looked up, and no run waits for it any more."""
SPLIT = "split"
"""Refused or failed as a whole: its people will be sent again in smaller batches."""
DONE = "done"
FAILED = "failed"
_UNDER_WAY = (PREPARED, RUNNING, ADOPTED)
HOLDING = (*_UNDER_WAY, SPLIT)
"""While a batch is in one of these states, its people are not sent by another batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One import. `prepared_at` is a time of the vendor's clock."""

    id: int
    run_id: int
    list_id: str
    state: str
    activity_id: str | None
    rows: int
    prepared_at: datetime


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One contact of a batch."""

    person: bytes
    account_id: int
    email: str
    fingerprint: bytes
    is_new: bool
    fields: str = ""  # the names of what is sent, for `why`
    reason: str = ""


def prepare(store: Store, run_id: int, list_id: str, prepared_at: datetime) -> int:
    """Open an empty batch, inside the caller's transaction."""
    sql = "INSERT INTO batches (run_id, list_id, state, rows, prepared_at) VALUES (?, ?, ?, 0, ?)"
    return store.insert(sql, run_id, list_id, PREPARED, prepared_at)


def add_rows(store: Store, batch_id: int, rows: Iterable[BatchRow], prepared_at: datetime) -> None:
    """Put contacts into a batch and note that they are about to be sent, inside the caller's transaction."""
    kept = list(rows)
    sets = {names: history.field_set(store, names) for names in {r.fields for r in kept}}
    store.run_many(
        "INSERT INTO batch_rows (batch_id, person, account_id, email, fingerprint, is_new, field_set, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(batch_id, r.person, r.account_id, r.email, r.fingerprint, r.is_new, sets[r.fields], r.reason) for r in kept],
    )
    set_out_to_send(store, [r.person for r in kept], prepared_at)
    store.run("UPDATE batches SET rows = rows + ? WHERE id = ?", len(kept), batch_id)


def record_activity(store: Store, batch_id: int, activity_id: str, state: str = RUNNING) -> None:
    """The vendor has accepted the batch as this activity."""
    store.run("UPDATE batches SET state = ?, activity_id = ? WHERE id = ?", state, activity_id, batch_id)


def unfinished(store: Store) -> list[Batch]:
    """Batches whose outcome is not known, oldest first."""
    return in_state(store, *_UNDER_WAY)


def in_state(store: Store, *states: str) -> list[Batch]:
    """The batches in these states, oldest first."""
    columns = "id, run_id, list_id, state, activity_id, rows, prepared_at"
    return store.records(Batch, f"SELECT {columns} FROM batches WHERE state IN ({marks(states)}) ORDER BY id", *states)


def known_activities(store: Store) -> set[str]:
    """Every activity that belongs to one of our batches."""
    return set(store.column(str, "SELECT activity_id FROM batches WHERE activity_id IS NOT NULL"))


def rows_of(store: Store, batch_id: int) -> list[BatchRow]:
    """The contacts of a batch that is not closed, in the order of `person`."""
    sql = (
        "SELECT person, account_id, email, fingerprint, is_new, coalesce(names, ''), reason FROM batch_rows"
        " LEFT JOIN field_sets ON field_sets.id = field_set WHERE batch_id = ? ORDER BY person"
    )
    return store.records(BatchRow, sql, batch_id)


def rows_of_run(store: Store, run_id: int) -> int:
    """How many contacts a run has put into batches, whatever their outcome."""
    return store.number("SELECT sum(rows) FROM batches WHERE run_id = ?", run_id)


def holds(store: Store, person: bytes) -> bool:
    """May an import that was sent still put the person on the list?"""
    return any(state != SPLIT for state in states_of(store, person))


def states_of(store: Store, person: bytes) -> set[str]:
    """The states of the unfinished batches that the person is in."""
    sql = "SELECT state FROM batch_rows JOIN batches ON batches.id = batch_id WHERE person = ?"
    return set(store.column(str, sql, person))


def leave_split(store: Store, people: Iterable[bytes]) -> None:
    """Take these people out of split batches: they were sent again, or need not be."""
    store.run_many(
        "DELETE FROM batch_rows WHERE person = ? AND batch_id IN (SELECT id FROM batches WHERE state = ?)",
        [(one, SPLIT) for one in people],
    )


def split_accounts(store: Store) -> list[int]:
    """The accounts of the split batches."""
    sql = "SELECT DISTINCT account_id FROM batch_rows JOIN batches ON batches.id = batch_id WHERE state = ? ORDER BY 1"
    return store.column(int, sql, SPLIT)


def set_state(store: Store, batch_id: int, state: str) -> None:
    """Change the batch's state; it keeps its contacts."""
    store.run("UPDATE batches SET state = ? WHERE id = ?", state, batch_id)


def close_empty(store: Store, at: datetime) -> None:
    """Close the split batches whose contacts have all moved to another one."""
    for batch in in_state(store, SPLIT):
        if not store.exists("SELECT 1 FROM batch_rows WHERE batch_id = ?", batch.id):
            close(store, batch.id, FAILED, at)


def longest_added(store: Store, batch: Batch) -> tuple[bytes, str] | None:
    """The person and the address, the longest in a batch of those whom no look has found on its list."""
    sql = (
        "SELECT person, email FROM batch_rows LEFT JOIN contacts USING (person)"
        " WHERE batch_id = ? AND member_of IS NOT ? ORDER BY length(email) DESC LIMIT 1"
    )
    row = store.one(sql, batch.id, batch.list_id)
    return (row[0], row[1]) if row else None


def remove_row(store: Store, batch_id: int, person: bytes) -> None:
    """Take a contact out of a batch: it did not arrive."""
    store.run("DELETE FROM batch_rows WHERE batch_id = ? AND person = ?", batch_id, person)


def end_of_part(store: Store, batch_id: int, rows: int) -> bytes | None:
    """The last person of the first `rows` remaining contacts of a batch; `None` if none remain."""
    sql = "SELECT max(person) FROM (SELECT person FROM batch_rows WHERE batch_id = ? ORDER BY person LIMIT ?)"
    return store.value(bytes, sql, batch_id, rows)


def counts_of(store: Store, batch_id: int, upto: bytes) -> tuple[int, int]:
    """How many contacts of a part of a batch are new and how many are updates."""
    sql = "SELECT total(is_new), total(NOT is_new) FROM batch_rows WHERE batch_id = ? AND person <= ?"
    new, updated = store.rows(sql, batch_id, upto)[0]
    return int(new), int(updated)


def drop_part(store: Store, batch_id: int, upto: bytes) -> None:
    """Part of a batch has arrived on the list: erase those contacts from it, inside the caller's transaction."""
    store.run("DELETE FROM batch_rows WHERE batch_id = ? AND person <= ?", batch_id, upto)


def suppressed_in(store: Store, batch_id: int, list_id: str) -> list[bytes]:
    """Those in a batch who have a suppression for the list or the whole account."""
    sql = "SELECT DISTINCT person FROM batch_rows JOIN suppressions USING (person) WHERE batch_id = ?"
    return store.column(bytes, f"{sql} AND suppressions.list_id IN ('', ?)", batch_id, list_id)


def close(store: Store, batch_id: int, state: str, at: datetime) -> None:
    """The batch's outcome is known; its contacts are erased from it."""
    with store.transaction():
        store.run("DELETE FROM batch_rows WHERE batch_id = ?", batch_id)
        store.run("UPDATE batches SET state = ?, finished_at = ? WHERE id = ?", state, at, batch_id)


def set_out_to_send(store: Store, people: Iterable[bytes], at: datetime) -> None:
    """Note that these people are about to be sent to a list: whether that arrives or not, an opt-out must find them."""
    store.run_many(
        "INSERT INTO contacts (person, is_ours, prepared_at) VALUES (?, 1, ?)"
        " ON CONFLICT (person) DO UPDATE SET prepared_at = coalesce(prepared_at, excluded.prepared_at)",
        [(person, at) for person in people],
    )


def note_refused(store: Store, batch_id: int) -> None:
    """The batch was refused as it was sent: who was never sent before is unknown again, and looked for before the next
    try. Else the data of a contact that comes from elsewhere meanwhile would be overwritten.
    """
    in_batches = "SELECT person FROM batch_rows WHERE batch_id"
    is_new = (
        "contact_id IS NULL AND seen_at IS NULL AND NOT EXISTS (SELECT 1 FROM sent WHERE sent.person = contacts.person)"
    )
    sql = (
        f"DELETE FROM contacts WHERE person IN ({in_batches} = ?1) AND {is_new} AND person NOT IN ({in_batches} != ?1)"
    )
    with store.transaction():
        store.run(sql, batch_id)


def note_unsent(store: Store, person: bytes) -> None:
    """What was about to be sent to somebody new has surely not been: whichever contact is there is another source's."""
    store.run("DELETE FROM contacts WHERE person = ? AND contact_id IS NULL AND seen_at IS NULL", person)
