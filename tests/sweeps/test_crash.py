"""K1: the process dies around each call and each commit, wherever that leaves something new; the next run finishes."""

from functools import partial

import pytest

from tests.harness import Crash, Shop, imported_rows
from tests.sweeps.conftest import Worlds
from tests.sweeps.places import Deaths
from tests.sweeps.stories import STORIES
from tests.sweeps.story import Story, run_until_done


def deaths_of(story: Story, shop: Shop) -> tuple[list[str], list[int]]:
    """The labels of the boundaries that one undisturbed run passes, and the numbers of those to die at."""
    deaths = Deaths(shop.config.state.path)
    shop.on_boundary = deaths.pass_by
    story.run(shop)
    shop.on_boundary = lambda _: None  # a check may run other jobs
    story.check(shop)
    return deaths.labels, deaths.places


def crash_at(shop: Shop, number: int) -> None:
    """Let the process die at the n-th boundary from now."""
    passed = 0

    def die(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == number:
            raise Crash

    shop.on_boundary = die


def die_once(story: Story, shop: Shop, number: int, label: str) -> None:
    """Die at this boundary, run again, and look."""
    rows_before, runs_before = len(imported_rows(shop)), len(shop.latest())
    crash_at(shop, number)
    with pytest.raises(Crash):
        story.run(shop)
    shop.on_boundary = lambda _: None
    shop.later(seconds=30)
    run_until_done(story, shop)
    statuses = [run.status for run in shop.latest()][: -runs_before or None]
    story.check(shop)
    addresses = [str(row["email"]) for row in imported_rows(shop)[rows_before:]]
    assert len(addresses) == len(set(addresses)), f"sent twice after {label}"
    assert statuses[1:] in ([], ["INTERRUPTED"], ["COMPLETE"]), label
    assert statuses[0] == "COMPLETE", label


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_death_anywhere_loses_nothing(story: Story, world_of: Worlds) -> None:
    """Whatever the boundary, the next run ends where an undisturbed one would; what arrived is not sent again."""
    shop, world = world_of(story)
    labels, places = world.in_copy(lambda: deaths_of(story, shop))
    assert len(labels) >= story.least_boundaries
    assert len(places) >= story.least_deaths
    for number in places:
        world.in_copy(partial(die_once, story, shop, number, labels[number - 1]))


def die_twice(story: Story, shop: Shop, number: int) -> int:
    """Die there, and early in the run that repairs, which may have less to do; how often it died."""
    deaths = 0
    for again in (number, number // 2 + 3):
        crash_at(shop, again)
        try:
            story.run(shop)
        except Crash:
            deaths += 1
        shop.later(seconds=30)
    shop.on_boundary = lambda _: None
    run_until_done(story, shop)
    story.check(shop)
    return deaths


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_two_deaths_lose_nothing_either(story: Story, world_of: Worlds) -> None:
    """A second death, early in the run that repairs, changes nothing about it."""
    shop, world = world_of(story)
    labels, _ = world.in_copy(lambda: deaths_of(story, shop))
    places = range(7, len(labels), 19)
    deaths = sum(world.in_copy(partial(die_twice, story, shop, number)) for number in places)
    assert deaths > len(places)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_nothing_is_sent_from_within_a_transaction(story: Story, world_of: Worlds) -> None:
    """Committed before sent: no call goes out while a transaction is open, and every commit is synced."""
    shop, world = world_of(story)

    def watch() -> None:
        stores = []
        opened = shop.open

        def remembering() -> object:
            store = opened()
            stores.append(store)
            return store

        shop.open = remembering  # type: ignore[assignment,method-assign]

        def look(label: str) -> None:
            if label.startswith(("before POST", "before GET")):
                assert not any(store.is_in_transaction for store in stores), label

        shop.on_boundary = look
        story.run(shop)
        assert stores

    world.in_copy(watch)
