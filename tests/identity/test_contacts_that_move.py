"""A contact that changes its address at Constant Contact stays the same contact, and its acts are the person's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.consent.explanation import Standing
from tests.harness import Shop
from tests.identity.stories import FIRST, accepts, outcome, run_job, run_jobs, story_of, suppressed
from tests.jobs.polling import LEE, PAT, join, settled, small_shop, told

NEW, NEWER = "pat.new@example.org", "pat.newer@example.org"
NOES = ("unsubscribe", "leave")


def say_no(shop: Shop, how: str, address: str) -> None:
    """The contact unsubscribes, or leaves the list alone."""
    if how == "unsubscribe":
        shop.box.cc.unsubscribe(address)
    else:
        shop.box.cc.leave_list(address, shop.list_id)


@pytest.mark.parametrize("spelling", [PAT, "Pat@Example.COM"])
@pytest.mark.parametrize("how", NOES)
@pytest.mark.parametrize("seen_by", [None, "full poll", "export"])
def test_a_renamed_contact_says_no(shop: Shop, how: str, seen_by: str | None, spelling: str) -> None:
    """Its no reaches the account that has the old address, whether or not the new one was ever seen before."""
    pat, lee = join(shop, spelling, LEE)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    if seen_by is not None:
        run_job(shop, seen_by)
        assert accepts(shop, pat) is True
    say_no(shop, how, NEW)
    members, flags = outcome(shop, pat, lee)
    assert (members & {PAT, NEW}, flags) == (set(), [False, True])
    kind = "unsubscribed" if how == "unsubscribe" else "departed"
    assert (suppressed(shop, PAT), suppressed(shop, NEW)) == ({kind}, {kind})
    assert story_of(shop, PAT).answer.standing is Standing.NOT_LISTED


@pytest.mark.parametrize("first", FIRST)
def test_whichever_job_comes_first_after_a_rename_and_a_no(shop: Shop, first: str) -> None:
    """An edit in the store in between puts neither address back on the list."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    shop.box.kibo.update_account(pat, lastName="Changed")
    shop.box.cc.unsubscribe(NEW)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == (set(), [False])


@pytest.mark.parametrize("how", NOES)
def test_a_contact_that_is_renamed_twice(shop: Shop, how: str) -> None:
    """Every address that it has had is its own."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "full poll")
    shop.box.cc.rename(NEW, NEWER)
    run_job(shop, "full poll")
    say_no(shop, how, NEWER)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW, NEWER}, flags) == (set(), [False])
    assert all(suppressed(shop, one) for one in (PAT, NEW, NEWER))


@pytest.mark.parametrize("how", NOES)
def test_the_no_reaches_the_account_that_took_the_new_address(shop: Shop, how: str) -> None:
    """It goes to every account that has one of the contact's addresses now."""
    pat, newcomer = join(shop, PAT, NEW.upper())
    shop.box.kibo.opt_out(newcomer)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "full poll")
    shop.box.kibo.opt_in(newcomer)
    run_job(shop, "flush")
    say_no(shop, how, NEW)
    members, flags = outcome(shop, pat, newcomer)
    assert (members & {PAT, NEW}, flags) == (set(), [False, False])


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("is_edited", [False, True])
def test_a_rename_is_no_departure(shop: Shop, first: str, is_edited: bool) -> None:
    """Nobody is opted out, the old address is not added again, and `why` says where the contact is."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    if is_edited:
        shop.box.kibo.update_account(pat, lastName="Changed")
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags, told(shop, PAT)) == ({NEW}, [True], [])
    assert (suppressed(shop, PAT), suppressed(shop, NEW)) == (set(), set())
    found = story_of(shop, PAT).answer
    assert (found.standing, "another address" in found.text) == (Standing.LISTED, True)
    there = story_of(shop, NEW).answer
    assert (there.standing, f"contact of account {pat}" in there.text) == (Standing.LISTED, True)


def test_a_contact_that_takes_its_old_address_back(shop: Shop) -> None:
    """It is the contact it was, and an edit is sent to it again."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "full poll")
    shop.box.cc.rename(NEW, PAT)
    run_job(shop, "full poll")
    shop.box.kibo.update_account(pat, lastName="Changed")
    run_job(shop, "flush")
    contact = shop.box.cc.contact(PAT)
    assert contact is not None
    assert contact["last_name"] == "Changed"
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == ({PAT}, [True])


@pytest.mark.parametrize("how", NOES)
def test_a_contact_renamed_before_any_pass_saw_its_id(shop: Shop, how: str) -> None:
    """A customer added by a flush half an hour ago is known by the contact's id already."""
    settled(shop)
    (pat,) = join(shop, PAT)
    run_job(shop, "flush")
    shop.box.cc.rename(PAT, NEW)
    say_no(shop, how, NEW)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == (set(), [False])


def test_an_address_that_a_renamed_contact_left_may_be_somebody_elses(shop: Shop) -> None:
    """Another contact made with the old address is nobody's departure; its own no is its own."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "full poll")
    shop.box.cc.rename(LEE, PAT)
    run_job(shop, "full poll")
    members, flags = outcome(shop, pat, lee)
    assert (members & {PAT, NEW, LEE}, flags) == ({PAT, NEW}, [True, True])


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("how", [*NOES, "nothing"])
def test_an_address_that_is_not_shown_any_more(shop: Shop, first: str, how: str) -> None:
    """Without an id an erased contact looks like a renamed one, which may have said no: it is not added again."""
    (pat,) = join(shop, PAT)
    settled(shop)
    store = shop.open()
    store.run("UPDATE contacts SET contact_id = NULL")  # as an import of thousands leaves it
    store.close()
    shop.box.cc.rename(PAT, NEW)
    if how != "nothing":
        say_no(shop, how, NEW)
    shop.box.kibo.update_account(pat, lastName="Changed")
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags, told(shop, PAT)) == (False, [True], [])
    assert "no contact with this address any more" in story_of(shop, PAT).answer.text


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("how", [*NOES, "nothing"])
def test_a_renamed_contact_is_erased_before_any_look(shop: Shop, first: str, how: str) -> None:
    """What it said under its new address is erased with it: its old address is not added again without a newer yes."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    if how != "nothing":
        say_no(shop, how, NEW)
    shop.box.cc.delete_contact(NEW, for_good=True)
    shop.box.kibo.update_account(pat, lastName="Changed")
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags, told(shop, PAT)) == (False, [True], [])
    assert "no contact with this address any more" in story_of(shop, PAT).answer.text
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_in(pat)
    members, flags = outcome(shop, pat)
    assert (PAT in members, flags) == (True, [True])


@pytest.mark.parametrize("is_known", [True, False])
def test_a_newer_yes_for_an_address_that_its_contact_left(shop: Shop, is_known: bool) -> None:
    """A no takes the contact off under whatever address; a yes after that is about the address the account has."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    if is_known:
        run_job(shop, "full poll")
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    assert NEW not in shop.members()
    shop.box.kibo.opt_in(pat)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == ({PAT}, [True])


def test_a_newer_yes_of_somebody_who_left_and_whose_contact_has_moved_on(shop: Shop) -> None:
    """It is about the address that the account has, as after any other no."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "full poll")
    shop.box.cc.leave_list(NEW, shop.list_id)
    run_job(shop, "full poll")
    shop.box.kibo.opt_in(pat)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == ({PAT}, [True])


@pytest.mark.parametrize("is_older", [True, False])
def test_a_newer_account_on_an_address_whose_contact_was_erased(shop: Shop, is_older: bool) -> None:
    """Somebody new who says yes after the contact was missed is added; who said it before that is in doubt."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.delete_contact(PAT, for_good=True)
    if not is_older:
        run_job(shop, "full poll")
    (newcomer,) = join(shop, PAT)
    if is_older:
        run_job(shop, "full poll")
    members, flags = outcome(shop, pat, newcomer)
    assert (PAT in members, flags) == (not is_older, [True, True])


@pytest.mark.parametrize("first", FIRST)
def test_a_return_under_another_address_is_no_departure(shop: Shop, first: str) -> None:
    """Unsubscribed, renamed and back by the person's own act, all before any look: nobody is opted out."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.rename(PAT, NEW)
    shop.later(minutes=10)
    shop.box.cc.resubscribe(NEW)
    run_jobs(shop, first)
    _, flags = outcome(shop, pat)
    assert (flags, suppressed(shop, PAT), suppressed(shop, NEW)) == ([True], set(), set())


@pytest.mark.parametrize("first", FIRST)
def test_an_opt_out_that_staff_undid_follows_the_contact(shop: Shop, first: str) -> None:
    """The person's own opt-out holds for the next address of the contact, and its newer account is left alone."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    run_job(shop, "poll")
    shop.box.cc.resubscribe(PAT, source="Account")
    shop.box.cc.rename(PAT, NEW)
    shop.later(minutes=10)
    (newcomer,) = join(shop, NEW)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat, lee, newcomer)
    assert (members & {PAT, NEW}, flags) == (set(), [False, True, True])
    assert suppressed(shop, NEW) == {"unsubscribed"}


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("is_seen", [True, False])
def test_who_changes_the_address_on_both_sides_stays_the_same_contact(shop: Shop, first: str, is_seen: bool) -> None:
    """ccsync made the contact: what the store shows later reaches it under its new address, too."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    if is_seen:
        run_job(shop, "full poll")
    shop.box.kibo.change_address(pat, NEW)
    run_jobs(shop, first)
    shop.box.kibo.update_account(pat, lastName="Changed")
    run_jobs(shop, first)
    contact = shop.box.cc.contact(NEW)
    assert contact is not None
    assert contact["last_name"] == "Changed"
    members, flags = outcome(shop, pat)
    assert (members & {PAT, NEW}, flags) == ({NEW}, [True])


@pytest.fixture(params=["", "\noverwrite_existing = true\n"], ids=["as it is", "overwriting"])
def overwriting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """With that setting the account of the new address is sent by an import, which is open beside the removal."""
    with small_shop(tmp_path, request.param) as made:
        yield made


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("takes_effect", [True, False])
def test_whom_a_removal_that_hangs_takes_off_under_their_new_address_has_not_left(
    overwriting: Shop, first: str, takes_effect: bool
) -> None:
    """The account of the old address says no while the contact's new one, which says yes, is not known yet."""
    shop = overwriting
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    (new,) = join(shop, NEW)
    shop.box.kibo.opt_out(pat)
    shop.box.cc.jobs.add("removal", seconds=5 * 3_600.0, takes_effect=takes_effect)
    run_job(shop, "flush")
    shop.later(hours=6)
    run_jobs(shop, first)
    shop.later(hours=8)
    members, flags = outcome(shop, pat, new)
    assert (members & {PAT, NEW}, flags, suppressed(shop, NEW)) == ({NEW}, [False, True], set())
