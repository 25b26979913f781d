"""`ccsync events` for operators, cron and scripts: the current queue, and a way to retry."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.models import Event
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, events, parked
from ccsync.state.database.times import to_text
from ccsync.state.log import runs
from ccsync.state.outbox import queue
from tests.canaries import leaks_in
from tests.cli.test_hostile_store import check_screen
from tests.jobs.flushing import statuses
from tests.live import LiveShop

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
COLUMNS = ["Event", "Object Id", "Topic", "Created", "Status", "Attempts", "Last Error"]
DASHED = "6f1c0a54-e1c9-4b5e-a3f8-c04a8a4f0b4d"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    """Two people who opted in and were exported."""
    with LiveShop(tmp_path, SandboxSettings(customers=0)) as made:
        for name in ("pat", "sam"):
            made.box.kibo.add_account(emailAddress=f"{name}@example.com", acceptsMarketing=True)
        made.export()
        yield made


def fill(shop: LiveShop, *account_ids: int, topic: str = "customeraccount.updated") -> list[str]:
    """Put one event for each account into the queue; their ids. Each is a second newer than the one before."""
    found = [Event(f"{n + 1:032x}", topic, one, NOON + timedelta(seconds=n)) for n, one in enumerate(account_ids)]
    store = shop.open()
    with store.transaction():
        events.take_in(store, found, NOON)
    store.close()
    return [one.event_id for one in found]


def fail(shop: LiveShop, account_id: int, error: str = "Kibo answered 500.", *, given_up: bool = True) -> None:
    store = shop.open()
    if given_up:
        queue.note_failure(store, account_id, 8, NOON, error, is_parked=True)
    else:
        queue.note_failure(store, account_id, 2, NOON + timedelta(days=900), error)
    store.close()


def shown(shop: LiveShop, *options: str) -> list[dict[str, object]]:
    done = shop.ccsync("events", "--json", *options)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)["events"]
    return found


def flushed(shop: LiveShop, at: datetime) -> None:
    store = shop.open()
    run_id = runs.start(store, "flush-events", "to", at)
    runs.finish(store, run_id, "COMPLETE", at + timedelta(seconds=9), {}, "")
    store.close()


# the view


def test_json_has_the_contract_s_shape(shop: LiveShop) -> None:
    """`next_run_at` and the events with their seven fields, newest first; times are UTC."""
    (event_id,) = fill(shop, 1001)
    fail(shop, 1001)
    done = shop.ccsync("events", "--json")
    assert json.loads(done.stdout) == {
        "next_run_at": None,
        "events": [
            {
                "id": event_id,
                "object_id": 1001,
                "topic": "customeraccount.updated",
                "created_at": "2026-11-20T12:00:00.000Z",
                "status": "failed",
                "attempts": 8,
                "last_error": "Kibo answered 500.",
            }
        ],
    }
    checked = subprocess.run(
        [sys.executable, "-m", "json.tool"], input=done.stdout, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0
    assert done.stderr == ""


def test_the_next_run_is_one_interval_after_the_last_start(shop: LiveShop) -> None:
    """It is shown above the table, too; when it is long overdue, the screen says that cron does not start it."""
    assert "Next run  unknown; flush-events has not run yet" in shop.ccsync("events").stdout
    started = datetime.now(UTC)
    flushed(shop, started)
    upcoming = (started + timedelta(minutes=30)).strftime("%Y-%m-%d")
    done = shop.ccsync("events")
    assert done.stdout.startswith(f"Next run  {upcoming}")
    assert "passed" not in done.stdout
    assert json.loads(shop.ccsync("events", "--json").stdout)["next_run_at"] == to_text(started + timedelta(minutes=30))
    flushed(shop, started - timedelta(hours=3))
    assert "overdue, so cron does not start it" in shop.ccsync("events").stdout


def test_a_disabled_sync_has_no_next_run(shop: LiveShop) -> None:
    """The screen says why, and what enables it."""
    shop.config_path.write_text(shop.config_path.read_text().replace("[sync]", "[sync]\nenabled = false"))
    assert "the sync is disabled (ccsync configure --enable)" in shop.ccsync("events").stdout


def test_the_table_has_the_app_s_columns(shop: LiveShop) -> None:
    """One row for each account; with --wide one for each event, whose id is whole."""
    event_ids = fill(shop, 1001, 1002)
    fill(shop, 1001)
    header, _, first, second = shop.ccsync("events").stdout.splitlines()[2:]
    assert [one for one in COLUMNS[1:] if one in header] == COLUMNS[1:]
    assert [first.split()[:2], second.split()[:2]] == [["1002", "updated"], ["1001", "updated"]]
    header, _, first, second, *_ = shop.ccsync("events", "--wide").stdout.splitlines()[2:]
    assert [one for one in COLUMNS if one in header] == COLUMNS
    assert first.split()[:3] == [event_ids[1], "1002", "customeraccount.updated"]
    assert second.split()[:3] == [event_ids[0], "1001", "customeraccount.updated"]


def test_what_is_done_shows_only_with_all(shop: LiveShop) -> None:
    """Processed events leave the view, and stay for --all until they are pruned."""
    fill(shop, 1001, 1002)
    store = shop.open()
    queue.mark_read(store, [1001])
    with store.transaction():
        queue.finish(store, NOON)
    store.close()
    assert [one["object_id"] for one in shown(shop)] == [1002]
    assert [(one["object_id"], one["status"]) for one in shown(shop, "--all")] == [(1002, "pending"), (1001, "done")]


def test_failed_shows_what_needs_a_person(shop: LiveShop) -> None:
    """Neither retrying nor finished ones, but also an account that was queued without an event."""
    fill(shop, 1001, 1002, 1003)
    fail(shop, 1001)
    fail(shop, 1002, given_up=False)
    store = shop.open()
    with store.transaction():
        queue.enqueue(store, [77], NOON)
    store.close()
    fail(shop, 77)
    assert [(one["id"] is None, one["object_id"], one["status"]) for one in shown(shop, "--failed")] == [
        (False, 1001, "failed"),
        (True, 77, "failed"),
    ]
    assert [one["status"] for one in shown(shop)].count("retrying") == 1


def test_an_empty_queue_is_said_so(shop: LiveShop) -> None:
    """A person reads a sentence on stderr, a program an empty list."""
    done = shop.ccsync("events")
    assert done.returncode == 0
    assert "The queue is empty." in done.stderr
    assert "No event has failed." in shop.ccsync("events", "--failed").stderr
    assert shown(shop) == []


@pytest.mark.parametrize("options", [["--failed", "--all"], ["--limit", "0"], ["--json", "retry", "--all"], ["bogus"]])
def test_options_that_make_no_sense(shop: LiveShop, options: list[str]) -> None:
    """They are usage errors (exit 2), and nothing is done."""
    fill(shop, 1001)
    fail(shop, 1001)
    assert shop.ccsync("events", *options).returncode == 2
    assert statuses(shop) == {"failed": 1}


def test_ten_thousand_events(shop: LiveShop) -> None:
    """The table shows the newest hundred and says so, --limit chooses, and JSON has every one."""
    store = shop.open()
    many = [Event(f"{n:032x}", "customeraccount.updated", n + 1, NOON) for n in range(10_000)]
    with store.transaction():
        events.take_in(store, many, NOON)
    store.close()
    done = shop.ccsync("events")
    assert len(done.stdout.splitlines()) == 2 + 2 + 100
    assert done.stderr == "Showing the newest 100; --limit N shows more.\n"
    assert len(shop.ccsync("events", "--limit", "10000").stdout.splitlines()) == 2 + 2 + 10_000
    assert len(shown(shop)) == 10_000
    process = shop.start("events", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0, "a reader that goes away early is no accident"
    assert len(shown(shop, "--limit", "7")) == 7


@pytest.mark.parametrize("columns", [60, 80, 130])
def test_hostile_texts_are_harmless(shop: LiveShop, columns: int) -> None:
    """A vendor's text cannot steer the terminal, make rows, or push a line out of the screen."""
    (event_id,) = fill(shop, 1001)
    fail(shop, 1001, "Kibo: \x1b[2J\x07 evil\u202e\r\nrow \x9b31m " + "漢字" * 40 + " x" * 40)
    seen = shop.on_terminal("events", columns=columns)
    assert seen.code == 0
    check_screen(seen.screen, columns)
    assert "\\x1b[2J\\x07" in seen.screen
    assert event_id in shop.ccsync("events", "--wide").stdout, "an id is there to be copied"


# --refresh


def test_refresh_pulls_first(shop: LiveShop) -> None:
    """What has just changed in the store is in the queue, and nothing is sent or logged as a run."""
    shop.box.kibo.update_account(1001, lastName="New")
    before = len(shop.latest())
    calls = shop.box.requests.calls.copy()
    found = shown(shop, "--refresh")
    assert {one["object_id"] for one in found} == {1001, 1002}
    assert {one["status"] for one in found} == {"pending"}
    assert len(shop.latest()) == before
    assert shop.box.requests.calls["cc_api"] == calls["cc_api"]
    assert shop.box.requests.calls["kibo_home"] > calls["kibo_home"]
    assert len(shown(shop, "--refresh")) == len(found), "seen ids are remembered"


def test_refresh_says_how_many_to_a_person(shop: LiveShop) -> None:
    """It is printed on a terminal, but not into a pipe."""
    seen = shop.on_terminal("events", "--refresh", columns=130)
    assert "Pulled 4 new events." in seen.screen
    assert shop.ccsync("events", "--refresh").stderr == ""


def test_refresh_needs_no_list(shop: LiveShop) -> None:
    """Before a list is chosen, events can be looked at all the same."""
    text = shop.config_path.read_text()
    shop.config_path.write_text("".join(line for line in text.splitlines(keepends=True) if "list_" not in line))
    assert len(shown(shop, "--refresh")) == 4


def test_refresh_while_kibo_is_down(shop: LiveShop) -> None:
    """Exit 8 with the reason, and the queue is as it was."""
    fill(shop, 1001)
    shop.box.faults.add("status", vendor="kibo_home", nth=None, status=503)
    done = shop.ccsync("events", "--refresh", "--json")
    assert done.returncode == 8
    assert done.stdout == ""
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == 8
    assert statuses(shop) == {"pending": 1}


def test_refresh_of_pages_without_an_end(shop: LiveShop) -> None:
    """What was read is kept and shown; the exit code is 8."""
    shop.box.kibo.events.pages_repeat = True
    done = shop.ccsync("events", "--refresh", "--json")
    assert done.returncode == 8
    assert len(json.loads(done.stdout)["events"]) == 4
    assert "never end" in done.stderr


# retry


@pytest.mark.parametrize("written", [DASHED, DASHED.replace("-", ""), DASHED.upper(), f" {DASHED}"])
def test_retry_takes_ids_as_the_vendor_writes_them(shop: LiveShop, written: str) -> None:
    """With dashes or without, in any case of letters."""
    store = shop.open()
    with store.transaction():
        events.take_in(store, [Event(DASHED.replace("-", ""), "customeraccount.updated", 1001, NOON)], NOON)
    store.close()
    fail(shop, 1001)
    done = shop.ccsync("events", "retry", written)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 account made due; flush-events has 1 to read now.\n"
    assert statuses(shop) == {"pending": 1}


def test_retry_of_an_event_that_came_without_an_id(shop: LiveShop) -> None:
    """Its substitute id contains dashes of its own and is accepted as shown."""
    store = shop.open()
    made_up = "customeraccount.updated/1001/20001/2026-11-24 12:00:00+00:00"
    with store.transaction():
        events.take_in(store, [Event(made_up, "customeraccount.updated", 1001, NOON)], NOON)
    store.close()
    fail(shop, 1001)
    assert shop.ccsync("events", "retry", str(shown(shop)[0]["id"])).returncode == 0
    assert statuses(shop) == {"pending": 1}


def test_retry_of_an_unknown_id_does_nothing(shop: LiveShop) -> None:
    """The message names it (exit 2), even among known ids, and nothing is done for the others."""
    (event_id,) = fill(shop, 1001)
    fail(shop, 1001)
    done = shop.ccsync("events", "retry", event_id, "00ff", "--json")
    assert done.returncode == 2
    assert "there is no event 00ff" in done.stderr
    assert event_id not in done.stderr
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == 2
    assert statuses(shop) == {"failed": 1}


def test_retry_of_an_address_does_not_repeat_it(shop: LiveShop) -> None:
    """Whole addresses stand on stdout only; nor does an id steer the terminal."""
    done = shop.ccsync("events", "retry", "pat@example.com", "\x1b[2J", "x\nError: evil")
    assert done.returncode == 2
    assert not leaks_in(done.stderr, set())
    assert "\x1b" not in done.stderr
    assert sum(line.startswith("Error:") for line in done.stderr.splitlines()) == 1
    assert not leaks_in(shop.ccsync("logs", "1", "pat@example.com").stderr, set())


def test_retry_all(shop: LiveShop) -> None:
    """Failed and retrying accounts are due with all their attempts, set-aside records too; pending ones stay."""
    fill(shop, 1001, 1002, 1003)
    fail(shop, 1001)
    fail(shop, 1002, given_up=False)
    store = shop.open()
    parked.put(store, 1001, "refused", b"x", NOON, 1)
    store.close()
    done = shop.ccsync("events", "retry", "--all", "--json")
    assert json.loads(done.stdout) == {"retried": 2, "due": 3}
    assert {(one["status"], one["attempts"]) for one in shown(shop)} == {("pending", 0)}
    store = shop.open()
    assert parked.account_ids(store) == []
    store.close()
    assert "0 accounts made due" in shop.ccsync("events", "retry", "--all").stdout


@pytest.mark.parametrize("words", [[], ["--all", "0" * 32]])
def test_retry_wants_ids_or_all(shop: LiveShop, words: list[str]) -> None:
    """Giving neither or both is a usage error."""
    done = shop.ccsync("events", "retry", *words)
    assert done.returncode == 2
    assert "--all" in done.stderr


def test_what_was_mended_is_sent_after_a_retry(shop: LiveShop) -> None:
    """The whole way: an account that cannot be read is retried by hand, and the next flush sends its change."""
    path = "/api/commerce/customer/accounts/1001"
    shop.ccsync("flush-events")
    shop.box.kibo.update_account(1001, lastName="Mended")
    shop.box.faults.add("wrong-body", path=path, nth=None, body="{")
    shop.ccsync("flush-events")
    assert {(one["object_id"], one["status"], one["attempts"]) for one in shown(shop)} == {(1001, "retrying", 1)}
    assert all("JSON" in str(one["last_error"]) for one in shown(shop))
    shop.box.faults.clear()
    assert shop.ccsync("flush-events").returncode == 0
    assert statuses(shop) == {"retrying": 1}, "its time has not come"
    event_id = str(shown(shop)[0]["id"])
    assert shop.ccsync("events", "retry", event_id).returncode == 0
    assert shop.ccsync("flush-events").returncode == 0
    assert shown(shop) == []
    assert (shop.box.cc.contact("pat@example.com") or {})["last_name"] == "Mended"


# files and locks


def test_readers_work_while_a_run_holds_the_lock(shop: LiveShop) -> None:
    """`events`, `status` and `why` need no lock; what writes is turned away (exit 7) and changes nothing."""
    fill(shop, 1001)
    fail(shop, 1001)
    with Lock(shop.config.state.path, "export", to_text(NOON)):
        for words in (["events"], ["status"], ["why", "1001"]):
            assert shop.ccsync(*words).returncode == 0
            assert json.loads(shop.ccsync(*words, "--json").stdout)
        for words in (["events", "--refresh"], ["events", "retry", "--all"]):
            done = shop.ccsync(*words)
            assert done.returncode == 7
            assert "Another run holds the lock" in done.stderr
    assert statuses(shop) == {"failed": 1}


@pytest.mark.parametrize("words", [["events"], ["events", "retry", "--all"], ["status"], ["why", "1001"]])
def test_without_config_or_state_file(shop: LiveShop, words: list[str]) -> None:
    """Each missing file is named with its fix: no state file is exit 6, no config exit 4; nothing is made."""
    shop.config.state.path.unlink()
    done = shop.ccsync(*words)
    assert done.returncode == 6
    assert "ccsync login" in done.stderr
    assert not shop.config.state.path.exists()
    shop.config_path.unlink()
    assert shop.ccsync(*words).returncode == 4
