"""Whether somebody came back before or after they were last known to be on the list, whatever any clock showed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import LIST, Shop
from tests.identity.stories import edit, outcome, run_job, story_of
from tests.jobs.polling import LEE, PAT, accepts, join, settled, small_shop
from tests.jobs.test_export import seed_contact

DAY, YEAR = 86_400.0, 365 * 86_400.0
FIVE_HOURS = 5 * 3_600.0


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with small_shop(tmp_path) as made:
        yield made


def come_back(shop: Shop) -> None:
    """Pat unsubscribes, and subscribes again by their own act: then they are on no list."""
    shop.box.cc.unsubscribe(PAT)
    shop.later(minutes=2)
    shop.box.cc.resubscribe(PAT)


def wrong_headers(shop: Shop, seconds: float, job: str) -> None:
    """One run that reads this `Date` in every answer of Constant Contact; its records have the right dates."""
    shop.box.clocks["cc"].set_date_ahead(seconds, None)
    run_job(shop, job)
    shop.box.clocks["cc"].set_date_ahead(0, 0)


@pytest.mark.parametrize("seconds", [600.0, YEAR, *(pytest.param(one, marks=pytest.mark.deep) for one in (DAY, -YEAR))])
def test_a_return_after_a_look_that_is_dated_wrong(seconds: float, shop: Shop) -> None:
    """The opt-in that the look showed tells that the return came later: the store keeps the yes."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    wrong_headers(shop, seconds, "full poll")
    come_back(shop)
    members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (True, [True, True])


def test_a_return_from_an_opt_out_without_a_date(shop: Shop) -> None:
    """It is later than the opt-in that was shown beside the opt-out, whatever header the look has that finds it."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT, is_dated=False)
    run_job(shop, "full poll")
    shop.box.cc.resubscribe(PAT)
    wrong_headers(shop, YEAR, "full poll")
    members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (True, [True, True])


@pytest.mark.parametrize("seconds", [600.0, YEAR])
def test_a_return_after_an_import_that_is_dated_wrong(seconds: float, tmp_path: Path) -> None:
    """The bulk job's own dates tell when it was done."""
    with small_shop(tmp_path, import_seconds=90.0) as shop:
        pat, lee = join(shop, PAT, LEE)
        wrong_headers(shop, seconds, "export")
        shop.later(minutes=5)
        come_back(shop)
        members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (True, [True, True])


@pytest.mark.parametrize("seconds", [600.0, YEAR])
def test_a_departure_after_a_look_that_is_dated_wrong(seconds: float, shop: Shop) -> None:
    """Whoever opted in by their own act long ago and leaves the list has left it."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    come_back(shop)
    outcome(shop, pat, lee)
    wrong_headers(shop, -seconds, "full poll")
    shop.box.cc.leave_list(PAT, shop.list_id)
    members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (False, [False, True])


def hanging(shop: Shop, *, takes_effect: bool) -> tuple[int, int]:
    """Pat is sent by an import that ends five hours later; its work is done at once, or only then."""
    settled(shop)
    pat, lee = join(shop, PAT, LEE)
    shop.box.cc.jobs.add("import", seconds=FIVE_HOURS, takes_effect=takes_effect)
    run_job(shop, "flush")
    return pat, lee


def test_a_return_while_an_import_hangs(shop: Shop) -> None:
    """Whether the import put them on the list before or after it is not known: nobody is mailed, and the store keeps
    the yes. `why` says so, and an opt-in in the store ends the doubt.
    """
    pat, lee = hanging(shop, takes_effect=True)
    shop.later(minutes=30)
    come_back(shop)
    shop.later(hours=5)
    members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (False, [True, True])
    assert "which came last is not known" in str(story_of(shop, PAT))
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_in(pat)
    members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (True, [True, True])


def test_a_return_while_an_import_hangs_is_in_doubt_also_where_many_are_gone(shop: Shop) -> None:
    """So many are suppressed before anybody has looked at them: nothing shows that Pat was on the list at the end of
    the import, after the return.
    """
    (pat,) = join(shop, PAT)
    settled(shop)
    edit(shop, pat)
    shop.box.cc.jobs.add("import", seconds=FIVE_HOURS, takes_effect=True)
    run_job(shop, "flush")
    shop.later(minutes=30)
    come_back(shop)
    for one in shop.members():
        shop.box.cc.delete_contact(one)
    shop.later(hours=5)
    run_job(shop, "flush")
    shop.poll(is_full=True, accept=100)
    assert accepts(shop, pat) is True
    assert "which came last is not known" in str(story_of(shop, PAT))


def test_who_is_held_and_rejoins_is_held_no_more(shop: Shop) -> None:
    """By the next comparison, without an opt-in in the store."""
    pat, lee = hanging(shop, takes_effect=True)
    shop.later(minutes=30)
    come_back(shop)
    shop.later(hours=5)
    outcome(shop, pat, lee)
    shop.box.cc.join_list(PAT, shop.list_id)
    members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (True, [True, True])
    assert story_of(shop, PAT).suppressions == ()


def test_a_departure_after_a_hanging_import(shop: Shop) -> None:
    """An opt-in from before the import says nothing about who leaves the list after it."""
    pat, lee = hanging(shop, takes_effect=False)
    shop.later(hours=6)
    run_job(shop, "poll")
    shop.box.cc.leave_list(PAT, shop.list_id)
    members, flags = outcome(shop, pat, lee)
    assert (PAT in members, flags) == (False, [False, True])


BY = {"ccsync": "", "another source": "", "a single create": "\nwelcome_email = true\n"}


@pytest.mark.parametrize("by", BY)
def test_a_second_account_after_the_person_has_left(by: str, tmp_path: Path) -> None:
    """It was made after the person was surely on the list, though a wrong header dated that a year later."""
    with small_shop(tmp_path, BY[by]) as shop:
        if by == "another source":
            shop.box.cc.add_contact(seed_contact(PAT, lists=(LIST,)))
        settled(shop)
        (pat,) = join(shop, PAT)
        wrong_headers(shop, YEAR, "flush")
        shop.later(minutes=30)
        shop.box.cc.leave_list(PAT, shop.list_id)
        shop.later(minutes=30)
        (second,) = join(shop, PAT)
        members, flags = outcome(shop, pat, second)
    assert (PAT in members, flags) == (False, [False, True])
