"""poll-unsubscribes on the sandbox: an unsubscribe reaches every account of the person, and nothing else changes."""

from pathlib import Path

import pytest

from ccsync.errors import QuotaSpent, RefusedError, SafetyLimitError, VendorUnreachable
from ccsync.from_constant_contact import opt_outs
from ccsync.sandbox.settings import DATE_FORMATS
from ccsync.state import properties
from tests.harness import Crash, Shop
from tests.jobs.polling import (
    KIM,
    LEE,
    PAT,
    SAM,
    accepts,
    join,
    ledger_of,
    puts,
    settled,
    small_shop,
    suppressed,
    told,
)
from tests.jobs.test_export import seed_contact


def test_an_unsubscribe_reaches_every_account_of_the_person(shop: Shop) -> None:
    """Every account with the address says no, in any case of letters, guests included; nothing else of it changes."""
    pats = join(shop, PAT, "Pat@Example.COM", PAT.upper()) + join(shop, PAT, isAnonymous=True, userName=None)
    (lee,) = join(shop, LEE)
    settled(shop)
    before = [shop.box.kibo.account(one) for one in pats]
    shop.box.cc.unsubscribe(PAT)
    run = shop.poll()
    for account in before:
        now = shop.box.kibo.account(int(str(account["id"])))
        same = account.keys() - {"acceptsMarketing", "auditInfo"}
        assert now["acceptsMarketing"] is False
        assert {key: now[key] for key in same} == {key: account[key] for key in same}
    assert accepts(shop, lee) is True
    assert (run.status, run.direction, run.counts["unsubscribed"], run.total_contacts) == ("COMPLETE", "from", 1, 1)
    assert ledger_of(shop, PAT)[-5:] == [("unsubscribed", "constant_contact")] + [("opted-out", "ccsync")] * 4
    assert LEE in shop.members()
    assert not shop.news


def test_the_second_poll_does_nothing(shop: Shop) -> None:
    """What was written is not written again: two calls to Constant Contact, none to Kibo."""
    join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(minutes=30)
    before, writes = len(shop.requests()), puts(shop)
    run = shop.poll()
    assert shop.requests()[before:] == ["GET /v3/contacts", f"GET /v3/contact_lists/{shop.list_id}"]
    assert puts(shop) == writes
    assert run.total_contacts == 0


def test_a_day_of_idle_polls_costs_few_calls(shop: Shop) -> None:
    """48 polls a day: two calls each, and once the full pass and the comparison of the list."""
    join(shop, PAT)
    settled(shop)
    before = len(shop.requests(path="/v3/"))
    for _ in range(48):
        shop.poll()
        shop.later(minutes=30)
    assert len(shop.requests(path="/v3/")) - before <= 48 * 2 + 4
    assert not puts(shop)


def test_what_the_store_says_already_costs_no_write(shop: Shop) -> None:
    """A customer who already says no counts as unchanged; people who are not customers are counted as such."""
    join(shop, PAT, acceptsMarketing=False)
    settled(shop)
    for address in (PAT, KIM):
        shop.box.cc.add_contact(seed_contact(address))
        shop.box.cc.unsubscribe(address)
    run = shop.poll()
    assert (run.counts["unchanged"], run.counts["not_a_customer"], run.counts.get("unsubscribed", 0)) == (1, 1, 0)
    assert not puts(shop)
    assert [one.outcome for one in told(shop, KIM)] == ["not_a_customer"]


def test_a_customer_who_was_never_exported_is_found(shop: Shop) -> None:
    """ccsync need not know the account: Kibo is searched for the address."""
    settled(shop)
    (pat,) = join(shop, "Pat@Example.com")
    shop.box.cc.add_contact(seed_contact(PAT))
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    assert accepts(shop, pat) is False


@pytest.mark.parametrize("customers", [4, 700])
@pytest.mark.parametrize("way", [{"address_filter_minds_case": True}, {"guests_by_default": False}])
def test_every_account_is_found_whatever_kibos_ways(way: dict[str, object], customers: int, tmp_path: Path) -> None:
    """Guests that the listing hides, and a filter that minds the case of letters, hide no account."""
    with small_shop(tmp_path, customers=customers, opted_in_percent=2, **way) as shop:
        pats = join(shop, "Pat@Example.com", PAT) + join(shop, PAT, isAnonymous=True)
        settled(shop)
        later = join(shop, PAT) + join(shop, PAT, isAnonymous=True)
        shop.box.cc.unsubscribe(PAT)
        shop.poll()
        assert [accepts(shop, one) for one in pats + later] == [False] * 5


def test_many_opt_outs_are_looked_up_by_one_sweep(tmp_path: Path) -> None:
    """Where that is fewer calls, all accounts are read once instead of searching for each address."""
    with small_shop(tmp_path, customers=300, opted_in_percent=2) as shop:
        addresses = [f"person{number}@example.com" for number in range(8)]
        accounts = join(shop, *addresses)
        settled(shop)
        for address in addresses:
            shop.box.cc.unsubscribe(address)
        before = len(shop.requests("GET", "/customer/accounts"))
        run = shop.poll()
        assert run.counts["unsubscribed"] == 8
        assert [accepts(shop, one) for one in accounts] == [False] * 8
        assert (
            len(shop.requests("GET", "/customer/accounts")) - before == 3 + 2 + 8
        )  # totals, pages, one before each PUT


@pytest.mark.parametrize("dates", DATE_FORMATS)
def test_every_date_of_the_vendor_is_understood(dates: str, tmp_path: Path) -> None:
    """In any date format, an opt-out is written to Kibo once."""
    with small_shop(tmp_path, json_dates=dates) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.unsubscribe(PAT)
        shop.poll()
        shop.later(minutes=30)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is False
        assert len(puts(shop)) == len(told(shop, PAT)) == 1


def test_an_opt_out_without_a_date_is_found_by_the_daily_pass(shop: Shop) -> None:
    """`optout_after` misses it; a full pass, once a day or asked for, does not, and tells it once."""
    settled(shop)
    (pat,) = join(shop, PAT)
    shop.box.cc.add_contact(seed_contact(PAT))
    shop.box.cc.unsubscribe(PAT, is_dated=False)
    shop.poll()
    assert accepts(shop, pat) is True
    shop.later(hours=24)
    shop.poll()
    assert accepts(shop, pat) is False
    shop.poll(is_full=True)
    assert len(puts(shop)) == 1


def test_an_opt_out_without_a_date_of_a_member_is_found_by_the_next_poll(shop: Shop) -> None:
    """The list counts one member less than it should; a look at who is missing shows the opt-out."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT, is_dated=False)
    run = shop.poll()
    assert (accepts(shop, pat), run.counts["unsubscribed"], run.counts.get("departed", 0)) == (False, 1, 0)


@pytest.mark.parametrize("pages", ["overlap", "loop", "endless"])
def test_pages_that_go_wrong(pages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that come twice are written once; after endless pages the bookmark has not moved."""
    monkeypatch.setattr("ccsync.constant_contact.client.PAGE_SIZE", 2)
    with small_shop(tmp_path, contact_pages=pages) as shop:
        people = [f"person{number}@example.com" for number in range(5)]
        accounts = join(shop, *people)
        for address in people:
            shop.box.cc.add_contact(seed_contact(address))
            shop.box.cc.unsubscribe(address)
        if pages == "overlap":
            shop.poll()
        else:
            with pytest.raises(VendorUnreachable, match="circles"):
                shop.poll()
        assert [accepts(shop, one) for one in accounts] == [False] * 5
        assert len(puts(shop)) == 5
        store = shop.open()
        assert (properties.bookmark(store, opt_outs.STREAM, shop.clock.now()) is not None) is (pages == "overlap")
        store.close()


def test_page_two_is_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is written to Kibo; the bookmark stays, so that the next poll reads the rest."""
    monkeypatch.setattr("ccsync.constant_contact.client.PAGE_SIZE", 2)
    people = [f"person{number}@example.com" for number in range(5)]
    accounts = join(shop, *people)
    settled(shop)
    for address in people:
        shop.box.cc.unsubscribe(address)
    shop.box.faults.add("status", vendor="cc_api", path="/v3/contacts", nth=2, times=20, status=503)
    with pytest.raises(VendorUnreachable):
        shop.poll()
    assert sum(accepts(shop, one) is False for one in accounts) == 2
    shop.box.faults.clear()
    shop.later(hours=30)
    shop.poll()
    assert [accepts(shop, one) for one in accounts] == [False] * 5


def test_an_account_that_is_gone_stops_nobody(shop: Shop) -> None:
    """A 404 means a deleted account: there is nothing to write."""
    (pat, lee) = join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.unsubscribe(LEE)
    shop.box.kibo.delete_account(pat)
    run = shop.poll()
    assert accepts(shop, lee) is False
    assert (run.counts["not_a_customer"], run.counts["unsubscribed"], run.counts.get("failed", 0)) == (1, 1, 0)


def test_one_account_that_fails_does_not_stop_the_rest(shop: Shop) -> None:
    """It is named, is news once, and is tried by later runs until Kibo takes it."""
    first, second, third, lee = join(shop, PAT, PAT.upper(), "Pat@example.com", LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.unsubscribe(LEE)
    shop.box.faults.add("status", method="PUT", path=f".*/{second}$", nth=None, status=400)
    run = shop.poll()
    assert [accepts(shop, one) for one in (first, second, third, lee)] == [False, True, False, False]
    assert (run.counts["failed"], run.counts["unsubscribed"], run.errors) == (1, 1, 1)
    (record,) = shop.rejected(run)
    assert (record.account_id, str(record.email).lower(), record.code) == (second, PAT, "not-told")
    assert "400" in record.reason
    assert shop.news
    shop.later(minutes=30)
    again = shop.poll()
    assert (again.counts["failed"], shop.news) == (1, False)
    shop.box.faults.clear()
    shop.later(minutes=60)
    done = shop.poll()
    assert (done.counts["unsubscribed"], done.counts.get("failed", 0)) == (1, 0)
    assert accepts(shop, second) is False
    assert len([one for one in puts(shop) if one.endswith(str(first))]) == 1


def test_a_search_that_kibo_refuses_stops_nobody(tmp_path: Path) -> None:
    """The known accounts of the others are written; whose accounts Kibo does not tell waits."""
    with small_shop(tmp_path, customers=700, opted_in_percent=2) as shop:
        (lee, sam) = join(shop, LEE, SAM)
        settled(shop)
        shop.box.cc.unsubscribe(LEE)
        shop.box.cc.unsubscribe(SAM)
        shop.box.faults.add("status", vendor="kibo_tenant", method="GET", path=".*/accounts$", nth=4, status=400)
        run = shop.poll()
        assert sorted([accepts(shop, lee), accepts(shop, sam)], key=str) == [False, True]
        assert run.counts["failed"] == 1
        shop.box.faults.clear()
        shop.later(minutes=30)
        shop.poll()
        assert (accepts(shop, lee), accepts(shop, sam)) == (False, False)


def test_a_missing_behaviour_is_the_runs_trouble(shop: Shop) -> None:
    """A 403 would meet every account: it ends the run, and no one is marked as failed."""
    join(shop, PAT, LEE)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.cc.unsubscribe(LEE)
    shop.box.faults.add("status", method="PUT", nth=None, status=403)
    with pytest.raises(RefusedError, match="PUT"):
        shop.poll()
    assert len(puts(shop)) == 1
    assert [one.attempts for one in told(shop, PAT) + told(shop, LEE)] == [0, 0]


def test_a_put_that_loses_a_field_is_reported(tmp_path: Path) -> None:
    """The answer is compared field by field; the consent is written, and other changed fields are reported."""
    with small_shop(tmp_path, put_loses=frozenset({"taxId"})) as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.unsubscribe(PAT)
        run = shop.poll()
        assert accepts(shop, pat) is False
        (record,) = shop.rejected(run)
        assert (record.code, record.account_id, "taxId" in record.reason) == ("answer-differs", pat, True)
        assert (shop.news, run.counts["unsubscribed"], run.errors) == (True, 1, 1)
        shop.poll()
        assert not shop.news


def test_a_page_for_an_answer_is_looked_behind(shop: Shop) -> None:
    """The write took effect and a web page came back: the account is read again in the same run, and has the value."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.faults.add("wrong-body", method="PUT", nth=None, body="<html>")
    run = shop.poll()
    assert (run.counts.get("failed", 0), accepts(shop, pat), len(puts(shop))) == (0, False, 1)


@pytest.mark.parametrize("body", ["null", "{}", '{"id": 1}'])
def test_an_answer_that_is_no_account_is_not_believed(shop: Shop, body: str) -> None:
    """The next run reads the account again and finds that it was written."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.box.faults.add("wrong-body", method="PUT", nth=None, body=body)
    run = shop.poll()
    assert run.counts["failed"] == 1
    shop.box.faults.clear()
    shop.later(minutes=30)
    run = shop.poll()
    assert (run.counts["unsubscribed"], accepts(shop, pat)) == (1, False)
    assert suppressed(shop, PAT) == {"unsubscribed"}


def test_a_vendor_that_is_down_is_not_blamed_on_the_accounts(shop: Shop) -> None:
    """When Kibo fails in the middle of the writes, the run ends, nothing is tried twice, and the next one continues."""
    addresses = [f"person{number}@example.com" for number in range(6)]
    accounts = join(shop, *addresses)
    settled(shop)
    for address in addresses:
        shop.box.cc.unsubscribe(address)
    shop.box.faults.before(lambda: shop.box.kibo.refuse(None, 503), vendor="kibo_tenant", method="PUT", nth=2)
    with pytest.raises(VendorUnreachable):
        shop.poll()
    assert len(puts(shop)) == len(set(puts(shop)))
    assert sorted(told(shop, one)[0].attempts for one in addresses) == [0] * 6
    shop.box.kibo.relent()
    shop.box.faults.clear()
    shop.poll()
    assert [accepts(shop, one) for one in accounts] == [False] * 6


def test_what_is_recorded_is_told_though_constant_contact_is_not_there(shop: Shop) -> None:
    """If Constant Contact's quota is spent, opt-outs that an export recorded are still written to Kibo."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.export()
    assert accepts(shop, pat) is True
    body = '{"error_key": "quota_exceeded"}'
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=429, body=body)
    with pytest.raises(QuotaSpent):
        shop.poll()
    assert accepts(shop, pat) is False


def test_our_own_write_is_nobodys_opt_out(shop: Shop) -> None:
    """Its echo, as an event or in an export, is no opt-out in the store, and changes nothing at Constant Contact."""
    join(shop, PAT, PAT.upper())
    settled(shop)
    shop.flush()
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(minutes=30)
    posts = len(shop.requests("POST", "/v3/"))
    flush = shop.flush()
    export = shop.export()
    assert flush.counts.get("opted_out", 0) == export.counts.get("opted_out", 0) == 0
    assert suppressed(shop, PAT) == {"unsubscribed"}
    assert len(shop.requests("POST", "/v3/")) == posts


@pytest.mark.parametrize("earlier", [False, True])
def test_old_opt_outs_of_no_customers_are_noted_many_at_once(shop: Shop, *, earlier: bool) -> None:
    """An account may have half a million: the disk is not waited for once for each, and a death loses no opt-out."""
    join(shop, PAT)
    settled(shop)
    strangers = [f"stranger{number}@example.com" for number in range(90)]
    shop.box.cc.add_contacts([seed_contact(one, lists=()) for one in strangers])
    for one in [PAT, *strangers]:
        shop.box.cc.unsubscribe(one)
    commits = 0

    def count(label: str) -> None:
        nonlocal commits
        commits += label == "before commit"
        if earlier and label.startswith("before PUT"):
            raise Crash

    shop.on_boundary = count
    if earlier:
        with pytest.raises(Crash):
            shop.poll()
    else:
        shop.poll()
    shop.on_boundary = lambda _: None
    assert commits < 60
    shop.poll()
    assert {row.done_at is None for one in strangers for row in told(shop, one)} == {False}
    assert all(suppressed(shop, one) == {"unsubscribed"} for one in strangers)


@pytest.mark.parametrize("reader", ["export", "flush", "poll"])
def test_a_write_whose_run_died_is_known_as_ours(shop: Shop, reader: str) -> None:
    """If a run dies between Kibo's answer and noting it, the next read recognizes our own write."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.flush()
    shop.box.cc.unsubscribe(PAT)

    def die(label: str) -> None:
        if label.startswith("after PUT"):
            raise Crash

    shop.on_boundary = die
    with pytest.raises(Crash):
        shop.poll()
    shop.on_boundary = lambda _: None
    assert accepts(shop, pat) is False
    shop.later(minutes=5)
    getattr(shop, reader)()
    shop.poll()
    assert suppressed(shop, PAT) == {"unsubscribed"}
    assert ("opted-out", "kibo") not in ledger_of(shop, PAT)
    assert len(puts(shop)) == 1


def test_an_opt_in_in_the_store_after_the_opt_out_is_left_and_listed(shop: Shop) -> None:
    """After one write the customer's own later yes in the store stays, and the address stays suppressed."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(minutes=30)
    shop.box.kibo.update_account(pat, acceptsMarketing=True)
    shop.later(minutes=30)
    run = shop.export()
    shop.poll(is_full=True)
    assert accepts(shop, pat) is True
    assert run.counts["suppressed"] >= 1
    assert PAT not in shop.members()


def test_an_opt_in_between_our_read_and_our_write_loses_to_an_unsubscribe(shop: Shop) -> None:
    """Kibo has no versions of an account; Constant Contact's unsubscribe is what counts."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)

    def opt_in_again() -> None:
        shop.box.kibo.update_account(pat, acceptsMarketing=False)
        shop.box.kibo.update_account(pat, acceptsMarketing=True)

    shop.box.faults.before(opt_in_again, method="PUT", nth=1)
    run = shop.poll()
    assert (accepts(shop, pat), run.counts["unsubscribed"]) == (False, 1)


def test_an_older_account_that_turns_up_later_is_told_too(shop: Shop) -> None:
    """A listing had not shown it; an export meets its yes on a suppressed address, and the next poll writes it."""
    settled(shop)
    (pat,) = join(shop, PAT)
    shop.later(minutes=5)
    shop.box.cc.add_contact(seed_contact(PAT))
    shop.box.cc.unsubscribe(PAT)
    body = '{"startIndex":0,"pageSize":200,"pageCount":0,"totalCount":0,"items":[]}'
    shop.box.faults.add("wrong-body", vendor="kibo_tenant", path=".*/accounts$", nth=4, times=5, body=body)
    assert shop.poll().counts["not_a_customer"] == 1
    shop.box.faults.clear()
    shop.export()
    shop.poll()
    assert accepts(shop, pat) is False


def test_a_newer_account_is_a_newer_word(shop: Shop) -> None:
    """An account made after the opt-out is the person's own consent: it is left alone, and the address suppressed."""
    join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(minutes=30)
    (newer,) = join(shop, PAT)
    shop.export()
    shop.poll()
    assert accepts(shop, newer) is True
    assert PAT not in shop.members()


def test_a_store_that_is_suddenly_empty_is_not_believed(shop: Shop) -> None:
    """No one counts as "not a customer" when Kibo shows no customers at all."""
    join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    body = '{"startIndex":0,"pageSize":1,"pageCount":0,"totalCount":0,"items":[]}'
    shop.box.faults.add("wrong-body", vendor="kibo_tenant", path=".*/accounts$", nth=None, body=body)
    with pytest.raises(SafetyLimitError, match="shows no customers"):
        shop.poll()
    shop.box.faults.clear()
    assert shop.poll().counts["unsubscribed"] == 1


def test_people_without_an_address_are_passed_over(tmp_path: Path) -> None:
    """Contacts with only a mobile number, on the list or not, opt no one out."""
    with small_shop(tmp_path, sms_only_contacts=5) as shop:
        join(shop, PAT)
        settled(shop)
        shop.box.cc.add_sms_contact("2025550199", shop.list_id)
        run = shop.poll(is_full=True)
        assert run.total_contacts == 0
        assert not puts(shop)
