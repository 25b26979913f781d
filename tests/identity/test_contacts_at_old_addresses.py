"""An import may make a contact at an address that another one has left: what was known of one says nothing of both."""

import contextlib
from pathlib import Path

import pytest

from ccsync.errors import SafetyLimitError
from tests.harness import LIST, Shop
from tests.identity.stories import FIRST, accepts, outcome, run_job, run_jobs, suppressed
from tests.jobs.polling import LEE, PAT, join, settled, small_shop
from tests.jobs.reconciling import reconcile
from tests.jobs.test_export import seed_contact

NEW = "pat.new@example.org"
FIFTY_SIX_YEARS = 56 * 365 * 86_400.0


def made_anew(shop: Shop) -> int:
    """Pat's contact takes another address just before an import, which makes a second one at the old address."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.kibo.update_account(pat, lastName="Changed")
    shop.box.faults.before(lambda: shop.box.cc.rename(PAT, NEW), method="POST", path=".*contacts_json_import", nth=1)
    run_job(shop, "flush")
    shop.box.faults.clear()
    assert {PAT, NEW} <= shop.members()
    return pat


def test_an_unsubscribe_under_the_new_address_takes_off_the_contact_at_the_old_one(shop: Shop) -> None:
    """It concerns every address that the contact has had, whichever contact has it now."""
    pat = made_anew(shop)
    shop.box.cc.unsubscribe(NEW)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == (set(), [False])
    assert suppressed(shop, PAT) == {"unsubscribed"}


@pytest.mark.parametrize("seen_by", ["nobody", "full poll", "look"])
def test_an_opt_out_in_the_store_takes_off_both(shop: Shop, seen_by: str) -> None:
    """The one that ccsync put there first, under its new address, and the one that is at the account's address.

    Also where nobody has looked since the import that made the second one: the address is looked up before.
    """
    pat = made_anew(shop)
    if seen_by == "look":
        shop.box.kibo.update_account(pat, lastName="Again")
        run_job(shop, "flush")
    elif seen_by == "full poll":
        run_job(shop, seen_by)
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    assert PAT not in shop.members()
    if seen_by != "full poll":
        assert NEW not in shop.members()


@pytest.mark.parametrize(("number", "looks"), [(3, 3), (101, 0)])
def test_a_mass_removal_looks_no_address_up(shop: Shop, number: int, looks: int) -> None:
    """A look at each address costs a call: it is made where few leave, and the day's calls are kept for the rest."""
    ids = join(shop, *(f"p{one}@example.com" for one in range(number)))
    settled(shop)
    for one in ids:
        shop.box.kibo.update_account(one, lastName="Changed")
    run_job(shop, "flush")
    for one in ids:
        shop.box.kibo.opt_out(one)
    before = len(shop.requests("GET", "/v3/contacts"))
    shop.flush(accept=number)
    assert len(shop.requests("GET", "/v3/contacts")) - before <= looks + 3
    assert not {f"p{one}@example.com" for one in range(number)} & shop.members()


@pytest.mark.parametrize("how", ["opts out", "is deleted"])
def test_a_contact_whose_new_address_opts_in_stays(shop: Shop, how: str) -> None:
    """An account says no whose contact has another account's address by now: that one has it, and opts in."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    (other,) = join(shop, NEW)
    run_jobs(shop, "flush")
    if how == "opts out":
        shop.box.kibo.opt_out(pat)
    else:
        shop.box.kibo.delete_account(pat)
    run_job(shop, "flush")
    assert NEW in shop.members()
    shop.box.cc.leave_list(NEW, LIST)
    members, flags = outcome(shop, other)
    assert (members & {PAT, NEW}, flags) == (set(), [False])


def test_a_sighting_from_ahead_of_the_clock_is_not_fresh(shop: Shop) -> None:
    """With a `Date` far behind, what was seen before looks as if it were yet to come: it is looked at again."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    shop.box.kibo.update_account(pat, lastName="Changed")
    shop.box.clocks["cc"].set_date_ahead(-FIFTY_SIX_YEARS, None)
    run_job(shop, "flush")
    shop.box.clocks["cc"].set_date_ahead(0, 0)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == ({NEW}, [True])


def test_who_came_back_under_another_address_is_not_sent_under_the_old_one(shop: Shop) -> None:
    """The look that shows the return shows where the contact is: it keeps its link."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    run_job(shop, "flush")
    shop.box.cc.rename(PAT, NEW)
    shop.later(minutes=5)
    shop.box.cc.resubscribe(NEW)
    run_job(shop, "export")
    assert PAT not in shop.members()
    shop.box.cc.unsubscribe(NEW)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == (set(), [False])


def test_who_came_back_under_another_address_within_minutes_is_not_sent_under_the_old_one(shop: Shop) -> None:
    """The unsubscribe was seen just now, so nobody looks again before they are sent."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.flush()
    shop.box.cc.rename(PAT, NEW)
    shop.later(minutes=2)
    shop.box.cc.resubscribe(NEW)
    shop.later(minutes=2)
    shop.export()
    assert (accepts(shop, pat), PAT in shop.members()) == (True, False)
    shop.box.cc.unsubscribe(NEW)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == (set(), [False])


@pytest.mark.parametrize("is_newer_yes", [False, True])
def test_another_sources_contact_where_ours_was_erased_keeps_its_data(shop: Shop, is_newer_yes: bool) -> None:
    """It is another contact: what ccsync may overwrite was the one that it had put there."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.delete_contact(PAT, for_good=True)
    if is_newer_yes:
        run_job(shop, "full poll")
    now = shop.clock.now()
    shop.later(minutes=5)
    shop.box.cc.add_contact(seed_contact(PAT, lists=(LIST,), created_at=now, updated_at=now))
    if is_newer_yes:
        shop.box.kibo.opt_out(pat)
        run_job(shop, "flush")
        shop.box.kibo.opt_in(pat)
    else:
        shop.box.kibo.update_account(pat, lastName="Changed")
    _, flags = outcome(shop, pat, lee)
    contact = shop.box.cc.contact(PAT)
    assert contact is not None
    assert (contact["first_name"], flags, accepts(shop, pat)) == ("Their", [True, True], True)


@pytest.mark.parametrize("was_seen", [True, False])
def test_another_sources_contact_that_was_unsubscribed_keeps_its_data(shop: Shop, *, was_seen: bool) -> None:
    """Opt-outs are shown without lists, but with when the contact was made: it is not the one that ccsync made."""
    (pat,) = join(shop, PAT)
    if was_seen:
        settled(shop)
    else:
        run_job(shop, "export")
    shop.box.cc.delete_contact(PAT, for_good=True)
    shop.later(minutes=30)
    now = shop.clock.now()
    shop.box.cc.add_contact(seed_contact(PAT, "unsubscribed", created_at=now, updated_at=now))
    run_job(shop, "full poll")
    shop.later(hours=1)
    shop.box.cc.resubscribe(PAT)
    members, flags = outcome(shop, pat)
    contact = shop.box.cc.contact(PAT)
    assert contact is not None
    assert (contact["first_name"], PAT in members, flags) == ("Their", True, [True])


def test_whose_contact_took_an_address_that_has_to_leave_has_not_left(shop: Shop) -> None:
    """ccsync takes the contact off for the address's own account; that is no departure of the account it came from."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.delete_contact(LEE, for_good=True)
    shop.box.cc.rename(PAT, LEE)
    run_job(shop, "full poll")
    shop.box.kibo.opt_out(lee)
    members, flags = outcome(shop, pat, lee)
    assert (members & {PAT, LEE}, flags, suppressed(shop, PAT)) == (set(), [True, False], set())


def test_who_loses_a_contact_that_took_an_address_which_has_to_leave_is_decided_on_again(shop: Shop) -> None:
    """Nobody has looked since the contact took it: as after a look that has shown that, it keeps its link, and
    reconcile finds nothing that ccsync has left undone.
    """
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    run_job(shop, "flush")
    shop.box.cc.rename(LEE, NEW)
    run_job(shop, "full poll")
    shop.box.cc.rename(PAT, LEE)
    shop.box.kibo.opt_out(lee)
    for job in ("flush", "poll", "flush"):
        run_job(shop, job)
    assert LEE not in shop.members()
    assert reconcile(shop)[0].drift == 0
    members, flags = outcome(shop, pat, lee)
    assert (members & {PAT, LEE, NEW}, flags) == (set(), [True, False])


def test_a_return_is_one_for_every_address_of_the_contact(tmp_path: Path) -> None:
    """Everybody seems to have left at once, too many for a look at each; one contact had both addresses."""
    with small_shop(tmp_path, customers=0) as shop:
        pat, lee = join(shop, PAT, LEE)
        settled(shop)
        shop.box.cc.delete_contact(LEE, for_good=True)
        shop.box.cc.rename(PAT, LEE)
        shop.box.cc.unsubscribe(LEE)
        shop.later(minutes=10)
        shop.box.cc.resubscribe(LEE)
        shop.later(hours=25)
        with contextlib.suppress(SafetyLimitError):
            shop.poll(is_full=True)
        shop.poll(is_full=True, accept=100)
        _, flags = outcome(shop, pat, lee)
        assert flags == [True, True]


@pytest.mark.parametrize("first", FIRST)
def test_who_opts_in_after_the_contact_has_moved_and_its_account_said_no(shop: Shop, first: str) -> None:
    """The contact stays the person's, on the list under its next address; nobody has left it under the old one, though
    another source's contact there is on another list.
    """
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    shop.box.cc.add_contact(seed_contact(PAT))
    run_job(shop, "full poll")
    shop.box.kibo.update_account(pat, acceptsMarketing=False)
    shop.later(minutes=5)
    (heir,) = join(shop, PAT)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat, heir)
    assert (members & {PAT, NEW}, flags, suppressed(shop, PAT)) == ({NEW}, [False, True], set())


def erased_and_taken(shop: Shop, *lists: str, is_seen: bool = True) -> int:
    """Staff erase Pat's contact, which may be seen, and an older one of another source moves to its address."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.delete_contact(PAT, for_good=True)
    if is_seen:
        run_job(shop, "full poll")
    shop.box.cc.add_contact(seed_contact(NEW, "implicit", lists=lists))
    shop.box.cc.rename(NEW, PAT)
    return pat


@pytest.mark.parametrize("is_seen", [True, False])
@pytest.mark.parametrize("first", FIRST)
def test_a_strangers_contact_at_the_address_of_an_erased_one_has_not_left_the_list(
    shop: Shop, first: str, is_seen: bool
) -> None:
    """It never was on the list: nobody's consent is touched, and it is not put there, for the erased one may have opted
    out.
    """
    pat = erased_and_taken(shop, is_seen=is_seen)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags, suppressed(shop, PAT)) == (False, [True], set())


@pytest.mark.parametrize("first", FIRST)
def test_a_member_at_the_address_of_an_erased_contact_is_another_sources(shop: Shop, first: str) -> None:
    """Its data are left alone, and an opt-out in the store takes it off like everybody who was found on the list."""
    pat = erased_and_taken(shop, LIST)
    before = shop.box.cc.contact(PAT)
    run_jobs(shop, first)
    shop.box.kibo.update_account(pat, lastName="Changed")
    run_jobs(shop, first)
    after = shop.box.cc.contact(PAT)
    assert before is not None
    assert after is not None
    assert (after["first_name"], after["last_name"]) == (before["first_name"], before["last_name"])
    shop.box.kibo.opt_out(pat)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags) == (False, [False])


@pytest.mark.parametrize("first", FIRST)
def test_a_member_who_came_to_the_address_after_its_account_said_no_stays(shop: Shop, first: str) -> None:
    """ccsync did not put them there, and reconcile names no drift that nothing would mend."""
    shop.box.cc.add_contact(seed_contact(NEW, "implicit", lists=(LIST,)))
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.delete_contact(PAT, for_good=True)
    run_job(shop, "full poll")
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.cc.rename(NEW, PAT)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags) == (True, [False])


def test_who_is_sent_again_is_looked_at_before(shop: Shop) -> None:
    """Their contact was taken off and has another address since: the one that has theirs now keeps its own data."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.cc.rename(PAT, NEW)
    shop.box.cc.add_contact(seed_contact(PAT, "implicit", created_at=shop.clock.now()))
    shop.box.kibo.opt_in(pat)
    run_job(shop, "flush")
    contact = shop.box.cc.contact(PAT)
    assert contact is not None
    assert (contact["first_name"], PAT in shop.members()) == ("Their", True)


@pytest.mark.parametrize("how", ["opts in", "moves to the address"])
@pytest.mark.parametrize("is_erased", [False, True])
def test_whose_contact_was_taken_off_for_a_no_that_is_no_opt_out(shop: Shop, how: str, *, is_erased: bool) -> None:
    """The account that opts in has moved away, and the one that stays has always said no. Whoever opts in there later
    is sent; what another source's contact has at the address by then is not overwritten.
    """
    pat, twin = [*join(shop, PAT), *join(shop, PAT, acceptsMarketing=False)]
    (lee,) = join(shop, LEE)
    settled(shop)
    run_job(shop, "flush")
    shop.box.kibo.change_address(pat, "elsewhere@example.org")
    run_job(shop, "flush")
    assert PAT not in shop.members()
    if is_erased:
        shop.box.cc.delete_contact(PAT, for_good=True)
    else:
        shop.box.cc.rename(PAT, NEW)
    shop.box.cc.add_contact(seed_contact(PAT, created_at=shop.clock.now()))
    if how == "opts in":
        shop.box.kibo.opt_in(twin)
    else:
        shop.box.kibo.delete_account(twin)
        shop.box.kibo.change_address(lee, PAT)
    for _ in range(2):
        run_job(shop, "flush")
        run_job(shop, "full poll")
    contact = shop.box.cc.contact(PAT)
    assert (PAT in shop.members(), contact is not None and contact["first_name"]) == (True, "Their")
