"""`ccsync forget` as an operator meets it: the question, the receipt, and what is refused."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock
from tests.canaries import leaks_in
from tests.cli.test_hostile_store import account_id_of, check_screen
from tests.cli.test_operator import check_error
from tests.jobs.forgetting import rows_about, suppressions_of, traces
from tests.live import LiveShop

PAT = "Pat.Doe@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SandboxSettings(customers=100, seed=7, hostile=True)) as made:
        made.box.kibo.add_account(emailAddress=PAT, firstName="Pat", acceptsMarketing=True)
        made.box.kibo.add_account(emailAddress=PAT.upper(), firstName="Pat", acceptsMarketing=False)
        assert made.ccsync("export", "--yes").returncode == 3
        yield made


def test_the_receipt(shop: LiveShop) -> None:
    """It lists what was erased, what is kept, and what remains to be done at both vendors."""
    log = shop.folder / "ccsync.log"
    done = shop.ccsync("-vv", "--log-file", str(log), "forget", PAT, "--yes")
    assert done.returncode == 0, done.stderr
    assert not leaks_in(done.stderr, set())
    first, second = sorted(shop.box.kibo.find_by_email(PAT))
    for words in (f"Forgotten      {PAT}", "removed (1)", "consent ledger: 1", "keyed hash",
                  f"this person's customer accounts: {first}, {second} (1 of them still opted in)",
                  "delete the contact by hand", "Backups"):  # fmt: skip
        assert words in done.stdout
    assert PAT.lower() not in shop.members()
    assert traces(shop, PAT) == []
    assert log.read_text()
    row = json.loads(shop.ccsync("logs", "--json").stdout)[0]
    assert (row["job"], row["direction"], row["status"]) == ("forget", "to", "COMPLETE")
    assert row["counts"] == {"removed": 1, "forgotten": 1}


def test_the_other_commands_tell_of_it(shop: LiveShop) -> None:
    """`why` says why the person is not on the list, `status` counts them, `consent` has no row any more."""
    shop.ccsync("forget", PAT, "--yes")
    assert "asked to be forgotten" in shop.ccsync("why", PAT).stdout
    assert json.loads(shop.ccsync("status", "--json").stdout)["suppressed"]["forgotten"] == 1
    assert shop.ccsync("consent", PAT, "--json").stdout == "[]\n"


def test_the_receipt_as_json(shop: LiveShop) -> None:
    """One document on stdout, times in UTC, the accounts with what they say."""
    done = shop.ccsync("forget", PAT, "--yes", "--json")
    receipt = json.loads(done.stdout)
    assert done.stderr == ""
    assert receipt["is_known"] is True
    assert receipt["address"] == PAT
    assert receipt["at"].endswith("Z")
    assert receipt["taken_off_list"] == receipt["contacts"] == 1
    assert {"consent", "contacts", "accounts", "account_addresses", "sent", "history"} <= receipt["erased"].keys()
    assert [one["kind"] for one in receipt["kept"]] == ["forgotten"]
    first, second = sorted(shop.box.kibo.find_by_email(PAT))
    assert receipt["kibo_accounts"] == [
        {"account_id": first, "opts_in": True},
        {"account_id": second, "opts_in": False},
    ]
    assert len(receipt["to_do"]) == 3


def test_it_asks_first(shop: LiveShop) -> None:
    """At a terminal a yes is wanted; a no changes nothing (exit 11)."""
    asked = len(shop.box.requests.records)
    seen = shop.on_terminal("forget", PAT, answers={"Forget this person?": "no"})
    assert seen.code == 11
    assert "cannot be undone" in seen.screen
    assert "Nothing was changed" in seen.screen
    assert len(shop.box.requests.records) == asked
    assert PAT.lower() in shop.members()
    assert rows_about(shop, PAT)["consent"] == 1
    seen = shop.on_terminal("forget", PAT, answers={"Forget this person?": "yes"})
    assert seen.code == 0
    assert PAT.lower() not in shop.members()


def test_without_a_terminal_it_wants_yes(shop: LiveShop) -> None:
    """Nothing prompts and nothing is changed: the option is named (exit 2)."""
    before = rows_about(shop, PAT)
    check_error(shop.ccsync("forget", PAT), 2, "nothing was changed", "--yes")
    assert rows_about(shop, PAT) == before
    assert suppressions_of(shop, PAT) == []


def test_an_unknown_address(shop: LiveShop) -> None:
    """A typo cannot suppress anyone: the message says so and nothing changes (exit 0).

    Constant Contact is asked whose contact has the address, and nothing else.
    """
    asked = len(shop.requests("", "")) - len(shop.requests("GET", "/v3/contacts"))
    done = shop.ccsync("forget", "nobody@example.com")
    assert (done.returncode, done.stderr) == (0, "")
    assert "has nothing about this address. Nothing was changed" in done.stdout
    assert json.loads(shop.ccsync("forget", "nobody@example.com", "--json").stdout)["is_known"] is False
    assert len(shop.requests("", "")) - len(shop.requests("GET", "/v3/contacts")) == asked
    assert suppressions_of(shop, "nobody@example.com") == []
    assert len(json.loads(shop.ccsync("logs", "--json").stdout)) == 1


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_every_screen_is_harmless(shop: LiveShop, columns: int) -> None:
    """A hostile address, passed on from the list of rejected records, cannot drive the terminal."""
    rejected = json.loads(shop.ccsync("logs", "1", "--errors", "--json").stdout)
    address = next(one["email"] for one in rejected if one["account_id"] == account_id_of("escape_address"))
    assert "\x1b" in address
    seen = shop.on_terminal("forget", address, columns=columns, answers={"Forget this person?": "yes"})
    assert seen.code == 0
    check_screen(seen.screen, columns)
    assert (
        "cannot look up such an address" in seen.screen.replace("\r\n", " ")
        or str(account_id_of("escape_address")) in seen.screen
    )
    assert rows_about(shop, address).keys() == {"suppressions"}


@pytest.mark.parametrize(
    ("words", "text"),
    [([], "ADDRESS"), ([" "], "empty"), (["a@example.com", "b@example.com"], "unexpected"), ([PAT, "--no"], "--no")],
)
def test_wrong_words(shop: LiveShop, words: list[str], text: str) -> None:
    """Usage (exit 2)."""
    done = shop.ccsync("forget", *words)
    assert done.returncode == 2
    assert text in done.stderr


def test_no_state_file(tmp_path: Path) -> None:
    """Without a state file nobody can be forgotten, and that is an error (exit 6)."""
    with LiveShop(tmp_path, SandboxSettings(customers=1), logs_in=False) as empty:
        check_error(empty.ccsync("forget", PAT, "--yes"), 6, "no state file")


def test_another_run_holds_the_lock(shop: LiveShop) -> None:
    """It is a writer (exit 7)."""
    with Lock(shop.config.state.path, "export", "2026-11-24T09:00:00.000Z"):
        check_error(shop.ccsync("forget", PAT, "--yes"), 7, "holds the lock")


def test_a_vendor_that_cannot_be_reached(shop: LiveShop) -> None:
    """Nothing is erased before the person is off the list (exit 8), and the next one finishes."""
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=503)
    check_error(shop.ccsync("forget", PAT, "--yes"), 8, "Constant Contact")
    assert rows_about(shop, PAT)["consent"] == 1
    shop.box.faults.clear()
    assert shop.ccsync("forget", PAT, "--yes").returncode == 0
    assert traces(shop, PAT) == []


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
def test_a_killed_one_is_finished_by_the_next(shop: LiveShop, after: bool) -> None:
    """A real process dies at the removal; the next one leaves nothing behind."""
    process: list[subprocess.Popen[str]] = []

    def strike() -> None:
        os.kill(process[0].pid, signal.SIGKILL)

    def strike_once_removed() -> None:
        if shop.requests("POST", "remove_list_memberships") and process[0].poll() is None:
            strike()

    if after:
        shop.after_each_call(strike_once_removed)
    else:
        shop.box.faults.before(strike, path=".*remove_list_memberships", method="POST")
    process.append(shop.start("forget", PAT, "--yes"))
    process[0].communicate(timeout=60)
    assert process[0].returncode == -signal.SIGKILL
    assert rows_about(shop, PAT)["consent"] == 1
    shop.box.faults.clear()
    assert shop.ccsync("forget", PAT, "--yes").returncode == 0
    assert PAT.lower() not in shop.members()
    assert traces(shop, PAT) == []
