"""N: the n-th call fails, in every way a call can fail, for every n; the next clean run ends where it should."""

from pathlib import Path

import pytest

from ccsync.errors import CcsyncError
from ccsync.to_constant_contact import batches
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


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", 8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_fault_anywhere_loses_nothing(story: Story, kind: str, tmp_path: Path) -> None:
    """A run that meets the fault ends well or with one of our errors, and the runs after it repair everything."""
    number = 0
    while True:
        number += 1
        with story.world(tmp_path / str(number)) as shop:
            story.prepare(shop)
            asked = len(shop.box.requests.records)
            fault = shop.box.faults.add(nth=number, **KINDS[kind])
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
            del fault
        if not was_met:
            break
    assert number > story.least_requests
