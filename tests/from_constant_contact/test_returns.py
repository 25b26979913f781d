"""People who come back to Constant Contact: written only over a no of ours, and only for their own act."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.errors import VendorUnreachable
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import LIST, Shop
from tests.jobs.polling import LEE, PAT, accepts, join, ledger_of, puts, settled, small_shop, suppressed
from tests.jobs.reconciling import reconcile
from tests.jobs.test_export import seed_contact
from tests.machine.world import OwnClockShop


def opted_out(shop: Shop, *addresses: str) -> list[int]:
    """Customers whom Constant Contact has opted out in the store."""
    accounts = join(shop, *addresses)
    settled(shop)
    for address in {one.lower() for one in addresses}:
        shop.box.cc.unsubscribe(address)
    shop.poll()
    shop.later(minutes=30)
    return accounts


def test_who_comes_back_is_opted_in_again(shop: Shop) -> None:
    """Found by the daily pass; every account that Constant Contact had opted out says yes again, and is exported."""
    accounts = opted_out(shop, PAT, PAT.upper())
    shop.box.cc.resubscribe(PAT)
    assert shop.poll().total_contacts == 0
    shop.later(hours=24)
    run = shop.poll()
    assert [accepts(shop, one) for one in accounts] == [True, True]
    assert (run.counts["resubscribed"], suppressed(shop, PAT)) == (1, set())
    assert ledger_of(shop, PAT)[-3:] == [("resubscribed", "constant_contact")] + [("opted-in", "ccsync")] * 2
    flush = shop.flush()
    export = shop.export()
    assert PAT in shop.members()
    assert flush.counts.get("opted_out", 0) == export.counts.get("opted_out", 0) == 0
    assert shop.poll(is_full=True).total_contacts == 0


def test_who_comes_back_from_an_opt_out_without_a_date(shop: Shop) -> None:
    """An opt-in that is newer than the last look that showed the opt-out is a return; an older one is none."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    for address in (PAT, LEE):
        shop.box.cc.unsubscribe(address, is_dated=False)
    shop.poll()
    shop.poll(is_full=True)
    assert (accepts(shop, pat), accepts(shop, lee)) == (False, False)
    shop.later(minutes=30)
    shop.box.cc.resubscribe(PAT)
    shop.box.cc.resubscribe(LEE, source="Account")
    run = shop.poll(is_full=True)
    assert (accepts(shop, pat), accepts(shop, lee)) == (True, False)
    assert (suppressed(shop, PAT), suppressed(shop, LEE)) == (set(), {"unsubscribed"})
    assert run.counts["resubscribed_by_others"] == 1


@pytest.mark.parametrize("crowd", [0, 60])
def test_who_came_back_before_the_store_took_the_opt_out(shop: Shop, crowd: int) -> None:
    """What an earlier run has recorded is looked at again before the store is written: one by one, or in one pass."""
    pat, lee = join(shop, PAT, LEE)
    others = [f"other{number}@example.com" for number in range(crowd)]
    many = join(shop, *others)
    settled(shop)
    for address in (PAT, LEE, *others):
        shop.box.cc.unsubscribe(address)
    shop.flush()
    shop.later(minutes=30)
    shop.box.cc.resubscribe(PAT)
    run = shop.poll(accept=100)
    assert [accepts(shop, one) for one in (pat, lee, *many)] == [True, *[False] * (crowd + 1)]
    assert (suppressed(shop, PAT), run.counts["unsubscribed"]) == (set(), crowd + 1)


def test_a_no_of_their_own_stays(shop: Shop) -> None:
    """An account that said no before, or by itself since, is not written; that is listed."""
    (pat,) = join(shop, PAT, acceptsMarketing=False)
    lee = opted_out(shop, LEE)[0]
    shop.box.cc.add_contact(seed_contact(PAT))
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(minutes=10)
    shop.box.kibo.update_account(lee, acceptsMarketing=True)
    shop.export()
    shop.later(minutes=10)
    shop.box.kibo.update_account(lee, acceptsMarketing=False)
    shop.flush()
    shop.later(minutes=10)
    shop.box.cc.resubscribe(PAT)
    shop.box.cc.resubscribe(LEE)
    before = puts(shop)
    run = shop.poll(is_full=True)
    assert (accepts(shop, pat), accepts(shop, lee)) == (False, False)
    assert puts(shop) == before
    assert run.counts.get("resubscribed", 0) == 0
    assert run.counts["left_alone"] == 1
    assert "had opted out in the store; they stay" in run.message


def test_who_comes_back_after_they_were_erased(shop: Shop) -> None:
    """With the last account goes what is known of the contact; a new account's address finds the return again."""
    (account_id,) = opted_out(shop, PAT)
    shop.box.kibo.delete_account(account_id)
    shop.flush()
    shop.later(minutes=30)
    shop.box.cc.resubscribe(PAT)
    shop.later(hours=24)
    shop.poll()
    assert suppressed(shop, PAT) == {"unsubscribed"}
    join(shop, PAT)
    for _ in range(2):
        shop.flush()
        shop.later(hours=24)
        shop.poll()
    shop.flush()
    assert suppressed(shop, PAT) == set()
    assert PAT in shop.members()


def erased_and_back(shop: Shop) -> int:
    """Pat unsubscribed, was erased with the account, and is back; another account is returned."""
    first, second = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.flush()
    shop.box.kibo.delete_account(first)
    shop.later(minutes=30)
    shop.box.cc.resubscribe(PAT)
    shop.flush()
    shop.poll(is_full=True)
    return second


def test_who_comes_back_after_they_were_erased_and_whose_address_another_account_takes(shop: Shop) -> None:
    """No row of the consent ledger has the address: Kibo shows it, and the account that moved to it is sent."""
    second = erased_and_back(shop)
    shop.box.kibo.change_address(second, PAT)
    for _ in range(2):
        shop.later(minutes=30)
        shop.flush()
        shop.poll(is_full=True)
    assert (accepts(shop, second), suppressed(shop, PAT)) == (True, set())
    assert PAT in shop.members()


def test_who_may_have_come_back_before_their_contact_was_erased(shop: Shop) -> None:
    """Somebody erased here is missed by a full pass, and then erased there: whether they are back nobody can tell. An
    account that moves to the address is not mailed, and keeps its yes.
    """
    second = erased_and_back(shop)
    shop.box.cc.delete_contact(PAT, for_good=True)
    shop.later(minutes=30)
    shop.box.kibo.change_address(second, PAT)
    for _ in range(2):
        shop.flush()
        shop.poll()
        shop.later(hours=25)
    assert (accepts(shop, second), suppressed(shop, PAT), puts(shop)) == (True, {"unsubscribed"}, [])
    assert PAT not in shop.members()
    _, by_kind, findings = reconcile(shop)
    assert by_kind["suppressed"] == {PAT}
    assert any("may have come back before" in one.reason for one in findings)


def test_nobody_is_written_whom_a_pass_has_missed_and_not_looked_at(shop: Shop) -> None:
    """A pass looks at fifty of those who are in no listing: the others may be back, too, until they were looked at."""
    many = [f"other{number}@example.com" for number in range(60)]
    accounts = join(shop, *many)
    settled(shop)
    for address in many:
        shop.box.cc.unsubscribe(address)
    shop.flush()
    known = {str((shop.box.cc.contact(address) or {})["contact_id"]) for address in many}
    for address in many:
        shop.box.cc.delete_contact(address, for_good=True)
    shop.later(minutes=30)
    shop.poll(accept=100)
    assert not any(accepts(shop, one) for one in accounts)
    assert known <= {one.rpartition("/")[2] for one in shop.requests("GET", "/contacts/")}


def test_many_whom_a_pass_has_missed_are_looked_at_in_portions(shop: Shop) -> None:
    """Some in each run, who are then written or lifted; the log counts those who wait, and no pass is made for them."""
    many = [f"other{number}@example.com" for number in range(210)]
    accounts = join(shop, *many)
    settled(shop)
    for address in many:
        shop.box.cc.unsubscribe(address)
    shop.flush()
    for address in many[1:]:
        shop.box.cc.delete_contact(address, for_good=True)
    shop.box.cc.resubscribe(many[0])
    shop.later(hours=25)
    waiting = []
    for _ in range(3):
        began = len(shop.box.requests.records)
        run = shop.poll(accept=300)
        waiting.append(int(run.message.partition(" people will be written")[0] or 0) if run.message else 0)
        new = list(shop.box.requests.records)[began:]
        assert len([one for one in new if ("status", "unsubscribed") in one.query]) <= 1
        shop.later(minutes=30)
    assert waiting == [59, 0, 0]  # fifty by the pass, and as many before each of two goes at writing
    assert [accepts(shop, one) for one in accounts] == [True, *[False] * 209]


@pytest.mark.parametrize("days", [-400, 400])
def test_a_pass_whose_clock_is_wrong_finds_a_return_all_the_same(tmp_path: Path, days: int) -> None:
    """What it has shown is told by the run that saw it, so that the next run needs no other look before it writes."""
    with OwnClockShop(tmp_path, SandboxSettings(customers=4, seed=5)) as shop:
        pat, lee = join(shop, PAT, LEE)
        settled(shop)
        shop.box.cc.unsubscribe(PAT)
        shop.box.cc.unsubscribe(LEE)
        shop.flush()
        shop.later(minutes=5)
        shop.box.cc.resubscribe(PAT)
        shop.skew = timedelta(days=days)
        shop.export()
        assert (suppressed(shop, PAT), suppressed(shop, LEE)) == (set(), {"unsubscribed"})
        shop.skew = timedelta()
        shop.later(minutes=30)
        shop.poll()
        assert (accepts(shop, pat), accepts(shop, lee)) == (True, False)


def test_staffs_resubscribe_is_listed(shop: Shop) -> None:
    """An import or staff cannot bring anybody back: the store is not told, the address stays suppressed."""
    (pat,) = opted_out(shop, PAT)
    shop.box.cc.resubscribe(PAT, source="Account")
    run = shop.poll(is_full=True)
    assert (accepts(shop, pat), suppressed(shop, PAT)) == (False, {"unsubscribed"})
    assert run.counts["resubscribed_by_others"] == 1
    assert "not visibly by their own act" in run.message
    assert shop.export().counts.get("added", 0) == 0


def test_staffs_resubscribe_follows_the_contact_to_its_next_address(shop: Shop) -> None:
    """The person stays opted out under it, too, though no listing of opt-outs shows the contact any more."""
    (lee,) = join(shop, LEE)
    (pat,) = opted_out(shop, PAT)
    shop.box.cc.resubscribe(PAT, source="Account")
    shop.poll(is_full=True)
    shop.box.cc.delete_contact(LEE, for_good=True)
    shop.poll(is_full=True)
    shop.box.cc.rename(PAT, LEE)
    shop.later(minutes=30)
    shop.poll(is_full=True)
    assert (accepts(shop, pat), accepts(shop, lee), suppressed(shop, LEE)) == (False, False, {"unsubscribed"})


def test_returns_may_be_listed_only(tmp_path: Path) -> None:
    """With resubscribes = false the store is not told; that is counted."""
    with small_shop(tmp_path, "\nresubscribes = false\n") as shop:
        (pat,) = opted_out(shop, PAT)
        shop.box.cc.resubscribe(PAT)
        run = shop.poll(is_full=True)
        assert (accepts(shop, pat), run.counts["resubscribed_not_told"]) == (False, 1)
        assert "resubscribes = false" in run.message


def test_a_return_that_is_undone_before_the_store_was_told(shop: Shop) -> None:
    """Whoever unsubscribes again stays opted out."""
    (pat,) = opted_out(shop, PAT)
    shop.box.cc.resubscribe(PAT)
    shop.export()
    assert accepts(shop, pat) is False
    shop.later(minutes=30)
    shop.box.cc.unsubscribe(PAT)
    run = shop.poll()
    assert (accepts(shop, pat), run.counts.get("resubscribed", 0)) == (False, 0)
    assert suppressed(shop, PAT) == {"unsubscribed"}


@pytest.mark.parametrize("recorded_by", ["flush", "export"])
def test_who_came_back_and_was_deleted_by_staff_since(shop: Shop, recorded_by: str) -> None:
    """A deletion is no act of the person's: their own return is what they said last, and nobody is opted out."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    getattr(shop, recorded_by)()
    shop.later(minutes=5)
    shop.box.cc.resubscribe(PAT)
    shop.box.cc.delete_contact(PAT)
    shop.later(minutes=30)
    shop.poll(is_full=True)
    assert (accepts(shop, pat), suppressed(shop, PAT), puts(shop)) == (True, set(), [])


def test_whose_contact_is_not_shown_waits_for_a_listing_that_shows_it(shop: Shop) -> None:
    """Whether the person is back is in doubt: nothing is written then. The daily listing ends the doubt."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.unsubscribe(LEE)
    shop.flush()
    shop.later(minutes=5)
    shop.box.cc.resubscribe(PAT)
    for address in (PAT, LEE):
        shop.box.cc.refuse("read", 400, record=address)
    shop.later(hours=25)
    shop.poll()
    assert (accepts(shop, pat), accepts(shop, lee)) == (True, False)
    shop.box.cc.relent()
    shop.later(minutes=30)
    shop.poll()
    assert (accepts(shop, pat), suppressed(shop, PAT), suppressed(shop, LEE)) == (True, set(), {"unsubscribed"})


@pytest.mark.parametrize("is_down", [False, True])
def test_who_may_be_back_waits_while_constant_contact_is_down(is_down: bool, shop: Shop) -> None:
    """A full pass has missed them, and could not look at them: nothing is written before a look shows who is back.

    Constant Contact refuses one contact, or is down since the pass; in the next run it is down either way.
    """
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.unsubscribe(LEE)
    shop.flush()
    shop.later(minutes=5)
    shop.box.cc.resubscribe(PAT)
    if is_down:
        shop.box.faults.before(lambda: shop.box.cc.refuse(None, 503), vendor="cc_api", path="/v3/contacts/.+", nth=1)
    else:
        shop.box.cc.refuse("read", 400, record=PAT)
    for _ in range(2):
        shop.later(hours=25)
        with suppress(VendorUnreachable):
            shop.poll(is_full=True)
        assert (accepts(shop, pat), accepts(shop, lee)) == (True, False)
        shop.box.cc.refuse(None, 503)
    shop.box.cc.relent()
    shop.box.faults.clear()
    shop.later(hours=25)
    shop.poll(is_full=True)
    assert (accepts(shop, pat), suppressed(shop, PAT), suppressed(shop, LEE)) == (True, set(), {"unsubscribed"})


def test_there_and_back_again(shop: Shop) -> None:
    """Every unsubscribe and every return is told, as often as they come."""
    (pat,) = opted_out(shop, PAT)
    for _ in range(2):
        shop.box.cc.resubscribe(PAT)
        shop.later(hours=24)
        shop.poll()
        assert accepts(shop, pat) is True
        shop.later(hours=1)
        shop.box.cc.unsubscribe(PAT)
        shop.later(minutes=30)
        shop.poll()
        assert accepts(shop, pat) is False
    assert len(puts(shop)) == 5


def test_a_return_does_not_undo_a_departure(shop: Shop) -> None:
    """Somebody who left the list, unsubscribed, and came back is not opted in over the departure."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.poll(is_full=True)
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(minutes=30)
    shop.box.cc.resubscribe(PAT)
    shop.poll(is_full=True)
    assert accepts(shop, pat) is False
    assert suppressed(shop, PAT) == {"departed"}


@pytest.mark.parametrize("keeps", [True, False])
def test_whether_the_vendor_keeps_the_old_date_makes_no_difference(keeps: bool, tmp_path: Path) -> None:
    """A return beside an opt-out date of before, or without one."""
    with small_shop(tmp_path, resubscribe_keeps_opt_out_date=keeps) as shop:
        (pat,) = opted_out(shop, PAT)
        shop.box.cc.resubscribe(PAT)
        shop.poll(is_full=True)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is True
        assert len(puts(shop)) == 2


@pytest.mark.parametrize("others", ["deleted", "erased", "active"])
def test_those_who_are_merely_gone_delay_no_return(shop: Shop, others: str) -> None:
    """A return among 170 others who are gone is found by the next full pass, and so is a return of one of them."""
    crowd = [f"gone{number}@example.com" for number in range(170)]
    (pat, lee) = opted_out(shop, PAT, LEE)
    for address in crowd:
        shop.box.cc.add_contact(seed_contact(address))
        shop.box.cc.unsubscribe(address)
    for number in range(300 if others == "deleted" else 0):
        shop.box.cc.add_contact(seed_contact(f"well{number}@example.com"))
    shop.poll(is_full=True)
    shop.later(hours=24)
    for address in [*crowd, LEE] if others == "deleted" else crowd:
        if others != "active":
            shop.box.cc.delete_contact(address, for_good=others == "erased")
        else:
            shop.box.cc.resubscribe(address, source="Account")
    shop.poll()
    shop.later(hours=24)
    shop.box.cc.resubscribe(PAT)
    shop.box.cc.resubscribe(LEE)
    shop.poll()
    assert (accepts(shop, pat), accepts(shop, lee)) == (True, True)
    assert suppressed(shop, crowd[0]) == {"unsubscribed"}
