"""The calls that are kept for opt-outs cover everything that withdraws consent."""

from pathlib import Path

import pytest

from ccsync.errors import QuotaSpent
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.state.log import calls
from tests.harness import Shop
from tests.jobs.polling import accepts, join, small_shop

LIMITS = "\n[limits]\nrequests_per_day = 1000\nreserve_per_day = 60\n"


def spend(shop: Shop) -> None:
    """All calls of the day but the reserve are used up."""
    store = shop.open()
    while calls.admit(store, CONSTANT_CONTACT, shop.clock.now(), 0.0, 940).closed_until is None:
        pass
    store.close()


@pytest.mark.parametrize("mode", ["remove", "unsubscribe"])
def test_the_reserve_covers_the_withdrawing_half_of_a_flush(tmp_path: Path, mode: str) -> None:
    """The looks at earlier jobs and at the list, and the removals, may use it; the additions that follow may not."""
    config = f'opt_out = "{mode}"\n' if mode == "unsubscribe" else ""
    with small_shop(tmp_path, config + LIMITS) as shop:
        (pat,) = join(shop, "pat@example.com")
        shop.export()
        shop.box.cc.jobs.add("import", seconds=None)
        shop.later(minutes=30)
        join(shop, "hangs@example.com")
        shop.flush()
        shop.later(minutes=30)
        spend(shop)
        shop.box.kibo.update_account(pat, acceptsMarketing=False)
        join(shop, "new@example.com")
        with pytest.raises(QuotaSpent):
            shop.flush()
        assert "pat@example.com" not in shop.members()
        assert "new@example.com" not in shop.members()
        assert shop.latest()[0].counts[{"remove": "removed", "unsubscribe": "unsubscribed"}[mode]] == 1


def test_the_reserve_covers_a_poll(tmp_path: Path) -> None:
    """Who unsubscribed or left the list is written back on a day whose other calls are used up."""
    with small_shop(tmp_path, LIMITS) as shop:
        pat, lee = join(shop, "pat@example.com", "lee@example.com")
        shop.export()
        shop.poll()
        shop.later(days=1)
        spend(shop)
        shop.box.cc.unsubscribe("pat@example.com")
        shop.box.cc.leave_list("lee@example.com", shop.list_id)
        shop.poll(is_full=True)
        assert (accepts(shop, pat), accepts(shop, lee)) == (False, False)
