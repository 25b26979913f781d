"""What cron's two jobs have in common."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.inside import InsideShop, SkewedClock

YEAR = 365 * 86_400.0
DIRECTIONS = {"flush-events": "to", "poll-unsubscribes": "from"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=3)) as made:
        made.edit("[sync]\n", "[sync]\nenabled = false\n")
        yield made


@pytest.mark.parametrize("job", DIRECTIONS)
def test_a_disabled_job_with_json_prints_its_run(shop: InsideShop, job: str) -> None:
    """A program gets the object it asked for, of a run that was none: no id, no counts, and why; no call is made."""
    before = len(shop.box.requests.records)
    done = shop.ccsync(job, "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (shown["id"], shown["job"], shown["direction"], shown["status"]) == (None, job, DIRECTIONS[job], "COMPLETE")
    assert (shown["total_contacts"], shown["errors"], shown["counts"]) == (0, 0, {})
    assert "disabled" in shown["message"]
    assert shown["started_at"] == shown["finished_at"]
    assert len(shop.box.requests.records) == before
    assert shop.latest() == []


@pytest.mark.parametrize("job", DIRECTIONS)
def test_a_disabled_job_is_silent_under_cron(shop: InsideShop, job: str) -> None:
    """Without a terminal and without --json not a word, and no call."""
    before = len(shop.box.requests.records)
    done = shop.ccsync(job)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(shop.box.requests.records) == before


@pytest.mark.parametrize("job", DIRECTIONS)
def test_a_dry_run_of_a_disabled_job_tells_what_it_would_do(shop: InsideShop, job: str) -> None:
    """A dry run shows the plan even while the sync is disabled."""
    done = shop.ccsync(job, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert "plan" in json.loads(done.stdout)


@pytest.mark.parametrize("skew", [-30 * 86_400.0, 600.0, YEAR, 5 * YEAR])
def test_what_is_said_once_a_day_is_so_after_a_wrong_clock(shop: InsideShop, skew: float) -> None:
    """An error that was said on a day of a wrong clock is said on the right day again, and then once."""
    shop.edit("enabled = false\n", "")
    shop.edit(f'list_id = "{shop.list_id}"', 'list_id = "00000000-0000-0000-0000-000000000000"')
    shop.own_clock = clock = SkewedClock(shop.clock, skew)
    assert "Error" in shop.ccsync("poll-unsubscribes").stderr
    clock.skew = 0.0
    said = [shop.ccsync("poll-unsubscribes").stderr for _ in range(3)]
    assert sum("Error" in one for one in said) == (0 if skew == 600.0 else 1)
    shop.later(days=1)
    assert "Error" in shop.ccsync("poll-unsubscribes").stderr


@pytest.mark.parametrize("job", DIRECTIONS)
@pytest.mark.parametrize(("skew", "text"), [(YEAR, "ahead of"), (-3_600.0, "behind"), (120.0, "")])
def test_a_wrong_clock_is_named_once_a_day(shop: InsideShop, job: str, skew: float, text: str) -> None:
    """The work is still done, and a clock that is slightly off is not reported."""
    shop.edit("enabled = false\n", "")
    assert shop.ccsync("export", "--yes").returncode in (0, 3)
    shop.own_clock = SkewedClock(shop.clock, skew)
    first, second = shop.ccsync(job), shop.ccsync(job)
    assert (first.returncode, second.returncode) == (0, 0)
    assert ("This machine's clock is " in first.stderr) is bool(text)
    assert text in first.stderr
    assert "clock" not in second.stderr
