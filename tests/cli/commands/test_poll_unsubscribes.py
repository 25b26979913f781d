"""`ccsync poll-unsubscribes` as cron, a script and an operator meet it: words, silence, JSON, exit codes."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.canaries import leaks_in
from tests.harness import FAST
from tests.jobs.polling import accepts, join, puts
from tests.live import LiveShop

PAT, LEE, TIM = "pat@example.com", "lee@example.com", "tim@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SandboxSettings(customers=0, seed=7), FAST + "\n[state]\nkeep_days = 90\n") as made:
        yield made


def ready(shop: LiveShop, *addresses: str) -> list[int]:
    """Customers who are exported and polled."""
    accounts = join(shop, *addresses)
    assert shop.ccsync("export", "--yes").returncode == 0
    assert shop.ccsync("poll-unsubscribes").returncode == 0
    return accounts


def contents(shop: LiveShop) -> dict[str, str]:
    """What each table of the state holds, but for the ledger of calls, the tokens and the mark of the newest writer."""
    store = shop.open()
    names = [str(name) for (name,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    found = {
        name: hashlib.sha256(
            repr([row for row in store.rows(f"SELECT * FROM {name}") if row[0] != "newest_writer"]).encode()
        ).hexdigest()
        for name in names
        if name not in ("calls", "gates", "tokens")
    }
    store.close()
    return found


def check_quiet(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cron_hears_nothing_when_all_is_well(shop: LiveShop) -> None:
    """Not a byte, whether or not anything was written."""
    pat, lee = ready(shop, PAT, LEE)
    shop.box.cc.unsubscribe(PAT)
    check_quiet(shop.ccsync("poll-unsubscribes"))
    assert (accepts(shop, pat), accepts(shop, lee)) == (False, True)
    check_quiet(shop.ccsync("poll-unsubscribes"))
    check_quiet(shop.ccsync("poll-unsubscribes", "--full"))


def test_a_person_reads_what_was_done(shop: LiveShop) -> None:
    """On a terminal one sentence says how many were written and whose act a departure was."""
    ready(shop, PAT, LEE, TIM)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.leave_list(LEE, shop.list_id)
    seen = shop.on_terminal("poll-unsubscribes", "--full", columns=300)
    assert seen.code == 0
    assert "Wrote to Kibo: 2 opt-outs (1 unsubscribed, 1 left the list), 0 opt-ins" in seen.screen
    assert "1 person left the list; Constant Contact does not show whether they did so themselves." in seen.screen
    assert not leaks_in(seen.screen, set())


def test_the_run_as_json(shop: LiveShop) -> None:
    """One document with the contract's fields and the kinds captured; `logs` shows the same."""
    ready(shop, PAT)
    shop.box.cc.unsubscribe(PAT)
    run = json.loads(shop.ccsync("poll-unsubscribes", "--json").stdout)
    assert (run["job"], run["direction"], run["status"]) == ("poll-unsubscribes", "from", "COMPLETE")
    assert run["counts"] == {"unsubscribed": 1, "read": 1}
    assert json.loads(shop.ccsync("logs", "--direction", "from", "--json").stdout)[0] == run


def test_a_dry_run_changes_nothing(shop: LiveShop) -> None:
    """Neither vendor nor the state file, bookmarks included; what it plans is what the run then does."""
    pat, lee = ready(shop, PAT, LEE)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.leave_list(LEE, shop.list_id)
    before = contents(shop)
    done = shop.ccsync("poll-unsubscribes", "--dry-run", "--full", "--json")
    plan = json.loads(done.stdout)
    assert plan["id"] is None
    assert {key: plan["plan"][key] for key in ("unsubscribed", "departed", "accounts", "held")} == {
        "unsubscribed": 1, "departed": 1, "accounts": 2, "held": 0,
    }  # fmt: skip
    text = shop.ccsync("poll-unsubscribes", "--dry-run", "--full").stdout
    assert "Dry run, nothing was changed." in text
    assert "Accounts to be written: 2." in text
    assert contents(shop) == before
    assert (accepts(shop, pat), accepts(shop, lee), puts(shop)) == (True, True, [])
    run = json.loads(shop.ccsync("poll-unsubscribes", "--full", "--json").stdout)
    assert (run["counts"]["unsubscribed"], run["counts"]["departed"]) == (1, 1)


def test_the_brake(shop: LiveShop) -> None:
    """Exit 10 with the number and the option, said once a day; --accept lets them through, and that is said, too."""
    shop.config_path.write_text(shop.config_path.read_text().replace("[sync]", "[sync]\nmax_opt_outs = 1"))
    accounts = ready(shop, PAT, LEE, TIM)
    for address in (PAT, LEE):
        shop.box.cc.unsubscribe(address)
    first = shop.ccsync("poll-unsubscribes")
    assert first.returncode == 10
    assert "2 customers" in first.stderr
    assert "ccsync poll-unsubscribes --accept 2" in first.stderr
    again = shop.ccsync("poll-unsubscribes")
    assert (again.returncode, again.stderr) == (10, "")
    error = json.loads(shop.ccsync("poll-unsubscribes", "--json").stderr.splitlines()[-1])["error"]
    assert error["code"] == 10
    plan = json.loads(shop.ccsync("poll-unsubscribes", "--dry-run", "--json").stdout)["plan"]
    assert (plan["unsubscribed"], plan["held"]) == (2, 2)
    assert "--accept N" in shop.ccsync("poll-unsubscribes", "--dry-run").stdout
    done = shop.ccsync("poll-unsubscribes", "--accept", "2")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("poll-unsubscribes works again. Reported before: The consent of 2 customers")
    assert [accepts(shop, one) for one in accounts] == [False, False, True]


@pytest.mark.prints_addresses
def test_an_account_that_kibo_does_not_take(shop: LiveShop) -> None:
    """Newly failed: one line, exit 3, and `logs ID --errors` has the account and why; the same again is silent."""
    (pat,) = ready(shop, PAT)
    shop.box.cc.unsubscribe(PAT)
    shop.box.faults.add("status", method="PUT", nth=None, status=409)
    done = shop.ccsync("poll-unsubscribes")
    assert done.returncode == 3
    assert done.stderr.startswith("1 consent change was not written to Kibo: unsubscribed at Constant Contact")
    assert done.stderr.endswith(" ccsync logs 3 --errors\n")
    (record,) = json.loads(shop.ccsync("logs", "3", "--errors", "--json").stdout)
    assert (record["account_id"], record["email"], record["code"]) == (pat, PAT, "not-told")
    assert "409" in record["reason"]
    for takes_it in (False, True):
        if takes_it:
            shop.box.faults.clear()
        make_due(shop)
        check_quiet(shop.ccsync("poll-unsubscribes"))
        assert accepts(shop, pat) is not takes_it


def make_due(shop: LiveShop) -> None:
    """The half hour until the next attempt has passed, which real processes do not wait for."""
    store = shop.open()
    store.run("UPDATE tasks SET next_at = queued_at")
    store.close()


def test_a_disabled_sync_does_nothing(shop: LiveShop) -> None:
    """Exit 0 without a call and without output; on a terminal it says how to enable it."""
    (pat,) = ready(shop, PAT)
    shop.box.cc.unsubscribe(PAT)
    shop.config_path.write_text(shop.config_path.read_text().replace("[sync]", "[sync]\nenabled = false"))
    before = len(shop.box.requests.records)
    check_quiet(shop.ccsync("poll-unsubscribes"))
    assert "ccsync configure --enable" in shop.on_terminal("poll-unsubscribes", columns=200).screen
    assert len(shop.box.requests.records) == before
    assert accepts(shop, pat) is True


def test_a_log_file_tells_what_was_written_and_to_whom_not(shop: LiveShop) -> None:
    """Every call, and the account of a failure; no address, no token, no body."""
    ready(shop, PAT)
    shop.box.cc.unsubscribe(PAT)
    shop.box.faults.add("status", method="PUT", status=400, body=json.dumps({"message": PAT}))
    log = shop.folder / "poll.log"
    shop.ccsync("-vv", "--log-file", str(log), "poll-unsubscribes")
    text = log.read_text()
    assert "PUT /api/commerce/customer/accounts/" in text
    assert "was not written" in text
    assert PAT not in text
    assert not leaks_in(text, set())


def test_a_usage_error(shop: LiveShop) -> None:
    """--accept takes a number that is not negative (exit 2)."""
    assert shop.ccsync("poll-unsubscribes", "--accept", "many").returncode == 2
    assert shop.ccsync("poll-unsubscribes", "--accept", "-1").returncode == 2
