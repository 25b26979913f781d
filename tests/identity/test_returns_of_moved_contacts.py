"""A departure concerns every address that the contact has had, and so does the return to the list."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.state import people
from tests.harness import Shop
from tests.identity.stories import outcome, run_job, story_of, suppressed
from tests.jobs.polling import LEE, PAT, join, settled, small_shop

NEW = "pat.new@example.com"
KEPT = "\nlist_departures = false\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with small_shop(tmp_path) as made:
        yield made


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Shop]:
    """Departures are not written to the store."""
    with small_shop(tmp_path, KEPT) as made:
        yield made


def left_and_rejoined(shop: Shop, *, has_both: bool) -> list[int]:
    """Pat's contact is renamed, leaves the list, which a poll finds, and joins it again; the accounts of Pat and Lee,
    and with `has_both` another one at the new address.
    """
    accounts = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "full poll")
    if has_both:
        accounts += join(shop, NEW)
        run_job(shop, "flush")
        run_job(shop, "full poll")
    shop.box.cc.leave_list(NEW, shop.list_id)
    run_job(shop, "full poll")
    assert (suppressed(shop, PAT), suppressed(shop, NEW)) == ({"departed"}, {"departed"})
    shop.box.cc.join_list(NEW, shop.list_id)
    return accounts


@pytest.mark.parametrize("has_both", [False, True])
def test_who_rejoins_under_a_new_address_stays(shop: Shop, has_both: bool) -> None:
    """The no that the departure left at the account of the old address does not take them off."""
    accounts = left_and_rejoined(shop, has_both=has_both)
    members, flags = outcome(shop, *accounts)
    assert (members & {PAT, NEW}, flags) == ({NEW}, [False, True, *[False] * has_both])


@pytest.mark.parametrize("has_both", [False, True])
def test_who_rejoins_is_suppressed_under_no_address(keeping: Shop, has_both: bool) -> None:
    """Where the store has no no, the departure is undone for the old address, too: its account may be sent again."""
    accounts = left_and_rejoined(keeping, has_both=has_both)
    members, flags = outcome(keeping, *accounts)
    assert (members & {PAT, NEW}, set(flags)) == ({NEW}, {True})
    assert (suppressed(keeping, PAT), suppressed(keeping, NEW)) == (set(), set())
    assert "left" not in str(story_of(keeping, PAT).answer.text)


def test_who_leaves_once_more_after_a_return_has_left(keeping: Shop) -> None:
    """The undone departure stands in the way of no later one."""
    left_and_rejoined(keeping, has_both=False)
    outcome(keeping)
    keeping.box.cc.leave_list(NEW, keeping.list_id)
    members, _ = outcome(keeping)
    assert members & {PAT, NEW} == set()
    assert (suppressed(keeping, PAT), suppressed(keeping, NEW)) == ({"departed"}, {"departed"})


def strange_addresses(shop: Shop) -> list[tuple[str | None, str]]:
    """The rows of the consent ledger, as they are, whose address is not that of their person."""
    store = shop.open()
    key = people.person_key(store)
    rows = store.rows("SELECT person, email, change FROM consent WHERE email NOT NULL")
    found = [(email, change) for person, email, change in rows if key(email) != person]
    store.close()
    return found


def test_the_ledger_names_nobody_s_next_address_as_theirs(shop: Shop) -> None:
    """Where an address is looked for by a row, another person's contact or account would be met."""
    left_and_rejoined(shop, has_both=False)
    shop.box.cc.unsubscribe(NEW)
    run_job(shop, "full poll")
    shop.box.cc.resubscribe(NEW)
    run_job(shop, "full poll")
    shop.box.cc.rename(NEW, "pat.newest@example.com")
    shop.box.cc.unsubscribe("pat.newest@example.com")
    run_job(shop, "full poll")
    shop.box.cc.resubscribe("pat.newest@example.com")
    run_job(shop, "full poll")
    outcome(shop)
    assert strange_addresses(shop) == []


def test_a_deleted_contact_is_looked_for_under_its_own_address(shop: Shop) -> None:
    """Its person's earlier contact came back under another address: the new one is deleted, and sent anew."""
    accounts = join(shop, PAT, LEE)
    settled(shop)
    shop.box.kibo.update_account(accounts[0], lastName="Edited")
    run_job(shop, "flush")
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.rename(PAT, NEW)
    run_job(shop, "flush")
    shop.box.cc.resubscribe(NEW)
    outcome(shop, *accounts)
    assert PAT in shop.members()
    shop.box.cc.delete_contact(PAT)
    members, flags = outcome(shop, *accounts)
    assert (members & {PAT, NEW}, flags) == ({PAT}, [True, True])
