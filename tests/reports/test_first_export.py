"""Before the first export the automations that start on the list are named, where the login may see them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.inside import InsideShop

UNKNOWN = "An automation that starts when somebody joins this list may mail all of them: pause it first."


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=5)) as made:
        made.box.cc.automations.add("Welcome", (made.list_id,))
        made.box.cc.automations.add("Old welcome", (made.list_id, "another"), state="PAUSED")
        made.box.cc.automations.add("Elsewhere", ("another",))
        made.box.cc.automations.add("Birthday")
        yield made


def said(shop: InsideShop, *words: str) -> str:
    """What a command says, whatever the width of its lines."""
    done = shop.ccsync(*words)
    return " ".join((done.stdout + done.stderr).split())


def test_without_the_scope_the_warning_stays(shop: InsideShop) -> None:
    """Nothing is asked about automations, and the dry run warns of any."""
    assert UNKNOWN in said(shop, "export", "--dry-run")
    assert shop.requests(path="/automations") == []
    assert UNKNOWN in said(shop, "export")


def test_each_automation_on_the_list_is_named_with_its_state(shop: InsideShop) -> None:
    """In the dry run, in the question before the first export, and by doctor; those of other lists are not."""
    assert shop.ccsync("login", "--cc-only", "--yes", "--campaigns").returncode == 0
    for words in (["export", "--dry-run"], ["export"], ["doctor"]):
        text = said(shop, *words)
        assert '"Welcome" (ACTIVE)' in text
        assert '"Old welcome" (PAUSED)' in text
        assert "Elsewhere" not in text
        assert "Birthday" not in text
    assert shop.ccsync("export", "--yes").returncode in (0, 3)
    assert "Welcome" not in said(shop, "export", "--dry-run")


def test_none_is_said_as_well(shop: InsideShop) -> None:
    """Where no automation starts on the list, the dry run says so."""
    assert shop.ccsync("login", "--cc-only", "--yes", "--campaigns").returncode == 0
    shop.box.cc.automations.clear()
    assert "No automation in Constant Contact starts" in said(shop, "export", "--dry-run")


def test_a_refusal_leaves_the_warning(shop: InsideShop) -> None:
    """A user without the privilege still exports; the warning is the general one."""
    assert shop.ccsync("login", "--cc-only", "--yes", "--campaigns").returncode == 0
    shop.box.cc.account.lack(["customer-journey:read"])
    assert UNKNOWN in said(shop, "export", "--dry-run")
