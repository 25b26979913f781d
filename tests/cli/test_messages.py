"""The full text of each error that an operator may meet, and that every command it names exists."""

import os
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from ccsync import __version__
from ccsync.cli.app import cli
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, create_store
from ccsync.state.database.schema import VERSION
from tests.cli.faults import COMMANDS
from tests.inside import InsideShop

SETTINGS = SandboxSettings(customers=20, seed=7)
EXPORT = COMMANDS["export"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS) as made:
        yield made


def no_config(shop: InsideShop) -> None:
    shop.config_path.rename(shop.folder / "elsewhere")


def typo(shop: InsideShop) -> None:
    shop.edit("list_id =", "lits_id =")


def readable_by_others(shop: InsideShop) -> None:
    shop.config_path.chmod(0o644)


def no_list_chosen(shop: InsideShop) -> None:
    shop.edit("list_id =", "# list_id =")


def never_logged_in(shop: InsideShop) -> None:
    shop.config.state.path.unlink()
    create_store(shop.config.state.path).close()
    store = shop.open()
    store.run("INSERT INTO meta VALUES ('tenant_url', ?)", shop.box.urls.kibo_tenant)
    store.close()


def login_expired(shop: InsideShop) -> None:
    shop.later(days=200)


def login_revoked(shop: InsideShop) -> None:
    shop.box.cc.revoke()


def forbidden(shop: InsideShop) -> None:
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=403, body='{"error_key": "access_denied"}')


def other_account(shop: InsideShop) -> None:
    shop.box.cc.account.encoded_account_id = "another"


def quota_used_up(shop: InsideShop) -> None:
    store = shop.open()
    store.run("INSERT OR REPLACE INTO calls VALUES (?, 'constant_contact', 10000)", f"{shop.clock.now():%Y-%m-%d}")
    store.close()


def quota_spent_elsewhere(shop: InsideShop) -> None:
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=429, body='{"error_key": "quota_exceeded"}')


def vendor_down(shop: InsideShop) -> None:
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=503)


def vendor_asks_for_a_wait(shop: InsideShop) -> None:
    shop.box.faults.add("status", vendor="kibo_tenant", nth=None, status=429, headers={"Retry-After": "7200"})


def state_missing(shop: InsideShop) -> None:
    shop.config.state.path.unlink()


def state_empty(shop: InsideShop) -> None:
    shop.config.state.path.write_bytes(b"")


def state_damaged(shop: InsideShop) -> None:
    shop.config.state.path.write_text("no database\n" * 100)


def state_newer(shop: InsideShop) -> None:
    store = shop.open()
    store.run(f"PRAGMA user_version = {VERSION + 1}")
    store.close()


def list_deleted(shop: InsideShop) -> None:
    shop.box.cc.delete_list(shop.list_id)


def list_emptied(shop: InsideShop) -> None:
    for number in range(15):
        shop.box.kibo.add_account(emailAddress=f"c{number}@example.com", firstName="C", acceptsMarketing=True)
    shop.ccsync(*EXPORT)
    for address in list(shop.members()):
        shop.box.cc.leave_list(address, shop.list_id)
    shop.later(hours=1)
    for account_id in shop.box.kibo.account_ids():
        shop.box.kibo.update_account(account_id, lastName="Changed")


def list_misspelt(shop: InsideShop) -> None:
    shop.box.cc.add_list("Newsletter")


def import_not_carried_out(shop: InsideShop) -> None:
    activity = '{"activity_id": "a1", "state": "failed", "activity_errors": ["x"], "status": {}}'
    shop.box.faults.add("wrong-body", vendor="cc_api", path=".*/contacts_json_import", nth=None, body=activity)
    shop.box.faults.add(
        "wrong-body", vendor="cc_api", path="/v3/activities$", nth=None, body=f'{{"activities": [{activity}]}}'
    )


def import_stuck(shop: InsideShop) -> None:
    shop.box._servers._handlers["cc_api"] = _never_finishing(shop.box._servers._handlers["cc_api"])  # type: ignore[index]


def _never_finishing(real: Callable[[object], object]) -> Callable[[object], object]:
    def handle(request: object) -> object:
        reply = real(request)
        body = re.sub(rb'"state":"\w+"', b'"state":"processing"', reply.body)  # type: ignore[attr-defined]
        return type(reply)(reply.status, body, reply.content_type, reply.headers)  # type: ignore[attr-defined,call-arg]

    return handle


def privilege_missing(shop: InsideShop) -> None:
    shop.box.cc.account.privileges -= {"contacts:write"}


def nothing(_: InsideShop) -> None:
    """As it is."""


def unknown_app(shop: InsideShop) -> None:
    shop.edit(SETTINGS.cc_client_id, "nobody-knows-this")


def another_tenant(shop: InsideShop) -> None:
    shop.edit("tenant_id = 12345", "tenant_id = 678")


def wrong_secret(shop: InsideShop) -> None:
    shop.edit(SETTINGS.kibo_client_secret, "wrong-secret")
    store = shop.open()
    store.run("DELETE FROM tokens WHERE vendor = 'kibo'")
    store.close()


def disk_full(shop: InsideShop) -> None:
    store = shop.open()
    store.run("CREATE TRIGGER full BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
    store.close()


@dataclass(frozen=True, slots=True)
class Message:
    """How to meet a message: what goes wrong, which command meets it, its code."""

    prepare: Callable[[InsideShop], object]
    words: list[str]
    code: int


MESSAGES = {
    "no config": Message(no_config, ["logs"], 4),
    "typo": Message(typo, EXPORT, 4),
    "readable by others": Message(readable_by_others, EXPORT, 4),
    "no list chosen": Message(no_list_chosen, EXPORT, 4),
    "another tenant": Message(another_tenant, EXPORT, 4),
    "wrong secret": Message(wrong_secret, ["login", "--kibo-only"], 4),
    "unknown app": Message(unknown_app, ["login", "--cc-only", "--yes"], 4),
    "list misspelt": Message(list_misspelt, ["configure", "--list", "News letter"], 4),
    "never logged in": Message(never_logged_in, EXPORT, 5),
    "login expired": Message(login_expired, EXPORT, 5),
    "login revoked": Message(login_revoked, EXPORT, 5),
    "other account": Message(other_account, ["login", "--check", "--cc-only"], 5),
    "privilege missing": Message(privilege_missing, ["login", "--check", "--cc-only"], 5),
    "state missing": Message(state_missing, EXPORT, 6),
    "state empty": Message(state_empty, EXPORT, 6),
    "state hard linked": Message(lambda shop: os.link(shop.config.state.path, shop.folder / "a"), EXPORT, 6),
    "state damaged": Message(state_damaged, EXPORT, 6),
    "state newer": Message(state_newer, EXPORT, 6),
    "disk full": Message(disk_full, EXPORT, 6),
    "quota used up": Message(quota_used_up, EXPORT, 8),
    "quota spent elsewhere": Message(quota_spent_elsewhere, EXPORT, 8),
    "vendor down": Message(vendor_down, EXPORT, 8),
    "vendor asks for a wait": Message(vendor_asks_for_a_wait, EXPORT, 8),
    "import stuck": Message(import_stuck, EXPORT, 8),
    "forbidden": Message(forbidden, EXPORT, 9),
    "list deleted": Message(list_deleted, EXPORT, 9),
    "import not carried out": Message(import_not_carried_out, EXPORT, 9),
    "brake": Message(list_emptied, ["export"], 10),
    "first export": Message(nothing, ["export"], 2),
    "records rejected": Message(nothing, EXPORT, 3),
}
PINNED = (Path(__file__).parent / "messages.txt").read_text()
TEXTS = {name: f"{text.strip()}\n" for name, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PINNED, re.M | re.S)}
"""Each message as it is printed, with names in braces for what differs from run to run."""


def shown(shop: InsideShop, text: str) -> str:
    """The text with a name for each path, address and number that differs from run to run."""
    names = {
        str(shop.folder / "ccsync.toml"): "{config}",
        str(shop.folder / "ccsync.db"): "{state}",
        str(shop.folder): "{folder}",
        shop.box.urls.kibo_home: "{kibo}",
        shop.box.urls.cc_auth: "{auth}",
        shop.list_id: "{list}",
        __version__: "{version}",
        f"process {os.getpid()}": "process {process}",
        f"format is {VERSION + 1}, this program knows {VERSION}": "format is {newer}, this program knows {ours}",
    }
    for value, name in names.items():
        text = text.replace(value, name)
    return text


def check_commands(text: str) -> None:
    """Every `ccsync …` in a fix is an existing command with existing options."""
    fix = text.partition("Fix:   ")[2] or text
    for words in re.findall(r"ccsync((?: -{1,2}[a-z][a-z-]*| FILE| ccsync\.log| [a-z][a-z-]+| \d+| NAME)+)", fix):
        given = [word for word in words.split() if word not in ("FILE", "ccsync.log", "NAME") and not word.isdigit()]
        name = next(word for word in given if not word.startswith("-"))
        if name in ("again", "would"):  # it is the program that is spoken of
            continue
        command = cli.all()[name]
        known = {option for one in (*command.params, *cli.params) for option in (*one.opts, *one.secondary_opts)}
        assert {word for word in given if word.startswith("--")} <= known
        with click.Context(command, info_name=name) as context:
            assert f"Usage: {name}" in command.get_help(context)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message(shop: InsideShop, name: str) -> None:
    """What happened, why and what to do: word by word, and the command it names exists."""
    message = MESSAGES[name]
    message.prepare(shop)
    done = shop.ccsync(*message.words)
    assert done.returncode == message.code
    assert shown(shop, done.stderr) == TEXTS[name]
    check_commands(done.stderr)


def test_no_message_is_pinned_in_vain() -> None:
    """The file of texts has each message of these tests, and no other."""
    assert set(TEXTS) == {*MESSAGES, "locked", "unforeseen"}


def test_locked(shop: InsideShop) -> None:
    """Who holds the lock, since when and in which process; what was done: nothing."""
    with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
        done = shop.ccsync(*EXPORT)
    assert (done.returncode, shown(shop, done.stderr)) == (7, TEXTS["locked"])
    check_commands(done.stderr)


def test_unforeseen(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug: its kind and the version, how to report it, and nothing of a person."""

    def fail(*_: object, **__: object) -> object:
        raise RuntimeError("pat@example.com")

    monkeypatch.setattr(sqlite3, "connect", fail)
    done = shop.ccsync("logs")
    assert (done.returncode, shown(shop, done.stderr)) == (1, TEXTS["unforeseen"])


def test_a_chmod_can_be_pasted(shop: InsideShop) -> None:
    """The command that a message gives fixes the problem."""
    shop.config_path.chmod(0o644)
    fix = shop.ccsync("logs").stderr.partition("Fix:   ")[2].strip()
    assert shlex.split(fix)[0] == "chmod"
    subprocess.run(shlex.split(fix), check=True)
    assert shop.ccsync("logs").returncode == 0
