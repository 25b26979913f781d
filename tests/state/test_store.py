"""The state file: strict when opened, committed before the next line, never silently new."""

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ccsync.errors import LockedError, StateError
from ccsync.state import Lock, create_store, explained, open_store
from ccsync.state.database import opening
from ccsync.state.database.lock import is_alive, this_process
from tests.damages import DAMAGES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "ccsync.db"
    create_store(made).close()
    return made


def test_it_is_only_ours_to_read(path: Path) -> None:
    """The file and its companions are 0600 whatever the umask."""
    before = os.umask(0)
    try:
        opened = open_store(path)
        opened.run("INSERT INTO meta VALUES ('a', 'b')")
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
        opened.close()
    finally:
        os.umask(before)
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


def test_what_is_committed_is_on_the_disk(path: Path) -> None:
    """Write-ahead log with synchronous=FULL: a commit survives the loss of power."""
    opened = open_store(path)
    assert opened.one("PRAGMA synchronous") == (2,)
    assert opened.one("PRAGMA journal_mode") == ("wal",)
    assert opened.one("PRAGMA secure_delete") == (1,)
    opened.close()


def test_an_exception_rolls_back(path: Path) -> None:
    """A transaction is whole or nothing, inner ones included."""
    opened = open_store(path)
    with pytest.raises(KeyError), opened.transaction():
        opened.run("INSERT INTO meta VALUES ('a', 'b')")
        with opened.transaction():
            opened.run("INSERT INTO meta VALUES ('c', 'd')")
        raise KeyError
    assert opened.rows("SELECT 1 FROM meta WHERE key IN ('a', 'c')") == []
    opened.close()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("is_reader", [False, True])
def test_a_file_that_is_not_whole_is_refused(path: Path, damage: Callable[[Path], None], is_reader: bool) -> None:
    """Missing, empty, cut, foreign, newer: forgetting who opted out is an incident, not a fresh start."""
    damage(path)
    with pytest.raises(StateError) as caught:
        opened = open_store(path, is_reader=is_reader)
        opened.rows("SELECT * FROM suppressions, meta, runs, batches")
        opened.close()
    assert caught.value.fix


def test_sqlite_words_are_explained() -> None:
    """A full disk, a lock held by a backup, a read-only file: each has its own way out."""
    path = Path("x/ccsync.db")
    assert "disk" in explained(sqlite3.OperationalError("database or disk is full"), path).why
    assert "backup" in explained(sqlite3.OperationalError("database is locked"), path).fix
    assert "not writable" in explained(sqlite3.OperationalError("attempt to write a readonly database"), path).what
    assert "damaged" in explained(sqlite3.DatabaseError("file is not a database"), path).what


def test_a_half_made_file_never_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When making the file fails in the middle, there is no file, and the next try succeeds."""
    path = tmp_path / "ccsync.db"

    def fail(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(opening, "migrate", fail)
        with pytest.raises(StateError):
            create_store(path)
    assert not path.exists()
    create_store(path).close()
    assert path.exists()


def test_one_writer_at_a_time(path: Path) -> None:
    """The second writer learns who holds the lock and since when; readers are not kept out."""
    with Lock(path, "export", "2026-11-23T12:00:00.000Z"):
        with pytest.raises(LockedError) as caught, Lock(path, "login", "later"):
            pass
        open_store(path, is_reader=True).close()
    assert "ccsync export" in caught.value.why
    assert "2026-11-23 12:00:00" in caught.value.why
    with Lock(path, "login", "later"):
        pass


def test_a_file_with_two_names_is_not_written(path: Path) -> None:
    """A hard link has its own lock and write-ahead log: two writers would damage the file. Readers may read it."""
    other = path.with_name("other.db")
    other.hardlink_to(path)
    for name in (path, other):
        with pytest.raises(StateError, match="hard link") as caught:
            open_store(name)
        assert f"-samefile {name}" in caught.value.fix
        open_store(name, is_reader=True).close()
    other.unlink()
    open_store(path).close()


def test_a_dead_process_is_recognised() -> None:
    """A number that was used again is not taken for the process that died."""
    number, _, start = this_process().partition(":")
    assert is_alive(this_process())
    assert not is_alive(f"{number}:{int(start or 0) + 1}")
    assert not is_alive("999999999:1")
    assert not is_alive("nonsense")
