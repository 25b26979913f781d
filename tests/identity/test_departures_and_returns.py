"""Leaving the list is an act, not an absence: what is none is not taken for one, and what is one is found each time."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.consent.explanation import Standing
from ccsync.errors import SafetyLimitError
from ccsync.from_constant_contact import departures, members
from ccsync.state import contacts, ledger, people
from tests.harness import LIST, Shop
from tests.identity.stories import FIRST, edit, outcome, run_job, run_jobs, story_of, suppressed
from tests.jobs.polling import LEE, PAT, accepts, join, ledger_of, settled, small_shop, told
from tests.jobs.test_export import seed_contact

WELCOME = "\nwelcome_email = true\n"
OTHER_LIST = "Newsletter"
NEW = "pat.new@example.org"
CROWD = 61


def evidence_of(shop: Shop, address: str) -> list[dict[str, str | None]]:
    """What the consent ledger shows for each departure of an address."""
    store = shop.open()
    rows = ledger.of_person(store, people.person_key(store)(address))
    store.close()
    return [dict(one.evidence) for one in rows if one.change == "left-list"]


def on_list(shop: Shop) -> int:
    """How many people ccsync counts on the list."""
    store = shop.open()
    number = contacts.count_on_list(store, shop.list_id)
    store.close()
    return number


def leaves_for_good(shop: Shop, pat: int, first: str) -> None:
    """Pat leaves the list: whichever job is first, the store hears of it and nobody puts Pat back."""
    shop.box.cc.leave_list(PAT, shop.list_id)
    edit(shop, pat)
    run_jobs(shop, first)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (False, [False])


@pytest.mark.parametrize("first", FIRST)
def test_another_contact_at_the_address_of_an_erased_one_has_not_left(first: str, shop: Shop) -> None:
    """It never was on the list: the store hears of no departure. Nobody is mailed either before a newer opt-in, for
    what the erased contact said last is not known.
    """
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.delete_contact(PAT, for_good=True)
    shop.later(minutes=30)
    now = shop.clock.now()
    shop.box.cc.add_contact(seed_contact(PAT, lists=(OTHER_LIST,), created_at=now, updated_at=now))
    edit(shop, pat)
    run_jobs(shop, first)
    members_now, flags = outcome(shop, pat, lee)
    assert (PAT in members_now, flags, evidence_of(shop, PAT)) == (False, [True, True], [])
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_in(pat)
    members_now, flags = outcome(shop, pat, lee)
    assert (PAT in members_now, flags) == (True, [True, True])


# waiting for a confirmation


@pytest.fixture
def confirming(tmp_path: Path) -> Iterator[Shop]:
    with small_shop(tmp_path, WELCOME, confirmed_opt_in=True) as made:
        settled(made)
        yield made


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("adds_pending", ["wait", "join"])
def test_who_has_not_confirmed_has_not_left(first: str, adds_pending: str, tmp_path: Path) -> None:
    """A new contact under Confirmed Opt-in is on no list: it is waiting, not departed, and no import pushes it on."""
    with small_shop(tmp_path, WELCOME, confirmed_opt_in=True, bulk_adds_pending=adds_pending) as shop:
        settled(shop)
        (pat,) = join(shop, PAT)
        run_job(shop, "flush")
        assert PAT not in shop.members()
        edit(shop, pat)
        run_jobs(shop, first)
        assert story_of(shop, PAT).answer.standing is Standing.WAITING
        members_now, flags = outcome(shop, pat)
        assert (PAT in members_now, flags, suppressed(shop, PAT), told(shop, PAT)) == (False, [True], set(), [])


@pytest.mark.parametrize("first", FIRST)
def test_who_confirms_is_on_the_list(confirming: Shop, first: str) -> None:
    """After the click `why` says so, edits reach the contact, and a later departure is one."""
    shop = confirming
    (pat,) = join(shop, PAT)
    run_job(shop, "flush")
    run_job(shop, "full poll")
    shop.box.cc.confirm(PAT)
    run_jobs(shop, first)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (True, [True])
    assert story_of(shop, PAT).answer.standing is Standing.LISTED
    contact = shop.box.cc.contact(PAT)
    assert contact is not None
    assert str(contact["last_name"]).startswith("Edited")
    shop.box.cc.leave_list(PAT, shop.list_id)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (False, [False])


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("comes_back", [False, True])
def test_who_confirms_and_is_off_the_list_by_the_next_look_is_not_mailed(
    confirming: Shop, first: str, comes_back: bool
) -> None:
    """Confirming is dated like a return: whether they left the list after it, or unsubscribed and came back, nobody
    has seen. The store keeps the yes, and an opt-in there ends the doubt.
    """
    shop = confirming
    (pat,) = join(shop, PAT)
    run_job(shop, "flush")
    run_job(shop, "full poll")
    shop.box.cc.confirm(PAT)
    shop.later(minutes=5)
    if comes_back:
        shop.box.cc.unsubscribe(PAT)
        shop.later(minutes=5)
        shop.box.cc.resubscribe(PAT)
    else:
        shop.box.cc.leave_list(PAT, shop.list_id)
    run_jobs(shop, first)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (False, [True])
    assert "which came last is not known" in story_of(shop, PAT).answer.text
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_in(pat)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (True, [True])


@pytest.mark.parametrize("first", FIRST)
def test_who_says_no_before_confirming(confirming: Shop, first: str) -> None:
    """ccsync puts them on no list any more; a click after that is the person's own act at Constant Contact."""
    shop = confirming
    (pat,) = join(shop, PAT)
    run_job(shop, "flush")
    shop.box.kibo.opt_out(pat)
    run_jobs(shop, first)
    assert PAT not in shop.members()
    shop.box.cc.confirm(PAT)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (True, [False])
    found = story_of(shop, PAT).answer
    assert (found.standing, "not added by ccsync" in found.text) == (Standing.LISTED, True)


@pytest.mark.parametrize("others", [0, 600])
def test_many_who_wait_for_confirmation_are_no_mass_departure(confirming: Shop, others: int) -> None:
    """Day after day no safety limit stops a poll, the ledger has no row about them, and most of them cost no call of
    their own; who confirms and leaves, and who is deleted, is noticed among them.
    """
    shop = confirming
    for number in range(others):
        seed = seed_contact(f"other{number}@example.org", "pending_confirmation", lists=())
        shop.box.cc.add_contact(seed)
    names = [f"w{number}@example.com" for number in range(40)]
    accounts = join(shop, *names)
    run_job(shop, "flush")
    for _ in range(2):
        shop.later(hours=25)
        before = len(shop.requests())
        run_job(shop, "poll")
        assert len(shop.requests()) - before < 12
    assert all(ledger_of(shop, one) == [("opted-in", "kibo")] for one in names)
    shop.box.cc.confirm(names[0])
    shop.box.cc.leave_list(names[0], shop.list_id)
    shop.box.cc.confirm(names[1])
    shop.box.cc.delete_contact(names[2])
    members_now, flags = outcome(shop, *accounts[:4])
    assert ([one in members_now for one in names[:4]], flags) == ([False, True, False, False], [True] * 4)
    assert "which came last is not known" in story_of(shop, names[0]).answer.text
    assert story_of(shop, names[2]).answer.standing is Standing.WAITING


# one departure after another


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("rounds", [1, 3])
def test_leaving_again_after_a_departure_was_withdrawn(shop: Shop, first: str, rounds: int) -> None:
    """Each departure is noticed, however often an earlier one turned out to be none."""
    (pat,) = join(shop, PAT)
    settled(shop)
    for _ in range(rounds):
        shop.box.cc.leave_list(PAT, shop.list_id)
        edit(shop, pat)
        shop.export()  # finds it, and only the poll tells Kibo
        shop.box.cc.join_list(PAT, shop.list_id)
        run_job(shop, "full poll")
        assert (accepts(shop, pat), suppressed(shop, PAT)) == (True, set())
    leaves_for_good(shop, pat, first)


@pytest.mark.parametrize("first", FIRST)
def test_leaving_again_after_a_newer_opt_in(shop: Shop, first: str) -> None:
    """A yes in the store brings the person back; leaving once more is an act once more."""
    (pat,) = join(shop, PAT)
    settled(shop)
    for _ in range(2):
        shop.box.cc.leave_list(PAT, shop.list_id)
        run_jobs(shop, first)
        run_job(shop, "full poll")
        assert (PAT in shop.members(), accepts(shop, pat)) == (False, False)
        shop.later(minutes=30)
        shop.box.kibo.opt_in(pat)
        run_jobs(shop, first)
        assert (PAT in shop.members(), accepts(shop, pat)) == (True, True)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (True, [True])


# pages that are not whole


@pytest.mark.parametrize("read_by", ["pages", "export"])
def test_one_short_page_of_members(read_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is concluded to have left, nothing is told to Kibo, and the list counts as many as before."""
    if read_by == "export":
        monkeypatch.setattr(departures, "PAGE_SIZE", 2)
        monkeypatch.setattr(members, "CALLS_OF_EXPORT", 2)
    with small_shop(tmp_path) as shop:
        addresses = [f"person{number}@example.com" for number in range(CROWD)]
        accounts = join(shop, *addresses)
        settled(shop)
        before = on_list(shop)
        if read_by == "pages":
            shop.box.cc.page_faults.add("short", nth=2)
        else:
            body = "Email address\n" + "\n".join(addresses[:50]) + "\n"
            shop.box.faults.add("wrong-body", path="/v3/contact_exports", nth=1, body=body, content_type="text/csv")
        shop.poll(is_full=True)
        assert (on_list(shop), len(shop.members())) == (before, before)
        shop.later(hours=24)
        shop.poll(is_full=True)
        members_now, flags = outcome(shop, *accounts)
        assert (set(addresses) <= members_now, flags) == (True, [True] * CROWD)
        assert all(not suppressed(shop, one) for one in addresses)
        assert on_list(shop) == before


def test_many_who_did_leave(tmp_path: Path) -> None:
    """A list that was really emptied is believed where it is read whole; the safety limit holds the writing back."""
    with small_shop(tmp_path) as shop:
        addresses = [f"person{number}@example.com" for number in range(CROWD)]
        accounts = join(shop, *addresses)
        settled(shop)
        for one in addresses:
            shop.box.cc.leave_list(one, shop.list_id)
        for _ in range(2):
            with pytest.raises(SafetyLimitError):
                shop.poll(is_full=True)
        assert all(accepts(shop, one) is True for one in accounts)
        assert all(suppressed(shop, one) == {"departed"} for one in addresses)
        shop.poll(accept=CROWD)
        assert all(accepts(shop, one) is False for one in accounts)


# found on the list


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("days", [0.1, 7])
def test_a_stale_find_is_not_believed(shop: Shop, first: str, days: float) -> None:
    """Who was seen on the list once, left, and opts in in the store now, joins it, and Kibo's yes stays."""
    shop.box.cc.add_contact(replace(seed_contact(PAT), lists=(LIST,)))
    (pat,) = join(shop, PAT, acceptsMarketing=False)
    settled(shop)
    run_job(shop, "full poll")
    shop.box.cc.leave_list(PAT, shop.list_id)
    shop.later(days=days)
    shop.box.kibo.opt_in(pat)
    run_jobs(shop, first)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags, suppressed(shop, PAT)) == (True, [True], set())


@pytest.mark.parametrize("first", FIRST)
def test_who_was_found_on_the_list_and_leaves(shop: Shop, first: str) -> None:
    """Another source's member who opted in in the store leaves the list: that is a departure like any other."""
    shop.box.cc.add_contact(replace(seed_contact(PAT), lists=(LIST,)))
    (pat,) = join(shop, PAT)
    settled(shop)
    leaves_for_good(shop, pat, first)


# whose act it was


@pytest.mark.parametrize(("trace", "source", "by"), [
    ("both", "Contact", "own act"), ("source", "Contact", "own act"), ("both", "Account", None),
    ("none", "Contact", None), ("none", "Account", None),
])  # fmt: skip
@pytest.mark.parametrize("found_by", ["full poll", "export"])
def test_the_ledger_says_whose_act_it_was_only_where_it_is_known(
    trace: str, source: str, by: str | None, found_by: str, tmp_path: Path
) -> None:
    """The person's own act where Constant Contact shows it; else nothing, and never staff's."""
    with small_shop(tmp_path, list_change_trace=trace) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, shop.list_id, source=source)
        edit(shop, pat)
        run_job(shop, found_by)
        shown = [one.get("by") for one in evidence_of(shop, PAT)]
        # An export looks whether they are there; who did it is looked at before Kibo is told.
        assert shown == [by if found_by == "full poll" else None]
        assert not any("staff" in f"{one.what} {one.why}" for one in story_of(shop, PAT).entries)


# several lists


def test_a_yes_lifts_the_departure_of_the_active_list_alone(shop: Shop) -> None:
    """What the person left on a list that was active before still holds when it becomes active again."""
    (pat,) = join(shop, PAT)
    settled(shop)
    other = shop.box.cc.list_id(OTHER_LIST)
    first_list, shop.list_id = shop.list_id, other
    _activate(shop, first_list, other)
    shop.export()
    shop.box.cc.leave_list(PAT, other)
    run_job(shop, "full poll")
    assert suppressed(shop, PAT) == {"departed"}
    shop.list_id = first_list
    _activate(shop, other, first_list)
    shop.later(minutes=30)
    shop.box.kibo.opt_in(pat)
    shop.export()
    shop.box.cc.leave_list(PAT, first_list)
    run_job(shop, "full poll")
    shop.later(minutes=30)
    shop.box.kibo.opt_in(pat)
    members_now, flags = outcome(shop, pat)
    assert (PAT in members_now, flags) == (True, [True])
    assert lists_left(shop, PAT) == {other}
    shop.list_id = other
    _activate(shop, first_list, other)
    shop.export()
    assert PAT not in shop.members()


def test_a_departure_withdrawn_drops_that_of_its_list_alone(shop: Shop) -> None:
    """Back on one list, before the store was told, is not back on another."""
    (pat,) = join(shop, PAT)
    settled(shop)
    other = shop.box.cc.list_id(OTHER_LIST)
    first_list = shop.list_id
    shop.list_id = other
    _activate(shop, first_list, other)
    shop.export()
    shop.box.cc.leave_list(PAT, other)
    edit(shop, pat)
    shop.export()
    shop.list_id = first_list
    _activate(shop, other, first_list)
    shop.box.cc.leave_list(PAT, first_list)
    edit(shop, pat)
    shop.export()
    assert lists_left(shop, PAT) == {first_list, other}
    shop.box.cc.join_list(PAT, first_list)
    shop.poll(is_full=True)
    assert lists_left(shop, PAT) == {other}


def lists_left(shop: Shop, address: str) -> set[str]:
    """The lists that the person has left."""
    return {one.list_id for one in story_of(shop, address).suppressions}


def _activate(shop: Shop, before: str, now: str) -> None:
    text = shop.config_path.read_text()
    shop.config_path.write_text(text.replace(f'list_id = "{before}"', f'list_id = "{now}"'))


def test_whoever_was_erased_and_sent_anew_is_taken_off_by_the_new_contact(tmp_path: Path) -> None:
    """The vendor erased the contact and made another one: a later opt-out takes that one off the list."""
    with small_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.delete_contact(PAT, for_good=True)
        shop.later(hours=1)
        shop.poll(is_full=True)
        shop.box.kibo.opt_out(pat)
        shop.later(hours=1)
        shop.flush()
        shop.box.kibo.opt_in(pat)
        shop.later(hours=1)
        shop.flush()
        assert PAT in shop.members()
        shop.box.kibo.opt_out(pat)
        shop.later(hours=1)
        shop.flush()
        assert PAT not in shop.members()


def test_a_return_under_another_address_behind_a_newer_yes_in_the_store(shop: Shop) -> None:
    """The yes outweighs a no in the store, and not the departure: that is undone by the contact which left, wherever
    it is, and says nothing of accounts that come to the address later, nor of another contact there.
    """
    (pat,) = join(shop, PAT)
    (lee,) = join(shop, LEE)
    settled(shop)
    run_job(shop, "flush")
    shop.box.kibo.opt_out(pat)
    shop.later(minutes=5)
    (twin,) = join(shop, PAT)
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.cc.rename(PAT, NEW)
    shop.poll(is_full=True)
    shop.later(minutes=5)
    shop.box.cc.join_list(NEW, LIST)
    shop.box.kibo.change_address(lee, PAT)
    shop.box.cc.add_contact(seed_contact(PAT))
    _, flags = outcome(shop, pat, twin, lee)
    assert flags == [False, True, True]
