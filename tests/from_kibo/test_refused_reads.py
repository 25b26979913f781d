"""A1: accounts that Kibo does not show for good, among others that are well, over two days of cron."""

from pathlib import Path

import pytest

from ccsync.consent.retry import MOST_ATTEMPTS
from ccsync.sandbox.settings import ROW_SECTIONS
from ccsync.state.outbox import queue, tasks
from tests.harness import Shop
from tests.jobs.polling import join, settled, small_shop

NUMBERS = (1, 3, 12, *(pytest.param(one, marks=pytest.mark.deep) for one in (30, 300)))


def addresses(kind: str, number: int) -> list[str]:
    return [f"{kind}{one}@example.com" for one in range(number)]


def standing(shop: Shop, account_ids: list[int]) -> set[tuple[str, int]]:
    """How the reads of these accounts stand: status and attempts."""
    store = shop.open()
    found = {(one.status, one.attempts) if (one := queue.queued(store, each)) else ("", 0) for each in account_ids}
    store.close()
    return found


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("number", NUMBERS)
def test_accounts_that_are_not_shown_hold_nobody_up(tmp_path: Path, number: int, status: int) -> None:
    """Opt-outs and sign-ups of the others go through in the first run; a bad one is parked after eight attempts."""
    with small_shop(tmp_path) as shop:
        bad = join(shop, *addresses("bad", number))
        good = join(shop, *addresses("good", 5))
        settled(shop)
        for account_id in bad:
            shop.box.kibo.refuse("read", status, record=account_id)
        for account_id in (*bad, *good):
            shop.box.kibo.opt_out(account_id)
        join(shop, *addresses("new", 5))
        runs = 0
        for runs in range(1, 97):
            shop.flush()
            shop.later(minutes=30)
            if runs == 1:
                assert not {*addresses("good", 5)} & shop.members()
                assert {*addresses("new", 5)} <= shop.members()
            if standing(shop, bad) == {(tasks.FAILED, MOST_ATTEMPTS)}:
                break
        print(f"{number} accounts refused with {status}: 10 others through in 1 run, parked after {runs} runs")
        assert standing(shop, bad) == {(tasks.FAILED, MOST_ATTEMPTS)}


def test_an_export_that_reads_singly_goes_on_without_them(tmp_path: Path) -> None:
    """Where list rows lack what is mapped: the others arrive, the bad one is named, and a later flush sends it."""
    with small_shop(tmp_path, rows_carry=ROW_SECTIONS - {"contacts"}) as shop:
        (bad,) = join(shop, "bad@example.com")
        join(shop, *addresses("good", 5))
        shop.box.kibo.refuse("read", 400, record=bad)
        run = shop.export()
        assert {*addresses("good", 5)} <= shop.members()
        assert bad in {one.account_id for one in shop.rejected(run)}
        shop.box.kibo.relent()
        shop.later(hours=1)
        shop.flush()
        assert "bad@example.com" in shop.members()
