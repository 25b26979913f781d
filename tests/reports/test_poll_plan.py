"""A dry run of the poll: its numbers are those of the run that follows."""

import json
from pathlib import Path

import pytest

from ccsync.errors import SafetyLimitError
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import LIST, Shop
from tests.inside import InsideShop
from tests.jobs.polling import join, puts, settled, small_shop

MANY = [f"many{number}@example.com" for number in range(30)]


@pytest.mark.parametrize(("accept", "held"), [(0, 4), (10, 2), (12, 0)])
def test_accounts_are_those_that_the_limit_lets_through(accept: int, held: int, shop: Shop) -> None:
    """The people are all for whom something would change; what is written, and what that costs, is of the run itself.

    Every second of them has two accounts. Those who unsubscribed are few, and written before the list is compared.
    """
    join(shop, *MANY, *MANY[::2])
    settled(shop)
    for number, one in enumerate(MANY[:12]):
        if number < 8:
            shop.box.cc.unsubscribe(one)
        else:
            shop.box.cc.leave_list(one, LIST)
    plan, _ = shop.plan_poll(is_full=True, accept=accept)
    assert (dict(plan.by_kind), plan.held) == ({"unsubscribed": 8, "departed": 4}, held)
    assert not puts(shop)
    before = len(shop.requests(path="/api/commerce"))
    if held:
        with pytest.raises(SafetyLimitError):
            shop.poll(is_full=True, accept=accept)
    else:
        shop.poll(is_full=True, accept=accept)
    assert len(puts(shop)) == plan.accounts
    # The login's and one that only tells the time may be among them.
    assert 0 <= plan.kibo_calls - (len(shop.requests(path="/api/commerce")) - before) <= 2


def test_who_is_not_written_by_the_settings_is_not_planned(tmp_path: Path) -> None:
    """With resubscribes and list_departures off: who came back, and who left only the list."""
    with small_shop(tmp_path, "\nresubscribes = false\nlist_departures = false\n") as shop:
        join(shop, *MANY)
        settled(shop)
        shop.box.cc.unsubscribe(MANY[0])
        shop.poll()
        shop.box.cc.resubscribe(MANY[0])
        shop.box.cc.leave_list(MANY[1], LIST)
        plan, counts = shop.plan_poll(is_full=True)
        assert (dict(plan.by_kind), plan.accounts, counts["resubscribed_not_told"]) == ({}, 0, 1)
        before = len(puts(shop))
        shop.poll(is_full=True)
        assert len(puts(shop)) == before


def test_the_json_has_every_kind(tmp_path: Path) -> None:
    """Also those of which there are none: a program need not know which may be missing."""
    with InsideShop(tmp_path, SandboxSettings(customers=3, seed=5)) as shop:
        shop.ccsync("export", "--yes")
        plan = json.loads(shop.ccsync("poll-unsubscribes", "--dry-run", "--json").stdout)["plan"]
        assert {key: plan[key] for key in ("unsubscribed", "departed", "resubscribed", "accounts", "held")} == {
            **dict.fromkeys(("unsubscribed", "departed", "resubscribed", "accounts", "held"), 0)
        }
