"""What an operator, cron or a script meets: each trouble is one to three lines, the right code, and nothing lost."""

import json
import os
import re
import resource
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.canaries import leaks_in
from tests.inside import InsideShop
from tests.live import LiveShop

SETTINGS = SandboxSettings(customers=40, seed=7)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SETTINGS) as made:
        yield made


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[InsideShop]:
    """Where nobody should wait for the retries."""
    with InsideShop(tmp_path, SETTINGS) as made:
        yield made


def check_error(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """One to three lines on stderr with these words, the code, and nothing that must not be told."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Error:" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 6
    for word in words:
        assert word in done.stderr
    assert not leaks_in(done.stderr, set())


def edit(shop: LiveShop, old: str, new: str) -> None:
    text = shop.config_path.read_text()
    assert old in text
    shop.config_path.write_text(text.replace(old, new))


# the state file and the config


def test_no_config(tmp_path: Path, shop: LiveShop) -> None:
    """Without a config every place that was looked at is named (exit 4)."""
    shop.config_path.rename(tmp_path / "elsewhere")
    check_error(shop.ccsync("logs", environ={"CCSYNC_CONFIG": ""}), 4, "no config file", "--config")


def test_a_misspelt_key(shop: LiveShop) -> None:
    """File, line, key and the nearest right one (exit 4), and no call is made."""
    edit(shop, "list_id", "lits_id")
    before = len(shop.box.requests.records)
    check_error(shop.ccsync("export"), 4, "ccsync.toml:", "lits_id", "list_id")
    assert len(shop.box.requests.records) == before


def test_a_config_that_others_can_read(shop: LiveShop) -> None:
    """A secret that others can read is refused with the command that fixes it (exit 4)."""
    shop.config_path.chmod(0o644)
    check_error(shop.ccsync("export"), 4, f"chmod 600 {shop.config_path}")


def test_no_secret(shop: LiveShop) -> None:
    """Where a secret is needed and there is none, each place for it is named (exit 4)."""
    edit(shop, "client_secret =", "# client_secret =")
    shop.forget_kibo_token()
    check_error(shop.ccsync("export", "--yes"), 4, "CCSYNC_KIBO_CLIENT_SECRET", "client_secret_command")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), ["no state file", "ccsync login"]),
        (lambda path: path.write_bytes(b""), ["is empty"]),
        (lambda path: path.write_text("not a database at all\n" * 50), ["damaged"]),
        (lambda path: (path.unlink(), path.mkdir()), ["is not a file"]),
    ],
    ids=["missing", "empty", "text", "folder"],
)
@pytest.mark.parametrize("command", [["export", "--yes"], ["logs"]], ids=["export", "logs"])
def test_a_state_file_that_is_not_whole(shop: LiveShop, damage: object, words: list[str], command: list[str]) -> None:
    """It is never recreated behind the operator's back (exit 6), and no vendor is called."""
    assert callable(damage)
    damage(shop.config.state.path)
    before = len(shop.box.requests.records)
    check_error(shop.ccsync(*command), 6, *words)
    assert len(shop.box.requests.records) == before


def test_a_newer_state_file(shop: LiveShop) -> None:
    """A file of a newer ccsync is left alone (exit 6)."""
    connection = sqlite3.connect(shop.config.state.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    check_error(shop.ccsync("export"), 6, "newer ccsync")


def test_a_full_disk(shop: LiveShop) -> None:
    """When the state file cannot grow, the run stops before the next call (exit 6); afterwards it is whole."""
    size = shop.config.state.path.stat().st_size

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    done = shop.ccsync("export", "--yes", preexec_fn=small_disk)
    check_error(done, 6, "could not be written")
    assert shop.ccsync("export", "--yes").returncode == 3


def test_stdout_on_a_full_disk(shop: LiveShop) -> None:
    """An answer that cannot be written is an error, not a traceback."""
    with Path("/dev/full").open("w") as full:
        done = shop.ccsync("logs", "--json", stdout=full)
    assert done.returncode == 6
    assert "Traceback" not in done.stderr


# the vendors


def test_wrong_kibo_credentials(shop: LiveShop) -> None:
    """The error names vendor and key (exit 4)."""
    edit(shop, SETTINGS.kibo_client_secret, "wrong")
    shop.forget_kibo_token()
    check_error(shop.ccsync("login", "--kibo-only"), 4, "Kibo", "[kibo] client_id", "secret")


def test_a_wrong_tenant(shop: LiveShop) -> None:
    """A tenant that is not this app's is the config's fault (exit 4)."""
    edit(shop, "tenant_id = 12345", "tenant_id = 54321")
    check_error(shop.ccsync("login", "--kibo-only"), 4, "belongs to Kibo tenant 12345", "54321")


def test_an_unknown_app(inside: InsideShop) -> None:
    """An API key that Constant Contact does not know names its key in the config (exit 4)."""
    inside.edit(SETTINGS.cc_client_id, "nobody")
    check_error(inside.ccsync("login", "--cc-only", "--yes"), 4, "[constant_contact] client_id")


def test_a_dead_login(inside: InsideShop) -> None:
    """Only a person can fix it: the command is named (exit 5), and `--check` says the same."""
    inside.box.cc.revoke()
    check_error(inside.ccsync("export", "--yes"), 5, "refused the saved login", "ccsync login")
    assert inside.ccsync("login", "--check").returncode == 5


def test_a_login_that_works_is_checked(shop: LiveShop) -> None:
    """`login --check` exits 0 and says how old the login is and when it would lapse."""
    store = shop.open()
    store.run("UPDATE meta SET value = ? WHERE key = 'encoded_account_id'", shop.box.cc.account.encoded_account_id)
    store.close()
    done = shop.ccsync("login", "--check")
    assert done.returncode == 0, done.stderr
    assert "Kibo: works" in done.stdout
    assert "180 days left" in done.stdout


def test_a_denied_login(tmp_path: Path) -> None:
    """Saying no in the browser ends the login (exit 5); the old one still works."""
    with LiveShop(tmp_path, replace(SETTINGS, device_interval_seconds=1)) as shop:
        before = len(shop.box.requests.records)
        process = shop.start("login", "--cc-only", "--yes")
        for _ in range(600):
            time.sleep(0.05)
            if len(shop.box.requests.records) > before:
                break
        shop.box.cc.deny_device()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 5
        assert "denied" in err
        assert shop.ccsync("export", "--yes").returncode == 3


def test_a_login_without_refresh_token(inside: InsideShop) -> None:
    """It is refused with what to change in the app (exit 5), instead of ending within a day."""
    inside.box.faults.add(
        "wrong-body", vendor="cc_auth", path=".*/token", body='{"access_token": "x", "expires_in": 60}'
    )
    check_error(inside.ccsync("login", "--cc-only", "--yes"), 5, "no refresh token", "Long Lived")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 503, "nth": None}, 8),
        ({"kind": "wrong-body", "body": "<html>log in</html>", "content_type": "text/html", "nth": None}, 8),
        ({"kind": "truncated", "nth": None}, 8),
        ({"kind": "status", "status": 403, "body": '{"error_key": "access_denied"}', "nth": None}, 9),
    ],
    ids=["down", "HTML", "truncated", "forbidden"],
)
def test_a_vendor_that_fails(inside: InsideShop, fault: dict[str, object], code: int) -> None:
    """Down, a web page, cut answers: exit 8; refused for good: exit 9. The next run goes on."""
    inside.box.faults.add(vendor="cc_api", **fault)  # type: ignore[arg-type]
    check_error(inside.ccsync("export", "--yes"), code, "Constant Contact")
    inside.box.faults.clear()
    assert inside.ccsync("export", "--yes").returncode == 3
    assert [run.status for run in inside.latest()] == ["COMPLETE", "FAILED"]


def test_a_next_link_to_another_host(shop: LiveShop) -> None:
    """It is never followed (exit 9)."""
    body = json.dumps({"contacts": [], "_links": {"next": {"href": "https://evil.example/v3/contacts"}}})
    shop.box.faults.add("wrong-body", vendor="cc_api", path="/v3/contacts$", body=body)
    check_error(shop.ccsync("export", "--yes"), 9, "another host")


def test_a_deleted_list(shop: LiveShop) -> None:
    """The message names it and the command that chooses another list (exit 9); it is never recreated."""
    shop.box.cc.delete_list(shop.list_id)
    check_error(shop.ccsync("export", "--yes"), 9, '"Web shop customers" no longer exists', "ccsync configure --list")


def test_a_list_that_was_emptied(shop: LiveShop) -> None:
    """The safety limit stops the export with its numbers and the option that lets it through (exit 10)."""
    shop.ccsync("export", "--yes")
    for address in list(shop.members()):
        shop.box.cc.leave_list(address, shop.list_id)
    for account_id in shop.box.kibo.account_ids():
        shop.box.kibo.update_account(account_id, lastName="Changed")
    shop.later(minutes=11)  # what was seen of members holds for ten
    check_error(shop.ccsync("export"), 10, "no longer on the list", "ccsync export --yes")


# runs


def test_two_runs_at_once(shop: LiveShop) -> None:
    """The second run reports who holds the lock and makes no call (exit 7)."""
    shop.box.faults.add("delay", vendor="cc_api", seconds=2.0)
    before = shop.box.requests.calls["cc_api"]
    first = shop.start("export", "--yes")
    while shop.box.requests.calls["cc_api"] == before:  # a busy machine takes its time to start it
        time.sleep(0.05)
    first.send_signal(signal.SIGSTOP)  # it has several calls under way
    time.sleep(0.2)
    before = shop.box.requests.calls.copy()
    check_error(shop.ccsync("export", "--yes"), 7, "Another run holds the lock", "ccsync export")
    assert shop.box.requests.calls == before
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=60)
    assert first.returncode == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped(shop: LiveShop, number: int, code: int) -> None:
    """Ctrl-C or SIGTERM ends it after the request under way; the next run goes on."""
    shop.box.faults.add("delay", vendor="kibo_tenant", nth=2, seconds=1.0)
    process = shop.start("export", "--yes")
    for _ in range(200):
        time.sleep(0.02)
        if shop.box.requests.calls["kibo_tenant"] >= 2:
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Stopped by" in err
    assert shop.latest()[0].status == "INTERRUPTED"
    assert shop.ccsync("export", "--yes").returncode == 3


def test_cron_hears_nothing_of_a_run_that_did_its_work(shop: LiveShop) -> None:
    """Newly rejected records are one line and exit 3; after that not a byte."""
    first = shop.ccsync("export", "--yes")
    assert (first.returncode, first.stdout) == (3, "")
    assert re.fullmatch(r"\d+ records were rejected, .*: .*ccsync logs 1 --errors\n", first.stderr)
    second = shop.ccsync("export")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_the_first_export_is_a_person_s_decision(shop: LiveShop) -> None:
    """Without a terminal it needs --yes (exit 2); on one it asks, again until it is y or n, and a no is exit 11."""
    check_error(shop.ccsync("export"), 2, "confirmation", "--yes")
    seen = shop.on_terminal("export", script=[("Go on? [y/N]", "perhaps"), ("Type y or n.", "n")])
    assert seen.code == 11
    assert "Cancelled. Nothing was sent." in seen.screen
    assert shop.latest() == []
    assert not shop.members()
    seen = shop.on_terminal("export", answers={"Go on?": "yes"})
    assert seen.code == 3
    assert "Exported" in seen.screen
    assert shop.members()


def test_errors_for_programs(shop: LiveShop) -> None:
    """With --json the last line on stderr is the error, and a run's answer is one document."""
    done = shop.ccsync("export", "--yes", "--json")
    run = json.loads(done.stdout)
    assert set(run) >= {"id", "job", "direction", "status", "started_at", "finished_at", "total_contacts", "errors",
                        "counts", "message"}  # fmt: skip
    assert run["started_at"].endswith("Z")
    shop.box.cc.delete_list(shop.list_id)
    error = json.loads(shop.ccsync("export", "--json").stderr.strip().splitlines()[-1])["error"]
    assert set(error) == {"code", "what", "why", "fix"}
    assert error["code"] == 9


@pytest.mark.prints_addresses
def test_logs_for_programs(shop: LiveShop) -> None:
    """`logs`, `logs ID` and `logs ID --errors` have the contract's shapes, newest first."""
    shop.ccsync("export", "--yes")
    shop.ccsync("export")
    runs = json.loads(shop.ccsync("logs", "--json").stdout)
    assert [run["id"] for run in runs] == [2, 1]
    assert json.loads(shop.ccsync("logs", "1", "--json").stdout) == runs[1]
    rejected = json.loads(shop.ccsync("logs", "1", "--errors", "--json").stdout)
    assert rejected
    assert all(set(one) == {"account_id", "email", "reason", "code", "at"} for one in rejected)
    assert any("@" in (one["email"] or "") for one in rejected)
    assert json.loads(shop.ccsync("logs", "--json", "--limit", "1").stdout) == runs[:1]
    assert json.loads(shop.ccsync("logs", "--json", "--direction", "from").stdout) == []
    assert json.loads(shop.ccsync("logs", "--json", "--status", "failed").stdout) == []
    assert shop.ccsync("logs", "99").returncode == 2


def test_a_reader_works_while_a_job_runs(shop: LiveShop) -> None:
    """`logs` shows the run as RUNNING, without waiting for the lock."""
    shop.box.faults.add("delay", vendor="cc_api", nth=2, seconds=2.0)
    process = shop.start("export", "--yes")
    time.sleep(1.2)
    shown = json.loads(shop.ccsync("logs", "--json").stdout)
    process.communicate(timeout=60)
    assert [run["status"] for run in shown] == ["RUNNING"]


# the terminal


def test_head_is_no_accident(shop: LiveShop) -> None:
    """A reader that goes away early leaves no traceback."""
    shop.ccsync("export", "--yes")
    process = shop.start("logs", "1", "--errors")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.prints_addresses
def test_tables_fit_a_narrow_terminal(shop: LiveShop) -> None:
    """At 60 columns no line of a table is wider than the screen, and no id is changed."""
    shop.ccsync("export", "--yes")
    for words in (["logs"], ["logs", "1", "--errors"]):
        seen = shop.on_terminal(*words, columns=60, environ={"NO_COLOR": "1"})
        assert seen.code == 0
        assert max(len(line) for line in seen.screen.splitlines()) <= 60, seen.screen


def test_hostile_names_are_harmless_on_a_terminal(shop: LiveShop) -> None:
    """Escapes, bells, bidi and line breaks in a record show as text, one record a row."""
    shop.box.kibo.add_account(
        emailAddress="\x1b[2J\x07evil\u202e\r\nrow\x9b31m@example.com", firstName="x", acceptsMarketing=True
    )
    shop.ccsync("export", "--yes")
    seen = shop.on_terminal("logs", "1", "--errors", columns=200)
    assert "\\x1b[2J\\x07evil\\u202e\\x0d\\x0arow\\x9b31m" in seen.screen
    assert not set(seen.screen) & {"\x1b", "\x07", "\u202e", "\x9b"}


def test_progress_is_for_terminals(shop: LiveShop) -> None:
    """One line on a terminal's stderr, erased at the end; none with --no-progress."""
    shop.box.faults.add("delay", vendor="kibo_tenant", nth=3, times=3, seconds=0.4)
    seen = shop.on_terminal("export", "--yes")
    assert "customers" in seen.screen
    assert "calls today" in seen.screen
    assert seen.screen.count("\r\x1b[K") > 1
    assert "\r\x1b[K" not in shop.on_terminal("export", "--no-progress").screen


@pytest.mark.parametrize("environ", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "1"}])
def test_odd_terminals(shop: LiveShop, environ: dict[str, str]) -> None:
    """What cannot be shown there does not stop a command."""
    shop.box.cc.rename_list(shop.list_id, "Клиенты 客户")
    assert shop.on_terminal("export", answers={"Go on?": "yes"}, environ=environ).code == 3
    assert shop.on_terminal("logs", environ=environ).code == 0


# files


def test_a_log_file_is_ours_alone_and_tells_no_secret(shop: LiveShop) -> None:
    """0600 whatever the umask, every call in it, and neither address nor token, with -vv and after a failure."""
    log = shop.folder / "ccsync.log"
    before = os.umask(0)
    try:
        shop.ccsync("-vv", "--log-file", str(log), "export", "--yes")
        shop.box.faults.add("status", vendor="kibo_tenant", nth=None, status=400, body='{"message": "pat@example.com"}')
        shop.ccsync("-vv", "--log-file", str(log), "export", "--yes")
    finally:
        os.umask(before)
    text = log.read_text()
    assert "GET /v3/contacts" in text
    assert not leaks_in(text, set())
    modes = {stat.S_IMODE(path.stat().st_mode) for path in shop.folder.iterdir() if path.is_file()}
    assert modes == {0o600}


def test_every_run_of_a_wave_but_one_is_turned_away(shop: LiveShop) -> None:
    """Six runs at once with an expired token: one refresh, no lost login, the others exit 7."""
    shop.expire_token()
    shop.box.faults.add("delay", vendor="cc_auth", seconds=1.0)
    before = sum(record.path.endswith("/token") for record in shop.box.requests.records)
    wave = [shop.start("export", "--yes") for _ in range(6)]
    for process in wave:
        process.communicate(timeout=60)
    assert sorted(process.returncode for process in wave) == [3, 7, 7, 7, 7, 7]
    assert sum(record.path.endswith("/token") for record in shop.box.requests.records) == before + 1
    assert shop.ccsync("export").returncode == 0
