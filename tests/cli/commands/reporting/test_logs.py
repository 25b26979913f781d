"""`ccsync logs`: what is rejected now over all runs, runs since a time, and both as CSV."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.inside import InsideShop

BAD = "two@@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    """Two accounts that are rejected; the second run, which has events about both, met one for the second time."""
    with InsideShop(tmp_path, SandboxSettings(customers=3, seed=7)) as made:
        made.box.kibo.add_account(emailAddress=BAD, acceptsMarketing=True)
        made.ccsync("export", "--yes")
        made.box.kibo.add_account(emailAddress="=1+1@@example.com", acceptsMarketing=True)
        made.later(days=1)
        made.ccsync("flush-events")
        made.later(days=1)
        made.ccsync("poll-unsubscribes")
        yield made


def test_everything_that_is_rejected_now(shop: InsideShop) -> None:
    """Each record once, with the run that has it, the newest first; `status` counts the same and points there."""
    found = json.loads(shop.ccsync("logs", "--rejected", "--json").stdout)
    assert [(one["run_id"], one["email"]) for one in found] == [(2, "=1+1@@example.com"), (2, BAD)]
    assert all("more than one @" in one["reason"] for one in found)
    shown = shop.ccsync("logs", "--rejected").stdout
    assert BAD in shown
    assert "more than one @" in shown
    assert "2 accounts are left out" in shop.ccsync("status").stdout
    assert "ccsync logs --rejected" in shop.ccsync("status").stdout


def test_what_was_mended_is_not_rejected_any_more(shop: InsideShop) -> None:
    """The run still shows it, but the list of current rejections does not."""
    for account_id in shop.box.kibo.account_ids():
        if "@@" in str(shop.box.kibo.account(account_id)["emailAddress"]):
            shop.box.kibo.update_account(account_id, emailAddress=f"good{account_id}@example.com")
    shop.later(minutes=30)
    assert shop.ccsync("flush-events").returncode == 0
    assert json.loads(shop.ccsync("logs", "--rejected", "--json").stdout) == []
    assert "No record is rejected now." in shop.ccsync("logs", "--rejected").stderr
    assert len(json.loads(shop.ccsync("logs", "1", "--errors", "--json").stdout)) == 1


def test_the_log_may_have_forgotten_the_run(shop: InsideShop) -> None:
    """Then the code is shown instead of the reason."""
    store = shop.open()
    store.run("DELETE FROM rejected")
    store.close()
    found = json.loads(shop.ccsync("logs", "--rejected", "--json").stdout)
    assert [(one["run_id"], one["email"]) for one in found] == [(2, None), (1, None)]
    assert all(one["reason"] == one["code"] for one in found)


def test_as_csv(shop: InsideShop) -> None:
    """A header and a line each, and nothing that a spreadsheet would compute."""
    rows = list(csv.DictReader(io.StringIO(shop.ccsync("logs", "--rejected", "--csv").stdout)))
    assert [row["email"] for row in rows] == ["'=1+1@@example.com", BAD]
    assert [row["run_id"] for row in rows] == ["2", "2"]
    runs = list(csv.DictReader(io.StringIO(shop.ccsync("logs", "--csv").stdout)))
    assert [row["job"] for row in runs] == ["poll-unsubscribes", "flush-events", "export"]
    (row,) = csv.DictReader(io.StringIO(shop.ccsync("logs", "1", "--errors", "--csv").stdout))
    assert row["email"] == BAD


def test_runs_since_a_time(shop: InsideShop) -> None:
    """By the machine's own days, or how long ago; the real clock says what is in the future."""
    store = shop.open()
    for run_id, at in ((1, "2020-01-01T00:00"), (2, "2020-06-01T12:00"), (3, "2021-01-01T00:00")):
        store.run("UPDATE runs SET started_at = ? WHERE id = ?", f"{at}:00.000Z", run_id)
    store.close()
    since = {"2019-12-30": [3, 2, 1], "2020-06-01T12:00:00Z": [3, 2], "2020-12-01": [3], "3d": []}
    for text, expected in since.items():
        found = json.loads(shop.ccsync("logs", "--since", text, "--json").stdout)
        assert [one["id"] for one in found] == expected
    assert shop.ccsync("logs", "--since", "soon").returncode == 2


@pytest.mark.parametrize("words", [["--rejected", "--errors"], ["1", "--rejected"], ["--csv", "--json"]])
def test_what_does_not_go_together(shop: InsideShop, words: list[str]) -> None:
    """Usage, exit 2."""
    assert shop.ccsync("logs", *words).returncode == 2
