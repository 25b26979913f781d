"""What the tests of wrong clocks share."""

from collections.abc import Iterator

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.copies import World as Copies
from tests.inside import InsideShop
from tests.run.test_clocks_sweep import JOBS, World


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Copies]]:
    """A world that is made once, and what copies it for each case."""
    folder = tmp_path_factory.mktemp("clocks")
    settings = SandboxSettings(customers=12, seed=9, import_seconds=0.0)
    with InsideShop(folder, settings) as shop:
        made = World(shop)
        assert made.run(*JOBS["export"]) in (0, 3)
        shop.later(minutes=30)
        made.cycle()
        shop.later(minutes=30)
        yield made, Copies(folder)
