"""W: the world changes just before the k-th request; nobody who said no is put on the list."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.harness import Shop
from tests.sweeps.conftest import Worlds
from tests.sweeps.places import numbers_of_calls
from tests.sweeps.stories import STORIES
from tests.sweeps.story import LATE_OPT_IN, LATE_OPT_OUT, LEAVER, UNSUBSCRIBER, Story, run_until_done


def unsubscribe(shop: Shop) -> None:
    """The person unsubscribes at Constant Contact, contact or not."""
    if shop.box.cc.contact(UNSUBSCRIBER) is None:
        from tests.jobs.test_export import seed_contact

        shop.box.cc.add_contact(seed_contact(UNSUBSCRIBER))
    shop.box.cc.unsubscribe(UNSUBSCRIBER)


def leave(shop: Shop) -> None:
    if LEAVER in shop.members():
        shop.box.cc.leave_list(LEAVER, shop.list_id)


def opt_in(shop: Shop) -> None:
    for account_id in shop.box.kibo.find_by_email(LATE_OPT_IN):
        shop.box.kibo.update_account(account_id, acceptsMarketing=True)


def opt_out(shop: Shop) -> None:
    for account_id in shop.box.kibo.find_by_email(LATE_OPT_OUT):
        shop.box.kibo.update_account(account_id, acceptsMarketing=False)


def rename(shop: Shop) -> None:
    shop.box.cc.rename_list(shop.list_id, "Renamed by staff")


CHANGES: dict[str, Callable[[Shop], None]] = {
    "unsubscribes": unsubscribe,
    "leaves the list": leave,
    "opts in": opt_in,
    "opts out": opt_out,
    "the list is renamed": rename,
}


def change_once(story: Story, shop: Shop, change: str, number: int) -> bool:
    """Let the change happen just before the n-th request; was there such a request?"""
    met: list[bool] = []

    def act() -> None:
        met.append(True)
        CHANGES[change](shop)

    shop.box.faults.before(act, nth=number)
    story.run(shop)
    if change == "unsubscribes" and met:
        assert UNSUBSCRIBER not in shop.members()
    shop.box.faults.clear()
    shop.later(hours=1)
    run_until_done(story, shop)
    story.check(shop)
    return bool(met)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_change_anywhere_is_respected(
    story: Story, change: str, world_of: Worlds, pytestconfig: pytest.Config
) -> None:
    """Just before any request: an unsubscribe holds at once, an opt-in is in the list after the next run.

    Every change comes before every request with `--deep`; without it before the first request of each kind.
    """
    shop, world = world_of(story)
    for number in numbers_of_calls(story, shop, world, with_repeats=pytestconfig.getoption("deep")):
        assert world.in_copy(partial(change_once, story, shop, change, number))
