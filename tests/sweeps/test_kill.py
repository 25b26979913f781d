"""K2: a real process dies by SIGKILL at every request, before and after its effect; the next run converges."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.harness import imported_rows
from tests.live import LiveShop
from tests.sweeps.stories import STORIES
from tests.sweeps.story import EXPORT, Story

PARTS = 4
LONG_ADDRESS = "a" * 45 + "@example.com"
"""It goes in a batch of its own, so that a small store has two."""


def prepare(story: Story, shop: LiveShop) -> None:
    story.prepare(shop)
    if story is EXPORT:
        shop.box.kibo.add_account(emailAddress=LONG_ADDRESS, firstName="Long", acceptsMarketing=True)


def kill_at(story: Story, shop: LiveShop, number: int, *, after: bool) -> bool:
    """Run the job in a process that dies at its n-th request; did it come so far?"""
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
    process.append(shop.start(*story.words))
    process[0].communicate(timeout=60)
    shop.box.faults.clear()
    return process[0].returncode == -signal.SIGKILL


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    ("story", "after"),
    # Before one request is after the one before it, but for what is committed in between: that K1 sweeps.
    [(EXPORT, False), *((story, True) for story in STORIES)],
    ids=lambda one: one.name if isinstance(one, Story) else "after its effect" if one else "before its effect",
)
def test_a_killed_run_is_continued(story: Story, after: bool, part: int, tmp_path: Path) -> None:
    """Killed at any request, the next run ends where it should; the lock is free; nothing arrives twice."""
    number, is_over = part - PARTS + 1, False
    while not is_over:
        number += PARTS
        with story.live_world(tmp_path / str(number)) as shop:
            prepare(story, shop)
            rows_before, runs_before = len(imported_rows(shop)), len(shop.latest())
            is_over = not kill_at(story, shop, number, after=after)
            if is_over:
                break
            done = shop.ccsync(*story.words)
            assert done.returncode in (0, 3), done.stderr
            statuses = [run.status for run in shop.latest()][: -runs_before or None]
            story.check(shop)
            assert story is not EXPORT or LONG_ADDRESS in shop.members()
            addresses = [str(row["email"]) for row in imported_rows(shop)[rows_before:]]
            assert len(addresses) == len(set(addresses)), f"sent twice after a kill at request {number}"
            assert statuses == ["COMPLETE", "INTERRUPTED"]
            again = shop.ccsync(*story.words)
            assert (again.returncode, again.stdout) == (0, "")
    assert number > story.least_requests
