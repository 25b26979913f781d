"""What the tables of faults share: the commands, how an error has to look, and that nothing is lost by it."""

import signal
import subprocess

from ccsync.errors import SOME_REJECTED, CcsyncError
from tests.canaries import leaks_in
from tests.harness import LIST
from tests.inside import InsideShop

COMMANDS: dict[str, list[str]] = {
    "login": ["login", "--yes"],
    "check": ["login", "--check"],
    "configure": ["configure", "--list", LIST],
    "export": ["export", "--yes"],
    "flush": ["flush-events", "--json"],
}
"""The commands that call a vendor."""
ALL_COMMANDS = {**COMMANDS, "logs": ["logs"]}


def exit_codes() -> set[int]:
    """Every code that a command can end with: success, what `ccsync.errors` has, and the system's stop."""
    codes, classes = {0, SOME_REJECTED, 128 + signal.SIGTERM}, [CcsyncError]
    for one in classes:
        codes.add(one.exit_code)
        classes += one.__subclasses__()
    return codes


def check_error(done: subprocess.CompletedProcess[str], codes: set[int], *words: str) -> None:
    """One of these codes; what, why and fix on stderr in a few lines; no traceback, no secret and no address."""
    assert done.returncode in codes, f"exit {done.returncode}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    assert "Unforeseen" not in done.stderr
    assert "Error: " in done.stderr
    assert "Fix:   " in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 9, done.stderr
    for word in words:
        assert word in done.stderr
    assert not leaks_in(done.stderr, set())


def check_nothing_is_lost(shop: InsideShop, name: str) -> None:
    """Once all is well again the same command does its work, and the login, the settings and the list are right."""
    shop.box.faults.clear()
    shop.later(hours=13)
    done = shop.ccsync(*ALL_COMMANDS[name])
    assert done.returncode in ({0, 3} if name == "export" else {0}), done.stderr
    checked = shop.ccsync("login", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert shop.config.sync.list_id == shop.list_id
    if name == "export":
        assert shop.members()
        assert not shop.box.cc.forbidden_calls
