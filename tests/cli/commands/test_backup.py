"""`ccsync backup`: a whole copy while a job writes, for its owner alone, and good to be put back."""

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, open_store, properties
from tests.inside import InsideShop

OLDER = Path(__file__).parents[2] / "fixtures" / "state_0_2"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=20, seed=7)) as made:
        made.ccsync("export", "--yes")
        yield made


def test_a_copy_while_a_job_writes(shop: InsideShop) -> None:
    """It needs no lock, is a consistent snapshot in a single file of mode 0600, and prints nothing under cron."""
    target = shop.folder / "copy.db"
    store = shop.open()
    with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"), store.transaction():
        properties.put(store, "under_way", "yes")
        done = shop.ccsync("backup", str(target))
    store.close()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {one.name for one in shop.folder.iterdir() if one.name.startswith((".copy", "copy"))} == {"copy.db"}
    copy = open_store(target)
    assert properties.get(copy, "under_way") is None
    assert copy.number("SELECT count(*) FROM runs") == 1
    copy.close()


def test_an_older_copy_is_replaced(shop: InsideShop) -> None:
    """As a nightly line of cron wants it; a copy that fails leaves the old one."""
    target = shop.folder / "copy.db"
    target.write_text("older")
    assert shop.ccsync("backup", str(target)).returncode == 0
    before = target.read_bytes()
    shop.config.state.path.write_bytes(b"SQLite format 3\0 and then nothing")
    assert shop.ccsync("backup", str(target)).returncode == 6
    assert target.read_bytes() == before


@pytest.mark.parametrize("name", ["version-1", "mixed"])
def test_a_file_of_an_older_format_is_copied_as_it_is(shop: InsideShop, name: str) -> None:
    """Whoever has upgraded ccsync can still keep the file as it was before the first command brings it up to date."""
    state, target = shop.config.state.path, shop.folder / "copy.db"
    shutil.copyfile(OLDER / f"{name}.db", state)
    for end in ("-wal", "-shm"):
        state.with_name(state.name + end).unlink(missing_ok=True)
    before = state.read_bytes()
    done = shop.ccsync("backup", str(target))
    assert done.returncode == 0, done.stderr
    assert state.read_bytes() == before
    with sqlite3.connect(target) as copy, sqlite3.connect(OLDER / f"{name}.db") as older:
        assert list(copy.iterdump()) == list(older.iterdump())
        assert copy.execute("PRAGMA user_version").fetchone() == older.execute("PRAGMA user_version").fetchone()
    copy.close()
    older.close()


def test_a_copy_can_be_put_back(shop: InsideShop) -> None:
    """As the help says; the next job sees that it is older, and all is well afterwards."""
    target, state = shop.folder / "copy.db", shop.config.state.path
    shop.ccsync("backup", str(target))
    shop.box.kibo.add_account(emailAddress="kim@example.com", firstName="Kim", acceptsMarketing=True)
    assert shop.ccsync("flush-events").returncode in (0, 3)
    shutil.copyfile(target, state)
    for end in ("-wal", "-shm"):
        state.with_name(state.name + end).unlink(missing_ok=True)
    done = shop.ccsync("-v", "flush-events")
    assert done.returncode in (0, 3), done.stderr
    assert "older copy" in done.stderr
    with sqlite3.connect(state) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize(
    ("target", "code", "text"),
    [("ccsync.db", 2, "the state file itself"), ("nowhere/copy.db", 6, "cannot be written"), (".", 2, "directory")],
)
def test_where_no_copy_can_be(shop: InsideShop, target: str, code: int, text: str) -> None:
    """Neither the state file itself nor a folder can be the target."""
    before = shop.config.state.path.read_bytes()
    done = shop.ccsync("backup", str(shop.folder / target))
    assert done.returncode == code
    assert text in done.stderr
    assert shop.config.state.path.read_bytes() == before
