"""Where a command may find itself (G19): in a pipe, without environment, streams, home or letters beyond ASCII."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.canaries import leaks_in
from tests.cli.faults import ALL_COMMANDS
from tests.inside import InsideShop
from tests.live import LiveShop

SETTINGS = SandboxSettings(customers=20, seed=7, device_interval_seconds=1)
COMMANDS = {**ALL_COMMANDS, "show": ["configure", "--show"], "help": ["--help"], "version": ["--version"]}
LIST = "Клиенты 客户 \u202e"
PLACES = {
    "pipe": "",
    "closed stdin": "<&-",
    "closed stdout": ">&-",
    "all closed": "<&- >&- 2>&-",
    "full": ">/dev/full",
    "empty environment": "",
    "C": "",
    "dumb": "",
    "no home": "",
    "/": "",
}
"""Where a command runs, and what the shell does to its streams for it."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SETTINGS) as made:
        made.box.cc.approve_automatically = True
        made.box.cc.rename_list(made.list_id, LIST)
        made.box.kibo.add_account(emailAddress="\u202eодин@@example.com", firstName="Ж", acceptsMarketing=True)
        store = made.open()
        store.run("UPDATE meta SET value = ? WHERE key = 'encoded_account_id'", made.box.cc.account.encoded_account_id)
        store.close()
        yield made


def ccsync_in(shop: LiveShop, place: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in one of the `PLACES`."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(shop.folder), "PYTHONWARNINGS": "error"}
    environ = {
        "empty environment": {},
        "no home": {"PATH": os.environ["PATH"]},
        "C": {**environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        "dumb": {**environ, "TERM": "dumb", "COLUMNS": "1", "PYTHONIOENCODING": "ascii"},
    }.get(place, environ)
    command = [
        "/bin/sh",
        "-c",
        f'exec "$0" "$@" {PLACES[place]}',
        sys.executable,
        "-m",
        "ccsync",
        "--config",
        str(shop.config_path),
        *words,
    ]
    folder = Path("/") if place == "/" else shop.folder
    return subprocess.run(
        command, env=environ, cwd=folder, input="", capture_output=True, text=True, errors="backslashreplace",
        timeout=60, check=False,
    )  # fmt: skip


DEEP = pytest.mark.deep  # each is a cold start; what is special about a place shows with one command of each kind
USUALLY = {"logs": ("all closed", "full", "closed stdout", "C", "empty environment")}  # it prints more than others
EVERYWHERE = [
    pytest.param(name, place, marks=() if name == "export" or place in USUALLY.get(name, ("all closed",)) else DEEP)
    for name in ALL_COMMANDS
    for place in PLACES
]
SOMEWHERE = [
    pytest.param(name, place, marks=() if place in ("all closed", "full") else DEEP)
    for name in ("show", "help", "version")
    for place in ("all closed", "full", "C", "no home")
]


@pytest.mark.parametrize(("name", "place"), EVERYWHERE + SOMEWHERE)
def test_a_command_anywhere(shop: LiveShop, name: str, place: str) -> None:
    """It does its work with the documented code, or says clearly why not; never a traceback, never a prompt."""
    words = [LIST if word == "Web shop customers" else word for word in COMMANDS[name]]
    if name == "login" and place not in ("pipe", "all closed"):
        words += ["--kibo-only"]  # the whole of it takes some seconds
    done = ccsync_in(shop, place, words)
    codes = {3} if name == "export" else {0}
    if place == "full" and name not in ("export", "logs"):  # these have nothing to print here
        codes = {6}
        assert "the disk is full" in done.stderr
    assert done.returncode in codes, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not leaks_in(done.stderr, set())
    if name == "export":
        assert done.stdout == ""
    if name in ("export", "flush"):
        assert bool(shop.members()) == (name == "export")
    state = shop.config.state.path.read_bytes()
    assert state.startswith(b"SQLite format 3\0")


def test_a_missing_stream_is_not_the_state_file(shop: LiveShop) -> None:
    """With stdout closed the next file opened would take its number: nothing that is printed gets into a file."""
    ccsync_in(shop, "all closed", ["login", "--yes"])
    ccsync_in(shop, "all closed", ["configure", "--show"])
    for path in shop.folder.iterdir():
        content = path.read_bytes() if path.is_file() else b""
        assert b"Kibo: tenant" not in content
        assert b"[kibo]" not in content or path.suffix == ".toml"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}, 8),
        ({"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}, 3),
        ({"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}, 3),
        ({"CCSYNC_STATE": ""}, 3),
        ({"TZ": "Pacific/Apia"}, 3),
        ({"TZ": "Not/AZone"}, 3),
        ({"NO_COLOR": "1", "TERM": ""}, 3),
    ],
)
def test_c4_what_the_environment_says(tmp_path: Path, changes: dict[str, str], code: int) -> None:
    """A proxy is honoured and its variable named in the log; what is nonsense does no harm."""
    log = tmp_path / "ccsync.log"
    with InsideShop(tmp_path, SETTINGS, has_wire=True) as shop:
        done = shop.ccsync("--log-file", str(log), "export", "--yes", environ=changes)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    told = log.read_text()
    for name in ("HTTP_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        assert told.count(f" {name}") == (name in changes)


def test_an_argument_that_is_not_utf_8(shop: LiveShop) -> None:
    """Bytes that are no text are a usage error; a path may have them."""
    done = shop.ccsync("configure", "--list", b"Caf\xe9")
    assert done.returncode == 2
    assert "is not UTF-8" in done.stderr
    odd = Path(os.fsdecode(os.fsencode(shop.folder) + b"/caf\xe9.toml"))
    shop.config_path.rename(odd)
    assert shop.ccsync("--config", os.fsencode(odd), "logs").returncode == 0


READ_IN_PART = [
    ["logs"], ["logs", "--json"], ["logs", "--csv"], ["logs", "1", "--errors"], ["logs", "--rejected"],
    ["events", "--all"], ["events", "--all", "--json"], ["status"], ["status", "--json"], ["status", "--check"],
    ["why", "a@example.com"], ["consent", "--since", "30d"], ["consent", "--since", "30d", "--csv"],
    ["report", "--output", "-"], ["configure", "--show"], ["configure", "--show", "--json"], ["help"],
    ["help", "export"], ["completion", "bash"], ["init", "--print-crontab"], ["init", "--print-systemd"], ["doctor"],
    ["login", "--check"], ["export", "--dry-run"], ["flush-events", "--dry-run", "--json"], ["reconcile", "--json"],
    ["--help"], ["--version"],
]  # fmt: skip


def test_a_reader_may_go_away(shop: LiveShop) -> None:
    """In `ccsync … | head`, whatever is printed: no traceback, no complaint, and the exit code that a monitor wants."""
    shop.ccsync("export", "--yes")
    for words in READ_IN_PART:
        expected = shop.ccsync(*words)
        theirs, ours = os.pipe()
        os.close(theirs)
        done = shop.start(*words, stdout=ours)
        os.close(ours)
        _, said = done.communicate(timeout=60)
        assert done.returncode == expected.returncode, (words, said)
        assert "Traceback" not in said
        assert "pipe" not in said.lower()
        assert len(said.splitlines()) <= len(expected.stderr.splitlines()), words


@pytest.mark.parametrize("words", [["status", "--check"], ["logs", "999"], ["why"], ["--config", "/nowhere", "logs"]])
def test_nobody_reads_what_is_wrong(shop: LiveShop, words: list[str]) -> None:
    """In `ccsync … 2>&1 | head -0` the exit code is the true one, too."""
    expected = shop.ccsync(*words)
    theirs, ours = os.pipe()
    os.close(theirs)
    done = shop.start(*words, stdout=ours, stderr=ours)
    os.close(ours)
    assert done.wait(60) == expected.returncode
