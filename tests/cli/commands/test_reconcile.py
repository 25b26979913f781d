"""`ccsync reconcile` as an operator and as cron meet it: silence, drift, the plan, CSV and JSON."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.consent.drift import Kind
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, people
from ccsync.state.database.times import to_text
from tests.cli.test_hostile_store import check_screen
from tests.cli.test_operator import check_error
from tests.live import LiveShop

PAT = "Pat.Doe@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SandboxSettings(customers=100, seed=7, hostile=True)) as made:
        made.box.kibo.add_account(emailAddress=PAT, firstName="Pat", acceptsMarketing=True)
        made.export()
        made.flush()
        made.poll(accept=1_000)
        yield made


def lose(shop: LiveShop) -> None:
    """Pat is not on the list, and nothing says why."""
    shop.box.cc.leave_list(PAT, shop.list_id)
    store = shop.open()
    person = people.person_key(store)(PAT.lower())
    store.run("DELETE FROM sent WHERE person = ?", person)
    # Events were read a moment later: else the account counts as changed since the last flush.
    store.run("UPDATE bookmarks SET at = ? WHERE stream = 'events'", to_text(shop.clock.now() + timedelta(seconds=5)))
    store.close()


def queued(shop: LiveShop) -> int:
    store = shop.open()
    count = store.number("SELECT count(*) FROM tasks WHERE kind = 'read'")
    store.close()
    return count


def test_cron_hears_nothing_when_all_is_well(shop: LiveShop) -> None:
    """No drift: exit 0 and not a byte; the log has the run."""
    done = shop.ccsync("reconcile")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    row = json.loads(shop.ccsync("logs", "--json").stdout)[0]
    assert (row["job"], row["direction"], row["status"]) == ("reconcile", "from", "COMPLETE")
    assert row["counts"]["members"] == len(shop.members())


def test_a_person_sees_the_drift(shop: LiveShop) -> None:
    """Exit 3 and the tables on stdout for whoever asks for talk; cron gets one line; nothing at all with -q."""
    lose(shop)
    mailed = shop.ccsync("reconcile")
    assert (mailed.returncode, mailed.stdout, mailed.stderr.count("\n")) == (3, "", 1)
    done = shop.ccsync("-v", "reconcile")
    assert done.returncode == 3
    (row,) = (line.split() for line in done.stdout.splitlines() if PAT in line)
    assert row[:3] == ["missing", PAT, str(shop.box.kibo.find_by_email(PAT)[0])]
    assert "ccsync reconcile --fix" in done.stdout
    quiet = shop.ccsync("-q", "reconcile")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (3, "", "")


def test_json_has_the_run_and_every_finding(shop: LiveShop) -> None:
    """One document: the run's fields, a count for every kind, the findings with address, accounts and reason."""
    lose(shop)
    done = shop.ccsync("reconcile", "--json")
    assert (done.returncode, done.stderr) == (3, "")
    found = json.loads(done.stdout)
    assert (found["job"], found["drift"], found["members"]) == ("reconcile", 1, len(shop.members()))
    assert found["kinds"].keys() == {kind.value for kind in Kind}
    assert sum(found["kinds"].values()) == len(found["findings"])
    assert found["findings"][0] == {
        "kind": "missing",
        "is_drift": True,
        "address": PAT,
        "account_ids": shop.box.kibo.find_by_email(PAT),
        "reason": "nothing keeps it off the list",
        "repair": "read",
    }
    assert all(not one["is_drift"] and one["repair"] is None for one in found["findings"][1:])


def test_json_without_a_finding(tmp_path: Path) -> None:
    """An empty list of findings is a whole document as well."""
    with LiveShop(tmp_path, SandboxSettings(customers=1, seed=3, sms_only_contacts=0)) as shop:
        for account_id in shop.box.kibo.account_ids():
            shop.box.kibo.delete_account(account_id)
        done = shop.ccsync("reconcile", "--json")
        assert (done.returncode, json.loads(done.stdout)["findings"]) == (0, [])


def test_csv_is_safe_and_whole(shop: LiveShop) -> None:
    """A line for each finding, drift first; hostile addresses compute nothing and break no line."""
    shop.box.kibo.add_account(emailAddress="=1+1..x@example.com", acceptsMarketing=True)
    lose(shop)
    done = shop.ccsync("reconcile", "--csv")
    assert done.returncode == 3
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(done.stdout.splitlines()) == len(found) + 1 > 10
    assert [one["is_drift"] for one in found] == ["true"] + ["false"] * (len(found) - 1)
    assert "'=1+1..x@example.com" in {one["address"] for one in found}
    for cell in (cell for one in found for cell in one.values()):
        assert not cell.startswith(tuple("=+-@\t\r"))


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_every_screen_is_harmless(shop: LiveShop, columns: int) -> None:
    """The tables fit and nothing steers the terminal, whatever the addresses hold."""
    lose(shop)
    shop.box.kibo.add_account(emailAddress="\x1b[2J\u202ea@example.com", acceptsMarketing=True)
    seen = shop.on_terminal("reconcile", columns=columns)
    assert seen.code == 3
    check_screen(seen.screen, columns)
    assert "missing" in seen.screen
    assert PAT in seen.screen.replace("\r\n", "")
    assert "ccsync reconcile --fix" in seen.screen
    seen = shop.on_terminal("reconcile", "--csv", columns=columns)
    assert "\x1b" not in seen.screen
    assert "\\x1b[2J\\u202ea@example.com" in seen.screen.replace("\r\n", "")


def test_fix_shows_the_plan_and_asks(shop: LiveShop) -> None:
    """A no queues nothing (exit 11); after a yes the next flush puts it right (exit 0)."""
    lose(shop)
    seen = shop.on_terminal("reconcile", "--fix", columns=200, answers={"Queue it?": "no"})
    assert seen.code == 11
    assert "To be queued: 1 to be read again by flush-events" in seen.screen
    assert "Nobody is re-subscribed" in seen.screen
    assert queued(shop) == 0
    seen = shop.on_terminal("reconcile", "--fix", columns=200, answers={"Queue it?": "yes"})
    assert seen.code == 0
    assert queued(shop) == 1
    assert PAT.lower() not in shop.members()
    assert shop.ccsync("flush-events").returncode == 0
    assert PAT.lower() in shop.members()
    assert shop.ccsync("reconcile").returncode == 0


def test_fix_without_a_terminal_wants_yes(shop: LiveShop) -> None:
    """Nothing is read and nothing is done before that is clear (exit 2); with --yes it is done."""
    lose(shop)
    asked = len(shop.box.requests.records)
    check_error(shop.ccsync("reconcile", "--fix"), 2, "nothing was done", "--fix --yes")
    assert len(shop.box.requests.records) == asked
    done = shop.ccsync("reconcile", "--fix", "--yes")
    assert done.returncode == 0
    assert "Queued: 1 to be read again by flush-events" in done.stderr
    assert queued(shop) == 1


def test_what_cannot_be_put_right_stays_drift(shop: LiveShop) -> None:
    """Someone put a forgotten person on the list: --fix says that it cannot fix that (exit 3)."""
    assert shop.ccsync("forget", PAT, "--yes").returncode == 0
    shop.box.cc.join_list(PAT, shop.list_id)
    done = shop.ccsync("reconcile", "--fix", "--yes")
    assert done.returncode == 3
    assert "Nothing to fix" in done.stderr
    assert PAT.lower() in shop.members()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--csv", "--json"], "do not go together"),
        (["--yes"], "goes with --fix"),
        (["--repair"], "--repair"),
        (["somebody@example.com"], "unexpected"),
    ],
)
def test_wrong_words(shop: LiveShop, words: list[str], text: str) -> None:
    """Usage (exit 2), before any call."""
    asked = len(shop.box.requests.records)
    done = shop.ccsync("reconcile", *words)
    assert done.returncode == 2
    assert text in done.stderr
    assert len(shop.box.requests.records) == asked


def test_no_state_file(tmp_path: Path) -> None:
    """Without a state file there is nothing to compare with (exit 6)."""
    with LiveShop(tmp_path, SandboxSettings(customers=1), logs_in=False) as empty:
        check_error(empty.ccsync("reconcile"), 6, "no state file")


def test_another_run_holds_the_lock(shop: LiveShop) -> None:
    """It renews logins and counts calls, so it takes turns with the jobs (exit 7)."""
    with Lock(shop.config.state.path, "export", "2026-11-24T09:00:00.000Z"):
        held = shop.ccsync("reconcile", "--json")
    assert held.returncode == 7
    assert "holds the lock" in json.loads(held.stderr.splitlines()[-1])["error"]["what"]


def test_a_vendor_that_cannot_be_reached(shop: LiveShop) -> None:
    """An incomplete comparison is not one (exit 8): no findings are shown."""
    shop.box.faults.add("status", vendor="kibo_tenant", nth=None, status=503)
    done = shop.ccsync("reconcile", "--json")
    assert (done.returncode, done.stdout) == (8, "")
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == 8
