"""H: random histories of both systems, people, staff, faults, crashes and cron's runs; the promises hold after each.

`--deep` plays a thousand; without it there are fewer of the same. `pytest tests/machine --histories 20000` plays other
ones each time. A seed that breaks is shrunk by `python -m tests.machine --from SEED --histories 1`, and kept.
"""

import random

import pytest

from tests.machine.histories import broken_among

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
