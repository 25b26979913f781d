"""Where in a job a sweep disturbs it: at which of its calls, and at which of its boundaries."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from tests.copies import World
from tests.harness import Shop
from tests.sweeps.story import Story

IDS = re.compile(r"[0-9a-f-]{36}|\d+")
PACE = ("calls", "gates")
"""These tables hold the pace of calls: when the next one may go out, and how many there were today."""


class Deaths:
    """What a death would leave behind at each boundary of a run.

    A run's future hangs on the state file and on the vendors alone. Where neither has changed since the boundary
    before, but for the pace of calls, dying here is dying there: one of the two is enough.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._left: tuple[int, int] | None = None
        self._writes = 0
        self.labels: list[str] = []
        self.places: list[int] = []
        """The numbers of the boundaries, from 1, that leave something else than the one before."""
        self.after_writes: list[int] = []
        """Those of them before which a vendor was written to: of that, nothing is noted yet."""

    def pass_by(self, label: str) -> None:
        """The run passes a boundary."""
        self.labels.append(label)
        left = self._writes, self._kept()
        if left != self._left:
            self.places.append(len(self.labels))
        if self._left is not None and left[0] > self._left[0]:
            self.after_writes.append(len(self.labels))
        self._left = left
        if re.match("before (?!GET)[A-Z]+ ", label):  # from the next boundary on the vendor may have it
            self._writes += 1

    def _kept(self) -> int:
        with closing(sqlite3.connect(f"{self._state.as_uri()}?mode=ro", uri=True)) as state:
            return hash(tuple(_rows(state)))


def _rows(state: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    for (table,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        if table not in PACE:
            yield table, *state.execute(f"SELECT * FROM {table}")


def calls_of(story: Story, shop: Shop) -> list[str]:
    """What an undisturbed run asks for, in its order: method, path and parameters, whoever it is about."""
    asked = len(shop.box.requests.records)
    story.run(shop)
    return [
        f"{one.method} {kind_of(one.path)} {sorted(name for name, _ in one.query)}"
        for one in list(shop.box.requests.records)[asked:]
    ]


def kind_of(label: str) -> str:
    """A boundary's label, whoever it is about."""
    return IDS.sub("N", label)


def numbers_of_calls(story: Story, shop: Shop, world: World, *, with_repeats: bool) -> list[int]:
    """The calls of a run; without repeats the first one of every kind."""
    calls = world.in_copy(partial(calls_of, story, shop))
    assert len(calls) >= story.least_requests
    return [number for number, call in enumerate(calls, 1) if with_repeats or call not in calls[: number - 1]]
