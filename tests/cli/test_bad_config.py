"""Every command reports all problems of a wrong config before it does anything (C1, G20)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.cli.faults import ALL_COMMANDS, check_error
from tests.inside import InsideShop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=3)) as made:
        yield made


CONTENTS = {
    "empty": lambda text: b"",
    "typo": lambda text: text.replace("tenant_id", "tenantid").encode(),
    "several": lambda text: (text + "lits = 1\n[limts]\n[state]\nkeep_days = 0\n").encode(),
    "bad TOML": lambda text: (text + "x = \n").encode(),
    "latin-1": lambda text: (text + "# Stra\xdfe\n").encode("latin-1"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "NUL": lambda text: text.encode() + b"\0",
}


@pytest.mark.parametrize("name", ALL_COMMANDS)
@pytest.mark.parametrize("content", CONTENTS)
def test_a_config_that_is_wrong(shop: InsideShop, name: str, content: str) -> None:
    """Exit 4 with file and line, no call to anybody, and neither state file nor config is touched."""
    made = CONTENTS[content](shop.config_path.read_text())
    state = shop.config.state.path.read_bytes()
    shop.config_path.write_bytes(made)
    asked = len(shop.box.requests.records)
    check_error(shop.ccsync(*ALL_COMMANDS[name]), {4}, "ccsync.toml")
    assert len(shop.box.requests.records) == asked
    assert shop.config_path.read_bytes() == made
    assert (shop.folder / "ccsync.db").read_bytes() == state


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_c2_a_link_to_a_config_that_others_can_read(shop: InsideShop, name: str) -> None:
    """A link is judged by its target: a secret that others can read is refused with the chmod (exit 4)."""
    link = shop.folder / "link.toml"
    link.symlink_to(shop.config_path)
    shop.config_path.chmod(0o640)
    check_error(shop.ccsync(*ALL_COMMANDS[name], config=link), {4}, "chmod 600 ")


@pytest.mark.parametrize("name", ["export"])
def test_a_mapping_that_cannot_work(shop: InsideShop, name: str) -> None:
    """Every wrong line of [mapping] is reported with file, line, key, and the nearest right name (exit 4)."""
    before = len(shop.config_path.read_text().splitlines())
    shop.config_path.write_text(
        shop.config_path.read_text() + '[mapping]\nfirst_nam = "firstName"\nlast_name = "lastNam"\nphones = "id"\n'
    )
    done = shop.ccsync(*ALL_COMMANDS[name])
    check_error(
        done,
        {4},
        f"ccsync.toml:{before + 2}: [mapping] first_nam: Constant Contact has no such property. Did you mean first_na",
        f'ccsync.toml:{before + 3}: [mapping] last_name = "lastNam": Kibo has no such field. Did you mean lastName?',
        f'ccsync.toml:{before + 4}: [mapping] phones = "id": phones takes no such field. Did you mean phones = ',
    )


EVERY_COMMAND = {
    **ALL_COMMANDS,
    "poll": ["poll-unsubscribes"],
    "reconcile": ["reconcile"],
    "forget": ["forget", "pat@example.com", "--yes"],
    "events": ["events"],
    "status": ["status"],
    "why": ["why", "pat@example.com"],
    "consent": ["consent", "pat@example.com"],
}
SECRET = SandboxSettings().kibo_client_secret
LATE_FAULTS = {
    "no secret": (lambda text: text.replace("client_secret =", "# client_secret ="), "CCSYNC_KIBO_CLIENT_SECRET"),
    "a secret's command that fails": (
        lambda text: text.replace(f'client_secret = "{SECRET}"', 'client_secret_command = ["false"]'),
        "false ended with status 1",
    ),
    "a mapping to nowhere": (lambda text: text + '[mapping]\nfirst_nam = "firstName"\n', "first_nam"),
}


@pytest.mark.parametrize("name", EVERY_COMMAND)
@pytest.mark.parametrize("fault", LATE_FAULTS)
def test_the_config_is_checked_whole_before_the_state_file_is_opened(tmp_path: Path, name: str, fault: str) -> None:
    """A secret that cannot be had, or an unknown mapping target, is 4 even where there is no state file."""
    change, word = LATE_FAULTS[fault]
    with InsideShop(tmp_path, SandboxSettings(customers=3), logs_in=False) as shop:
        shop.config_path.write_text(change(shop.config_path.read_text()))
        done = shop.ccsync(*EVERY_COMMAND[name])
        if name == "configure" and fault == "a mapping to nowhere":
            check_error(done, {6}, "state file")  # it is what mends a mapping
        else:
            check_error(done, {4}, word)
        assert not shop.config.state.path.exists()
        assert len(shop.box.requests.records) == 0


def test_who_only_reads_runs_no_secret_s_command(shop: InsideShop) -> None:
    """The log is shown without asking a password store; a job asks it once."""
    told = shop.folder / "told"
    script = shop.folder / "secret.sh"
    script.write_text(f"#!/bin/sh\necho once >> {told}\necho {SECRET}\n")
    script.chmod(0o700)
    shop.edit(f'client_secret = "{SECRET}"', f'client_secret_command = ["{script}"]')
    assert shop.ccsync("logs").returncode == 0
    assert not told.exists()
    assert shop.ccsync("login", "--check").returncode == 0
    assert told.read_text() == "once\n"


def test_the_flow_code_needs_a_secret(tmp_path: Path) -> None:
    """Without one every command is refused with where it may stand (exit 4)."""
    with InsideShop(tmp_path, SandboxSettings(customers=3, app_flow="code"), logs_in=False) as shop:
        secret = f'client_secret = "{shop.box.settings.cc_client_secret}"'
        shop.edit(secret, "")
        check_error(shop.ccsync("login", "--yes"), {4}, "CCSYNC_CC_CLIENT_SECRET")
