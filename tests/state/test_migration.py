"""Bringing an older state file up to date: one transaction, which a death at any statement leaves undone."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ccsync.state import open_store
from ccsync.state.database import opening
from ccsync.state.database.schema import VERSION, migrate
from tests.harness import Crash
from tests.state.test_state_files_of_0_2 import (
    FOLDER,
    NAMES,
    consents,
    contacts,
    facts,
    kibo_accounts,
    told_of,
    work_and_log,
)

SUBJECTS = (facts, consents, contacts, kibo_accounts, work_and_log)
WHOLE = "ok"


class Mortal(sqlite3.Connection):
    """A connection that dies before its n-th statement, and takes none after that."""

    left: int | None = None
    die: Callable[[], None] = staticmethod(lambda: None)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Count the statements of the migration alone: what is asked before it is always answered."""
        if self.left is not None:
            if self.left <= 0:
                self.die()
            self.left -= 1
        return super().execute(sql, *values)


def opened_by_a_mortal(path: Path, statement: int, die: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Open a state file and die before the n-th statement of its migration."""

    def connect(at: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(at, isolation_level=None, factory=Mortal)
        connection.die = die  # type: ignore[method-assign]
        return connection

    def begin(connection: Mortal) -> None:
        connection.left = statement
        migrate(connection)

    with patch.context() as inside:
        inside.setattr(opening, "_connect", connect)
        inside.setattr(opening, "migrate", begin)
        open_store(path).close()


def raise_crash() -> None:
    raise Crash


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def content(path: Path) -> tuple[int, str, list[str]]:
    """The format's number, whether the file is whole, and every row in it."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (state,) = connection.execute("PRAGMA integrity_check").fetchone()
        return version, state, list(connection.iterdump())


def copied(name: str, to: Path) -> Path:
    """A fresh copy of a fixture."""
    for end in ("", "-wal", "-shm"):
        to.with_name(to.name + end).unlink(missing_ok=True)
    shutil.copy(FOLDER / f"{name}.db", to)
    to.chmod(0o600)
    return to


@pytest.mark.parametrize("name", NAMES)
def test_a_death_at_any_statement_leaves_the_file_as_it_was(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of the old format and whole, and the next opening makes of it what an undisturbed one makes."""
    path = copied(name, tmp_path / "ccsync.db")
    before = content(path)
    open_store(path).close()
    expected = content(path)
    assert (before[0], expected[:2]) == (told_of(name)["format"], (VERSION, WHOLE))
    statement = 0
    while True:
        copied(name, path)
        try:
            opened_by_a_mortal(path, statement, raise_crash, monkeypatch)
        except Crash:
            assert content(path) == before, statement
            if statement % 5 == 0:  # the same file: what is made of it cannot differ each time
                open_store(path).close()
                assert content(path) == expected, statement
            statement += 1
        else:
            break
    assert statement > 20


@pytest.mark.parametrize("statement", [2, 11, 19, 28, 37])
@pytest.mark.parametrize("name", ["mixed", "half-sent", "version-1"])
def test_a_killed_process_loses_nothing(
    name: str, statement: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a SIGKILL in the middle the next opening knows whatever version 0.2 knew."""
    path = copied(name, tmp_path / "ccsync.db")
    before = content(path)
    child = os.fork()
    if child == 0:
        try:
            opened_by_a_mortal(path, statement, kill_oneself, monkeypatch)
        finally:
            os._exit(0)  # whatever happened: a second process may not go on with the tests
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert content(path) == before
    told = told_of(name)
    store = open_store(path)
    for subject in SUBJECTS:
        for what, shown, expected in subject(store, told):
            assert shown == expected, what
    store.close()


def test_a_file_that_is_up_to_date_is_only_read(tmp_path: Path) -> None:
    """Opening it again writes nothing and takes no lock."""
    path = copied("mixed", tmp_path / "ccsync.db")
    open_store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        open_store(path).close()
        writer.execute("ROLLBACK")


class Late(sqlite3.Connection):
    """A connection that gets the lock only after another process has migrated the file."""

    overtake: Callable[[], None] = staticmethod(lambda: None)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            self.overtake()
        return super().execute(sql, *values)


def test_two_processes_open_an_old_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets the lock second finds the file up to date, though it was old when it was looked at."""
    path = copied("mixed", tmp_path / "ccsync.db")

    def overtake() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as first:
            migrate(first)

    def connect(at: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(at, isolation_level=None, factory=Late)
        connection.overtake = overtake  # type: ignore[method-assign]
        return connection

    monkeypatch.setattr(opening, "_connect", connect)
    open_store(path).close()
    assert content(path)[:2] == (VERSION, WHOLE)


def test_the_tables_are_written_down_as_they_are() -> None:
    """A stranger reads the present tables in one file: it makes what all migrations together make."""
    written = Path(opening.__file__).with_name("tables.sql").read_text()
    with closing(sqlite3.connect(":memory:")) as read, closing(sqlite3.connect(":memory:")) as made:
        read.executescript(written)
        made.isolation_level = None
        migrate(made)
        assert shape_of(read) == shape_of(made)


def shape_of(connection: sqlite3.Connection) -> dict[str, object]:
    """By name: the columns of each table, with their types and defaults; the text of all else."""
    tables = "SELECT name, strict, wr FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
    others = "SELECT name, sql FROM sqlite_master WHERE type != 'table' AND sql NOT NULL"
    shape: dict[str, object] = {
        name: (kind, connection.execute("SELECT * FROM pragma_table_xinfo(?)", (name,)).fetchall())
        for name, *kind in connection.execute(tables).fetchall()
    }
    return shape | dict(connection.execute(others).fetchall())
