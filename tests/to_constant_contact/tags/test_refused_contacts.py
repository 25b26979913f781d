"""A1: contacts that the tagging job refuses for good, among others that are well, over two days of cron."""

from contextlib import suppress
from pathlib import Path

import pytest

from ccsync.consent.retry import MOST_ATTEMPTS
from ccsync.errors import CcsyncError
from ccsync.state.outbox import tasks
from tests.harness import Shop
from tests.jobs.polling import join
from tests.to_constant_contact.tags.tagging import in_segments, tag_shop, tags_of

VIP = "VIP customers"
CASES = [
    pytest.param(number, status, marks=() if (number, status) in ((1, 400), (3, 500)) else pytest.mark.deep)
    for number, status in [(1, 400), (1, 500), (3, 400), (3, 500), (30, 400), (30, 500), (300, 400)]
]
MOST_RUNS = 110
"""Two days, and the time that three hundred refusals take."""


def addresses(kind: str, number: int) -> list[str]:
    return [f"{kind}{one}@example.com" for one in range(number)]


def standing(shop: Shop) -> list[tuple[str, int]]:
    """How the tagging tasks stand: status and attempts."""
    store = shop.open()
    found = store.rows("SELECT status, attempts FROM tasks WHERE kind = 'tag' ORDER BY id")
    store.close()
    return [(status, attempts) for status, attempts in found]


def calls(shop: Shop) -> int:
    return len(shop.requests("POST", "/activities/contacts_taggings_"))


@pytest.mark.parametrize(("number", "status"), CASES)
def test_contacts_that_are_not_tagged_hold_nobody_up(tmp_path: Path, number: int, status: int) -> None:
    """The others have their tag after one run, opt-outs of the same run go through, a bad one is parked after eight
    attempts; while Constant Contact turns everything down nobody's attempts grow.
    """
    bad, good = addresses("bad", number), addresses("good", max(20, number))
    with tag_shop(tmp_path, customers=0) as shop:
        ids = join(shop, *bad, *good)
        (opts_out,) = join(shop, "opts.out@example.com")
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        for account_id in ids:
            shop.box.kibo.update_account(account_id, segments=in_segments("VIP"))
        shop.box.kibo.opt_out(opts_out)
        for one in bad:
            shop.box.cc.refuse("tagging", status, record=one)
        shop.flush()
        first = calls(shop)
        assert [one for one in good if tags_of(shop, one) != {VIP}] == []
        assert "opts.out@example.com" not in shop.members()
        assert standing(shop) == [(tasks.RETRYING, 1)] * number
        shop.box.cc.refuse(None, 503, seconds=3_600)
        for _ in range(2):
            with suppress(CcsyncError):
                shop.flush()
            shop.later(minutes=30)
        assert standing(shop) == [(tasks.RETRYING, 1)] * number, "the vendor's refusal is nobody's fault"
        runs = 2
        while standing(shop) != [(tasks.FAILED, MOST_ATTEMPTS)] * number and runs < MOST_RUNS:
            shop.later(minutes=30)
            shop.flush()
            runs += 1
        print(
            f"{number} contacts refused with {status}: {len(good)} others tagged in 1 run with {first} calls,"
            f" parked after {runs} runs and {calls(shop)} calls"
        )
        assert standing(shop) == [(tasks.FAILED, MOST_ATTEMPTS)] * number
        assert all(tags_of(shop, one) == set() for one in bad)
