"""N: the n-th call fails, in every way a call can fail, for every n; the next clean run ends where it should."""

from functools import partial

import pytest

from ccsync.errors import CcsyncError
from tests.harness import Shop
from tests.sweeps.conftest import Worlds
from tests.sweeps.places import numbers_of_calls
from tests.sweeps.stories import STORIES
from tests.sweeps.story import Story, run_until_done

KINDS: dict[str, dict[str, object]] = {
    "reset before": {"kind": "reset-before"},
    "reset after": {"kind": "reset-after"},
    "truncated": {"kind": "truncated"},
    "500": {"kind": "status", "status": 500},
    "503 for ever": {"kind": "status", "status": 503, "times": 50},
    "web page": {"kind": "wrong-body", "body": "<html>log in</html>", "content_type": "text/html"},
    "null": {"kind": "wrong-body", "body": "null"},
    "empty list": {"kind": "wrong-body", "body": "[]"},
    "cut JSON": {"kind": "wrong-body", "body": '{"contacts": ['},
    "401": {"kind": "status", "status": 401, "body": '{"error_key": "unauthorized"}'},
    "400": {"kind": "status", "status": 400, "body": '[{"error_key": "contacts.api.validation.error"}]'},
    "quota": {"kind": "status", "status": 429, "body": '{"error_key": "quota_exceeded"}'},
    "throttled": {"kind": "status", "status": 429, "body": '{"error_key": "throttled"}'},
    "come back later": {"kind": "status", "status": 429, "body": "", "headers": {"Retry-After": "1800"}},
}


def fail_once(story: Story, shop: Shop, kind: str, number: int) -> bool:
    """Let the n-th call fail, and repair; was there such a call?"""
    asked = len(shop.box.requests.records)
    shop.box.faults.add(nth=number, **KINDS[kind])
    try:
        story.run(shop)
    except CcsyncError as error:
        assert error.what
        assert "@" not in f"{error.what} {error.why} {error.fix}"
    was_met = len(shop.box.requests.records) - asked >= number
    shop.box.faults.clear()
    shop.later(hours=13)
    run_until_done(story, shop)
    story.check(shop)
    return was_met


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_fault_anywhere_loses_nothing(story: Story, kind: str, world_of: Worlds, pytestconfig: pytest.Config) -> None:
    """A run that meets the fault ends well or with one of our errors, and the runs after it repair everything.

    Every call meets every fault with `--deep`. Without it the repeats of a call take turns with the faults.
    """
    shop, world = world_of(story)
    turns = 1 if pytestconfig.getoption("deep") else 4
    for number in numbers_of_calls(story, shop, world, list(KINDS).index(kind), turns):
        assert world.in_copy(partial(fail_once, story, shop, kind, number))
