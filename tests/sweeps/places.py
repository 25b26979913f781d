"""Where in a job a sweep disturbs it: before which of its calls."""

import re
from functools import partial

from tests.copies import World
from tests.harness import Shop
from tests.sweeps.story import Story

IDS = re.compile(r"[0-9a-f-]{36}|\d+")


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


def numbers_of_calls(story: Story, shop: Shop, world: World, turn: int, turns: int) -> list[int]:
    """The first call of every kind, and those of its repeats whose turn it is; with one turn all calls."""
    calls = world.in_copy(partial(calls_of, story, shop))
    assert len(calls) >= story.least_requests
    return [
        number
        for number, call in enumerate(calls, 1)
        if call not in calls[: number - 1] or number % turns == turn % turns
    ]
