"""N: the n-th call fails, with every meaning a failure can have, for every n; the next clean run ends as it should."""

from functools import partial

import pytest

from ccsync.errors import CcsyncError
from tests.harness import Shop
from tests.sweeps.conftest import Worlds
from tests.sweeps.places import calls_of
from tests.sweeps.stories import STORIES
from tests.sweeps.story import Story, run_until_done

FAULTS: dict[str, dict[str, dict[str, object]]] = {
    "did not arrive": {
        "reset before": {"kind": "reset-before"},
        "500": {"kind": "status", "status": 500},
        "503 for ever": {"kind": "status", "status": 503, "times": 50},
    },
    "arrived, unanswered": {
        "reset after": {"kind": "reset-after"},
        "truncated": {"kind": "truncated"},
    },
    "answered with nonsense": {
        "web page": {"kind": "wrong-body", "body": "<html>log in</html>", "content_type": "text/html"},
        "null": {"kind": "wrong-body", "body": "null"},
        "empty list": {"kind": "wrong-body", "body": "[]"},
        "cut JSON": {"kind": "wrong-body", "body": '{"contacts": ['},
    },
    "login refused": {
        "401": {"kind": "status", "status": 401, "body": '{"error_key": "unauthorized"}'},
    },
    "call refused": {
        "400": {"kind": "status", "status": 400, "body": '[{"error_key": "contacts.api.validation.error"}]'},
    },
    "not now": {
        "quota": {"kind": "status", "status": 429, "body": '{"error_key": "quota_exceeded"}'},
        "throttled": {"kind": "status", "status": 429, "body": '{"error_key": "throttled"}'},
        "come back later": {"kind": "status", "status": 429, "body": "", "headers": {"Retry-After": "1800"}},
    },
}
"""The faults by what they mean to a run; those of one meaning are told apart in `tests/transport`."""


def fail_once(story: Story, shop: Shop, fault: dict[str, object], number: int) -> bool:
    """Let the n-th call fail, and repair; was there such a call?"""
    asked = len(shop.box.requests.records)
    shop.box.faults.add(nth=number, **fault)
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


@pytest.mark.parametrize("meaning", FAULTS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_fault_anywhere_loses_nothing(
    story: Story, meaning: str, world_of: Worlds, pytestconfig: pytest.Config
) -> None:
    """A run that meets the fault ends well or with one of our errors, and the runs after it repair everything.

    With `--deep` every call meets a fault of each meaning, and the first call of its kind meets every fault. Without
    it only first calls meet any, and the faults of a meaning take turns.
    """
    shop, world = world_of(story)
    calls = world.in_copy(partial(calls_of, story, shop))
    assert len(calls) >= story.least_requests
    faults = list(FAULTS[meaning].values())
    is_deep = pytestconfig.getoption("deep")
    for number, call in enumerate(calls, 1):
        is_first = call not in calls[: number - 1]
        if is_first or is_deep:
            for fault in faults if is_first and is_deep else [faults[number % len(faults)]]:
                assert world.in_copy(partial(fail_once, story, shop, fault, number))
