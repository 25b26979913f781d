"""K2: a real process dies by SIGKILL at every request, before and after its effect; the next run converges."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.harness import imported_rows
from tests.live import LiveShop
from tests.sweeps.story import check_export, prepare_export

LEAST_REQUESTS = 12
PARTS = 4
LONG_ADDRESS = "a" * 45 + "@example.com"
"""It goes in a batch of its own, so that a small store has two."""


def live_shop(folder: Path) -> LiveShop:
    folder.mkdir()
    return LiveShop(folder, SandboxSettings(customers=20, seed=11))


def prepare(shop: LiveShop) -> None:
    prepare_export(shop)
    shop.box.kibo.add_account(emailAddress=LONG_ADDRESS, firstName="Long", acceptsMarketing=True)


def kill_at(shop: LiveShop, number: int, *, after: bool) -> bool:
    """Run an export that dies at its n-th request; did it come so far?"""
    requests = 0
    process: list[subprocess.Popen[str]] = []

    def strike() -> None:
        nonlocal requests
        requests += 1
        if requests == number:
            os.kill(process[0].pid, signal.SIGKILL)

    if after:
        shop.after_each_call(strike)
    else:
        shop.box.faults.before(strike)
    process.append(shop.start("export", "--yes"))
    process[0].communicate(timeout=60)
    shop.box.faults.clear()
    return process[0].returncode == -signal.SIGKILL


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
def test_a_killed_run_is_continued(after: bool, part: int, tmp_path: Path) -> None:
    """Killed at any request, the next run ends in the right list; the lock is free; nothing arrives twice."""
    number, is_over = part - PARTS + 1, False
    while not is_over:
        number += PARTS
        with live_shop(tmp_path / str(number)) as shop:
            prepare(shop)
            is_over = not kill_at(shop, number, after=after)
            if is_over:
                break
            done = shop.ccsync("export", "--yes")
            assert done.returncode in (0, 3), done.stderr
            check_export(shop)
            assert LONG_ADDRESS in shop.members()
            addresses = [str(row["email"]) for row in imported_rows(shop)]
            assert len(addresses) == len(set(addresses)), f"sent twice after a kill at request {number}"
            assert [run.status for run in shop.latest()] == ["COMPLETE", "INTERRUPTED"]
            again = shop.ccsync("export")
            assert (again.returncode, again.stdout) == (0, "")
    assert number > LEAST_REQUESTS
