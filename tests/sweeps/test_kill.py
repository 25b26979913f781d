"""K2: a real process dies by SIGKILL at the boundaries that one passed undisturbed; the next run converges.

The world is made once. Each case has its own copy of it, in a process that serves the vendors over the wire and forks
the `ccsync` that is to die.
"""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from ccsync.cli import app
from ccsync.state.database.store import Store
from ccsync.transport import Transport
from tests.copies import World, fork
from tests.harness import imported_rows
from tests.inside import run_inside
from tests.live import LiveShop
from tests.shared_clock import ProcessClock
from tests.sweeps.places import kind_of
from tests.sweeps.stories import STORIES
from tests.sweeps.story import EXPORT, Story

PARTS = 2
LONG_ADDRESS = "a" * 45 + "@example.com"
"""It goes in a batch of its own whatever a batch holds."""


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Story], tuple[LiveShop, World]]]:
    """The shop of a story for real processes, and its world to copy."""
    made: dict[str, tuple[LiveShop, World]] = {}

    def of(story: Story) -> tuple[LiveShop, World]:
        if story.name not in made:
            folder = tmp_path_factory.mktemp("living")
            shop = story.live_world(folder)
            shop.__enter__()
            story.prepare(shop)
            if story is EXPORT:
                shop.box.kibo.add_account(emailAddress=LONG_ADDRESS, firstName="Long", acceptsMarketing=True)
            made[story.name] = shop, World(folder)
        return made[story.name]

    yield of
    for shop, _ in made.values():
        shop.__exit__(None, None, None)


def hear(on_boundary: Callable[[str], None]) -> None:
    """In a process of our own: let every store and every transport tell its boundaries."""
    for kind in (Store, Transport):

        def begin(self: object, *words: object, begun: Callable[..., None] = kind.__init__, **options: object) -> None:  # type: ignore[misc]
            begun(self, *words, **options)
            self._on_boundary = on_boundary  # type: ignore[attr-defined]

        kind.__init__ = begin  # type: ignore[method-assign,assignment]


def start(story: Story, shop: LiveShop, deadly: int | None) -> tuple[int, list[str]]:
    """Run the command as a process of its own, which kills itself at the n-th boundary; its status and its labels."""
    go_reading, go_writing = os.pipe()
    told_reading, told_writing = os.pipe()
    pid = fork()
    if pid == 0:
        os.close(go_writing)
        os.close(told_reading)
        os.read(go_reading, 1)
        passed = 0

        def pass_by(label: str) -> None:
            nonlocal passed
            passed += 1
            os.write(told_writing, f"{label}\n".encode())
            if passed == deadly:
                os.kill(os.getpid(), signal.SIGKILL)

        hear(pass_by)
        shop.end_direct()
        code = app.run(["--config", str(shop.config_path), *story.words], ProcessClock(shop.shared.path))
        os._exit(code)
    os.close(told_writing)
    os.close(go_reading)
    shop.begin_wire()  # after the fork: the process has no thread of the vendors in it
    os.write(go_writing, b"!")
    os.close(go_writing)
    with os.fdopen(told_reading) as told:
        labels = told.read().splitlines()
    return os.waitpid(pid, 0)[1], labels


def run(story: Story, shop: LiveShop) -> tuple[int, str]:
    """Run the command once more, in this process, which knows nothing of the one before."""
    done = run_inside(shop.folder, shop.config_path, story.words, ProcessClock(shop.shared.path))
    return done.returncode, done.stdout


def passes(story: Story, shop: LiveShop) -> list[str]:
    """The boundaries that an undisturbed process passes."""
    status, labels = start(story, shop, None)
    assert os.waitstatus_to_exitcode(status) in (0, 3)
    return labels


def kill_at(story: Story, shop: LiveShop, number: int, labels: list[str]) -> None:
    """Kill a process there, and look at what the next one makes of it."""
    rows_before, runs_before = len(imported_rows(shop)), len(shop.latest())
    status, passed = start(story, shop, number)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert len(passed) == number  # with several calls under way, not always at the same label
    code, _ = run(story, shop)
    assert code in (0, 3)
    statuses = [one.status for one in shop.latest()][: -runs_before or None]
    story.check(shop)
    assert story is not EXPORT or LONG_ADDRESS in shop.members()
    addresses = [str(row["email"]) for row in imported_rows(shop)[rows_before:]]
    assert len(addresses) == len(set(addresses)), f"sent twice after a kill at {labels[number - 1]}"
    assert statuses[0] == "COMPLETE"
    assert statuses[1:] in ([], ["INTERRUPTED"], ["COMPLETE"]), labels[number - 1]
    assert run(story, shop) == (0, "")


def is_answer(label: str) -> bool:
    """Is it where a request has had its effect and nothing is noted of it yet?"""
    return label.startswith("after ") and label != "after commit"


def most_is_at_stake(labels: list[str]) -> list[int]:
    """After the answers to all that writes, and to the first request of each kind that reads."""
    kinds = [kind_of(label) for label in labels]
    return [
        number
        for number, kind in enumerate(kinds, 1)
        if is_answer(kind) and (not kind.startswith("after GET") or kind not in kinds[: number - 1])
    ]


DEEP = pytest.mark.deep  # an answer is where most is at stake; K1 dies at all the others, too, within the process


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    ("story", "after_an_answer"),
    [
        *(pytest.param(one, True, id=f"{one.name}-answers") for one in STORIES),
        # Where a story renews its login, a kill right there loses the login for good: K1 alone dies there.
        *(pytest.param(one, False, id=f"{one.name}-all others", marks=DEEP) for one in STORIES if one.name != "tags"),
    ],
)
def test_a_killed_run_is_continued(
    story: Story, after_an_answer: bool, part: int, living: Callable[[Story], tuple[LiveShop, World]]
) -> None:
    """Killed at any boundary, the next run ends where it should; the lock is free; nothing arrives twice."""
    shop, world = living(story)
    labels = world.in_copy(partial(passes, story, shop))
    assert len(labels) >= story.least_boundaries
    assert sum(map(is_answer, labels)) >= story.least_requests
    telling = most_is_at_stake(labels)
    places = [number for number in range(1, len(labels) + 1) if (number in telling) is after_an_answer]
    for number in places[part::PARTS]:
        world.in_copy(partial(kill_at, story, shop, number, labels))
