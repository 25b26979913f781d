"""Registers kinds of steps, draws steps by chance, and plays them.

A step is a name and numbers, by which it picks whom it is about among those who are there. One that finds nobody does
nothing, so that any part of a history is a history.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.machine.world import World

Step = tuple[Any, ...]
"""A name and numbers."""
ANY = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of step: its axis, how often it comes, the ranges of its numbers, and what it does."""

    axis: str
    weight: int
    ranges: tuple[int, ...]
    act: Callable[..., None]


KINDS: dict[str, Kind] = {}


def step(axis: str, weight: int, *ranges: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a step; its name is the step's."""

    def register(act: Callable[..., None]) -> Callable[..., None]:
        KINDS[act.__name__] = Kind(axis, weight, ranges, act)
        return act

    return register


def draw(chance: random.Random, axes: tuple[str, ...], number: int) -> list[Step]:
    """So many steps by chance."""
    names = [name for name, kind in KINDS.items() if kind.axis in axes]
    drawn = chance.choices(names, [KINDS[name].weight for name in names], k=number)
    return [(name, *(chance.randrange(most) for most in KINDS[name].ranges)) for name in drawn]


def play_step(world: World, one: Step) -> None:
    """Do it."""
    KINDS[one[0]].act(world, *one[1:])


def pick(among: list[Any], number: int) -> Any:
    """One of them, `None` where there is none."""
    return among[number % len(among)] if among else None
