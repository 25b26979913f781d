"""What a dry run tells of every job is what the real run then does, and it leaves both vendors and the state alone."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.inside import InsideShop
from tests.jobs.polling import LEE, PAT, join

JOBS = ("flush-events", "poll-unsubscribes", "export")
MANY = [f"many{number}@example.com" for number in range(12)]
PACE = {"calls", "gates", "tokens"}
"""Calls count in a dry run, too, and a token may be renewed."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=4, seed=5, import_seconds=1.0)) as made:
        join(made, PAT, LEE, *MANY)
        for job in ("export", "poll-unsubscribes", "flush-events"):
            assert made.ccsync(job, *(["--yes"] if job == "export" else [])).returncode == 0
            made.later(minutes=30)
        yield made


def account(shop: InsideShop, address: str) -> int:
    return next(one for one in shop.box.kibo.account_ids() if shop.box.kibo.account(one)["emailAddress"] == address)


def state(shop: InsideShop) -> dict[str, list[str]]:
    """Every row, but for what the pace of calls and the recognition of copies need."""
    with closing(sqlite3.connect(shop.config.state.path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))) for name in names}
    rows["meta"] = [one for one in rows["meta"] if "newest_writer" not in one]
    return {name: found for name, found in rows.items() if name not in PACE}


def a_mixture(shop: InsideShop) -> None:
    shop.box.kibo.update_account(account(shop, MANY[0]), lastName="New")
    shop.box.kibo.opt_out(account(shop, PAT))
    shop.box.kibo.delete_account(account(shop, LEE))
    shop.box.cc.unsubscribe(MANY[1])
    shop.box.cc.leave_list(MANY[2], shop.list_id)
    join(shop, "new@example.com")


def all_leave(shop: InsideShop) -> None:
    for one in MANY:
        shop.box.cc.leave_list(one, shop.list_id)


def all_say_no(shop: InsideShop) -> None:
    for one in MANY:
        shop.box.kibo.opt_out(account(shop, one))


@pytest.mark.parametrize("first", JOBS)
@pytest.mark.parametrize("what", [a_mixture, all_leave, all_say_no])
def test_it_changes_nothing_and_tells_what_the_run_then_does(
    shop: InsideShop, what: Callable[[InsideShop], None], first: str
) -> None:
    """In whatever order the jobs come; and what the safety limit would hold it holds."""
    what(shop)
    shop.later(minutes=20)
    for job in (first, *(one for one in JOBS if one != first)):
        before, acts = state(shop), len(shop.box.acts)
        told = json.loads(shop.ccsync(job, "--dry-run", "--json").stdout)
        assert (state(shop), len(shop.box.acts)) == (before, acts)
        done = shop.ccsync(job, "--json", *(["--yes"] if job == "export" else []))
        assert (done.returncode == 10) is (told["plan"]["held"] > 0), done.stderr
        if done.returncode == 0 and job != "poll-unsubscribes":
            counts = json.loads(done.stdout)["counts"]
            for key in ("added", "updated", "removed", "suppressed", "departed"):
                assert told["counts"].get(key, 0) == counts.get(key, 0), key
        shop.later(minutes=3)


def test_an_export_names_the_removals_that_wait(shop: InsideShop) -> None:
    """It carries them out; in words as in JSON."""
    shop.box.kibo.opt_out(account(shop, PAT))
    shop.box.faults.add(kind="status", status=500, times=50, method="POST", path=".*remove_list_memberships")
    shop.later(minutes=20)
    shop.ccsync("flush-events")
    shop.box.faults.clear()
    shop.later(hours=2)
    said = shop.ccsync("export", "--dry-run").stdout
    assert [line.split() for line in said.splitlines() if line.startswith("removed")] == [["removed", "1"]]
    assert json.loads(shop.ccsync("export", "--json", "--yes").stdout)["counts"]["removed"] == 1
    assert PAT not in shop.members()


def test_an_export_says_that_the_safety_limit_would_hold_removals(shop: InsideShop) -> None:
    """The run would end with code 10."""
    all_say_no(shop)
    shop.later(minutes=20)
    assert shop.ccsync("flush-events").returncode == 10
    assert "The safety limit would keep 12 people on the list" in shop.ccsync("export", "--dry-run").stdout
