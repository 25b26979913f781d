"""Accounts and addresses that Kibo refuses for good, among others that are well."""

from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.consent.retry import MOST_ATTEMPTS
from ccsync.errors import VendorUnreachable
from ccsync.state.outbox import tasks
from tests.harness import Shop
from tests.jobs.polling import accepts, join, puts, settled, small_shop, told


def addresses(kind: str, number: int) -> list[str]:
    return [f"{kind}{one}@example.com" for one in range(number)]


def unsubscribe(shop: Shop, *people: str) -> None:
    for one in people:
        shop.box.cc.unsubscribe(one)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return small_shop(tmp_path)


@pytest.mark.parametrize("status", [400, 409, 500])
@pytest.mark.parametrize("number", [1, 3, 12, 30])
def test_accounts_whose_put_is_refused_hold_nobody_up(shop: Shop, number: int, status: int) -> None:
    """However many accounts refuse their PUT, the healthy ones behind them are written in the same run."""
    with shop:
        bad = join(shop, *addresses("bad", number))
        good = join(shop, *addresses("good", 5))
        settled(shop)
        for account_id in bad:
            shop.box.kibo.refuse("put", status, record=account_id)
        unsubscribe(shop, *addresses("bad", number), *addresses("good", 5))
        shop.poll(accept=number + 5)
        assert [accepts(shop, one) for one in good] == [False] * 5
        assert [accepts(shop, one) for one in bad] == [True] * number
        assert {told(shop, one)[0].attempts for one in addresses("bad", number)} == {1}


@pytest.mark.parametrize("audit_log", ["shown", "refuse"])
def test_a_refused_write_is_not_undone_by_a_return(tmp_path: Path, audit_log: str) -> None:
    """The account's own no came after it: nobody but its owner takes that back, whoever may read the audit log."""
    with small_shop(tmp_path, audit_log=audit_log) as shop:
        (pat,) = join(shop, "pat@example.com")
        settled(shop)
        shop.box.kibo.refuse("put", 400, record=pat)
        unsubscribe(shop, "pat@example.com")
        shop.poll()
        shop.box.kibo.relent()
        shop.later(minutes=5)
        shop.box.kibo.opt_out(pat)
        shop.box.cc.resubscribe("pat@example.com")
        for _ in range(2):
            shop.later(hours=25)
            shop.poll(is_full=True)
            shop.flush()
        assert accepts(shop, pat) is False


def test_a_refused_return_is_written_once_kibo_takes_it(shop: Shop) -> None:
    """The no in the store is still ccsync's own: that Kibo refused to take it back does not make it the customer's."""
    with shop:
        (pat,) = join(shop, "pat@example.com")
        settled(shop)
        unsubscribe(shop, "pat@example.com")
        shop.poll()
        assert accepts(shop, pat) is False
        shop.later(hours=1)
        shop.box.cc.resubscribe("pat@example.com")
        shop.box.kibo.refuse("put", 400, record=pat)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is False
        shop.box.kibo.relent()
        shop.later(days=1)
        shop.poll()
        assert accepts(shop, pat) is True


def test_three_hundred_accounts_whose_put_is_refused_hold_nobody_up(shop: Shop) -> None:
    """Three hundred refusals in a row are no reason to stop before the healthy accounts."""
    with shop:
        bad = join(shop, *addresses("bad", 300))
        good = join(shop, *addresses("good", 5))
        settled(shop)
        for account_id in bad:
            shop.box.kibo.refuse("put", 400, record=account_id)
        unsubscribe(shop, *addresses("bad", 300), *addresses("good", 5))
        shop.poll(accept=305)
        assert [accepts(shop, one) for one in good] == [False] * 5


@pytest.mark.parametrize("number", [1, 3, 12, 26])
def test_addresses_that_cannot_be_searched_hold_nobody_up(shop: Shop, number: int) -> None:
    """Addresses whose search and single GET answer 400 are retried later; the others are written in the same run."""
    with shop:
        join(shop, *addresses("well", 4_000 // 20))  # a store too large to be swept for so few
        bad = join(shop, *addresses("bad", number))
        good = join(shop, *addresses("good", 5))
        settled(shop)
        for account_id, address in zip(bad, addresses("bad", number), strict=True):
            shop.box.kibo.refuse("search", 400, record=address)
            shop.box.kibo.refuse("read", 400, record=account_id)
        unsubscribe(shop, *addresses("bad", number), *addresses("good", 5))
        shop.poll(accept=number + 5)
        assert [accepts(shop, one) for one in good] == [False] * 5
        assert [accepts(shop, one) for one in bad] == [True] * number


def test_a_bad_account_is_parked_after_eight_attempts_and_tried_again(shop: Shop) -> None:
    """Two days of polls use up eight attempts; a day later one more is made, and an account that was mended is
    written without anybody's doing."""
    with shop:
        (bad,) = join(shop, "bad@example.com")
        settled(shop)
        shop.box.kibo.refuse("put", 400, record=bad)
        unsubscribe(shop, "bad@example.com")
        for _ in range(96):
            shop.poll()
            shop.later(minutes=30)
        (row,) = told(shop, "bad@example.com")
        assert (row.status, row.attempts) == (tasks.FAILED, MOST_ATTEMPTS)
        assert "Kibo refused" in row.last_error
        tries = len(puts(shop))
        shop.box.kibo.relent()
        while shop.clock.now() < row.next_at + timedelta(minutes=30):
            shop.poll()
            shop.later(minutes=30)
        assert (accepts(shop, bad), len(puts(shop))) == (False, tries + 1)


def test_nobodys_attempts_grow_while_kibo_is_down(shop: Shop) -> None:
    """The control fails: the run ends, and no record is blamed for it."""
    with shop:
        joined = join(shop, *addresses("good", 3))
        settled(shop)
        unsubscribe(shop, *addresses("good", 3))
        shop.box.kibo.refuse(None, 503)
        for _ in range(4):
            with pytest.raises(VendorUnreachable):
                shop.poll()
            shop.later(minutes=30)
        assert {told(shop, one)[0].attempts for one in addresses("good", 3)} == {0}
        shop.box.kibo.relent()
        shop.poll()
        assert [accepts(shop, one) for one in joined] == [False] * 3


def test_a_contact_that_cannot_be_looked_at_holds_no_departure_up(shop: Shop) -> None:
    """Constant Contact refuses to show one of those who left the list; the others are written in the same run."""
    with shop:
        bad, good = join(shop, "bad@example.com", "good@example.com")
        settled(shop)
        for one in ("bad@example.com", "good@example.com"):
            shop.box.cc.leave_list(one, shop.list_id)
        shop.box.cc.refuse("read", 400, record="bad@example.com")
        shop.box.cc.refuse("search", 400, record="bad@example.com")
        shop.later(days=1)
        shop.poll(is_full=True)
        assert (accepts(shop, good), accepts(shop, bad)) == (False, True)
        shop.box.cc.relent()
        shop.later(days=1)
        shop.poll(is_full=True)
        assert accepts(shop, bad) is False
