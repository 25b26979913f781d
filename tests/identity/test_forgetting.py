"""Who asks to be forgotten is one person with all accounts and contacts, under whatever address these are today."""

import pytest

from tests.harness import Shop
from tests.identity.stories import FIRST, edit, outcome, run_job, run_jobs
from tests.jobs.forgetting import forget, rows_about, suppressions_of, traces
from tests.jobs.polling import LEE, PAT, accepts, join, settled

NEW, NEWER = "pat.new@example.org", "pat.newer@example.org"


def rest(shop: Shop, *account_ids: int) -> None:
    """Two days of every job, with an edit of these accounts in between."""
    for _ in range(2):
        for job in ("flush", "full poll", "export"):
            run_job(shop, job)
        edit(shop, *account_ids)
        shop.later(hours=25)


@pytest.mark.parametrize("is_seen", [True, False])
@pytest.mark.parametrize("asked", [PAT, NEW])
def test_a_renamed_contact_is_taken_off(shop: Shop, asked: str, is_seen: bool) -> None:
    """Whichever address is named, and whether or not a run has seen the other: neither is on the list any more."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    if is_seen:
        run_job(shop, "full poll")
    receipt = forget(shop, asked)
    assert receipt is not None
    assert (receipt.on_list, receipt.contacts, receipt.accounts) == (1, 1, {pat: True})
    assert traces(shop, PAT, NEW) == []
    rest(shop, pat)
    assert shop.members() & {PAT, NEW, LEE} == {LEE}
    assert [accepts(shop, one) for one in (pat, lee)] == [True, True]
    assert [rows_about(shop, one) for one in (PAT, NEW)] == [{"suppressions": 1}] * 2
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_in(pat)
    run_job(shop, "flush")
    assert PAT in shop.members()


def test_a_contact_that_was_renamed_twice(shop: Shop) -> None:
    """One change of address was seen, the other one was not."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "full poll")
    shop.box.cc.rename(NEW, NEWER)
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert (receipt.on_list, receipt.old_addresses) == (1, 2)
    rest(shop, pat)
    assert not shop.members() & {PAT, NEW, NEWER}


@pytest.mark.parametrize("asked", [PAT, LEE])
def test_an_address_that_another_account_has_is_another_person_s(shop: Shop, asked: str) -> None:
    """A contact has moved to the address of a customer who is not forgotten, or the other way round."""
    pat, lee = join(shop, PAT, LEE)
    shop.box.kibo.opt_out(lee)
    settled(shop)
    shop.box.cc.rename(PAT, LEE)
    run_job(shop, "full poll")
    shop.box.kibo.opt_in(lee)
    run_job(shop, "flush")
    assert forget(shop, asked) is not None
    rest(shop, pat, lee)
    assert (suppressions_of(shop, PAT), suppressions_of(shop, LEE)) == (
        (["forgotten"], []) if asked == PAT else ([], ["forgotten"])
    )
    assert [accepts(shop, one) for one in (pat, lee)] == [True, True]


def test_an_account_that_has_another_address_since(shop: Shop) -> None:
    """No run has seen the change of address in the store: the new address is the same person's, and is not sent."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.kibo.change_address(pat, NEW)
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert (receipt.on_list, receipt.accounts) == (1, {pat: True})
    rest(shop, pat)
    assert not shop.members() & {PAT, NEW}
    assert traces(shop, PAT, NEW) == []


def test_an_unsubscribe_under_the_new_address_outlives_it(shop: Shop) -> None:
    """It concerns every address of the contact: a later yes in the store does not outweigh it."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    shop.box.cc.unsubscribe(NEW)
    assert forget(shop, PAT) is not None
    assert (suppressions_of(shop, PAT), suppressions_of(shop, NEW)) == (["forgotten", "unsubscribed"],) * 2
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_in(pat)
    rest(shop, pat)
    assert not shop.members() & {PAT, NEW}


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("how", ["leave", "unsubscribe"])
def test_a_yes_after_it_is_newer_than_what_came_before(shop: Shop, how: str, first: str) -> None:
    """The store had been opted out, and the account is erased: its yes is not taken for the one of its first day."""
    (pat,) = join(shop, PAT)
    settled(shop)
    if how == "leave":
        shop.box.cc.leave_list(PAT, shop.list_id)
    else:
        shop.box.cc.unsubscribe(PAT)
    run_job(shop, "full poll")
    assert accepts(shop, pat) is False
    assert forget(shop, PAT) is not None
    assert rows_about(shop, PAT).keys() == {"suppressions"}
    shop.later(hours=1)
    shop.box.kibo.opt_in(pat)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags) == (how == "leave", [True])


def test_each_account_that_said_no_may_say_yes(shop: Shop) -> None:
    """One account opted in when the person was forgotten, and the other one does so later."""
    _, twin = join(shop, PAT, PAT)
    shop.box.kibo.opt_out(twin)
    settled(shop)
    assert forget(shop, PAT) is not None
    assert PAT not in shop.members()
    shop.later(hours=1)
    shop.box.kibo.opt_in(twin)
    run_job(shop, "flush")
    assert PAT in shop.members()


@pytest.mark.parametrize("is_renamed", [True, False])
@pytest.mark.parametrize("is_seen", [True, False])
def test_an_unsubscribe_is_written_to_the_store_before_all_is_erased(
    shop: Shop, is_seen: bool, is_renamed: bool
) -> None:
    """Whether no run has seen it yet, or the store did not take it: nothing could tell later whose account it is."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    if is_renamed:
        shop.box.cc.rename(PAT, NEW)
    shop.box.cc.unsubscribe(NEW if is_renamed else PAT)
    if is_seen:
        shop.box.kibo.refuse("put", 409, record=pat)
        run_job(shop, "full poll")
        shop.box.kibo.relent()
    assert forget(shop, PAT) is not None
    assert [accepts(shop, one) for one in (pat, lee)] == [False, True]
    assert traces(shop, PAT, NEW) == []
    rest(shop, pat)
    assert not shop.members() & {PAT, NEW}


def test_what_the_store_refuses_does_not_keep_the_person(shop: Shop) -> None:
    """The account cannot be written: everything is erased all the same, and the receipt tells that it still opts in."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.kibo.refuse("put", 409, record=pat)
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert receipt.accounts == {pat: True}
    assert traces(shop, PAT) == []
    assert rows_about(shop, PAT).keys() == {"suppressions"}


def test_who_came_back_meanwhile_is_not_opted_out(shop: Shop) -> None:
    """The store did not take an unsubscribe, and the person has undone it since."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.kibo.refuse("put", 409, record=pat)
    run_job(shop, "full poll")
    shop.box.kibo.relent()
    shop.box.cc.resubscribe(PAT)
    assert forget(shop, PAT) is not None
    rest(shop, pat)
    assert accepts(shop, pat) is True


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("is_at_once", [True, False])
def test_an_account_that_comes_to_a_forgotten_address_is_still_heard(shop: Shop, is_at_once: bool, first: str) -> None:
    """Its no takes the address off the list that it had before; the forgotten one stays unsent."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    assert forget(shop, LEE) is not None
    shop.box.kibo.delete_account(lee)
    run_job(shop, "flush")
    shop.box.kibo.change_address(pat, LEE)
    if not is_at_once:
        run_jobs(shop, first)
        assert shop.members() & {PAT, LEE} == {PAT}
    shop.box.kibo.opt_out(pat)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, LEE}, flags) == (set(), [False])
