"""`ccsync flush-events` as cron runs it and as an operator tries it: real processes, real streams, exit codes."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.harness import FAST
from tests.jobs.flushing import KIM, PAT, SAM, add, change
from tests.live import LiveShop

NEW = "new@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SandboxSettings(customers=0), "max_opt_outs = 12\n" + FAST) as made:
        for address in (PAT, SAM):
            add(made, address)
        add(made, KIM, acceptsMarketing=False)
        made.export()
        made.later(minutes=30)
        yield made


def test_a_run_that_did_its_work_says_nothing(shop: LiveShop) -> None:
    """Under cron: exit 0, no byte on stdout or stderr, and the work is done."""
    add(shop, NEW)
    done = shop.ccsync("flush-events")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert NEW in shop.members()


def test_json_is_the_run(shop: LiveShop) -> None:
    """`--json` prints one document, as `logs ID --json` does; it counts events by topic and outcomes by kind."""
    add(shop, NEW)
    change(shop, PAT, acceptsMarketing=False)
    run = json.loads(shop.ccsync("flush-events", "--json").stdout)
    assert (run["job"], run["direction"], run["status"]) == ("flush-events", "to", "COMPLETE")
    assert run["counts"]["added"] == run["counts"]["removed"] == 1
    assert run["counts"]["events_created"] >= 2
    assert json.loads(shop.ccsync("logs", str(run["id"]), "--json").stdout) == run


def test_the_dry_run_shows_each_account_and_changes_nothing(shop: LiveShop) -> None:
    """What would be done about whom, and why; not even a bookmark moves, and the real run then does just that."""
    new = add(shop, NEW)
    bad = add(shop, "no at sign")
    for address, fields in (
        (PAT, {"lastName": "Newname"}),
        (SAM, {"acceptsMarketing": False}),
        (KIM, {"taxExempt": True}),
    ):
        change(shop, address, **fields)
    store = shop.open()
    before = store.rows("SELECT * FROM bookmarks") + store.rows("SELECT count(*) FROM events")
    store.close()
    asked = len(shop.requests())
    plan = json.loads(shop.ccsync("flush-events", "--dry-run", "--json").stdout)
    store = shop.open()
    assert store.rows("SELECT * FROM bookmarks") + store.rows("SELECT count(*) FROM events") == before
    store.close()
    assert not [one for one in shop.requests()[asked:] if one.startswith(("POST /v3", "PUT", "DELETE"))]
    assert plan["id"] is None
    acts = {one["account_id"]: one["act"] for one in plan["plan"]["accounts"]}
    ids = {address: shop.box.kibo.find_by_email(address)[0] for address in (PAT, SAM, KIM)}
    assert acts == {
        new: "added", bad: "rejected", ids[PAT]: "updated", ids[SAM]: "removed", ids[KIM]: "unchanged",
    }  # fmt: skip
    assert all(one["reason"] for one in plan["plan"]["accounts"])
    run = json.loads(shop.ccsync("flush-events", "--json").stdout)
    for kind in ("added", "updated", "removed", "unchanged", "rejected"):
        assert run["counts"][kind] == plan["counts"][kind] == 1, kind
    shown = shop.ccsync("flush-events", "--dry-run")
    assert "No customer has changed." in shown.stdout


def test_what_is_due_is_said_once_a_day(tmp_path: Path) -> None:
    """Before the first export, cron mails this once, not every 30 minutes."""
    with LiveShop(tmp_path, SandboxSettings(customers=0)) as shop:
        add(shop, PAT)
        first = shop.ccsync("flush-events")
        add(shop, SAM)  # another number is no other news
        second = shop.ccsync("flush-events")
        assert (first.returncode, second.returncode) == (0, 0)
        assert "ccsync export --dry-run" in first.stderr
        assert second.stderr == ""


def test_an_error_is_told_once_a_day_and_by_its_code_each_time(shop: LiveShop) -> None:
    """The list was deleted: cron mails it once; the exit code is the same in every run."""
    add(shop, NEW)
    shop.box.cc.delete_list(shop.list_id)
    first, second = shop.ccsync("flush-events"), shop.ccsync("flush-events")
    assert (first.returncode, second.returncode) == (9, 9)
    assert "no longer exists" in first.stderr
    assert second.stderr == ""
    assert json.loads(shop.ccsync("flush-events", "--json").stderr.splitlines()[-1])["error"]["code"] == 9


def test_the_brake_names_the_number_and_the_option(shop: LiveShop) -> None:
    """Exit 10; the command in the message lets exactly those through."""
    addresses = [f"p{number}@example.com" for number in range(20)]
    for address in addresses:
        add(shop, address)
    shop.ccsync("flush-events")
    for address in addresses[:13]:
        change(shop, address, acceptsMarketing=False)
    over_the_limit = shop.ccsync("flush-events")
    assert over_the_limit.returncode == 10
    assert "ccsync flush-events --accept 13" in over_the_limit.stderr
    assert len(shop.members()) == 22
    shown = shop.ccsync("flush-events", "--dry-run")
    assert "The safety limit would keep 13 people" in shown.stdout
    assert shop.ccsync("flush-events", "--accept", "13").returncode == 0
    assert len(shop.members()) == 9


def test_disabled_it_is_silent(shop: LiveShop) -> None:
    """enabled = false: exit 0, no word, no call."""
    text = shop.config_path.read_text().replace("[sync]\n", "[sync]\nenabled = false\n")
    shop.config_path.write_text(text)
    asked = len(shop.requests())
    done = shop.ccsync("flush-events")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(shop.requests()) == asked


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_next_run_finishes(shop: LiveShop, number: int, code: int) -> None:
    """Stopped in the middle: its code, INTERRUPTED in the log, nothing lost."""
    add(shop, NEW)
    process = shop.start("flush-events")
    shop.box.faults.before(lambda: process.send_signal(number), path="/v3/contact_lists", nth=1)
    _, errors = process.communicate(timeout=60)
    shop.box.faults.clear()
    assert process.returncode == code
    assert "Stopped" in errors
    assert shop.latest()[0].status == "INTERRUPTED"
    assert shop.ccsync("flush-events").returncode == 0
    assert NEW in shop.members()


def test_newly_rejected_records_are_exit_3_once(shop: LiveShop) -> None:
    """A bad address is news in one run."""
    add(shop, "no at sign")
    first, second = shop.ccsync("flush-events"), shop.ccsync("flush-events")
    assert (first.returncode, second.returncode) == (3, 0)
    assert "logs" in first.stderr
    assert second.stderr == ""
