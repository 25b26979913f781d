"""Faults of group D: a full disk, a state file that is not writable, held, damaged or of another program."""

import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from ccsync.cli.app import _of_operating_system
from ccsync.cli.clock import RealClock
from ccsync.cli.command_line import App
from ccsync.errors import CcsyncError
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state.database import opening
from tests.cli.faults import ALL_COMMANDS, COMMANDS, check_error, check_nothing_is_lost
from tests.config.files import plain_user
from tests.damages import DAMAGES, missing
from tests.harness import imported_rows
from tests.inside import InsideShop
from tests.live import LiveShop

OLDER = Path(__file__).parent.parent / "fixtures" / "state_0_2"
SETTINGS = SandboxSettings(customers=20, seed=7)
NAMES = pytest.mark.parametrize("name", ALL_COMMANDS)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS) as made:
        yield made


# D1: full


@pytest.mark.parametrize(
    ("name", "size"), [("login", 33_500), ("export", 33_500), ("check", 20_000), ("configure", 20_000)]
)
def test_d1_the_disk_is_full(tmp_path: Path, name: str, size: int) -> None:
    """What cannot be written stops the command before its next call (exit 6); with room again it does its work."""
    # SQLite's index of the log takes 32,768 bytes: a few commits are left, or none.
    with LiveShop(tmp_path, replace(SETTINGS, device_interval_seconds=1)) as shop:
        shop.box.cc.approve_automatically = True
        store = shop.open()
        store.run("UPDATE meta SET value = ? WHERE key = 'encoded_account_id'", shop.box.cc.account.encoded_account_id)
        store.close()
        before = shop.config_path.read_bytes()

        def small_disk() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        done = shop.ccsync(*COMMANDS[name], preexec_fn=small_disk)
        check_error(done, {6}, "could not be written", "the disk is probably full", "df -h")
        assert shop.config_path.read_bytes() == before
        assert not imported_rows(shop)
        assert shop.ccsync(*COMMANDS[name]).returncode in (0, 3)


def test_d1_the_config_cannot_grow(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk while the config is written leaves the old one whole (exit 4), and no draft beside it."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = shop.config_path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        done = shop.ccsync("configure", "--disable")
    check_error(done, {4, 6}, "No space left on device")
    assert shop.config_path.read_bytes() == before
    assert {one.name.partition(".")[0] for one in shop.folder.iterdir()} == {"ccsync"}
    check_nothing_is_lost(shop, "configure")


def test_d1_the_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a write does not say where: of the folders that ccsync writes to, those that are full are named."""
    app = App(clock=RealClock(), state_path=tmp_path / "ccsync.db", log_file=Path("/var/log/ccsync.log"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0 if path == tmp_path else 10**9))
    error = _of_operating_system(app, OSError(28, "No space left on device"))
    assert (error.exit_code, error.why) == (6, "the disk is full; what was done is saved.")
    assert error.fix == f"Make room on the disk (df -h {tmp_path}) and run again."


def test_d1_the_log_cannot_grow(shop: InsideShop) -> None:
    """A log file on a full disk costs log lines, not the run, and prints no traceback."""
    done = shop.ccsync("-vv", "--log-file", "/dev/full", "export", "--yes")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_d1_a_full_disk_at_any_commit(tmp_path: Path) -> None:
    """The database may grow by 0, 1, 2 … pages: each time the run stops in order, and the next one ends it well."""
    limit = 0
    while True:
        (folder := tmp_path / str(limit)).mkdir()
        with InsideShop(folder, SandboxSettings(customers=120, seed=7)) as shop:
            opened = shop.open

            def small(limit: int = limit, opened: Callable[[], object] = opened) -> object:
                store = opened()
                (pages,) = store._connection.execute("PRAGMA page_count").fetchone()  # type: ignore[attr-defined]
                store._connection.execute(f"PRAGMA max_page_count = {pages + limit}")  # type: ignore[attr-defined]
                return store

            shop.open = small  # type: ignore[assignment,method-assign]
            try:
                shop.export()
                is_full = False
            except (sqlite3.OperationalError, CcsyncError) as error:
                assert "full" in str(error)
                is_full = True
            shop.open = opened  # type: ignore[method-assign]
            assert shop.ccsync("export", "--yes").returncode in (0, 3)
            addresses = [str(row["email"]) for row in imported_rows(shop)]
            assert addresses
            assert len(addresses) == len(set(addresses))
        if not is_full:
            break
        limit += 1 + limit // 4
    assert limit > 3


# D3: not writable


@pytest.fixture
def plain() -> Iterator[InsideShop]:
    """A shop whose operator is not root, who may write whatever the mode says."""
    with plain_user() as folder, InsideShop(folder, SETTINGS) as made:
        yield made


@NAMES
def test_d3_a_state_file_that_is_read_only(plain: InsideShop, name: str) -> None:
    """Writers name the path, its mode and its owner, and call nobody (exit 6); a reader reads."""
    path = plain.config.state.path
    path.chmod(0o400)
    asked = len(plain.box.requests.records)
    done = plain.ccsync(*ALL_COMMANDS[name])
    if name == "logs":
        assert done.returncode == 0
    else:
        check_error(done, {6}, f"{path} is not writable", "mode 400", f"user {path.stat().st_uid}")
        assert len(plain.box.requests.records) == asked
    for one in plain.folder.glob("ccsync.db*"):
        one.chmod(0o600)
    check_nothing_is_lost(plain, name)


@NAMES
def test_d3_a_folder_that_is_read_only(plain: InsideShop, name: str) -> None:
    """SQLite needs its companions beside the file: writers say that the folder is at fault (exit 6)."""
    plain.folder.chmod(0o500)
    try:
        done = plain.ccsync(*ALL_COMMANDS[name])
        if name == "logs":
            assert done.returncode in (0, 6)
            assert "Traceback" not in done.stderr
        else:
            check_error(done, {6}, str(plain.folder))
    finally:
        plain.folder.chmod(0o700)
    check_nothing_is_lost(plain, name)


@pytest.mark.parametrize("place", ["the file", "the folder"])
@NAMES
def test_d3_an_older_state_file_where_nothing_may_be_written(plain: InsideShop, name: str, place: str) -> None:
    """It cannot be brought up to date: what is at fault is named (exit 6), nobody is called, and it stays as it was."""
    path = plain.config.state.path
    path.write_bytes((OLDER / "mixed.db").read_bytes())
    before, asked = path.read_bytes(), len(plain.box.requests.records)
    for one in plain.folder.glob("ccsync.db?*"):
        one.unlink()
    (path if place == "the file" else plain.folder).chmod(0o500 if place == "the folder" else 0o400)
    try:
        check_error(plain.ccsync(*ALL_COMMANDS[name]), {6}, str(path))
    finally:
        plain.folder.chmod(0o700)
    assert path.read_bytes() == before
    assert len(plain.box.requests.records) == asked


@NAMES
def test_d3_a_state_file_of_somebody_else(plain: InsideShop, name: str) -> None:
    """It is named with its owner, and who should run ccsync (exit 6)."""
    path = plain.config.state.path
    path.chmod(0o000)
    done = plain.ccsync(*ALL_COMMANDS[name])
    check_error(done, {6}, str(path), "as the user who made the file")
    path.chmod(0o600)
    check_nothing_is_lost(plain, name)


def test_d3_a_new_state_file_where_nothing_may_be_written(plain: InsideShop) -> None:
    """A login that cannot make the state file names the folder (exit 6), and asks nobody for approval."""
    plain.config.state.path.unlink()
    plain.folder.chmod(0o500)
    try:
        asked = len(plain.box.requests.records)
        check_error(plain.ccsync("login", "--yes"), {6}, "cannot be made", str(plain.folder))
        assert len(plain.box.requests.records) == asked
    finally:
        plain.folder.chmod(0o700)
    assert plain.ccsync("login", "--yes").returncode == 0


# D4: held


@NAMES
def test_d4_another_program_holds_the_file(shop: InsideShop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten seconds a writer gives up and says who may hold it (exit 6); a reader reads on."""
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.2)
    other = sqlite3.connect(shop.config.state.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    done = shop.ccsync(*ALL_COMMANDS[name])
    if name == "logs":
        assert done.returncode == 0
    else:
        check_error(done, {6}, "is held by another program", "backup")
    other.execute("ROLLBACK")
    other.close()
    check_nothing_is_lost(shop, name)


# D5 and D6: damaged, foreign, newer


@NAMES
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_d5_a_state_file_that_is_not_whole(shop: InsideShop, name: str, damage: Callable[[Path], None]) -> None:
    """Exit 6 with the path and a way out, before any vendor is called; the file is left as it was found."""
    path = shop.config.state.path
    damage(path)
    if name == "login" and damage is missing:
        assert shop.ccsync(*ALL_COMMANDS[name]).returncode == 0
        return
    before = path.read_bytes() if path.is_file() else None
    asked = len(shop.box.requests.records)
    check_error(shop.ccsync(*ALL_COMMANDS[name]), {6}, str(path))
    assert len(shop.box.requests.records) == asked
    assert (path.read_bytes() if path.is_file() else None) == before


@NAMES
def test_d5_only_the_log_of_a_state_file_is_left(shop: InsideShop, name: str) -> None:
    """A -wal without its file is no state file (exit 6); a login makes a new one, into which it is not played."""
    path = shop.config.state.path
    store = shop.open()
    store.run("INSERT INTO meta VALUES ('left', 'behind')")
    left = path.with_name(path.name + "-wal").read_bytes()
    store.close()
    path.unlink()
    path.with_name(path.name + "-wal").write_bytes(left)
    done = shop.ccsync(*ALL_COMMANDS[name])
    if name == "login":
        assert done.returncode == 0
        check_nothing_is_lost(shop, name)
    else:
        check_error(done, {6}, f"There is no state file {path}", "ccsync login")


# D7: odd places


@pytest.mark.parametrize("name", ["my shop", "Łódź 中文", "line\nbreak", "per%20cent #?&", "'quotes\""])
def test_d7_a_state_file_in_an_odd_place(tmp_path: Path, name: str) -> None:
    """Blanks, other scripts, line breaks, what a URL would mean: a path is a path, for every command."""
    with InsideShop(tmp_path, SETTINGS, logs_in=False) as shop:
        (place := tmp_path / name).mkdir()
        environ = {"CCSYNC_STATE": str(place / f"{name}.db")}
        for words in ALL_COMMANDS.values():
            done = shop.ccsync(*words, environ=environ)
            assert done.returncode in (0, 3), done.stderr
        assert (place / f"{name}.db").exists()


def test_d7_a_state_file_in_a_folder_that_is_not_there(shop: InsideShop) -> None:
    """Every command names the folder (exit 6)."""
    environ = {"CCSYNC_STATE": str(shop.folder / "nowhere" / "ccsync.db")}
    for words in ALL_COMMANDS.values():
        check_error(shop.ccsync(*words, environ=environ), {6}, str(shop.folder / "nowhere"))
