"""`ccsync export` as a person, cron or a pipe starts it: what it says while it waits."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.live import LiveShop

WAIT = re.compile(r"Kibo asks for a wait\. The export continues at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d\.")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    """Once in the middle of an export, Kibo asks for a wait of a quarter of an hour."""
    with LiveShop(tmp_path, SandboxSettings(customers=20, seed=7)) as made:
        made.box.faults.add("status", vendor="kibo_tenant", nth=3, status=429, headers={"Retry-After": "900"})
        yield made


def test_a_long_wait_is_announced_in_a_pipe(shop: LiveShop) -> None:
    """One line on stderr with the time at which it ends, and the export goes on then."""
    began = shop.clock.now()
    done = shop.ccsync("export", "--yes")
    assert done.returncode in (0, 3)
    assert len(WAIT.findall(done.stderr)) == 1
    assert "wait" not in done.stdout
    assert shop.clock.now() - began >= timedelta(seconds=900)
    assert shop.members()


def test_a_long_wait_is_announced_on_a_terminal(shop: LiveShop) -> None:
    """The line is on its own: the progress line is erased first."""
    seen = shop.on_terminal("export", "--yes")
    assert seen.code in (0, 3)
    lines = " ".join(seen.screen.replace("\r\x1b[K", "\n").split())
    assert len(WAIT.findall(lines)) == 1


def test_quiet_says_nothing_of_it(shop: LiveShop) -> None:
    """Nothing is printed with --quiet, or for a short wait."""
    assert not WAIT.search(shop.ccsync("-q", "export", "--yes").stderr)
    shop.box.faults.add("status", vendor="kibo_tenant", nth=3, status=429, headers={"Retry-After": "7"})
    assert not WAIT.search(shop.ccsync("export").stderr)
