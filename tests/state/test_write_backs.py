"""Write backs to Kibo: queued once per change, reopened for new accounts, kept until written; older files too."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.state import Store, accounts, erasure, kibo_writes, open_store, suppressions
from ccsync.state.accounts import AccountSeen
from ccsync.state.database import schema
from ccsync.state.database.schema import VERSION
from ccsync.state.outbox import tasks, write_backs
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, UNSUBSCRIBED, Suppression

PAT, LEE = b"p" * 16, b"l" * 16
DAY = datetime(2026, 5, 1, tzinfo=UTC)
LATER = DAY + timedelta(hours=1)
BOTH = [UNSUBSCRIBED, DEPARTED]


def suppress(store: Store, person: bytes, kind: str, since: datetime | None = DAY, list_id: str = "") -> None:
    suppressions.record(store, Suppression(person, kind, list_id, "c-1", since, "Contact"), DAY, 1)


def waiting(store: Store, at: datetime = LATER) -> list[tuple[bytes, str]]:
    return [(one.person, one.kind) for one in write_backs.due(store, at, BOTH, "list-1", after=0, limit=-1)]


def test_a_change_is_queued_once(store: Store) -> None:
    """The same opt-out again is no news; one with another date is."""
    suppress(store, PAT, UNSUBSCRIBED)
    for _ in range(2):
        write_backs.enqueue(store, PAT, UNSUBSCRIBED, DAY)
    assert waiting(store) == [(PAT, UNSUBSCRIBED)]
    suppress(store, PAT, UNSUBSCRIBED, LATER)
    write_backs.enqueue(store, PAT, UNSUBSCRIBED, LATER)
    assert len(waiting(store)) == 2


def test_what_was_told_is_kept_and_told_again_for_newcomers(store: Store) -> None:
    """Whether an account's yes is newer than an unsubscribe is decided where it is written: two clocks dated them."""
    suppress(store, PAT, UNSUBSCRIBED)
    write_backs.enqueue(store, PAT, UNSUBSCRIBED, DAY)
    (row,) = write_backs.due(store, LATER, BOTH, "list-1", after=0, limit=-1)
    write_backs.finish(store, row.id, LATER, "unsubscribed")
    assert waiting(store) == []
    for made_at in (LATER, DAY - timedelta(days=9), None):
        with store.transaction():
            write_backs.enqueue_again(store, [(PAT, made_at), (LEE, made_at)], "list-1", LATER)
        assert waiting(store) == [(PAT, UNSUBSCRIBED)]
        write_backs.finish(store, row.id, LATER, "unsubscribed")


def test_an_account_made_after_a_departure_was_noticed_is_not_told_of_it(store: Store) -> None:
    """A newer account's yes lifts the departure, by Kibo's clock. To older ones, or of unknown age, it is written."""
    suppress(store, PAT, DEPARTED, list_id="list-1")
    for made_at, is_told in ((LATER, False), (DAY - timedelta(days=9), True), (None, True)):
        with store.transaction():
            write_backs.enqueue_again(store, [(PAT, made_at)], "list-1", LATER)
        assert (waiting(store) == [(PAT, DEPARTED)]) is is_told
        for row in write_backs.due(store, LATER, BOTH, "list-1", after=0, limit=-1):
            write_backs.finish(store, row.id, LATER, "departed")


def test_an_opt_out_in_the_store_is_not_told_to_the_store(store: Store) -> None:
    """Only what came from Constant Contact is queued."""
    suppress(store, PAT, OPTED_OUT)
    with store.transaction():
        write_backs.enqueue_again(store, [(PAT, None)], "list-1", LATER)
    assert write_backs.of_person(store, PAT) == []


def test_what_failed_waits_for_its_time_and_shows(store: Store) -> None:
    """Attempts and the reason are kept; `failing` lists it until it is written."""
    suppress(store, PAT, DEPARTED, list_id="list-1")
    write_backs.enqueue(store, PAT, DEPARTED, DAY, list_id="list-1")
    (row,) = write_backs.due(store, LATER, BOTH, "list-1", after=0, limit=-1)
    tasks.note_failure(store, row.id, 1, LATER + timedelta(hours=2), "Kibo refused it.")
    assert waiting(store) == []
    assert waiting(store, LATER + timedelta(hours=3)) == [(PAT, DEPARTED)]
    (failing,) = write_backs.failing(store)
    assert (failing.attempts, failing.last_error) == (1, "Kibo refused it.")
    assert write_backs.count_waiting(store, "list-1") == 1
    write_backs.finish(store, row.id, LATER, "departed")
    assert (write_backs.failing(store), write_backs.count_waiting(store, "list-1")) == ([], 0)
    write_backs.prune(store, LATER + timedelta(days=1))
    assert write_backs.of_person(store, PAT) == []


def test_an_older_file_queues_what_it_remembers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unsubscribes and departures of earlier versions reach the store; its own opt-outs do not."""
    path = tmp_path / "ccsync.db"
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
        older.setattr(schema, "VERSION", 2)
        connection = sqlite3.connect(path, isolation_level=None)
        schema.migrate(connection)
        for person, kind, list_id, since in (
            (PAT, UNSUBSCRIBED, "", None), (LEE, DEPARTED, "list-1", "2026-05-01T00:00:00.000Z"),
            (b"k" * 16, OPTED_OUT, "", None),
        ):  # fmt: skip
            connection.execute(
                "INSERT INTO suppressions VALUES (?, ?, ?, 'c-1', ?, NULL, '2026-05-01T00:00:00.000Z', 1)",
                (person, kind, list_id, since),
            )
        connection.execute("INSERT INTO contacts (person, is_ours, list_id) VALUES (?, 1, 'list-1')", (LEE,))
        connection.close()
    path.chmod(0o600)
    opened = open_store(path)
    assert opened.number("PRAGMA user_version") == VERSION
    found = {one.person: one for one in write_backs.due(opened, LATER, BOTH, "list-1", after=0, limit=-1)}
    assert found.keys() == {PAT, LEE}
    assert (found[PAT].happened_at, found[PAT].is_checked, found[PAT].was_on_list) == (None, True, False)
    assert (found[LEE].happened_at, found[LEE].is_checked, found[LEE].was_on_list) == (DAY, False, True)
    opened.close()


def test_erasing_keeps_what_is_still_to_be_told(store: Store) -> None:
    """An erased person's unwritten opt-out stays as a keyed hash; written ones are deleted."""
    suppress(store, PAT, UNSUBSCRIBED)
    write_backs.enqueue(store, PAT, UNSUBSCRIBED, DAY)
    suppress(store, LEE, UNSUBSCRIBED)
    write_backs.enqueue(store, LEE, UNSUBSCRIBED, DAY)
    for row in write_backs.of_person(store, LEE):
        write_backs.finish(store, row.id, LATER, "unsubscribed")
    with store.transaction():
        for person in (PAT, LEE):
            erasure.erase_person(store, person)
    assert [one.contact_id for one in write_backs.of_person(store, PAT)] == [None]
    assert write_backs.of_person(store, LEE) == []


def test_a_write_is_known_before_and_after(store: Store) -> None:
    """The intent is there before the answer; a deleted account takes it along."""
    kibo_writes.set_out(store, 1001, PAT, False, UNSUBSCRIBED, DAY)
    assert kibo_writes.among(store, [1001, 1002])[1001].done_at is None
    kibo_writes.finish(store, 1001, LATER, LATER)
    done = kibo_writes.among(store, [1001])[1001]
    assert (done.accepts_marketing, done.done_at, done.updated_at) == (False, LATER, LATER)
    with store.transaction():
        accounts.observe(store, [AccountSeen(1001, PAT, False)], LATER)
        erasure.erase_account(store, 1001)
    assert kibo_writes.among(store, [1001]) == {}
