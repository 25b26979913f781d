"""The same acts lead to the same end, whichever job reads an account first and whichever comes after it."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from ccsync.state import people
from tests.harness import Shop
from tests.identity.stories import FIRST, edit, outcome, run_job, suppressed
from tests.jobs.polling import KIM, PAT, join, settled

ORDERS = [
    pytest.param(one, marks=() if one[0] != "poll" and one[2] != "poll" else pytest.mark.deep, id=" ".join(one))
    for one in permutations(("flush", "poll", "export"))
]


def run_all(shop: Shop, order: Sequence[str]) -> None:
    for job in order:
        run_job(shop, job)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seen_between", [True, False])
def test_a_newer_opt_in_is_never_lost(shop: Shop, order: Sequence[str], seen_between: bool) -> None:
    """Left the list, told Kibo, yes again: whichever job reads that yes first, the person is on the list."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, shop.list_id)
    if seen_between:
        run_job(shop, "full poll")
    else:
        shop.later(minutes=30)
        shop.box.kibo.opt_out(pat)
        run_job(shop, "flush")
    shop.later(minutes=30)
    shop.box.kibo.opt_in(pat)
    run_all(shop, order)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags, suppressed(shop, PAT)) == (True, [True], set())


@pytest.mark.parametrize("order", ORDERS)
def test_an_opt_out_and_an_opt_in_between_two_runs(shop: Shop, order: Sequence[str]) -> None:
    """A no and a yes that no run has seen apart are a yes; what the list shows is left as it is."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.kibo.opt_out(pat)
    shop.later(minutes=5)
    shop.box.kibo.opt_in(pat)
    run_all(shop, order)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags) == (True, [True])


def two_accounts(shop: Shop, later_is: str) -> tuple[int, int]:
    """Two accounts on one address: the first says no now and the second yes, one after the other."""
    pat, twin = [*join(shop, PAT), *join(shop, PAT.upper(), acceptsMarketing=False)]
    settled(shop)
    run_job(shop, "flush")
    acts = [(pat, False), (twin, True)]
    for account_id, accepts in acts if later_is == "yes" else reversed(acts):
        shop.later(minutes=5)
        shop.box.kibo.update_account(account_id, acceptsMarketing=accepts)
    return pat, twin


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("later_is", ["yes", "no"])
def test_of_two_accounts_the_later_word_holds(shop: Shop, order: Sequence[str], later_is: str) -> None:
    """One says no and the other yes; which was read first, and by which job, makes no difference."""
    pat, twin = two_accounts(shop, later_is)
    run_all(shop, order)
    members, flags = outcome(shop, pat, twin)
    assert (PAT in members, flags) == (later_is == "yes", [False, True])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("later_is", ["yes", "no"])
def test_of_two_accounts_read_apart_the_later_word_holds(shop: Shop, order: Sequence[str], later_is: str) -> None:
    """The same when the newer act is read by one run and the older one by the next."""
    pat, twin = two_accounts(shop, later_is)
    older = pat if later_is == "yes" else twin
    shop.box.kibo.refuse("read", 500, record=older)
    run_job(shop, "flush")
    shop.box.kibo.relent()
    shop.later(hours=13)
    run_all(shop, order)
    members, flags = outcome(shop, pat, twin)
    assert (PAT in members, flags) == (later_is == "yes", [False, True])


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("says", [True, False])
def test_a_new_account_is_as_old_as_its_making(shop: Shop, first: str, says: bool) -> None:
    """Made after another account's no, a new yes counts; a new no is no opt-out of the one that says yes."""
    (pat,) = join(shop, PAT)
    settled(shop)
    if says:
        shop.box.kibo.opt_out(pat)
        run_job(shop, "flush")
        shop.later(minutes=5)
    (twin,) = join(shop, PAT, acceptsMarketing=says)
    edit(shop, twin)
    run_job(shop, first)
    members, flags = outcome(shop, pat, twin)
    assert (PAT in members, flags) == (True, [not says, says])


@pytest.mark.parametrize("first", FIRST)
def test_an_older_account_that_turns_up_late_outweighs_nothing(shop: Shop, first: str) -> None:
    """A yes from before the no, on an account that no run has read until now, does not lift it."""
    (twin,) = join(shop, PAT)
    (pat,) = join(shop, PAT)
    settled(shop)
    run_job(shop, "flush")  # else the event of its creation shows it again
    store = shop.open()
    store.run("DELETE FROM accounts WHERE account_id = ?", twin)
    store.run("DELETE FROM account_addresses WHERE account_id = ?", twin)
    store.close()
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    assert PAT not in shop.members()
    edit(shop, twin)
    run_job(shop, first)
    members, flags = outcome(shop, pat, twin)
    assert (PAT in members, flags) == (False, [False, True])


@pytest.mark.parametrize("days", [0.5, 5, 9])
def test_an_export_before_a_flush_loses_no_event(shop: Shop, days: float) -> None:
    """Only events name an account that says no and has somebody's address now, however long no flush ran."""
    pat, kim = join(shop, PAT)[0], join(shop, KIM, acceptsMarketing=False)[0]
    settled(shop)
    shop.later(days=1)
    run_job(shop, "flush")
    shop.box.kibo.hand_over_address(pat, kim, "pat.new@example.org")
    shop.later(days=days)
    run_all(shop, ("export", "flush", "flush"))
    assert PAT not in shop.members()


def test_an_export_keeps_the_events_for_the_next_flush(shop: Shop) -> None:
    """What happened since the last flush is in the queue's events, whichever job comes first."""
    (pat,) = join(shop, PAT)
    settled(shop)
    run_job(shop, "flush")
    shop.later(days=1)
    shop.box.kibo.update_account(pat, firstName="Patricia")
    shop.later(minutes=30)
    store = shop.open()
    before = store.number("SELECT count(*) FROM events")
    run_job(shop, "export")
    assert store.number("SELECT count(*) FROM events") > before
    store.close()


def former_owner_says_no(shop: Shop, *, comes_by: str) -> tuple[int, int]:
    """An account leaves an address and then opts out; before that another came to it, which no run has read there."""
    (former,) = join(shop, PAT)
    (owner,) = join(shop, KIM) if comes_by == "moving" else (0,)
    settled(shop)
    run_job(shop, "flush")
    shop.box.kibo.update_account(former, emailAddress="former@example.com")
    if comes_by == "moving":
        shop.box.kibo.update_account(owner, emailAddress=PAT)
    else:
        (owner,) = join(shop, PAT)
    run_job(shop, "flush")
    store = shop.open()
    if comes_by == "making":
        store.run("DELETE FROM accounts WHERE account_id = ?", owner)
        store.run("DELETE FROM account_addresses WHERE account_id = ?", owner)
    else:
        kim = people.person_key(store)(KIM)
        store.run("UPDATE accounts SET person = ? WHERE account_id = ?", kim, owner)
        pat = people.person_key(store)(PAT)
        store.run("DELETE FROM account_addresses WHERE account_id = ? AND person = ?", owner, pat)
    store.close()
    shop.later(minutes=30)
    shop.box.kibo.opt_out(former)
    run_job(shop, "flush")
    assert PAT not in shop.members()
    return former, owner


@pytest.mark.parametrize("comes_by", ["making", "moving"])
@pytest.mark.parametrize("first", FIRST)
def test_the_no_of_a_former_owner_holds_for_no_present_one(shop: Shop, first: str, comes_by: str) -> None:
    """Read before anybody knew of the present owner, whose yes is older, it is outweighed all the same."""
    former, owner = former_owner_says_no(shop, comes_by=comes_by)
    edit(shop, owner)
    run_job(shop, first)
    members, flags = outcome(shop, former, owner)
    assert (PAT in members, flags) == (True, [False, True])


def test_the_no_of_a_former_owner_does_not_soften_that_of_a_present_one(shop: Shop) -> None:
    """Two accounts had the address and both say no, one of them after it left: an older yes lifts neither."""
    (former,) = join(shop, PAT)
    (present,) = join(shop, PAT)
    (late,) = join(shop, PAT)
    settled(shop)
    run_job(shop, "flush")
    store = shop.open()
    store.run("DELETE FROM accounts WHERE account_id = ?", late)
    store.run("DELETE FROM account_addresses WHERE account_id = ?", late)
    store.close()
    shop.box.kibo.update_account(former, emailAddress="former@example.com")
    run_job(shop, "flush")
    shop.box.kibo.opt_out(present)
    run_job(shop, "flush")
    shop.later(minutes=30)
    shop.box.kibo.opt_out(former)
    run_job(shop, "flush")
    edit(shop, late)
    run_job(shop, "export")
    assert PAT not in shop.members()


def former_owner_is_read_first(shop: Shop, former: int) -> None:
    """The former owner of an address says no in the store and at Constant Contact, and a poll reads that account."""
    shop.later(minutes=30)
    shop.box.kibo.opt_out(former)
    shop.box.cc.unsubscribe("former@example.com")
    run_job(shop, "poll")


@pytest.mark.parametrize("who", [1, 2])
def test_a_yes_of_a_present_owner_is_not_older_than_their_no_because_a_former_owner_says_no_later(
    shop: Shop, who: int
) -> None:
    """One of two on an address had said no; who of them says yes is on the list, whichever account is read first."""
    owners = [*join(shop, PAT), *join(shop, PAT), *join(shop, PAT, acceptsMarketing=False)]
    settled(shop)
    shop.box.kibo.update_account(owners[0], emailAddress="former@example.com")
    run_job(shop, "flush")
    shop.box.kibo.opt_out(owners[1])
    run_job(shop, "flush")
    assert PAT not in shop.members()
    shop.later(minutes=30)
    shop.box.kibo.opt_in(owners[who])
    former_owner_is_read_first(shop, owners[0])
    members, _ = outcome(shop, *owners)
    assert (PAT in members, suppressed(shop, PAT)) == (True, set())


def test_the_no_of_a_present_owner_has_its_own_date_where_that_of_a_former_one_was_read_before(shop: Shop) -> None:
    """An account comes to an address and says no, another one is made there after that: it is on the list."""
    former, mover = join(shop, PAT, KIM)
    settled(shop)
    shop.box.kibo.update_account(former, emailAddress="former@example.com")
    run_job(shop, "flush")
    shop.box.kibo.update_account(mover, emailAddress=PAT, acceptsMarketing=False)
    shop.later(minutes=30)
    (late,) = join(shop, PAT)
    former_owner_is_read_first(shop, former)
    members, flags = outcome(shop, former, mover, late)
    assert (PAT in members, flags, suppressed(shop, PAT)) == (True, [False, False, True], set())


def test_an_export_sends_nobody_of_whom_it_was_not_shown_every_account(shop: Shop) -> None:
    """It reads who opts in: the account that it misses may have said no since, and that may be the newer word."""
    first, second = [*join(shop, PAT, lastName="First"), *join(shop, PAT, lastName="Second")]
    settled(shop)
    edit(shop, first)
    run_job(shop, "flush")
    shop.box.kibo.opt_out(first)
    sent = len(shop.requests("POST", "contacts_json_import"))
    run_job(shop, "export")
    assert len(shop.requests("POST", "contacts_json_import")) == sent
    run_job(shop, "flush")
    assert PAT not in shop.members()
    members, flags = outcome(shop, first, second)
    assert (PAT in members, flags, suppressed(shop, PAT)) == (False, [False, True], {"opted-out"})
