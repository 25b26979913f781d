"""H: random histories of both systems, people, staff, faults, crashes and cron's runs; the promises hold after each.

`--deep` plays a thousand; without it there are fewer of the same. `pytest tests/machine --histories 20000` plays other
ones each time. A seed that breaks is shrunk by `python -m tests.machine --from SEED --histories 1`, and kept.
"""

import random
from pathlib import Path

import pytest

from tests import harness
from tests.machine.histories import broken_among, drawn
from tests.machine.steps import play_step
from tests.machine.world import World

PARTS = 20
USUAL, DEEP = 20, 1_000


@pytest.mark.undescribed  # a vendor that refuses everything does so where its description has no such answer
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_breaks_a_promise(part: int, pytestconfig: pytest.Config) -> None:
    """Whatever happens in whatever order: consent holds, nothing is lost, nothing else is touched."""
    asked = pytestconfig.getoption("histories")
    each = (asked or (DEEP if pytestconfig.getoption("deep") else USUAL)) // PARTS
    first = random.SystemRandom().randrange(1_000_000, 10**9) if asked else part // 2 * DEEP + part % 2 * each
    broken = dict(broken_among(range(first, first + each)))
    print(f"{each} histories from seed {first}: {len(broken)} broken")
    assert not broken


@pytest.mark.parametrize("seed", [1, 3, 11])
def test_a_seed_is_played_alike_each_time(tmp_path: Path, seed: int) -> None:
    """Every call is the same at the same time, whatever key a new state file draws: what broke once breaks again."""
    played = []
    for name in ("first", "second"):
        harness._empty_state_file.cache_clear()
        (tmp_path / name).mkdir()
        way, steps = drawn(seed, ("people", "identities", "jobs", "copies"))
        world = World(tmp_path / name, way)
        try:
            for one in steps:
                play_step(world, one)
            played.append((list(world.box.acts), [call.path for call in world.box.requests.records]))
        finally:
            world.close()
    assert played[0] == played[1]
