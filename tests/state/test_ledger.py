"""The consent ledger: append-only, read a chunk at a time, erased for one person alone."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.state import Store, create_store, erasure, ledger, open_store
from ccsync.state.database import store as database
from ccsync.state.ledger import ConsentChange

AT = datetime(2026, 11, 1, 8, tzinfo=UTC)
PAT, KIM = b"p" * 16, b"k" * 16


def change(person: bytes, email: str | None, hours: int = 0) -> ConsentChange:
    return ConsentChange(person, email, "opted-in", "kibo", AT, AT + timedelta(hours=hours), account_id=1001)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = create_store(tmp_path / "ccsync.db")
    ledger.append(opened, 1, [change(PAT, "pat@example.com"), change(KIM, "kim@example.com", 5), change(PAT, None, 9)])
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent SET change = 'opted-out'",
        "UPDATE consent SET email = NULL WHERE id = 1",
        "DELETE FROM consent",
        "DELETE FROM consent WHERE id = 2",
        "INSERT OR REPLACE INTO consent (id, person, change, source, seen_at) VALUES (1, x'00', 'x', 'x', 'x')",
        "REPLACE INTO consent (id, person, change, source, seen_at) VALUES (1, x'00', 'x', 'x', 'x')",
    ],
)
def test_no_row_is_ever_changed(store: Store, statement: str) -> None:
    """Whatever the statement, the ledger refuses: rows are added, and no more."""
    before = store.rows("SELECT * FROM consent")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.run(statement)
    assert store.rows("SELECT * FROM consent") == before


def test_erasure_takes_one_person_s_rows_alone(store: Store) -> None:
    """Erasing a person is the only way by which rows go, and afterwards the ledger is as closed as before."""
    with store.transaction():
        erasure.erase_person(store, PAT)
    assert [row.change.person for row in ledger.iter_ledger(store)] == [KIM]
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.run("DELETE FROM consent")


def test_a_row_without_an_address_shows_the_last_one_known(store: Store) -> None:
    """An opt-out of an old address is shown with the last known address of its person."""
    assert [row.change.email for row in ledger.iter_ledger(store, PAT)] == ["pat@example.com"] * 2


def test_since_counts_from_when_it_was_seen(store: Store) -> None:
    """What was written since then, its own moment included, whoever it is about."""
    assert [row.number for row in ledger.iter_ledger(store, since=AT + timedelta(hours=5))] == [2, 3]
    assert [row.number for row in ledger.iter_ledger(store, PAT, AT + timedelta(hours=5))] == [3]


def test_every_row_comes_once_whatever_its_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks meet without a gap or a repetition."""
    ledger.append(store, 2, [change(KIM, f"kim{number}@example.com") for number in range(20)])
    whole = [row.number for row in ledger.iter_ledger(store)]
    for size in (1, 2, 7, 23):
        monkeypatch.setattr(database, "_CHUNK", size)
        assert [row.number for row in ledger.iter_ledger(store)] == whole
    assert whole == list(range(1, 24))


def test_a_reader_never_holds_a_writer_up(store: Store) -> None:
    """Between two rows the reader holds nothing: a writer can empty the write-ahead log."""
    reader = open_store(store.path, is_reader=True)
    rows = ledger.iter_ledger(reader)
    next(rows)
    ledger.append(store, 2, [change(KIM, "late@example.com")])
    assert store.scrub()
    assert [row.number for row in rows] == [2, 3, 4]
    reader.close()
