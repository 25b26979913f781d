"""Every screen on a real terminal of 80 and of 60 columns, in one shop with awkward people in it."""

import json
import re
import unicodedata
from collections.abc import Iterator

import pytest

from ccsync.cli.terminal.screen import width_of
from ccsync.sandbox.settings import SandboxSettings
from tests.live import LiveShop

COLOR = re.compile(r"\x1b\[\d*m")
LONG = "maximiliane.featherstonehaugh-cholmondeley@subsidiary.department.example.com"
PERSON = "pat@example.com"

pytestmark = pytest.mark.prints_addresses


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveShop]:
    """Runs of several jobs; rejected records, opt-outs, a departure, failed and pending events, a long address."""
    with LiveShop(tmp_path_factory.mktemp("screens"), SandboxSettings(customers=30, seed=7, hostile=True)) as made:
        add = made.box.kibo.add_account
        pat = add(emailAddress=PERSON, firstName="Pat", acceptsMarketing=True)
        add(emailAddress=LONG, firstName="山田太郎", acceptsMarketing=True)
        made.ccsync("export", "--yes")
        made.box.cc.unsubscribe(PERSON)
        made.box.cc.leave_list(sorted(made.members())[0], made.list_id)
        made.ccsync("poll-unsubscribes", "--full")
        made.box.kibo.update_account(pat, lastName="Novak")
        made.box.faults.add("wrong-body", path=f"/api/commerce/customer/accounts/{pat}", nth=None, body="{")
        made.ccsync("flush-events")
        made.box.faults.clear()
        yield made


SCREENS = [
    ["logs"], ["logs", "1"], ["logs", "1", "--errors"], ["events"], ["events", "--all"], ["events", "--failed"],
    ["why", PERSON], ["why", LONG], ["why", "nobody@example.com"], ["consent", PERSON], ["consent", "--since", "30d"],
    ["status"], ["status", "--live"], ["login", "--check"], ["configure", "--show"], ["reconcile"],
    ["export", "--dry-run"], ["flush-events", "--dry-run"], ["poll-unsubscribes", "--dry-run"],
    ["configure", "--list", "No such list"], ["logs", "99"], ["forget", "nobody@example.com"],
]  # fmt: skip


def lines_of(screen: str) -> list[str]:
    """What stays on the screen, without colors; a line of progress is erased."""
    return [COLOR.sub("", line.rpartition("\x1b[K")[2]) for line in screen.replace("\r\n", "\n").split("\n")]


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("words", SCREENS, ids=" ".join)
def test_a_screen_fits(shop: LiveShop, words: list[str], columns: int) -> None:
    """No line is wider than the terminal, unless it ends with one word, such as a path, that is not to be broken."""
    seen = shop.on_terminal(*words, columns=columns)
    assert seen.code in (0, 2, 3, 4), seen.screen
    for line in lines_of(seen.screen):
        before, _, word = line.rpartition(" ")
        is_one_word = width_of(word) > columns - 30 and width_of(before) < 30
        assert width_of(line) <= columns or is_one_word, line
        assert not {unicodedata.category(one) for one in line} & {"Cc", "Cs"}, line


@pytest.mark.parametrize("columns", [80, 60])
def test_a_table_keeps_one_line_for_what_fits_in_one(shop: LiveShop, columns: int) -> None:
    """A run is one line of `logs`, and an account one line of `events`, however many events it has."""
    runs = json.loads(shop.ccsync("logs", "--json").stdout)
    assert len(lines_of(shop.on_terminal("logs", columns=columns).screen)) == 2 + len(runs) + 1
    found = json.loads(shop.ccsync("events", "--json", "--all").stdout)["events"]
    accounts = {one["object_id"] for one in found}
    assert len(found) > len(accounts)
    assert len(lines_of(shop.on_terminal("events", "--all", columns=200).screen)) == 4 + len(accounts) + 1


def test_wide_shows_everything(shop: LiveShop) -> None:
    """With `--wide` there is every column: the direction of a run, each event with its id."""
    assert "To Constant Contact" in shop.ccsync("logs", "--wide").stdout
    wide = shop.ccsync("events", "--wide", "--all").stdout
    for one in json.loads(shop.ccsync("events", "--json", "--all").stdout)["events"]:
        assert one["id"] is None or one["id"] in wide
    assert LONG in shop.ccsync("consent", LONG, "--wide").stdout


def test_a_pipe_is_80_columns_wide(shop: LiveShop) -> None:
    """A table in a pipe is the same as on a terminal of 80 columns, without color."""
    piped = shop.ccsync("logs", environ={"COLUMNS": ""}).stdout
    assert piped.splitlines() == lines_of(shop.on_terminal("logs").screen)[:-1]


def test_color_is_for_terminals_and_never_alone(shop: LiveShop) -> None:
    """A status word has a color on a terminal, and none with NO_COLOR, on a dumb terminal, or in a pipe."""
    assert "\x1b[32mCOMPLETE\x1b[0m" in shop.on_terminal("logs").screen
    for environ in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in shop.on_terminal("logs", environ=environ).screen
    assert "\x1b" not in shop.ccsync("logs").stdout


@pytest.mark.parametrize("words", [["logs", "--limit", "0", "--json"], ["configure", "--list", "No such", "--json"]])
def test_the_json_error_is_one_line(shop: LiveShop, words: list[str]) -> None:
    """However narrow the terminal, the last line is a document of its own."""
    last = [line for line in lines_of(shop.on_terminal(*words, columns=40).screen) if line][-1]
    assert set(json.loads(last)["error"]) == {"code", "what", "why", "fix"}


@pytest.mark.parametrize("columns", [80, 60])
def test_why_and_fix_wrap_below_their_text(shop: LiveShop, columns: int) -> None:
    """An error's long lines go on indented, at a word."""
    seen = lines_of(shop.on_terminal("configure", "--list", "No such list", columns=columns).screen)
    assert seen[0].startswith("Error: ")
    assert all(line[:7] in ("Error: ", "Why:   ", "Fix:   ", " " * 7) for line in seen if line)
