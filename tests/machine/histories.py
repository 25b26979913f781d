"""Histories: drawn from a seed, played in a world of their own, shrunk when they break a promise."""

import random
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.machine import axes
from tests.machine.judging import Broken
from tests.machine.running import come_to_rest
from tests.machine.steps import KINDS, Step, draw, play_step
from tests.machine.tagging import CODES
from tests.machine.ways import WAYS, has_tags
from tests.machine.world import POOL, World

MOST_STEPS = 40
MEMORY = Path("/dev/shm")
MOST_TRIES = 400
"""So many shorter histories are tried before shrinking ends."""


def drawn(seed: int, enabled: tuple[str, ...] = axes.ENABLED) -> tuple[int, list[Step]]:
    """The history of a seed: a way of the vendors, and steps of the enabled axes."""
    assert {kind.axis for kind in KINDS.values()} >= set(enabled), f"the axes are those of {axes.__name__}"
    chance = random.Random(seed)
    way = chance.randrange(len(WAYS))
    enabled = tuple(one for one in enabled if one != "tags" or has_tags(way))
    first: list[Step] = [("sign_up", where, chance.randrange(3)) for where in range(len(POOL) - 1)]
    if "tags" in enabled:
        first += [("change_segment", who, chance.randrange(len(CODES))) for who in range(len(first))]
    steps = draw(chance, enabled, chance.randrange(6, MOST_STEPS - 6))
    return way, [*first, ("run", 3), *steps, ("settle", chance.randrange(2))]


def play(way: int, steps: list[Step]) -> None:
    """Play a history to its end, where all must have come to rest.

    Raises `Broken` where a promise is broken, and whatever ccsync did not foresee.
    """
    folder = Path(tempfile.mkdtemp(prefix="history", dir=MEMORY if MEMORY.is_dir() else None))
    world = World(folder, way)
    try:
        for one in steps:
            play_step(world, one)
        if steps[-1][0] != "settle":
            come_to_rest(world)
            come_to_rest(world, exports=True)
    finally:
        world.close()


def fault_of(way: int, steps: list[Step]) -> str:
    """What is wrong with a history, empty where all is well."""
    try:
        play(way, steps)
    except Broken as broken:
        return str(broken)
    except Exception:
        return traceback.format_exc(limit=-6)
    return ""


def shrunk(way: int, steps: list[Step], is_same: Callable[[str], bool]) -> tuple[int, list[Step]]:
    """The shortest history found that breaks in the same way, by leaving out ever smaller parts."""
    tries = MOST_TRIES

    def breaks(how: int, candidate: list[Step]) -> bool:
        nonlocal tries
        tries -= 1
        return tries > 0 and is_same(fault_of(how, candidate))

    if way and breaks(0, steps):
        way = 0
    size = len(steps) // 2
    while size:
        start = 0
        while start < len(steps):
            shorter = steps[:start] + steps[start + size :]
            if shorter and breaks(way, shorter):
                steps = shorter
            else:
                start += size
        size //= 2
    return way, _simplified(way, steps, breaks)


def _simplified(way: int, steps: list[Step], breaks: Callable[[int, list[Step]], bool]) -> list[Step]:
    """The same with as many zeros as possible."""
    for number, one in enumerate(steps):
        for place in range(1, len(one)):
            if one[place]:
                simpler = (*one[:place], 0, *one[place + 1 :])
                candidate = [*steps[:number], simpler, *steps[number + 1 :]]
                if breaks(way, candidate):
                    steps, one = candidate, simpler
    return steps


def kind_of(fault: str) -> str:
    """By what two faults are the same: the invariant, without whom it is about."""
    lines = [line for line in fault.splitlines() if line.strip()]
    first = lines[0] if fault.startswith("I") else lines[-1] if lines else ""
    return " ".join(word for word in first.split() if "@" not in word and not any(map(str.isdigit, word[2:])))


def broken_among(seeds: range) -> Iterator[tuple[int, str]]:
    """The seeds whose histories break a promise, and how."""
    for seed in seeds:
        if fault := fault_of(*drawn(seed)):
            yield seed, fault
