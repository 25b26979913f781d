"""Faults of group L: two at once, whatever they are, and a lock file that is not what it should be."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock
from ccsync.state.database.lock import _start_of
from ccsync.state.log import runs
from ccsync.words import local_time
from tests.cli.faults import ALL_COMMANDS, check_error, check_nothing_is_lost
from tests.inside import InsideShop

SINCE = "2026-11-23T12:00:00.000Z"
SHOWN = local_time(datetime.fromisoformat(SINCE))
WRITERS = {name: words for name, words in ALL_COMMANDS.items() if name not in ("check", "logs")}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=20, seed=7)) as made:
        yield made


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("holder", ["login", "configure", "export", "flush-events", "poll-unsubscribes"])
def test_l1_the_second_writer_is_turned_away(shop: InsideShop, name: str, holder: str) -> None:
    """It reports who holds the lock, since when and in which process, makes no call and changes nothing (exit 7)."""
    asked, settings = len(shop.box.requests.records), shop.config_path.read_bytes()
    with Lock(shop.config.state.path, holder, SINCE):
        done = shop.ccsync(*WRITERS[name])
    check_error(done, {7}, f"`ccsync {holder}` since {SHOWN}, process {os.getpid()}.")
    assert len(shop.box.requests.records) == asked
    assert shop.config_path.read_bytes() == settings
    check_nothing_is_lost(shop, name)


@pytest.mark.parametrize("words", [["logs"], ["configure", "--show"], ["login", "--check"], ["--help"]])
def test_l1_readers_are_not_kept_out(shop: InsideShop, words: list[str]) -> None:
    """Commands that only read work while a job runs."""
    with Lock(shop.config.state.path, "export", SINCE):
        assert shop.ccsync(*words).returncode == 0


def test_l2_a_holder_that_hangs_for_hours(shop: InsideShop) -> None:
    """However long it holds the lock, the next one is told since when; it never waits and never takes it away."""
    with Lock(shop.config.state.path, "export", SINCE):
        shop.later(hours=30)
        check_error(shop.ccsync("export", "--yes"), {7}, SHOWN)
        assert shop.clock.slept[-1:] == [] or shop.clock.slept[-1] < 60


def test_l3_the_lock_file_of_a_job_is_deleted(shop: InsideShop) -> None:
    """A second run finds no lock, but in the log a run whose process is alive: it is turned away (exit 7)."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        store = shop.open()
        run_id = runs.start(store, "export", "to", shop.clock.now())
        store.run("UPDATE runs SET process = ? WHERE id = ?", f"{other.pid}:{_start_of(other.pid)}", run_id)
        store.close()
        asked = len(shop.box.requests.records)
        for words in WRITERS.values():
            check_error(shop.ccsync(*words), {7}, "its lock file is gone", "`ccsync export` since")
        assert len(shop.box.requests.records) == asked
        other.communicate(b"\n")
    check_nothing_is_lost(shop, "export")
    assert [run.status for run in shop.latest()] == ["COMPLETE", "INTERRUPTED"]


def test_l3_a_dead_job_keeps_nobody_out(shop: InsideShop) -> None:
    """Its number in use by another process, or none at all: the next run marks it INTERRUPTED and works."""
    for process in (f"{os.getppid()}:1", "999999999:1", f"{os.getppid()}:", "nonsense"):
        store = shop.open()
        run_id = runs.start(store, "export", "to", shop.clock.now())
        store.run("UPDATE runs SET process = ? WHERE id = ?", process, run_id)
        store.close()
        assert shop.ccsync("export", "--yes").returncode in (0, 3)
        assert shop.latest()[1].status == "INTERRUPTED"


def test_l3_the_lock_file_is_a_folder(shop: InsideShop) -> None:
    """It cannot be locked (exit 6), and the command that mends it can be pasted."""
    lock = shop.config.state.path.with_name("ccsync.db.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    for words in WRITERS.values():
        check_error(shop.ccsync(*words), {6}, f"rmdir {lock}")
    lock.rmdir()
    check_nothing_is_lost(shop, "export")


@pytest.mark.parametrize("content", ["", "not JSON", "[1]", '["\\u001b[2J", "x", "y"]', "[" * 50_000])
def test_l3_a_lock_file_that_says_nothing(shop: InsideShop, content: str) -> None:
    """What stands in it is only shown: whatever it is, the lock holds, and the screen stays whole."""
    path = shop.config.state.path
    with Lock(path, "export", SINCE):
        path.with_name("ccsync.db.lock").write_text(content)
        done = shop.ccsync("export", "--yes")
    check_error(done, {7})
    assert "\x1b" not in done.stderr


def test_a_json_reader_learns_of_the_lock(shop: InsideShop) -> None:
    """With --json the last line on stderr is the error for programs."""
    with Lock(shop.config.state.path, "export", SINCE):
        done = shop.ccsync("export", "--json")
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == 7
