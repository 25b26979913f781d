"""Rows become dataclasses and dataclasses become rows, each column by the type of its field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccsync.state import Store, create_store
from ccsync.state.database import store as database

AT = datetime(2026, 11, 23, 14, 5, 9, 120_000, UTC)
LAYOUT = "CREATE TEMP TABLE things (number INT, name TEXT, at TEXT, is_good INT, evidence TEXT, ids TEXT) STRICT"


@dataclass(frozen=True, slots=True)
class Thing:
    number: int
    name: str | None
    at: datetime | None
    is_good: bool | None
    evidence: Mapping[str, str | None] = field(default_factory=dict)
    ids: tuple[int, ...] = ()


WHOLE = Thing(1, "one", AT, True, {"why": None}, (3, 4))
EMPTY = Thing(2, None, None, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = create_store(tmp_path / "ccsync.db")
    made.run(LAYOUT)
    with made.transaction():
        made.run_records("INSERT INTO things", [WHOLE, EMPTY])
    yield made
    made.close()


def test_a_dataclass_comes_back_as_it_went_in(store: Store) -> None:
    """Times, truth, JSON and NULL survive the table, where they are texts, numbers and NULL."""
    assert store.records(Thing, "SELECT * FROM things ORDER BY number") == [WHOLE, EMPTY]
    assert store.one("SELECT at, is_good, evidence, ids FROM things WHERE number = 1") == (
        "2026-11-23T14:05:09.120Z", 1, '{"why": null}', "[3, 4]"
    )  # fmt: skip


def test_fields_without_a_column_keep_their_default(store: Store) -> None:
    """A query may give fewer columns than the dataclass has fields."""
    found = store.records(Thing, "SELECT number, name, at, is_good FROM things WHERE number = 1")
    assert found == [Thing(1, "one", AT, True)]


def test_columns_that_are_the_same_in_each_row_stand_beside_the_fields(store: Store) -> None:
    """What is given by name goes into every row."""
    store.run("CREATE TEMP TABLE of_runs (name TEXT, run_id INTEGER) STRICT")

    @dataclass
    class Named:
        name: str

    with store.transaction():
        store.run_records("INSERT INTO of_runs", [Named("a"), Named("b\ud800")], run_id=7)
        store.run_records("INSERT INTO of_runs", [], run_id=8)
    assert store.rows("SELECT name, run_id FROM of_runs ORDER BY name") == [("a", 7), ("b?", 7)]


def test_single_values_are_read_by_their_type(store: Store) -> None:
    """A column or its first value is a time where a time is asked for; no row and NULL are `None`."""
    assert store.value(datetime, "SELECT at FROM things WHERE number = 1") == AT
    assert store.value(datetime, "SELECT at FROM things WHERE number = 2") is None
    assert store.value(int, "SELECT number FROM things WHERE number = 3") is None
    assert store.column(datetime, "SELECT at FROM things WHERE number = ?", 1) == [AT]
    assert [store.exists("SELECT 1 FROM things WHERE number = ?", one) for one in (1, 3)] == [True, False]


def test_a_time_is_bound_as_its_text(store: Store) -> None:
    """A time compares with those in the table, whatever its zone."""
    assert store.number("SELECT count(*) FROM things WHERE at = ?", AT) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_chunks_meet_without_a_gap(store: Store, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row comes once, in order, though the caller writes between two of them."""
    monkeypatch.setattr(database, "_CHUNK", size)
    seen = []
    for (number,) in store.iter_chunks("SELECT number FROM things WHERE number > ?1 ORDER BY 1", after=0):
        store.run("INSERT INTO things (number) VALUES (0)")
        seen.append(number)
    assert seen == [1, 2]


def test_pieces_go_on_until_nothing_is_left(store: Store) -> None:
    """A statement with a LIMIT is repeated, each time in a transaction of its own."""
    store.run_in_pieces("DELETE FROM things WHERE rowid IN (SELECT rowid FROM things LIMIT 1)")
    assert store.number("SELECT count(*) FROM things") == 0
