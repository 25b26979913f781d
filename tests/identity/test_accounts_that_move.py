"""Accounts that share, hand over, lose or blank their address: whose yes and whose no holds for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.consent.explanation import Standing
from tests.harness import LIST, Shop
from tests.identity.stories import FIRST, accepts, edit, outcome, run_job, run_jobs, story_of, suppressed
from tests.jobs.polling import KIM, LEE, PAT, join, ledger_of, settled, small_shop
from tests.jobs.reconciling import reconcile
from tests.jobs.test_export import seed_contact

NEW = "pat.new@example.org"
READERS = ("flush", "export")
"""Both jobs that read accounts."""


# a twin


@pytest.mark.parametrize("spelling", [PAT, PAT.upper()])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("starts_before", [True, False])
def test_a_twin_that_said_no_from_the_start_says_yes(
    shop: Shop, reader: str, spelling: str, starts_before: bool
) -> None:
    """Its later yes is an observed change and newer than the other's no, as `why` promises."""
    twins = join(shop, spelling, acceptsMarketing=False) if starts_before else []
    (pat,) = join(shop, PAT)
    twins += [] if starts_before else join(shop, spelling, acceptsMarketing=False)
    settled(shop)
    run_job(shop, "flush")
    shop.box.kibo.opt_out(pat)
    run_job(shop, reader)
    run_job(shop, "flush")
    assert PAT not in shop.members()
    assert "A later opt-in in the store changes that." in story_of(shop, PAT).answer.text
    shop.box.kibo.opt_in(twins[0])
    run_job(shop, reader)
    members, flags = outcome(shop, pat, *twins)
    assert (PAT in members, flags, suppressed(shop, PAT)) == (True, [False, True], set())
    assert story_of(shop, PAT).answer.standing is Standing.LISTED


@pytest.mark.parametrize("reader", READERS)
def test_a_twin_that_repeats_its_no(shop: Shop, reader: str) -> None:
    """An edit of an account that says no as before changes nothing for the one that says yes."""
    pat, twin = [*join(shop, PAT), *join(shop, PAT, acceptsMarketing=False)]
    settled(shop)
    edit(shop, twin)
    run_job(shop, reader)
    assert PAT in shop.members()
    members, flags = outcome(shop, pat, twin)
    assert (PAT in members, flags) == (True, [True, False])
    assert not shop.requests("POST", "/remove_list_memberships")


@pytest.mark.parametrize("reader", READERS)
def test_an_account_that_stays_on_the_address_of_one_that_has_moved(shop: Shop, reader: str) -> None:
    """The contact has its data from then on, and no longer those of somebody who has another address."""
    _, twin = [*join(shop, PAT, lastName="Stays"), *join(shop, PAT, lastName="Moves")]
    settled(shop)
    run_job(shop, "flush")
    assert shop.box.cc.contact(PAT)["last_name"] == "Moves"
    shop.box.kibo.change_address(twin, NEW)
    run_job(shop, reader)
    run_job(shop, "flush")
    assert [shop.box.cc.contact(one)["last_name"] for one in (PAT, NEW)] == ["Stays", "Moves"]


# an heir


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("address", [NEW, None])
def test_an_heir_moves_and_opts_out(shop: Shop, first: str, address: str | None) -> None:
    """Two accounts on one address: the sending one is deleted, the other moves and opts out; the address leaves."""
    pat, heir = join(shop, PAT, PAT.upper())
    settled(shop)
    shop.box.kibo.delete_account(pat)
    run_job(shop, "flush")
    assert PAT in shop.members()
    if address is not None:
        shop.box.kibo.change_address(heir, address)
    shop.box.kibo.opt_out(heir)
    run_jobs(shop, first)
    members, flags = outcome(shop, heir)
    assert (members & {PAT, NEW}, flags) == (set(), [False])
    assert story_of(shop, PAT).answer.standing is Standing.NOT_LISTED


@pytest.mark.parametrize("is_seen_between", [True, False])
def test_an_heir_that_moved_before_the_other_was_deleted(shop: Shop, is_seen_between: bool) -> None:
    """The account that was answerable is gone, and the heir, which had the address once, opts out elsewhere."""
    pat, heir = join(shop, PAT, PAT)
    settled(shop)
    shop.box.kibo.change_address(heir, NEW)
    if is_seen_between:
        run_job(shop, "flush")
    shop.box.kibo.delete_account(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_out(heir)
    members, flags = outcome(shop, heir)
    assert (members & {PAT, NEW}, flags) == (set(), [False])


# a family


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("hands_over", ["at once", "in two runs"])
def test_the_former_owner_opts_out(shop: Shop, first: str, hands_over: str) -> None:
    """An address that another account has taken with a yes is not that account's loss."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    if hands_over == "at once":
        shop.box.kibo.hand_over_address(pat, lee, NEW)
    else:
        shop.box.kibo.change_address(pat, NEW)
        run_job(shop, "flush")
        shop.box.kibo.change_address(lee, PAT.upper())
    run_job(shop, first)
    shop.box.kibo.opt_out(pat)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat, lee)
    assert (members & {PAT, NEW}, flags, suppressed(shop, PAT)) == ({PAT}, [False, True], set())
    assert story_of(shop, PAT).answer.standing is Standing.LISTED


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("says_no", ["from the start", "later", "while it moves"])
def test_the_new_owner_says_no(shop: Shop, first: str, says_no: str) -> None:
    """Of the accounts that have the address now one says no and none yes: it leaves the list."""
    (pat,) = join(shop, PAT)
    (lee,) = join(shop, LEE, acceptsMarketing=says_no != "from the start")
    settled(shop)
    shop.box.kibo.hand_over_address(pat, lee, NEW)
    if says_no == "later":
        run_job(shop, first)
    if says_no != "from the start":
        shop.box.kibo.opt_out(lee)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat, lee)
    assert (members & {PAT, NEW}, flags) == ({NEW}, [True, False])
    assert story_of(shop, PAT).answer.standing is Standing.NOT_LISTED


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("moved_before", [False, True])
def test_a_new_owner_whom_no_event_showed(tmp_path: Path, first: str, moved_before: bool) -> None:
    """After more than seven days without a flush only those who opt in are read: who has an address that one of them
    left is asked for. Of an address that was left before, reconcile names the new owner, and its repair mends that.
    """
    with small_shop(tmp_path, event_kept_days=7) as shop:
        (pat,) = join(shop, PAT)
        (lee,) = join(shop, LEE, acceptsMarketing=False)
        settled(shop)
        if moved_before:
            shop.box.kibo.change_address(pat, NEW)
            run_job(shop, "flush")
            shop.box.kibo.change_address(lee, PAT)
        else:
            shop.box.kibo.hand_over_address(pat, lee, NEW)
        shop.later(days=9)
        run_jobs(shop, first)
        if moved_before:
            assert reconcile(shop, fixes=True)[1]["not-removed"] == {PAT}
            run_job(shop, "flush")
        assert (shop.members() & {PAT, NEW}, accepts(shop, pat), accepts(shop, lee)) == ({NEW}, True, False)
        assert reconcile(shop)[0].drift == 0


@pytest.mark.parametrize("first", FIRST)
def test_a_deleted_account_is_forgotten_at_an_address_that_is_off_the_list(shop: Shop, first: str) -> None:
    """While its other address still has to leave the list: who joins under the first one later came another way."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.kibo.change_address(pat, NEW)
    run_jobs(shop, "flush")
    shop.box.cc.delete_contact(PAT, for_good=True)
    run_jobs(shop, "full poll")
    shop.box.kibo.delete_account(pat)
    run_jobs(shop, first)
    assert NEW not in shop.members()
    assert (ledger_of(shop, PAT), ledger_of(shop, NEW)) == ([], [])
    shop.box.cc.add_contact(seed_contact(PAT, "implicit", lists=(LIST,)))
    run_jobs(shop, first)
    assert PAT in shop.members()
    assert reconcile(shop)[0].drift == 0


# a business account


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("accepts_marketing", [True, False])
def test_a_business_account_keeps_nobody_on_the_list(shop: Shop, first: str, accepts_marketing: bool) -> None:
    """A shopper who says no leaves the list, whatever a B2B account with the address says."""
    (pat,) = join(shop, PAT)
    works = shop.box.kibo.add_b2b_account(PAT.upper(), acceptsMarketing=accepts_marketing)
    settled(shop)
    shop.box.kibo.opt_out(pat)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat, works)
    assert (PAT in members, flags) == (False, [False, accepts_marketing])


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("accepts_marketing", [True, False])
def test_a_business_account_takes_nobody_off_the_list(shop: Shop, first: str, accepts_marketing: bool) -> None:
    """Nor does its no count against a shopper, and a deleted shopper has no heir in it."""
    pat, lee = join(shop, PAT, LEE)
    works = shop.box.kibo.add_b2b_account(PAT, acceptsMarketing=accepts_marketing)
    shop.box.kibo.add_b2b_account(LEE, acceptsMarketing=accepts_marketing)
    settled(shop)
    shop.box.kibo.update_account(works, actor="staff", acceptsMarketing=False)
    shop.box.kibo.delete_account(lee)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat)
    assert (members & {PAT, LEE}, flags) == ({PAT}, [True])


# deleted


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("came", ["before ccsync", "later"])
def test_a_deleted_account_leaves_another_sources_member(shop: Shop, first: str, came: str) -> None:
    """Whom ccsync did not put on the list stays on it when the account is deleted."""
    if came == "before ccsync":
        shop.box.cc.add_contact(replace(seed_contact(PAT), lists=(shop.list_id,)))
    pat, lee = join(shop, PAT, LEE)
    if came == "later":
        shop.box.kibo.opt_out(pat)
    settled(shop)
    if came == "later":
        shop.box.cc.add_contact(replace(seed_contact(PAT), lists=(shop.list_id,)))
        run_job(shop, "full poll")
    shop.box.kibo.delete_account(pat)
    shop.box.kibo.delete_account(lee)
    run_jobs(shop, first)
    members, _ = outcome(shop)
    assert members & {PAT, LEE} == {PAT}


@pytest.mark.parametrize("first", FIRST)
def test_an_adopted_member_leaves_with_its_account(shop: Shop, first: str) -> None:
    """What `--adopt-list` declares ccsync's own is taken off as if ccsync had put it there."""
    shop.box.cc.add_contact(replace(seed_contact(PAT), lists=(shop.list_id,)))
    (pat,) = join(shop, PAT)
    shop.export(adopts_list=True)
    settled(shop)
    shop.box.kibo.delete_account(pat)
    run_jobs(shop, first)
    members, _ = outcome(shop)
    assert PAT not in members


# redacted


@pytest.mark.parametrize("placeholder", ["", "redacted@redacted.invalid", "REDACTED", "deleted@example.org"])
@pytest.mark.parametrize("flag", [None, True, False])
@pytest.mark.parametrize("with_event", [True, False])
def test_a_redacted_person_leaves_the_list(shop: Shop, placeholder: str, flag: bool | None, with_event: bool) -> None:
    """Whatever stands where the address was, and whatever the account still says: the erased person leaves."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.kibo.redact_account(pat, placeholder, accepts=flag, makes_event=with_event)
    for job in ("flush", "export", "flush", "poll"):
        run_job(shop, job)
    assert PAT not in shop.members()
    assert placeholder not in shop.members()
    assert accepts(shop, lee) is True


@pytest.mark.parametrize("placeholder", ["", "REDACTED"])
def test_a_redacted_account_with_a_sibling(shop: Shop, placeholder: str) -> None:
    """Who has the address and opts in keeps it on the list, and is answerable for it from then on."""
    pat, twin = join(shop, PAT, PAT)
    settled(shop)
    shop.box.kibo.redact_account(pat, placeholder)
    run_job(shop, "flush")
    assert PAT in shop.members()
    shop.box.kibo.change_address(twin, NEW)
    shop.box.kibo.opt_out(twin)
    members, flags = outcome(shop, twin)
    assert (members & {PAT, NEW}, flags) == (set(), [False])


def test_kims_account_without_an_address_was_never_anybodys(shop: Shop) -> None:
    """An account that never had an address is neither redacted nor deleted."""
    (kim,) = join(shop, KIM, acceptsMarketing=False)
    nameless = shop.box.kibo.add_account(emailAddress=None, acceptsMarketing=True)
    settled(shop)
    members, flags = outcome(shop, kim, nameless)
    assert (KIM in members, flags) == (False, [False, True])
