"""An export whose calls are under way at once, at a vendor that is slow, asks for a wait, or fails once."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.harness import Shop

PAGES = "/api/commerce/customer/accounts"
QUICK = "\n[limits]\nkibo_requests_per_second = 1000\n"
CUSTOMERS = 900
WAIT_SECONDS = 40


def asks_for_a_wait(shop: Shop) -> None:
    shop.box.faults.add("status", path=PAGES, nth=6, status=429, headers={"Retry-After": str(WAIT_SECONDS)})


def fails_once(shop: Shop) -> None:
    shop.box.faults.add("status", path=PAGES, nth=7, status=503)


def breaks_off_once(shop: Shop) -> None:
    shop.box.faults.add("truncated", path=PAGES, nth=7)


def is_slow(shop: Shop) -> None:
    chance = random.Random(1)
    shop.box.faults.before(lambda: shop.clock.advance(chance.uniform(0.1, 3)), path=PAGES)


def everything_at_once(shop: Shop) -> None:
    for disturb in (is_slow, asks_for_a_wait, fails_once):
        disturb(shop)


def export(folder: Path, disturb: Callable[[Shop], None]) -> tuple[dict[str, int], set[str], Counter[str], float]:
    """What a first export counts, whom it puts on the list, its calls to Kibo, and how long it takes."""
    folder.mkdir()
    with Shop(folder, SandboxSettings(customers=CUSTOMERS, seed=5), QUICK) as shop:
        disturb(shop)
        calls, began = len(shop.box.requests.records), shop.clock.monotonic()
        run = shop.export()
        asked = (one for one in list(shop.box.requests.records)[calls:] if one.path.startswith(PAGES))
        made = Counter(f"{one.path} {sorted(one.query)}" for one in asked)
        return dict(run.counts), shop.members(), made, shop.clock.monotonic() - began


@pytest.mark.parametrize(
    ("disturb", "repeated", "seconds"),
    [
        (is_slow, 0, 3 * 2 * CUSTOMERS / 200 + 20),
        (asks_for_a_wait, 1, WAIT_SECONDS + 1),
        (fails_once, 1, 1.5),
        (breaks_off_once, 1, 1.5),
        (everything_at_once, 2, WAIT_SECONDS + 3 * 2 * CUSTOMERS / 200 + 20),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_disturbance_costs_what_it_costs_and_no_more(
    disturb: Callable[[Shop], None], repeated: int, seconds: float, tmp_path: Path
) -> None:
    """The same counts and members; only the calls that failed are made again, and only their time is added."""
    counts, members, made, took = export(tmp_path / "calm", lambda _: None)
    disturbed_counts, disturbed_members, disturbed_made, disturbed_took = export(tmp_path / "disturbed", disturb)
    assert (disturbed_counts, disturbed_members) == (counts, members)
    # The search for who changed meanwhile names the time at which the export began.
    assert disturbed_made.total() - made.total() == repeated
    assert disturbed_took <= took + seconds
