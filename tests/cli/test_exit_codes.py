"""Every exit code a command can have, reached by a real process, as cron or a script would see it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock
from tests.canaries import leaks_in
from tests.cli.faults import ALL_COMMANDS, exit_codes
from tests.inside import CommandClock, run_inside
from tests.live import LiveShop

SETTINGS = SandboxSettings(customers=20, seed=7, device_interval_seconds=1)
BUG = """
import sqlite3
def connect(*_, **__):
    raise RuntimeError("pat@example.com")
sqlite3.connect = connect
"""

Preparation = Callable[[LiveShop], object]


def nothing(_: LiveShop) -> None:
    """The command as it is."""


def a_bug(shop: LiveShop) -> dict[str, object]:
    (shop.folder / "sitecustomize.py").write_text(BUG)
    return {"environ": {"PYTHONPATH": str(shop.folder)}}


def a_typo(shop: LiveShop) -> None:
    shop.config_path.write_text(shop.config_path.read_text().replace("list_id", "lits_id"))


def refused_credentials(shop: LiveShop) -> None:
    shop.box.faults.add("status", vendor="kibo_home", status=401, nth=None, body='{"errorCode": "INVALID"}')
    shop.forget_kibo_token()


def a_denial(shop: LiveShop) -> None:
    shop.box.faults.add("status", vendor="cc_auth", path=".*/token", status=400, body='{"error": "access_denied"}')


def a_dead_login(shop: LiveShop) -> None:
    shop.box.cc.revoke()


def no_state_file(shop: LiveShop) -> None:
    shop.config.state.path.write_text("not a database\n" * 100)


def an_expired_token(shop: LiveShop) -> None:
    shop.expire_token()


def come_back_later(shop: LiveShop) -> None:
    shop.box.faults.add("status", status=429, nth=None, headers={"Retry-After": "7200"})


def a_redirect(shop: LiveShop) -> None:
    shop.box.faults.add("status", status=302, nth=None, headers={"Location": "https://evil.example/"})


def exported_before(shop: LiveShop) -> None:
    shop.ccsync("export", "--yes")


def an_emptied_list(shop: LiveShop) -> None:
    for number in range(12):
        shop.box.kibo.add_account(emailAddress=f"c{number}@example.com", firstName="C", acceptsMarketing=True)
    exported_before(shop)
    for address in list(shop.members()):
        shop.box.cc.leave_list(address, shop.list_id)
    shop.later(minutes=11)  # what was seen of members holds for ten
    for account_id in shop.box.kibo.account_ids():
        shop.box.kibo.update_account(account_id, lastName="Changed")


Row = tuple[str, int, Preparation, list[str] | None]
ROWS: list[Row] = [
    ("login", 0, nothing, None),
    ("login", 1, a_bug, None),
    ("login", 2, nothing, ["login", "--kibo-only", "--cc-only"]),
    ("login", 4, refused_credentials, None),
    ("login", 5, a_denial, None),
    ("login", 6, no_state_file, None),
    ("login", 8, come_back_later, None),
    ("login", 9, a_redirect, None),
    ("check", 0, nothing, None),
    ("check", 1, a_bug, None),
    ("check", 2, nothing, ["login", "--check", "--kibo-only", "--cc-only"]),
    ("check", 4, a_typo, None),
    ("check", 5, a_dead_login, None),
    ("check", 6, no_state_file, None),
    ("check", 8, come_back_later, None),
    ("check", 9, a_redirect, None),
    ("configure", 0, nothing, None),
    ("configure", 1, a_bug, None),
    ("configure", 2, nothing, ["configure", "--create-list"]),
    ("configure", 4, nothing, ["configure", "--list", "Nobody has this"]),
    ("configure", 5, a_dead_login, None),
    ("configure", 6, no_state_file, None),
    ("configure", 8, come_back_later, None),
    ("configure", 9, a_redirect, None),
    ("export", 0, exported_before, None),
    ("export", 1, a_bug, None),
    ("export", 2, nothing, ["export"]),
    ("export", 3, nothing, None),
    ("export", 4, a_typo, None),
    ("export", 5, a_dead_login, None),
    ("export", 6, no_state_file, None),
    ("export", 8, come_back_later, None),
    ("export", 9, a_redirect, None),
    ("export", 10, an_emptied_list, ["export"]),
    ("logs", 0, exported_before, None),
    ("logs", 1, a_bug, None),
    ("logs", 2, nothing, ["logs", "--errors"]),
    ("logs", 4, a_typo, None),
    ("logs", 6, no_state_file, None),
]
LOCKED = [("login", nothing), ("check", an_expired_token), ("configure", nothing), ("export", nothing)]
STOPPED = ["login", "check", "configure", "export"]
SIGNALS = {130: 2, 143: 15}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with live_shop(tmp_path) as made:
        made.box.cc.approve_automatically = True
        yield made


@contextmanager
def live_shop(folder: Path) -> Iterator[LiveShop]:
    with LiveShop(folder, replace(SETTINGS)) as made:
        store = made.open()
        store.run("UPDATE meta SET value = ? WHERE key = 'encoded_account_id'", made.box.cc.account.encoded_account_id)
        store.close()
        yield made


def check(done: subprocess.CompletedProcess[str], code: int) -> None:
    """The code; without success at least one line on stderr with its fix, and never a traceback or a secret."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not leaks_in(done.stderr, set())
    if code == 2:
        assert "Error: " in done.stderr
    elif code not in (0, 3):
        assert done.stderr.startswith("Error: ")
        assert "Fix:   " in done.stderr


@pytest.mark.parametrize(("name", "code", "prepare", "words"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_a_code(shop: LiveShop, name: str, code: int, prepare: Preparation, words: list[str] | None) -> None:
    """The command ends with the code that is documented for what happened."""
    options = prepare(shop) or {}
    assert isinstance(options, dict)
    check(shop.ccsync(*(words or ALL_COMMANDS[name]), **options), code)


@pytest.mark.parametrize(("name", "prepare"), LOCKED, ids=[row[0] for row in LOCKED])
def test_the_lock_is_held(shop: LiveShop, name: str, prepare: Preparation) -> None:
    """Exit 7, and no call: another run works."""
    prepare(shop)
    asked = sum("/token" in one for one in shop.requests("POST"))
    with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
        check(shop.ccsync(*ALL_COMMANDS[name]), 7)
    assert sum("/token" in one for one in shop.requests("POST")) == asked


@pytest.mark.parametrize("code", SIGNALS)
@pytest.mark.parametrize("name", STOPPED)
def test_stopped(tmp_path: Path, name: str, code: int) -> None:
    """Ctrl-C and SIGTERM: the request under way ends, then the command; the lock is free for the next."""
    with live_shop(tmp_path) as shop:
        asked = len(shop.box.requests.records)
        settings = shop.config_path.read_bytes()
        arrived: list[float] = []
        shop.box.faults.before(lambda: arrived.append(time.monotonic()))
        shop.box.faults.add("delay", nth=2 if name in ("export", "check") else 1, seconds=0.3)
        process = shop.start(*ALL_COMMANDS[name])
        ends_at = time.monotonic() + 20
        while len(arrived) < (2 if name in ("export", "check") else 1) and time.monotonic() < ends_at:
            time.sleep(0.01)
        process.send_signal(SIGNALS[code])
        out, err = process.communicate(timeout=30)
        check(subprocess.CompletedProcess(name, process.returncode, out, err), code)
        assert "Stopped by" in err
        assert shop.config_path.read_bytes() == settings
        assert len(shop.box.requests.records) - asked <= 4
        shop.box.faults.clear()
        shop.box.cc.approve_automatically = True
        assert shop.ccsync(*ALL_COMMANDS[name]).returncode in (0, 3)


def test_a_bug_is_told_to_the_log_alone(shop: LiveShop) -> None:
    """One line on stderr with the version; the traceback stands in the log file, without addresses."""
    log = shop.folder / "ccsync.log"
    done = shop.ccsync("--log-file", str(log), "logs", "--json", **a_bug(shop))
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == 1
    assert "Traceback" in log.read_text()
    assert "<address>" in log.read_text()


DECLINED = 11


def test_declined(shop: LiveShop) -> None:
    """A no at a prompt: nothing is sent, and the log has no run that failed."""
    seen = shop.on_terminal("export", answers={"Go on?": "n"})
    assert seen.code == DECLINED
    assert not shop.members()
    assert shop.latest() == []


def test_a_misspelt_command(tmp_path: Path) -> None:
    """Usage (exit 2), with the nearest command where one is near."""
    for word, end in (
        ("lgos", "'lgos'. Did you mean logs?"),
        ("flush-event", "Did you mean flush-events?"),
        ("flush", "Did you mean flush-events?"),
        ("poll", "Did you mean poll-unsubscribes?"),
        ("x", "'x'."),
    ):
        done = run_inside(tmp_path, tmp_path / "none.toml", [word], CommandClock())
        assert done.returncode == 2
        assert done.stderr.rstrip().endswith(end)


def test_no_code_is_left_out() -> None:
    """Every documented code is reached by one of the tests above, and no other."""
    reached = {code for _, code, _, _ in ROWS} | {7, DECLINED} | set(SIGNALS)
    assert reached == exit_codes()
    assert {"login", "check", "configure", "export", "logs"} == {name for name, *_ in ROWS}
