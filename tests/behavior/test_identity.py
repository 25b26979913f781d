"""Identities that move: consent follows the person's act to every address and account it concerns, and to no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ccsync.state import properties
from tests.harness import LIST, Shop
from tests.jobs.polling import KIM, PAT, SAM, accepts, join, ledger_of, settled, small_shop, suppressed


def half_an_hour(shop: Shop, *, is_full: bool = False) -> None:
    """One cycle of cron: both jobs."""
    shop.later(minutes=30)
    shop.flush()
    shop.poll(is_full=is_full)


def by_flush(shop: Shop) -> None:
    shop.flush()


def by_export(shop: Shop) -> None:
    shop.export()


def by_export_then_flush(shop: Shop) -> None:
    shop.export()
    shop.flush()


# 1: a contact that has another address


def test_an_unsubscribe_after_a_new_address_reaches_the_account(tmp_path: Path) -> None:
    """A contact renamed under its id and then unsubscribed suppresses the old address, too, and Kibo loses its yes."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.rename(PAT, KIM)
        shop.later(hours=1)
        shop.box.cc.unsubscribe(KIM)
        half_an_hour(shop, is_full=True)
        assert (accepts(shop, pat), suppressed(shop, PAT), suppressed(shop, KIM)) == (
            False, {"unsubscribed"}, {"unsubscribed"}
        )  # fmt: skip
        shop.box.kibo.update_account(pat, firstName="Changed")
        half_an_hour(shop)
        assert shop.members() & {PAT, KIM} == set()


def test_a_new_address_is_no_departure(tmp_path: Path) -> None:
    """Without an unsubscribe the contact stays a member: nobody left, nothing is written, nothing is sent anew."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.rename(PAT, KIM)
        half_an_hour(shop, is_full=True)
        shop.box.kibo.update_account(pat, firstName="Changed")
        half_an_hour(shop, is_full=True)
        assert (accepts(shop, pat), suppressed(shop, PAT)) == (True, set())
        assert shop.members() & {PAT, KIM} == {KIM}


def test_leaving_the_list_after_a_new_address_reaches_the_account(tmp_path: Path) -> None:
    """It is the same contact that left: its account says no, and neither address is sent again."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.rename(PAT, KIM)
        half_an_hour(shop, is_full=True)
        shop.box.cc.leave_list(KIM, LIST)
        half_an_hour(shop, is_full=True)
        half_an_hour(shop)
        assert (accepts(shop, pat), suppressed(shop, PAT)) == (False, {"departed"})
        assert shop.members() & {PAT, KIM} == set()


# 2: a twin that said no from the start


@pytest.mark.parametrize("read", [by_flush, by_export_then_flush])
def test_a_twin_s_later_yes_counts(read: Callable[[Shop], None], tmp_path: Path) -> None:
    """A says no; its twin on the address, which had said no from the start and was read before, says yes later."""
    with small_shop(tmp_path) as shop:
        (first,) = join(shop, PAT)
        (twin,) = join(shop, PAT.upper(), acceptsMarketing=False)
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        shop.box.kibo.opt_out(first)
        shop.flush()
        assert (PAT in shop.members(), suppressed(shop, PAT)) == (False, {"opted-out"})
        shop.later(minutes=30)
        shop.box.kibo.opt_in(twin)
        read(shop)
        assert (PAT in shop.members(), suppressed(shop, PAT)) == (True, set())


# 3: an heir


def test_an_heir_answers_for_the_address_it_inherited(tmp_path: Path) -> None:
    """Two accounts on one address, the sending one is deleted, the other moves and opts out: both addresses are off."""
    with small_shop(tmp_path) as shop:
        sender, heir = join(shop, PAT, PAT.upper())
        settled(shop)
        shop.box.kibo.delete_account(sender)
        half_an_hour(shop)
        assert PAT in shop.members()
        shop.box.kibo.change_address(heir, KIM)
        half_an_hour(shop)
        shop.box.kibo.opt_out(heir)
        half_an_hour(shop)
        assert shop.members() & {PAT, KIM} == set()


# 4: an address that goes from one account to another


def handed_over(shop: Shop) -> tuple[int, int]:
    """The giver has moved to another address, and the taker has this one now, with a yes."""
    giver, taker = join(shop, PAT, SAM)
    settled(shop)
    shop.box.kibo.hand_over_address(giver, taker, KIM)
    half_an_hour(shop)
    return giver, taker


def test_the_former_owner_s_no_leaves_the_new_owner_alone(tmp_path: Path) -> None:
    """The address belongs to whoever opts in with it now."""
    with small_shop(tmp_path) as shop:
        giver, _ = handed_over(shop)
        shop.box.kibo.opt_out(giver)
        half_an_hour(shop)
        assert shop.members() & {PAT, KIM} == {PAT}


def test_the_new_owner_s_no_takes_the_address_off(tmp_path: Path) -> None:
    """The former owner's yes is for another address."""
    with small_shop(tmp_path) as shop:
        _, taker = handed_over(shop)
        shop.box.kibo.opt_out(taker)
        half_an_hour(shop)
        assert shop.members() & {PAT, KIM} == {KIM}


def test_a_new_owner_who_never_said_yes_takes_the_address_off(tmp_path: Path) -> None:
    """Of those who have the address now one says no and none yes: it leaves the list that ccsync put it on."""
    with small_shop(tmp_path) as shop:
        (giver,) = join(shop, PAT)
        (taker,) = join(shop, SAM, acceptsMarketing=False)
        settled(shop)
        shop.box.kibo.hand_over_address(giver, taker, KIM)
        half_an_hour(shop)
        assert shop.members() & {PAT, KIM} == {KIM}


# 5: B2B


def test_a_b2b_account_keeps_nobody_on_the_list(tmp_path: Path) -> None:
    """A shopper's no holds, whatever a B2B account with the same address says."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        shop.box.kibo.add_b2b_account(PAT, acceptsMarketing=True)
        settled(shop)
        shop.box.kibo.opt_out(pat)
        half_an_hour(shop)
        assert PAT not in shop.members()


def test_a_b2b_account_puts_nobody_on_the_list(tmp_path: Path) -> None:
    """Its consent sits on its users."""
    with small_shop(tmp_path) as shop:
        shop.box.kibo.add_b2b_account(PAT, acceptsMarketing=True)
        settled(shop)
        assert PAT not in shop.members()


# 6 and 7: accounts that go


def another_source_s(shop: Shop, address: str) -> None:
    """Somebody whom the shop's staff put on the list before ccsync came."""
    (made,) = join(shop, address)
    shop.export()
    shop.box.kibo.delete_account(made)


def test_a_deleted_account_leaves_another_source_s_member(tmp_path: Path) -> None:
    """Members who came another way stay."""
    with small_shop(tmp_path, contacts=6) as shop:
        address = next(one for one in sorted(shop.box.cc.members("Newsletter")) if shop.box.cc.contact(one))
        shop.box.cc.join_list(address, shop.list_id, source="Account")
        (made,) = join(shop, address)
        settled(shop)
        assert address.lower() in shop.members()
        shop.box.kibo.delete_account(made)
        half_an_hour(shop)
        assert address.lower() in shop.members()


@pytest.mark.parametrize("placeholder", [None, "redacted-1@anonymous.invalid", "anonymous"])
@pytest.mark.parametrize("read", [by_flush, by_export_then_flush])
def test_a_redacted_person_leaves_the_list(
    placeholder: str | None, read: Callable[[Shop], None], tmp_path: Path
) -> None:
    """An account that shows no usable address any more is treated as deleted, though it still says yes."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.kibo.change_address(pat, placeholder)
        shop.later(minutes=30)
        read(shop)
        assert PAT not in shop.members()


# 8: Confirmed Opt-in


def test_a_contact_that_waits_for_its_person_has_not_left(tmp_path: Path) -> None:
    """Under Confirmed Opt-in it is on no list until the person confirms; then it is a member, and stays one."""
    with small_shop(tmp_path, "welcome_email = true", confirmed_opt_in=True) as shop:
        settled(shop)
        (pat,) = join(shop, PAT)
        half_an_hour(shop, is_full=True)
        half_an_hour(shop, is_full=True)
        assert (accepts(shop, pat), suppressed(shop, PAT), PAT in shop.members()) == (True, set(), False)
        shop.box.cc.confirm(PAT)
        half_an_hour(shop, is_full=True)
        assert (accepts(shop, pat), suppressed(shop, PAT), PAT in shop.members()) == (True, set(), True)


# 9: leaving again, and short pages


def test_somebody_who_leaves_a_second_time_is_noticed(tmp_path: Path) -> None:
    """A departure that was withdrawn erased nothing: the next one counts, and nobody is put back."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.box.kibo.update_account(pat, firstName="Changed")
        shop.flush()
        assert suppressed(shop, PAT) == {"departed"}
        shop.box.cc.join_list(PAT, LIST)
        half_an_hour(shop, is_full=True)
        assert (suppressed(shop, PAT), accepts(shop, pat)) == (set(), True)
        shop.box.cc.leave_list(PAT, LIST)
        half_an_hour(shop, is_full=True)
        assert (suppressed(shop, PAT), accepts(shop, pat)) == ({"departed"}, False)
        shop.box.kibo.update_account(pat, lastName="Again")
        half_an_hour(shop)
        assert PAT not in shop.members()


def test_one_short_page_of_members_makes_nobody_departed(tmp_path: Path) -> None:
    """The pages show fewer than the list counts: nothing is concluded, and all is well when they heal."""
    with small_shop(tmp_path) as shop:
        people = join(shop, *(f"person{number}@example.com" for number in range(61)))
        settled(shop)
        before = shop.members()
        shop.box.cc.page_faults.add("short")
        half_an_hour(shop, is_full=True)
        half_an_hour(shop, is_full=True)
        assert all(accepts(shop, one) for one in people)
        assert shop.members() == before
        store = shop.open()
        assert store.number("SELECT count(*) FROM suppressions WHERE kind = 'departed'") == 0
        store.close()


# 10: a sighting of last week


def test_an_old_sighting_on_the_list_decides_nothing(tmp_path: Path) -> None:
    """Another source's member was seen, left, and opts in at Kibo since: added, and not taken for departed."""
    with small_shop(tmp_path, contacts=6) as shop:
        address = next(one for one in sorted(shop.box.cc.members("Newsletter")) if shop.box.cc.contact(one))
        shop.box.cc.join_list(address, shop.list_id, source="Account")
        settled(shop)
        shop.later(days=7)
        shop.box.cc.leave_list(address, shop.list_id)
        shop.later(hours=1)
        (made,) = join(shop, address)
        half_an_hour(shop, is_full=True)
        half_an_hour(shop, is_full=True)
        assert (accepts(shop, made), address.lower() in shop.members()) == (True, True)


# 11: order


@pytest.mark.parametrize("read", [by_flush, by_export, by_export_then_flush])
def test_the_order_of_the_jobs_changes_nothing(read: Callable[[Shop], None], tmp_path: Path) -> None:
    """One account says no, then its twin yes: the newer yes counts, whichever job reads which account first."""
    with small_shop(tmp_path) as shop:
        (old,) = join(shop, PAT)
        settled(shop)
        shop.box.kibo.opt_out(old)
        shop.later(minutes=5)
        join(shop, PAT.upper())
        shop.later(minutes=5)
        read(shop)
        half_an_hour(shop)
        half_an_hour(shop)
        assert (PAT in shop.members(), suppressed(shop, PAT)) == (True, set())


@pytest.mark.parametrize("read", [by_flush, by_export, by_export_then_flush])
def test_the_other_order_of_acts_is_the_other_outcome(read: Callable[[Shop], None], tmp_path: Path) -> None:
    """A twin says yes, then the account no: the newer no counts."""
    with small_shop(tmp_path) as shop:
        (old,) = join(shop, PAT)
        settled(shop)
        join(shop, PAT.upper())
        shop.later(minutes=5)
        shop.box.kibo.opt_out(old)
        shop.later(minutes=5)
        read(shop)
        half_an_hour(shop)
        half_an_hour(shop)
        assert (PAT in shop.members(), suppressed(shop, PAT)) == (False, {"opted-out"})


# 12 and 13: what is not known is not written


def test_what_a_restored_file_does_not_remember_is_no_act(tmp_path: Path) -> None:
    """Who was taken off since the copy was made, and opts in anew, is added and not set to false."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        copy = shop.config.state.path.read_bytes()
        shop.box.kibo.opt_out(pat)
        half_an_hour(shop)
        assert PAT not in shop.members()
        for path in shop.config.state.path.parent.glob("ccsync.db-*"):
            path.unlink()
        shop.config.state.path.write_bytes(copy)
        store = shop.open()
        properties.put(store, properties.RESTORED, "yes")
        store.close()
        shop.box.kibo.opt_in(pat)
        half_an_hour(shop, is_full=True)
        half_an_hour(shop, is_full=True)
        assert (accepts(shop, pat), PAT in shop.members()) == (True, True)


def test_the_ledger_says_whose_act_it_was_only_where_it_is_shown(tmp_path: Path) -> None:
    """Staff changed the contact after the person left: that proves nothing, and is not written."""
    with small_shop(tmp_path) as shop:
        join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST, source="Account")
        half_an_hour(shop, is_full=True)
        assert ("left-list", "constant_contact") in ledger_of(shop, PAT)
        store = shop.open()
        evidence = [str(row[0]) for row in store.rows("SELECT evidence FROM consent WHERE change = 'left-list'")]
        store.close()
        assert all("staff" not in one for one in evidence)


# 29: departures of other lists


def test_an_opt_in_lifts_the_departure_of_the_active_list_alone(tmp_path: Path) -> None:
    """A departure from another list still holds when that list is chosen again."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        half_an_hour(shop, is_full=True)
        store = shop.open()
        store.run("UPDATE suppressions SET list_id = 'another' WHERE kind = 'departed'")
        store.close()
        shop.box.kibo.opt_in(pat)
        half_an_hour(shop)
        store = shop.open()
        assert [row[0] for row in store.rows("SELECT list_id FROM suppressions WHERE kind = 'departed'")] == ["another"]
        store.close()
