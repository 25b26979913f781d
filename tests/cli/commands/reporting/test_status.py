"""`ccsync status`: one accurate screen, a command for each problem, and an exit code for monitoring."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.cli.owner import ACCOUNT, ORGANIZATION
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, create_store, person_tags, properties, suppressions, tokens
from ccsync.state.database.times import to_text
from ccsync.state.log import calls, runs
from ccsync.state.outbox import queue
from ccsync.state.suppressions import OPTED_OUT, Suppression
from tests.canaries import leaks_in
from tests.cli.test_hostile_store import check_screen
from tests.live import LiveShop

PARTS = {"at", "enabled", "interval_minutes", "list", "jobs", "queue", "untold", "suppressed", "calls", "login",
         "state_file", "live", "needs", "stale", "tags"}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    """Two people, exported; the login is the account's."""
    with LiveShop(tmp_path, SandboxSettings(customers=0)) as made:
        for name in ("pat", "sam"):
            made.box.kibo.add_account(emailAddress=f"{name}@example.com", acceptsMarketing=True)
        made.export()
        store = made.open()
        properties.put(store, ACCOUNT, made.box.cc.account.encoded_account_id)
        store.close()
        yield made


def ran(shop: LiveShop, job: str, ago: timedelta, status: str = "COMPLETE") -> None:
    store = shop.open()
    at = datetime.now(UTC) - ago
    runs.finish(store, runs.start(store, job, "to", at), status, at, {}, "")
    store.close()


def told(shop: LiveShop, *options: str) -> dict[str, object]:
    """The document of `status --json`, whatever the exit code."""
    done = shop.ccsync("status", "--json", *options)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def fixes(found: dict[str, object]) -> list[str]:
    needs = found["needs"]
    assert isinstance(needs, list)
    return [str(one["fix"]) for one in needs]


def set_in_sync(shop: LiveShop, line: str) -> None:
    shop.config_path.write_text(shop.config_path.read_text().replace("[sync]", f"[sync]\n{line}"))


# what it shows


def test_json_is_one_document(shop: LiveShop) -> None:
    """Every part is there, and stdout holds nothing else."""
    done = shop.ccsync("status", "--json")
    assert set(json.loads(done.stdout)) == PARTS
    checked = subprocess.run(
        [sys.executable, "-m", "json.tool"], input=done.stdout, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, done.stderr) == (0, "")


def test_the_numbers_are_true(shop: LiveShop) -> None:
    """List, queue, suppressed people, calls, login and file are what the state file holds."""
    store, now = shop.open(), datetime.now(UTC)
    with store.transaction():
        queue.enqueue(store, [1, 2, 3], now)
    queue.note_failure(store, 3, 8, now, "no", is_parked=True)
    suppressions.record(store, Suppression(b"x", OPTED_OUT, "", None, now, None), now, 1)
    used, at_kibo = (calls.calls_on(store, vendor, now) for vendor in ("constant_contact", "kibo"))
    store.close()
    found = told(shop)
    assert found["enabled"] is True
    assert found["list"] == {"id": shop.list_id, "name": "Web shop customers", "is_exported": True, "placed": 2,
                             "leaving": 0}  # fmt: skip
    assert found["queue"] == {"pending": 2, "retrying": 0, "failed": 1}
    # The sandbox's account has somebody of its own who unsubscribed.
    assert found["suppressed"] == {"people": 2, "unsubscribed": 1, "departed": 0, "opted_out": 1, "forgotten": 0}
    midnight = (now + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00.000Z")
    assert found["calls"] == {"used": used, "left": 10_000 - used, "per_day": 10_000, "reserve": 500,
                              "resets_at": midnight, "is_spent": False, "kibo_used": at_kibo}  # fmt: skip
    assert used > 0 < at_kibo
    files = [path for path in shop.folder.iterdir() if path.name in ("ccsync.db", "ccsync.db-wal")]
    assert found["state_file"] == {"path": str(shop.config.state.path), "bytes": sum(p.stat().st_size for p in files)}


def test_each_job_has_its_last_success_and_its_next_run(shop: LiveShop) -> None:
    """A job's next run is one interval after its last start; exports have no schedule."""
    ran(shop, "flush-events", timedelta(minutes=20))
    ran(shop, "flush-events", timedelta(minutes=10), "FAILED")
    by_name = {one["job"]: one for one in told(shop)["jobs"]}  # type: ignore[attr-defined]
    assert list(by_name) == ["export", "flush-events", "poll-unsubscribes", "reconcile"]
    flush = by_name["flush-events"]
    started, succeeded, upcoming = (
        datetime.fromisoformat(flush[name]) for name in ("last_started_at", "last_success_at", "next_run_at")
    )
    assert (flush["last_status"], flush["failures"]) == ("FAILED", 1)
    assert upcoming - started == timedelta(minutes=30)
    assert timedelta(minutes=9) < started - succeeded < timedelta(minutes=11)
    assert by_name["export"]["last_status"] == "COMPLETE"
    assert by_name["export"]["next_run_at"] is None
    assert by_name["poll-unsubscribes"]["last_status"] is None


def test_no_call_is_made(shop: LiveShop) -> None:
    """Without --live neither vendor is called."""
    before = shop.box.requests.calls.copy()
    assert shop.ccsync("status").returncode == 0
    told(shop)
    assert shop.box.requests.calls == before


def test_a_day_whose_calls_are_spent(shop: LiveShop) -> None:
    """If the vendor says so, no calls are left, whatever our own count says."""
    store = shop.open()
    calls.close_for_today(store, "constant_contact", datetime.now(UTC))
    store.close()
    found = told(shop)["calls"]
    assert isinstance(found, dict)
    assert (found["left"], found["is_spent"]) == (0, True)
    assert "0 left; Constant Contact says none are left" in shop.ccsync("status").stdout


@pytest.mark.parametrize("columns", [60, 80, 130])
def test_the_screen_stays_whole(shop: LiveShop, columns: int) -> None:
    """Hostile names, of the list and of the account, cannot steer the terminal or leave it."""
    set_in_sync(shop, r'from_email = "info@example.com"')
    text = shop.config_path.read_text()
    shop.config_path.write_text(text.replace('"Web shop customers"', r'"\u001b[2J\u202e 漢字 \r\n row"'))
    store = shop.open()
    properties.put(store, ORGANIZATION, "\x07\x9b31m " + "Outfitters " * 20)
    store.close()
    shop.box.cc.rename_list(shop.list_id, "\x1b]0;evil\x07 name")
    for words in (["status"], ["status", "--live"], ["status", "--stale-after", "2h"]):
        seen = shop.on_terminal(*words, columns=columns)
        assert seen.code == (1 if "--stale-after" in words else 0)
        check_screen(seen.screen, columns)
        assert "\\x1b[2J\\u202e" in seen.screen


# what needs a person


def test_nothing_needs_a_person(shop: LiveShop) -> None:
    """If all is well, it says so."""
    for job in ("flush-events", "poll-unsubscribes"):
        ran(shop, job, timedelta(minutes=5))
    store = shop.open()
    properties.put(store, "events_ever_seen", "yes")
    store.close()
    assert "Nothing needs your attention." in shop.ccsync("status").stdout
    assert told(shop)["needs"] == []


def test_before_the_first_login(tmp_path: Path) -> None:
    """A state file without a login and a config without a list: what to do, in its order."""
    with LiveShop(tmp_path, SandboxSettings(customers=0), logs_in=False) as shop:
        create_store(shop.config.state.path).close()
        text = shop.config_path.read_text()
        shop.config_path.write_text("".join(line for line in text.splitlines(keepends=True) if "list_" not in line))
        assert fixes(told(shop)) == [
            "ccsync login --kibo-only",
            "ccsync login --cc-only",
            "ccsync configure --list NAME",
        ]
        assert "none chosen yet" in shop.ccsync("status").stdout


def test_an_export_that_is_due(shop: LiveShop) -> None:
    """After another list is chosen, an export to it is due."""
    other = shop.box.cc.add_list("Another")
    text = shop.config_path.read_text()
    shop.config_path.write_text(text.replace(shop.list_id, other))
    assert fixes(told(shop)) == ["ccsync export --dry-run, then ccsync export"]


def test_a_failed_run_says_what_mends_it(shop: LiveShop) -> None:
    """The fix is the one that the run gave, and it disappears after the next good run."""
    shop.box.cc.delete_list(shop.list_id)
    assert shop.ccsync("export").returncode == 9
    (what,) = [one for one in told(shop)["needs"] if "export failed" in one["what"]]  # type: ignore[attr-defined]
    assert "no longer exists" in what["what"]
    assert "ccsync configure --list" in what["fix"]
    ran(shop, "export", timedelta())
    assert not any("export failed" in one["what"] for one in told(shop)["needs"])  # type: ignore[attr-defined]


def test_the_brake_says_its_option(shop: LiveShop) -> None:
    """A run that the safety limit stopped is shown with the option that lets it through."""
    set_in_sync(shop, "max_opt_outs = 1")
    for account_id in shop.box.kibo.account_ids():
        shop.box.kibo.update_account(account_id, acceptsMarketing=False)
    assert shop.ccsync("flush-events").returncode == 10
    (need,) = [one for one in told(shop)["needs"] if "safety limit" in one["what"]]  # type: ignore[attr-defined]
    assert need["what"].startswith(
        "flush-events was stopped: The store's changes would remove 2 people from the list; the safety limit"
    )
    assert "ccsync flush-events --accept 2" in need["fix"]


def test_an_old_login(shop: LiveShop) -> None:
    """A login that nothing has used for 150 days is to be renewed before it lapses."""
    store = shop.open()
    store.run("UPDATE tokens SET obtained_at = ?", to_text(datetime.now(UTC) - timedelta(days=155)))
    store.close()
    found = told(shop)
    assert any(fix.startswith("ccsync login --check") for fix in fixes(found))
    login = found["login"]
    assert isinstance(login, dict)
    left = datetime.fromisoformat(str(login["lapses_at"])) - datetime.now(UTC)
    assert timedelta(days=24) < left < timedelta(days=26)


def test_no_event_was_ever_seen(tmp_path: Path) -> None:
    """If the app does not subscribe to the topics, the message says where to do it."""
    with LiveShop(tmp_path, SandboxSettings(customers=0, event_topics=frozenset())) as shop:
        shop.export()
        assert not any("Dev Center" in fix for fix in fixes(told(shop)))
        shop.flush()
        assert any("Dev Center" in fix for fix in fixes(told(shop)))


# --stale-after


@pytest.mark.parametrize(
    ("minutes", "span", "code"), [(100, "2h", 0), (130, "2h", 1), (80, "90m", 0), (100, "90m", 1), (1_500, "1d", 1)]
)
def test_monitoring(shop: LiveShop, minutes: int, span: str, code: int) -> None:
    """Exit 1 when a cron job has not succeeded for so long, with one line for each on stderr."""
    ran(shop, "poll-unsubscribes", timedelta(minutes=minutes))
    ran(shop, "flush-events", timedelta(minutes=5))
    done = shop.ccsync("status", "--stale-after", span)
    assert done.returncode == code
    stale = "Stale: poll-unsubscribes has not succeeded since "
    assert (done.stderr.startswith(stale) and len(done.stderr.splitlines()) == 1) if code else done.stderr == ""
    assert told(shop, "--stale-after", span)["stale"] == (["poll-unsubscribes"] if code else [])


def test_monitoring_is_quiet_while_all_is_well(shop: LiveShop) -> None:
    """With --quiet only stale jobs are printed, so cron mails nothing else."""
    for job in ("flush-events", "poll-unsubscribes"):
        ran(shop, job, timedelta(minutes=5))
    done = shop.ccsync("--quiet", "status", "--stale-after", "2h")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = shop.ccsync("--quiet", "status", "--stale-after", "4m")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 2)
    assert shop.ccsync("--quiet", "status").stdout != ""


def test_a_job_that_only_fails_is_stale(shop: LiveShop) -> None:
    """That it ran is not enough; one that never did its work is stale, too."""
    ran(shop, "flush-events", timedelta(minutes=5), "FAILED")
    done = shop.ccsync("status", "--stale-after", "2h")
    assert done.returncode == 1
    assert "Stale: flush-events has not succeeded yet." in done.stderr


def test_a_disabled_sync_is_not_stale(shop: LiveShop) -> None:
    """If the sync is switched off, it does not complain that the jobs do not run."""
    set_in_sync(shop, "enabled = false")
    done = shop.ccsync("status", "--stale-after", "2h")
    assert (done.returncode, done.stderr) == (0, "")
    assert "disabled" in done.stdout


@pytest.mark.parametrize("span", ["2", "h", "2x", "-2h", "0h", "2 h", "1.5h", "²h", ""])
def test_a_length_that_is_none(shop: LiveShop, span: str) -> None:
    """Anything but 90m, 2h or 1d is a usage error that says so."""
    done = shop.ccsync("status", "--stale-after", span)
    assert done.returncode == 2
    assert "90m, 2h or 1d" in done.stderr


# --live


def live(shop: LiveShop) -> dict[str, object]:
    found = told(shop, "--live")["live"]
    assert isinstance(found, dict)
    return found


def test_live_asks_both_vendors(shop: LiveShop) -> None:
    """The login, the list and its members, and who opted in, for four calls that are counted; nothing is changed."""
    before, posts = shop.box.requests.calls.copy(), shop.requests("POST") + shop.requests("PUT")
    assert live(shop) == {"login_works": True, "list_exists": True, "list_name": "Web shop customers", "members": 2,
                          "kibo_works": True, "opted_in": 2}  # fmt: skip
    made = {name: number - before[name] for name, number in shop.box.requests.calls.items() if number != before[name]}
    assert sum(made.values()) == 4
    assert made["cc_api"] == 2
    assert shop.requests("POST") + shop.requests("PUT") == posts
    store = shop.open()
    assert calls.calls_on(store, "constant_contact", datetime.now(UTC)) == shop.box.requests.calls["cc_api"]
    store.close()


def test_live_disturbs_no_run(shop: LiveShop) -> None:
    """While another run holds the lock, it asks all the same."""
    with Lock(shop.config.state.path, "export", to_text(datetime.now(UTC))):
        assert live(shop)["login_works"] is True


def test_live_renews_the_login_only_under_the_lock(shop: LiveShop) -> None:
    """Two renewals at once would lose a rotating login: it waits for its turn, and says so."""
    store, now = shop.open(), datetime.now(UTC)
    times = to_text(now - timedelta(days=2)), to_text(now - timedelta(days=1))
    store.run("UPDATE tokens SET obtained_at = ?, expires_at = ? WHERE vendor = 'constant_contact'", *times)
    store.close()
    renewals = len(shop.requests("POST", "/token"))
    with Lock(shop.config.state.path, "export", to_text(datetime.now(UTC))):
        done = shop.ccsync("status", "--live", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["live"]["login_works"] is False
    assert found["live"]["kibo_works"] is True
    assert any("another run holds the lock" in one["what"] for one in found["needs"])
    assert len(shop.requests("POST", "/token")) == renewals
    assert live(shop)["login_works"] is True
    assert len(shop.requests("POST", "/token")) == renewals + 1
    store = shop.open()
    saved = tokens.get(store, "constant_contact")
    store.close()
    assert saved is not None
    assert saved.expires_at > datetime.now(UTC)


def test_live_finds_a_deleted_list(shop: LiveShop) -> None:
    """It is named with what chooses another."""
    shop.box.cc.delete_list(shop.list_id)
    found = told(shop, "--live")
    assert found["live"] == {"login_works": True, "list_exists": False, "list_name": None, "members": None,
                             "kibo_works": True, "opted_in": 2}  # fmt: skip
    assert "ccsync configure --list NAME" in fixes(found)
    assert "List is there  no" in shop.ccsync("status", "--live").stdout


def test_live_finds_a_dead_login(shop: LiveShop) -> None:
    """A refused login must be renewed by a person; what is known about Kibo is still shown."""
    shop.box.cc.revoke()
    found = told(shop, "--live")
    assert any(fix.startswith("ccsync login") for fix in fixes(found))
    assert isinstance(found["live"], dict)
    assert (found["live"]["login_works"], found["live"]["list_exists"]) == (False, None)
    assert found["live"]["kibo_works"] is True


def test_a_refused_login(shop: LiveShop) -> None:
    """It is not said to be good for half a year, and a new one is."""
    shop.box.cc.revoke()
    assert shop.ccsync("poll-unsubscribes").returncode == 5
    assert "refused when it was used last" in shop.ccsync("status").stdout
    assert "if unused" not in shop.ccsync("login", "--check").stdout
    assert told(shop)["login"]["is_refused"] is True  # type: ignore[index]
    shop.box.cc.approve_automatically = True
    assert shop.ccsync("login", "--yes").returncode == 0
    assert "if unused" in shop.ccsync("status").stdout
    assert not any("refused" in one["what"] for one in told(shop)["needs"])  # type: ignore[attr-defined]


def test_live_finds_another_account(shop: LiveShop) -> None:
    """A login that belongs to another account than before needs a person."""
    store = shop.open()
    properties.put(store, ACCOUNT, "somebody-else")
    store.close()
    assert any("another account" in one["what"] for one in told(shop, "--live")["needs"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("vendor", ["cc_api", "kibo_home"])
def test_live_while_a_vendor_is_down(shop: LiveShop, vendor: str) -> None:
    """The problem is shown for that vendor only, and it says "unknown", not "no", about the list."""
    shop.box.faults.add("status", vendor=vendor, nth=None, status=503)
    store = shop.open()
    store.run("DELETE FROM tokens WHERE vendor = 'kibo'")
    store.close()
    found = told(shop, "--live")
    seen = found["live"]
    assert isinstance(seen, dict)
    assert seen["login_works"] is (vendor != "cc_api")
    assert seen["kibo_works"] is (vendor != "kibo_home")
    assert seen["list_exists"] is (None if vendor == "cc_api" else True)
    assert any("503" in one["what"] for one in found["needs"])  # type: ignore[attr-defined]


def test_nothing_leaks(shop: LiveShop) -> None:
    """Neither a token nor a secret is in a status, nor anybody's address, nor in the log of its calls."""
    log = shop.folder / "ccsync.log"
    done = shop.ccsync("-vv", "--log-file", str(log), "status", "--live")
    assert "GET /v3/contact_lists" in log.read_text()
    for text in (done.stdout, done.stderr, log.read_text(), json.dumps(told(shop, "--live"))):
        assert not leaks_in(text, set())


def test_tags_that_wait_are_counted(shop: LiveShop) -> None:
    """On the screen, in JSON and for graphs: how many contacts, and of how many it failed."""
    store = shop.open()
    with store.transaction():
        person_tags.note_wanted(store, [(bytes([n]), "x@example.com", ["VIP"]) for n in range(3)], datetime.now(UTC))
        store.run("UPDATE tasks SET status = 'failed' WHERE kind = 'tag' AND person = ?", bytes([1]))
    store.close()
    assert "the tags of 3 contacts waiting to be changed (1 failed)" in " ".join(shop.ccsync("status").stdout.split())
    assert told(shop)["tags"] == {"waiting": 3, "failed": 1}
    assert " tags=3 " in shop.ccsync("status", "--check").stdout


def test_ten_thousand_events_are_a_number(shop: LiveShop) -> None:
    """However long the queue, the screen is one screen."""
    store = shop.open()
    with store.transaction():
        queue.enqueue(store, range(1, 10_001), datetime.now(UTC))
    store.close()
    done = shop.ccsync("status")
    assert "10,000 pending" in done.stdout
    assert len(done.stdout.splitlines()) < 24


@pytest.mark.parametrize(
    "environ", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "1"}, {"TZ": "Nowhere"}]
)
def test_odd_terminals(shop: LiveShop, environ: dict[str, str]) -> None:
    """Names that the terminal cannot show do not stop `status`, `events` or `why`."""
    text = shop.config_path.read_text()
    shop.config_path.write_text(text.replace('"Web shop customers"', '"Клиенты 客户"'))
    for words in (["status"], ["events", "--all"], ["why", "kundin@bücher.example"]):
        seen = shop.on_terminal(*words, environ=environ)
        assert seen.code == 0, seen.screen
        assert "Traceback" not in seen.screen
