"""What a message tells the operator to type works on the config file that the command was given."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.cli import app
from ccsync.cli.terminal import named_config
from ccsync.sandbox.settings import SandboxSettings
from tests.inside import InsideShop

UNNAMED = {"CCSYNC_CONFIG": ""}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    """Its config file is not where ccsync looks, and nobody has logged in."""
    with InsideShop(tmp_path, SandboxSettings(customers=3), logs_in=False) as made:
        folder = tmp_path / "a shop"
        folder.mkdir()
        made.config_path = made.config_path.rename(folder / "shop.toml")
        yield made


def named(shop: InsideShop) -> list[str]:
    return ["--config", str(shop.config_path)]


def fix_of(shown: str) -> str:
    return shown.partition("Fix:   ")[2].strip()


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_fix_repeats_the_config_file(place: str, shop: InsideShop) -> None:
    """Whether it was named before the command or after it; the path is quoted, and what is typed works."""
    words = [*named(shop), "export", "--yes"] if place == "before" else ["export", "--yes", *named(shop)]
    done = shop.ccsync(*words, environ=UNNAMED)
    assert f"ccsync {shlex.join(named(shop))} login" in fix_of(done.stderr)
    assert shop.ccsync(*named(shop), "login", "--yes", environ=UNNAMED).returncode == 0
    assert shop.config.state.path.exists()


def test_a_relative_path_is_made_whole(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of cron is read in another folder."""
    monkeypatch.chdir(shop.config_path.parent)
    done = shop.ccsync("--config", "shop.toml", "status", environ=UNNAMED)
    assert f"ccsync {shlex.join(named(shop))} login" in done.stderr


def test_json_and_what_is_to_be_done_repeat_it_as_well(shop: InsideShop) -> None:
    """Of an error, of `status` and of `doctor`: programs show these texts to an operator."""
    option = shlex.join(named(shop))
    error = json.loads(shop.ccsync(*named(shop), "export", "--json").stderr.splitlines()[-1])
    assert f"ccsync {option} login" in error["error"]["fix"]
    assert shop.ccsync(*named(shop), "login", "--yes").returncode == 0
    needs = json.loads(shop.ccsync(*named(shop), "status", "--json").stdout)["needs"]
    assert any(f"ccsync {option} export" in one["fix"] for one in needs), needs
    for words in (["status", "--wide"], ["doctor"]):
        text = shop.ccsync(*named(shop), *words).stdout
        assert f"ccsync {option} " in text
        assert not re.search(rf"\bccsync ({'|'.join(named_config.COMMANDS)})\b", text)
    shop.config_path.write_text(shop.config_path.read_text().replace("list_id", "# list_id"))
    checks = json.loads(shop.ccsync(*named(shop), "doctor", "--json").stdout)["checks"]
    assert any(f"ccsync {option} configure" in (one["fix"] or "") for one in checks)


def test_nothing_is_repeated_that_was_not_typed(shop: InsideShop) -> None:
    """Where the file is found without the option, the command finds it, too; also after one that had it."""
    shop.ccsync(*named(shop), "export", "--yes")
    assert "ccsync login" in fix_of(shop.ccsync("export", "--yes").stderr)


def test_every_command_that_has_a_config_file_is_known() -> None:
    """A new command is not forgotten."""
    assert set(named_config.COMMANDS) == set(app.COMMANDS) - {"help", "completion"}
