"""Clocks may be wrong (G21): fast, slow, set back in mid-run, at a change of summer time, in 2038; nothing is lost."""

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.cli.terminal.screen import local_time
from ccsync.sandbox.settings import SandboxSettings
from tests.inside import InsideShop, SkewedClock
from tests.jobs.test_export import expected_members

DAY, MINUTE = 86_400.0, 60.0
SETTINGS = SandboxSettings(customers=20, seed=7)
MOST_CALLS = 60
"""Of a small store's run: a clock is no reason for more."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS) as made:
        yield made


def export(shop: InsideShop) -> None:
    """One export: it ends well, in a bounded time, with a bounded number of calls; then all are where they belong."""
    calls, began = len(shop.box.requests.records), shop.clock.monotonic()
    done = shop.ccsync("export", "--yes")
    assert done.returncode in (0, 3), done.stderr
    assert len(shop.box.requests.records) - calls < MOST_CALLS
    assert shop.clock.monotonic() - began < 600
    assert shop.members() == expected_members(shop)


def change_the_world(shop: InsideShop, number: int) -> None:
    """One unsubscribes, one is renamed, one signs up."""
    gone, renamed, *_ = sorted(shop.members())
    shop.box.cc.unsubscribe(gone)
    for account_id in shop.box.kibo.find_by_email(renamed):
        shop.box.kibo.update_account(account_id, firstName=f"Renamed{number}")
    shop.box.kibo.add_account(emailAddress=f"new{number}@example.com", firstName="New", acceptsMarketing=True)


SKEWS = [-400 * DAY, -DAY, -10 * MINUTE, 10 * MINUTE, DAY, 100 * DAY]


@pytest.mark.parametrize("skew", SKEWS)
def test_a_clock_that_is_wrong(shop: InsideShop, skew: float) -> None:
    """What changes is found by the vendors' clocks, whatever ours says; and again once it is set right."""
    shop.own_clock = clock = SkewedClock(shop.clock, skew)
    for number in range(4):
        export(shop)
        change_the_world(shop, number)
        shop.later(minutes=30)
        clock.skew = skew if number < 2 else 0.0
    export(shop)
    assert shop.ccsync("logs").returncode == 0
    assert shop.ccsync("login", "--check").returncode == 0


@pytest.mark.parametrize("step", [-2 * DAY, -DAY, -3_600, -10 * MINUTE, 3_600, DAY, 30 * DAY])
@pytest.mark.parametrize("nth", [2, 5, 9])
def test_a_clock_that_is_set_in_mid_run(shop: InsideShop, step: float, nth: int) -> None:
    """The run under way ends well all the same, and so does the next one; no duration is less than nothing."""
    export(shop)
    change_the_world(shop, 1)
    shop.own_clock = clock = SkewedClock(shop.clock)

    def set_clock() -> None:
        clock.skew = step

    shop.box.faults.before(set_clock, nth=nth)
    export(shop)
    assert clock.skew == step
    shop.box.faults.clear()
    change_the_world(shop, 2)
    export(shop)
    assert not re.search(r" -[\d.]+ (s|min|h)\b", shop.ccsync("logs").stdout)


@pytest.mark.parametrize(
    "start",
    [
        datetime(2038, 1, 19, 3, 13, 30, tzinfo=UTC),
        datetime(2106, 2, 7, 6, 28, 0, tzinfo=UTC),
        datetime(2028, 2, 28, 23, 59, 30, tzinfo=UTC),
        datetime(2027, 12, 31, 23, 59, 45, tzinfo=UTC),
    ],
    ids=["2038", "2106", "leap day", "new year"],
)
def test_a_run_across_an_edge_of_time(tmp_path: Path, start: datetime) -> None:
    """The end of 32 bits, signed and unsigned, 29 February and the turn of the year are days like any other."""
    with InsideShop(tmp_path, SETTINGS, start=start) as made:
        export(made)
        change_the_world(made, 1)
        made.later(minutes=30)
        export(made)
        assert str(start.year) in made.ccsync("logs", "--wide").stdout


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_hour_that_comes_twice(zone: None) -> None:
    """When summer time ends two times an hour apart show the same hour and minute, told apart by the offset."""
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert local_time(before) == "2026-10-25 02:30:00 +02:00"
    assert local_time(before + timedelta(hours=1)) == "2026-10-25 02:30:00 +01:00"


@pytest.mark.parametrize("day", [datetime(2026, 10, 25, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC)])
def test_a_run_across_a_change_of_summer_time(tmp_path: Path, zone: None, day: datetime) -> None:
    """Nothing that counts goes by local time: the run, its duration and the next one are as ever."""
    with InsideShop(tmp_path, SETTINGS, start=day + timedelta(minutes=59, seconds=50)) as shop:
        export(shop)
        (run,) = shop.latest()
        assert run.finished_at is not None
        assert 0 < (run.finished_at - run.started_at).total_seconds() < 60
        change_the_world(shop, 1)
        export(shop)


def test_the_zone_is_the_operator_s(shop: InsideShop) -> None:
    """Times are shown with their offset, in JSON as UTC, in any zone."""
    shop.ccsync("export", "--yes")
    for zone, shown in (("Pacific/Apia", "+13:00"), ("UTC", "+00:00"), ("America/St_Johns", "-03:30")):
        os.environ["TZ"] = zone
        time.tzset()
        try:
            assert shown in shop.ccsync("logs", "--wide", environ={"TZ": zone}).stdout
            assert '"started_at": "2026-11-23T12:00' in shop.ccsync("logs", "--json", environ={"TZ": zone}).stdout
        finally:
            del os.environ["TZ"]
            time.tzset()
