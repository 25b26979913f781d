"""People who leave only the list: found by comparing its members, told apart from removals, deletions, list changes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.errors import RefusedError
from ccsync.from_constant_contact import departures, members
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state.database.times import to_text
from tests.harness import LIST, Shop
from tests.jobs.polling import KIM, LEE, PAT, accepts, join, ledger_of, puts, settled, small_shop, suppressed, told
from tests.jobs.test_export import seed_contact
from tests.machine.world import OwnClockShop


def test_who_leaves_the_list_is_opted_out(shop: Shop) -> None:
    """Found by the next poll, told to every account, not put back by an export; others stay."""
    pats = join(shop, PAT, PAT.upper())
    (lee,) = join(shop, LEE)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    run = shop.poll()
    assert [accepts(shop, one) for one in (*pats, lee)] == [False, False, True]
    assert (run.counts["departed"], run.counts.get("unsubscribed", 0)) == (1, 0)
    assert suppressed(shop, PAT) == {"departed"}
    assert ("left-list", "constant_contact") in ledger_of(shop, PAT)
    shop.export()
    assert PAT not in shop.members()
    assert LEE in shop.members()
    assert shop.poll(is_full=True).total_contacts == 0


def test_a_deleted_contact_that_a_pass_over_new_contacts_shows_is_sent_again(shop: Shop) -> None:
    """The comparison of the list does not miss it any more: whatever has shown that it was deleted sees to it."""
    join(shop, PAT)
    settled(shop)
    shop.flush()
    shop.box.cc.delete_contact(PAT)
    join(shop, LEE, KIM, "new@example.com")
    for _ in range(2):
        shop.flush()
        shop.later(minutes=30)
        shop.poll(is_full=True)
    assert {PAT, LEE, KIM} <= shop.members()


@pytest.mark.parametrize(
    ("trace", "source", "words"),
    [
        ("both", "Contact", "1 person left the list by their own act."),
        ("both", "Account", "1 person left the list; Constant Contact does not show whether they did so themselves."),
        ("none", "Contact", "1 person left the list; Constant Contact does not show whether they did so themselves."),
    ],
)
def test_the_log_says_whose_act_it_was(trace: str, source: str, words: str, tmp_path: Path) -> None:
    """The person's own, where the contact shows it; nothing else is claimed."""
    with small_shop(tmp_path, list_change_trace=trace) as shop:
        join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST, source=source)
        run = shop.poll(is_full=True)
        assert run.counts["departed"] == 1
        assert words in run.message


def test_a_deleted_contact_has_not_left(shop: Shop) -> None:
    """Deletion is no opt-out: the store is not told, and an export puts the customer on the list again."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.delete_contact(PAT)
    run = shop.poll(is_full=True)
    assert (accepts(shop, pat), run.counts.get("departed", 0), suppressed(shop, PAT)) == (True, 0, set())
    shop.export()
    assert PAT in shop.members()


def test_whom_we_take_off_has_not_left(shop: Shop) -> None:
    """An opt-out in the store, taken off the list by ccsync, is no departure."""
    pat, twin = join(shop, PAT, PAT.upper())
    settled(shop)
    shop.flush()
    shop.later(minutes=10)
    shop.box.kibo.update_account(pat, acceptsMarketing=False)
    shop.flush()
    assert PAT not in shop.members()
    run = shop.poll(is_full=True)
    assert (run.counts.get("departed", 0), accepts(shop, twin)) == (0, True)
    assert suppressed(shop, PAT) == {"opted-out"}


def test_another_list_is_not_watched(shop: Shop) -> None:
    """After a change of the active list, leaving the old one is nobody's opt-out; the new one is compared."""
    (pat,) = join(shop, PAT)
    settled(shop)
    old = shop.list_id
    shop.list_id = shop.box.cc.add_list("Another list")
    shop.config_path.write_text(shop.config_path.read_text().replace(old, shop.list_id))
    shop.export()
    shop.box.cc.leave_list(PAT, old)
    run = shop.poll(is_full=True)
    assert (accepts(shop, pat), run.counts.get("departed", 0)) == (True, 0)
    shop.box.cc.leave_list(PAT, shop.list_id)
    shop.poll(is_full=True)
    assert accepts(shop, pat) is False


def test_a_departure_may_be_none_of_our_business(tmp_path: Path) -> None:
    """With list_departures = false the store is not told; who has left is still not put back."""
    with small_shop(tmp_path, "\nlist_departures = false\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is True
        shop.box.kibo.update_account(pat, lastName="Changed")
        shop.export()
        assert PAT not in shop.members()


@pytest.mark.parametrize("days", [-30, 30])
def test_a_departure_that_is_never_written_is_dated_by_kibos_clock(tmp_path: Path, days: int) -> None:
    """However wrong ours is: a yes from before it, which is seen later, puts nobody back on the list, and a yes from
    after it does at once.
    """
    with OwnClockShop(tmp_path, SandboxSettings(customers=4, seed=5), "\nlist_departures = false\n") as shop:
        join(shop, PAT)
        settled(shop)
        join(shop, PAT)
        shop.later(minutes=5)
        shop.box.cc.leave_list(PAT, LIST)
        shop.skew = timedelta(days=days)
        shop.poll(is_full=True)
        shop.skew = timedelta()
        shop.later(minutes=30)
        shop.flush()
        assert (suppressed(shop, PAT), PAT in shop.members()) == ({"departed"}, False)
        join(shop, PAT)
        shop.later(minutes=30)
        shop.flush()
        assert (suppressed(shop, PAT), PAT in shop.members()) == (set(), True)


def test_a_departure_that_an_export_finds_is_told_by_the_next_poll(shop: Shop) -> None:
    """An export looks before it updates somebody; what it finds waits for the poll."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.kibo.update_account(pat, lastName="Changed")
    assert shop.export().counts["departed"] == 1
    run = shop.poll()
    assert (accepts(shop, pat), run.counts["departed"]) == (False, 1)


def test_a_deletion_that_an_export_took_for_a_departure_is_put_right(shop: Shop) -> None:
    """Before the store is told, the contact is looked at."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.delete_contact(PAT)
    shop.box.kibo.update_account(pat, lastName="Changed")
    shop.export()
    run = shop.poll()
    assert (accepts(shop, pat), run.counts.get("departed", 0), suppressed(shop, PAT)) == (True, 0, set())
    shop.export()
    assert PAT in shop.members()


@pytest.mark.parametrize("undone", ["rejoined", "deleted"])
def test_a_departure_that_was_undone_before_the_store_took_it(shop: Shop, undone: str) -> None:
    """What an earlier run has seen of a departure is looked at again before the store is written."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.kibo.refuse("put", 500, record=pat)
    assert shop.poll().counts["failed"] == 1
    if undone == "rejoined":
        shop.box.cc.join_list(PAT, LIST)
    else:
        shop.box.cc.delete_contact(PAT)
    shop.box.kibo.relent()
    shop.later(minutes=30)
    run = shop.poll()
    assert (accepts(shop, pat), run.counts.get("departed", 0), suppressed(shop, PAT)) == (True, 0, set())
    shop.later(minutes=30)
    shop.flush()
    assert PAT in shop.members()


@pytest.mark.parametrize("act", ["leaves", "is deleted"])
def test_who_came_to_an_address_by_a_change_is_looked_up(shop: Shop, act: str) -> None:
    """No ledger row names the new address, and no id was learnt: the account itself tells what to look for."""
    (pat,) = join(shop, LEE)
    settled(shop)
    shop.box.kibo.change_address(pat, PAT)
    shop.flush()
    assert PAT in shop.members()
    store = shop.open()
    store.run("UPDATE contacts SET contact_id = NULL")  # as an import of thousands leaves it
    store.close()
    shop.later(minutes=30)
    if act == "leaves":
        shop.box.cc.leave_list(PAT, LIST)
    else:
        shop.box.cc.delete_contact(PAT)
    run = shop.poll(is_full=True)
    is_departed = act == "leaves"
    assert (accepts(shop, pat), run.counts.get("departed", 0)) == (not is_departed, int(is_departed))
    shop.later(minutes=30)
    shop.flush()
    assert (PAT in shop.members()) is not is_departed


def test_a_newer_opt_in_in_the_store_wins_over_a_departure(shop: Shop) -> None:
    """A customer who says no and then yes again, after the departure was seen, is on the list again."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.poll(is_full=True)
    assert accepts(shop, pat) is False
    shop.later(minutes=30)
    shop.box.kibo.update_account(pat, acceptsMarketing=True)
    shop.later(minutes=30)
    shop.export()
    assert PAT in shop.members()
    assert suppressed(shop, PAT) == set()
    run = shop.poll(is_full=True)
    assert (accepts(shop, pat), run.total_contacts) == (True, 0)


def test_an_opt_in_that_the_poll_itself_sees_wins_over_a_departure(shop: Shop) -> None:
    """An export recorded the departure; before the poll came, the customer had said no and yes again in the store."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.kibo.update_account(pat, lastName="Changed")
    shop.export()
    shop.later(minutes=5)
    shop.box.kibo.update_account(pat, acceptsMarketing=False)
    shop.flush()
    shop.later(minutes=5)
    shop.box.kibo.update_account(pat, acceptsMarketing=True)
    run = shop.poll()
    assert (accepts(shop, pat), run.counts.get("departed", 0)) == (True, 0)
    shop.export()
    assert PAT in shop.members()


def test_a_listing_that_lags_lifts_nothing(shop: Shop) -> None:
    """A page that still shows the yes from before our write is no opt-in of the customer's."""
    (pat,) = join(shop, PAT)
    settled(shop)
    old = shop.box.kibo.account(pat)
    shop.later(minutes=5)
    shop.box.cc.leave_list(PAT, LIST)
    shop.poll(is_full=True)
    new = shop.box.kibo.account(pat)
    shop.box.kibo._accounts._put(pat, old)
    shop.export()
    assert PAT not in shop.members()
    assert suppressed(shop, PAT) == {"departed"}
    shop.box.kibo._accounts._put(pat, new)
    shop.export()
    assert suppressed(shop, PAT) == {"departed"}


def test_back_on_the_list_before_the_store_was_told(shop: Shop) -> None:
    """A departure that is undone in time is forgotten; one that was told is only listed."""
    (pat, lee) = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.kibo.update_account(pat, lastName="Changed")
    shop.export()
    shop.box.cc.join_list(PAT, LIST)
    shop.box.cc.leave_list(LEE, LIST)
    shop.poll(is_full=True)
    assert (accepts(shop, pat), accepts(shop, lee)) == (True, False)
    assert suppressed(shop, PAT) == set()
    shop.box.cc.join_list(LEE, LIST)
    run = shop.poll(is_full=True)
    assert (accepts(shop, lee), run.counts["back_on_list"]) == (False, 1)
    assert "came back to it" in run.message


def test_leaving_by_unsubscribing_is_an_unsubscribe(shop: Shop) -> None:
    """Whoever is off the list because of a global unsubscribe without a date has not merely left."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT, is_dated=False)
    run = shop.poll(is_full=True)
    assert (run.counts["unsubscribed"], run.counts.get("departed", 0), accepts(shop, pat)) == (1, 0, False)


def test_a_deleted_list_is_an_error_and_nobodys_departure(shop: Shop) -> None:
    """The error names the list; opt-outs are told all the same, and nobody is taken for gone."""
    (pat, lee) = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.delete_list(LIST)
    with pytest.raises(RefusedError, match="no longer exists"):
        shop.poll(is_full=True)
    assert (accepts(shop, pat), accepts(shop, lee)) == (False, True)


@pytest.fixture
def export_is_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page holds two members, so that an export reads the list in fewer calls."""
    monkeypatch.setattr(departures, "PAGE_SIZE", 2)
    monkeypatch.setattr(members, "CALLS_OF_EXPORT", 2)


EXPORTS: dict[str, dict[str, object]] = {
    "as labels": {},
    "as names": {"export_headings": "names", "export_encoding": "utf-16"},
    "with a mark": {"export_encoding": "utf-8-sig"},
    "with the deleted": {"export_holds_deleted": True},
    "unknown headings": {"export_headings": "unknown"},
}


@pytest.mark.usefixtures("export_is_cheaper")
@pytest.mark.parametrize("way", EXPORTS)
def test_a_large_list_is_read_by_an_export(way: str, tmp_path: Path) -> None:
    """In a handful of calls, whatever its size; a file that nobody can read is replaced by the pages."""
    with small_shop(tmp_path, **EXPORTS[way]) as shop:
        addresses = [f"person{number}@example.com" for number in range(12)]
        accounts = join(shop, *addresses)
        settled(shop)
        shop.box.cc.leave_list(addresses[3], LIST)
        before = len(shop.requests())
        run = shop.poll(is_full=True)
        calls = [one for one in shop.requests()[before:] if "/v3/" in one]
        assert "POST /v3/activities/contact_exports" in calls
        assert run.counts["departed"] == 1
        assert [accepts(shop, one) for one in accounts] == [number != 3 for number in range(12)]
        assert len(calls) <= (13 if way != "unknown headings" else 15)


@pytest.mark.usefixtures("export_is_cheaper")
@pytest.mark.parametrize("fault", ["cut", "gone", "refused"])
def test_an_export_that_fails_takes_nobody_for_gone(fault: str, tmp_path: Path) -> None:
    """A cut file, a lost file, a refused export: the list is read page by page instead."""
    with small_shop(tmp_path) as shop:
        addresses = [f"person{number}@example.com" for number in range(12)]
        accounts = join(shop, *addresses)
        settled(shop)
        if fault == "cut":
            body = "Email address\n" + "\n".join(addresses[:4]) + "\n"
            shop.box.faults.add("wrong-body", path="/v3/contact_exports", nth=None, body=body, content_type="text/csv")
        elif fault == "gone":
            shop.box.faults.add("status", path="/v3/contact_exports", nth=None, status=404)
        else:
            shop.box.faults.add("status", path="/v3/activities/contact_exports", nth=None, status=403, body="{}")
        run = shop.poll(is_full=True)
        assert run.total_contacts == 0
        assert all(accepts(shop, one) for one in accounts)


@pytest.mark.usefixtures("export_is_cheaper")
def test_a_list_that_cannot_be_read_cheaply_is_told(tmp_path: Path) -> None:
    """More than a tenth of the day's calls is not spent; a person hears of it, once a day."""
    with small_shop(tmp_path, "\n[limits]\nrequests_per_day = 600\n", export_headings="unknown") as shop:
        join(shop, *(f"person{number}@example.com" for number in range(12)))
        settled(shop)
        shop.config_path.write_text(shop.config_path.read_text().replace("= 600", "= 59\nreserve_per_day = 10"))
        shop.later(hours=24)
        shop.poll(is_full=True)
        assert "page by page" in shop.notices["members"]
        shop.later(minutes=30)
        shop.poll()
        assert not shop.notices


def test_a_dry_run_starts_no_bulk_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even an export of contacts, which only reads."""
    monkeypatch.setattr(departures, "PAGE_SIZE", 2)
    with small_shop(tmp_path) as shop:
        join(shop, *(f"person{number}@example.com" for number in range(12)))
        settled(shop)
        shop.box.cc.leave_list("person1@example.com", LIST)
        posts = shop.requests("POST", "/v3/")
        plan, counts = shop.plan_poll(is_full=True)
        assert shop.requests("POST", "/v3/") == posts
        assert (plan.by_kind["departed"], plan.accounts) == (1, 1)
        assert told(shop, "person1@example.com") == []
        assert not puts(shop)
        assert counts["read"] == 0


def test_strangers_on_the_list_are_left_alone(shop: Shop) -> None:
    """Somebody who signed up at Constant Contact and leaves again is nobody's departure."""
    (kim,) = join(shop, KIM, acceptsMarketing=False)
    settled(shop)
    shop.box.cc.add_contact(replace(seed_contact(KIM), lists=(LIST,)))
    shop.poll(is_full=True)
    shop.box.cc.leave_list(KIM, LIST)
    run = shop.poll(is_full=True)
    assert (run.total_contacts, accepts(shop, kim)) == (0, False)


def test_who_left_and_came_back_on_their_own_is_not_taken_off(shop: Shop) -> None:
    """The store has their no from the departure: it is older than their coming back, and an edit makes it no newer."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, shop.list_id)
    shop.poll(is_full=True)
    assert accepts(shop, pat) is False
    shop.later(minutes=30)
    shop.box.cc.join_list(PAT, shop.list_id)
    shop.poll(is_full=True)
    shop.later(minutes=30)
    shop.box.kibo.update_account(pat, lastName="Roe")
    shop.flush()
    assert PAT in shop.members()


@pytest.mark.parametrize("reason", ["departed", "unsubscribed"])
def test_a_departure_is_dated_by_the_write_that_it_caused_and_by_no_other(reason: str, shop: Shop) -> None:
    """A write for something else may be older than the departure: a yes between the two is no return."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.poll()
    store = shop.open()
    store.run("UPDATE kibo_writes SET done_at = NULL, updated_at = NULL, reason = ?", reason)
    by_header = to_text(shop.clock.now() + timedelta(minutes=20))
    store.run("UPDATE suppressions SET since = ? WHERE kind = 'departed'", by_header)
    store.close()
    shop.later(minutes=5)
    shop.box.kibo.update_account(pat, lastName="Edited")
    shop.flush()
    store = shop.open()
    (since,) = store.column(str, "SELECT since FROM suppressions WHERE kind = 'departed'")
    store.close()
    assert (since < by_header) is (reason == "departed")
