"""Every story's world is made once in a process, and copied for each case of each sweep."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ccsync.to_constant_contact import batches
from tests.copies import World
from tests.harness import Shop
from tests.sweeps.story import Story

Worlds = Callable[[Story], tuple[Shop, World]]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small store has several batches, and each is confirmed in parts."""
    monkeypatch.setattr(batches, "MOST_ROWS", 8)
    monkeypatch.setattr("ccsync.to_constant_contact.imports.CONFIRMED_AT_ONCE", 3)


@pytest.fixture(scope="session")
def world_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """The shop of a story after `prepare`, and its world to copy; call it within a test, whose batches are small."""
    made: dict[str, tuple[Shop, World]] = {}
    with ExitStack() as open_shops:

        def of(story: Story) -> tuple[Shop, World]:
            if story.name not in made:
                folder = tmp_path_factory.mktemp("story")
                shop = open_shops.enter_context(story.world(folder))
                story.prepare(shop)
                shop.let_go()
                made[story.name] = shop, World(folder)
            return made[story.name]

        yield of
