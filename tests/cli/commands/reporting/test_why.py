"""`ccsync why`: one sentence that is true, and below it everything that was decided, without a call."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.models import Event
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import events
from ccsync.state.outbox import queue
from tests.canaries import leaks_in
from tests.cli.test_hostile_store import check_screen
from tests.live import LiveShop

PAT, SAM = "pat@example.com", "sam@example.com"
PARTS = {"asked", "known", "standing", "verdict", "email", "next_attempt_at", "accounts", "contact", "suppressions",
         "queue", "leaving", "untold", "tags", "former", "steps", "runs"}  # fmt: skip
LISTED = 'On the list "Web shop customers" since '


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    """Pat (1001) and Sam (1002), who opted in and were exported; their events are done."""
    with LiveShop(tmp_path, SandboxSettings(customers=0)) as made:
        for address in (PAT, SAM):
            made.box.kibo.add_account(emailAddress=address, firstName="Pat", acceptsMarketing=True)
        made.export()
        made.flush()
        yield made


def why(shop: LiveShop, asked: str) -> dict[str, object]:
    done = shop.ccsync("why", asked, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    assert set(found) == PARTS
    return found


def steps(shop: LiveShop, asked: str, kind: str) -> list[dict[str, object]]:
    found = why(shop, asked)["steps"]
    assert isinstance(found, list)
    return [one for one in found if one["kind"] == kind]


def check(shop: LiveShop, asked: str, standing: str, words: str) -> None:
    """The verdict, to a program and to a person: it is the first line."""
    found = why(shop, asked)
    assert found["standing"] == standing, found["verdict"]
    assert words in str(found["verdict"])
    assert shop.ccsync("why", asked).stdout.splitlines()[0] == found["verdict"]


# what it says


def test_somebody_on_the_list(shop: LiveShop) -> None:
    """What was sent is shown as field names and a fingerprint, with run and reason, but without values."""
    check(shop, PAT, "listed", LISTED)
    (sent,) = steps(shop, PAT, "sent")
    assert (sent["what"], sent["why"], sent["run_id"], sent["account_id"]) == ("added", "not on the list yet", 1, 1001)
    assert sent["fields"] == ["email", "first_name"]
    assert len(bytes.fromhex(str(sent["fingerprint"]))) == 16
    text = shop.ccsync("why", PAT).stdout
    assert f"sent email, first_name; fingerprint {str(sent['fingerprint'])[:12]}" in text
    assert "Pat" not in text.replace("pat@", "")


def test_an_address_in_any_case(shop: LiveShop) -> None:
    """`PAT@Example.COM` with blanks around it is Pat, and so is her account's number."""
    expected = {**why(shop, PAT), "asked": None}
    assert {**why(shop, " PAT@Example.COM "), "asked": None} == expected
    assert {**why(shop, "1001"), "asked": None} == expected


def test_somebody_who_unsubscribed(shop: LiveShop) -> None:
    """The question this is made for: the store says yes, and she is not on the list."""
    shop.box.cc.unsubscribe(PAT)
    shop.box.kibo.update_account(1001, lastName="New")
    shop.flush()
    check(shop, PAT, "not-listed", "unsubscribed at Constant Contact on ")
    assert "Account 1001 has opted in, but that does not count here." in str(why(shop, PAT)["verdict"])
    (decision,) = steps(shop, PAT, "decision")
    assert decision["what"] == "suppressed"
    changes = [one["what"] for one in steps(shop, PAT, "consent")]
    assert sorted(map(str, changes)) == ["opted-in", "unsubscribed"]
    (suppression,) = why(shop, PAT)["suppressions"]  # type: ignore[misc]
    assert (suppression["kind"], suppression["list_id"]) == ("unsubscribed", None)
    check(shop, SAM, "listed", LISTED)


def test_what_kibo_does_not_take_of_her(shop: LiveShop) -> None:
    """An unsubscribe that could not be written to the store yet is shown with its next attempt until it is."""
    shop.box.cc.unsubscribe(PAT)
    shop.box.faults.add("wrong-body", path="/api/commerce/customer/accounts/1001", nth=None, body="{")
    shop.ccsync("poll-unsubscribes")
    (untold,) = why(shop, PAT)["untold"]  # type: ignore[misc]
    assert (untold["kind"], untold["attempts"]) == ("unsubscribed", 1)
    assert "JSON" in untold["last_error"]
    assert "To Kibo (unsubscribed)" in shop.ccsync("why", PAT).stdout
    status = json.loads(shop.ccsync("status", "--json").stdout)
    assert status["untold"]["failing"] == 1
    shop.box.faults.clear()
    store = shop.open()
    store.run("UPDATE tasks SET next_at = queued_at")
    store.close()
    assert shop.ccsync("poll-unsubscribes").returncode == 0
    assert why(shop, PAT)["untold"] == []
    assert shop.box.kibo.account(1001)["acceptsMarketing"] is False
    assert "unsubscribed" in str(steps(shop, PAT, "decision"))


def test_somebody_who_opted_out_in_the_store(shop: LiveShop) -> None:
    """From the observed change to the removal, with its reason."""
    shop.box.kibo.update_account(1001, acceptsMarketing=False)
    shop.flush()
    check(shop, PAT, "not-listed", "opted out in the store on ")
    assert [one["what"] for one in steps(shop, PAT, "decision")] == ["removed"]
    assert why(shop, PAT)["accounts"] == [
        {**one, "accepts_marketing": False, "has_this_address": True}
        for one in why(shop, PAT)["accounts"]  # type: ignore[attr-defined]
    ]


def test_somebody_whom_the_brake_holds(shop: LiveShop) -> None:
    """She is still on the list, and it says why the removal does not go out."""
    shop.config_path.write_text(shop.config_path.read_text().replace("[sync]", "[sync]\nmax_opt_outs = 1"))
    for account_id in (1001, 1002):
        shop.box.kibo.update_account(account_id, acceptsMarketing=False)
    assert shop.ccsync("flush-events").returncode == 10
    assert PAT in shop.members()
    check(shop, PAT, "leaving", "the safety limit stopped the removal")
    assert why(shop, PAT)["leaving"] == "opted-out"


def test_a_contact_that_was_renamed(shop: LiveShop) -> None:
    """Its new address is that of the contact that ccsync added, and not of a stranger."""
    shop.box.cc.rename(PAT, "moved@example.com")
    shop.poll(is_full=True)
    check(shop, PAT, "listed", "under another address")
    check(shop, "moved@example.com", "listed", "it is the contact of account 1001")
    seen = shop.ccsync("why", "moved@example.com").stdout
    assert "added by ccsync with the address of account 1001, and moved here since" in seen


def test_a_new_address(shop: LiveShop) -> None:
    """The answer for the account has both addresses; for the old one it says that it was left alone."""
    shop.box.kibo.update_account(1001, emailAddress="new@example.com")
    shop.flush()
    found = why(shop, "1001")
    assert found["standing"] == "listed"
    (former,) = found["former"]  # type: ignore[misc]
    assert (former["email"], former["standing"]) == (PAT, "listed")
    assert "Account 1001 has a different address now; this one was left alone." in former["verdict"]
    acts = [(one["what"], one["email"]) for one in found["steps"] if one["kind"] != "event"]  # type: ignore[attr-defined]
    assert ("left alone", PAT) in acts
    check(shop, PAT, "listed", "was left alone")
    check(shop, "new@example.com", "listed", LISTED)


def test_a_rejected_record(shop: LiveShop) -> None:
    """The reason is the verdict, by number and by the address that was rejected; repeated it is one entry."""
    shop.box.kibo.add_account(emailAddress="no at example", acceptsMarketing=True)
    shop.export()
    shop.later(days=1)
    shop.export()
    for asked in ("1003", "no at example"):
        check(shop, asked, "not-listed", "the record was rejected. emailAddress has a blank inside")
        (entry,) = steps(shop, asked, "rejected")
        assert (entry["what"], entry["run_id"]) == ("bad-address", 3)
        assert entry["until"] > entry["at"]  # type: ignore[operator]


@pytest.mark.undescribed
def test_a_record_whose_consent_is_unknown(shop: LiveShop) -> None:
    """Nothing is remembered of such an account but its rejection; the address finds it in any case of letters."""
    shop.box.kibo.add_account(emailAddress="Null@Example.com", acceptsMarketing=None)
    shop.flush()
    for asked in ("1003", "null@example.com"):
        check(shop, asked, "not-listed", "the record was rejected. acceptsMarketing is neither true nor false.")
        assert [one["what"] for one in steps(shop, asked, "rejected")] == ["consent-unknown"]


def test_an_account_whose_address_cannot_be_used_any_more(shop: LiveShop) -> None:
    """It was redacted, or anonymized, as far as can be told: it is treated as deleted, and its person is forgotten."""
    shop.box.kibo.update_account(1001, emailAddress="no at example")
    shop.flush()
    check(shop, "1001", "not-listed", "has no address")
    check(shop, PAT, "unknown", "ccsync does not know this address")
    assert why(shop, PAT)["queue"] == []


def test_an_account_that_cannot_be_read(shop: LiveShop) -> None:
    """The time of its next attempt is shown; for a pending one that is the next flush."""
    shop.box.kibo.update_account(1001, lastName="New")
    shop.box.faults.add("wrong-body", path="/api/commerce/customer/accounts/1001", nth=None, body="{")
    shop.flush()
    found = why(shop, PAT)
    assert "is waiting for a retry after 1 attempt. Kibo:" in str(found["verdict"])
    (queued,) = found["queue"]  # type: ignore[misc]
    assert (queued["status"], queued["attempts"]) == ("retrying", 1)
    assert found["next_attempt_at"] == queued["next_at"]
    assert "Next attempt" in shop.ccsync("why", PAT).stdout


def test_a_change_that_waits(shop: LiveShop) -> None:
    """An event that was pulled and not dealt with yet; its turn is the next flush."""
    shop.box.kibo.add_account(emailAddress="new@example.com", acceptsMarketing=True)
    shop.ccsync("events", "--refresh")
    check(shop, "1003", "waiting", "a change of account 1003 is waiting for the next flush-events.")
    upcoming = json.loads(shop.ccsync("events", "--json").stdout)["next_run_at"]
    assert why(shop, "1003")["next_attempt_at"] == upcoming
    (first, second) = steps(shop, "1003", "event")
    assert first["until"] is None
    assert first["event_id"] != second["event_id"]
    assert "event: created, 2 times" in shop.ccsync("why", "1003").stdout, "an event for each site"


def test_a_deleted_account(shop: LiveShop) -> None:
    """Its number still shows the deletion; nothing is known about the address any more."""
    shop.box.kibo.delete_account(1001)
    shop.flush()
    check(shop, "1001", "not-listed", "the account was deleted in the store")
    check(shop, PAT, "unknown", "or its account was deleted.")


def test_somebody_who_never_opted_in(shop: LiveShop) -> None:
    """For an account that was read and says no, the answer says that."""
    shop.box.kibo.add_account(emailAddress="kim@example.com", acceptsMarketing=False)
    shop.flush()
    check(shop, "1003", "not-listed", "account 1003 has not opted in")


@pytest.mark.parametrize("asked", ["nobody@example.com", "4711", "999999999999999999", "99999999999999999999", "x"])
def test_nobody(shop: LiveShop, asked: str) -> None:
    """That nothing is known is an answer (exit 0), and says why that may be."""
    found = why(shop, asked)
    assert (found["known"], found["standing"], found["steps"]) == (False, "unknown", [])
    assert "ccsync does not remember people who never opted in" in str(found["verdict"])


@pytest.mark.parametrize("words", [[], [""], [" "], [PAT, SAM]])
def test_one_person_at_a_time(shop: LiveShop, words: list[str]) -> None:
    """Giving none or two is a usage error whose message repeats no address."""
    done = shop.ccsync("why", *words)
    assert done.returncode == 2
    assert not leaks_in(done.stderr, set())


def test_before_the_first_export(tmp_path: Path) -> None:
    """Until an export has finished, that is why."""
    with LiveShop(tmp_path, SandboxSettings(customers=0)) as shop:
        shop.box.kibo.add_account(emailAddress=PAT, acceptsMarketing=True)
        check(shop, PAT, "unknown", "ccsync learns who has opted in from the first export")
        shop.flush()
        check(shop, "1001", "waiting", "the first export has not finished")


def test_the_story_is_in_time_order_and_names_its_runs(shop: LiveShop) -> None:
    """No step is of an earlier second than the one before; each run that is named is there."""
    shop.box.kibo.update_account(1001, lastName="New")
    shop.flush()
    found = why(shop, PAT)
    seconds = [one["at"][:19] for one in found["steps"]]  # type: ignore[attr-defined]
    assert seconds == sorted(seconds)
    named = {one["run_id"] for one in found["steps"] if one["run_id"]}  # type: ignore[attr-defined]
    assert {one["id"]: one["job"] for one in found["runs"]} == {1: "export", 3: "flush-events"}  # type: ignore[attr-defined]
    assert named == {1, 3}


# how it behaves


def test_no_call_is_made_and_no_address_leaks(shop: LiveShop) -> None:
    """No vendor is called; the address is only on stdout and in no log."""
    log = shop.folder / "ccsync.log"
    before = shop.box.requests.calls.copy()
    done = shop.ccsync("-vv", "--log-file", str(log), "why", PAT)
    assert done.returncode == 0
    assert shop.box.requests.calls == before
    assert PAT in done.stdout
    for text in (done.stderr, log.read_text()):
        assert not leaks_in(text, set())
    assert not leaks_in(done.stdout, {"address"})


def test_json_is_one_document(shop: LiveShop) -> None:
    """Programs read it, escaped to ASCII."""
    done = shop.ccsync("why", "ünï@example.com", "--json")
    assert done.stdout.isascii()
    checked = subprocess.run(
        [sys.executable, "-m", "json.tool"], input=done.stdout, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, done.stderr) == (0, "")


@pytest.mark.prints_addresses
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_hostile_people_are_harmless(shop: LiveShop, columns: int) -> None:
    """Whatever was typed or came from a store or a vendor, the screen stays intact."""
    evil = "\x1b[2J\x07evil\u202e\r\nrow\x9b31m@example.com"
    hostile = shop.box.kibo.add_account(emailAddress=evil, acceptsMarketing=True)
    shop.export()
    shop.box.kibo.update_account(1001, emailAddress="x" * 40 + "@example.com")
    shop.flush()
    store = shop.open()
    queue.note_failure(store, hostile, 8, datetime.now(UTC), "\x1b[2J " + "漢字" * 60, is_parked=True)
    store.close()
    for asked in (evil, str(hostile), "1001", PAT, "x" * 40 + "@example.com", "\x1b]0;x\x07"):
        seen = shop.on_terminal("why", asked, columns=columns)
        assert seen.code == 0
        check_screen(seen.screen, columns)


def test_ten_thousand_events_of_one_account(shop: LiveShop) -> None:
    """The history of a busy account is complete."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    many = [Event(f"{n:032x}", "customeraccount.updated", 1001, start + timedelta(seconds=n)) for n in range(10_000)]
    store = shop.open()
    with store.transaction():
        events.take_in(store, many, start)
    store.close()
    assert len(steps(shop, PAT, "event")) == 10_002
    done = shop.ccsync("why", PAT, "--wide")
    assert done.stdout.startswith(LISTED)
    assert len(done.stdout.splitlines()) > 10_000
