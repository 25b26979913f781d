"""reconcile on the sandbox: every kind of difference is found and named, and the jobs carry out what is repaired."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.errors import RefusedError
from ccsync.from_constant_contact import list_exports, members
from ccsync.reports import differences
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import people
from ccsync.state.database import store as database
from tests.harness import Shop
from tests.jobs.flushing import change
from tests.jobs.forgetting import forget
from tests.jobs.reconciling import cycle, reconcile
from tests.jobs.test_export import seed_contact

PAT, KIM = "Pat.Doe@example.com", "kim@example.com"
SETTINGS = SandboxSettings(customers=60, seed=3, import_seconds=1.0)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SETTINGS) as made:
        for address in (PAT, KIM):
            made.box.kibo.add_account(emailAddress=address, firstName="Pat", acceptsMarketing=True)
        cycle(made)
        yield made


def lose(shop: Shop, statement: str, address: str) -> None:
    """Something happens to the state file that no job would do: `?` is the person."""
    store = shop.open()
    person = people.person_key(store)(address.lower())
    store.run(statement, person)
    store.close()


def test_after_a_clean_cycle_there_is_no_drift(shop: Shop) -> None:
    """What is left out for a reason is information; the vendors are not written to, and a second run finds the same."""
    written = [one for one in shop.requests() if not one.startswith("GET")]
    report, found, _ = reconcile(shop)
    assert report.drift == 0
    assert report.members == len(shop.members()) > 20
    assert found.keys() <= {"rejected", "several-accounts"}
    assert len(found["rejected"]) >= 5
    assert [one for one in shop.requests() if not one.startswith("GET")] == written
    run = shop.latest()[0]
    assert (run.job, run.direction, run.status) == ("reconcile", "from", "COMPLETE")
    assert reconcile(shop)[1] == found
    assert not shop.box.cc.forbidden_calls


def test_it_costs_few_calls(shop: Shop) -> None:
    """One page of opt-outs, the list and its pages; at Kibo the accounts, their totals and what changed meanwhile."""
    before = len(shop.requests("", "/v3/")), len(shop.requests("", "customer/accounts"))
    reconcile(shop)
    assert len(shop.requests("", "/v3/")) - before[0] <= 4
    assert len(shop.requests("", "customer/accounts")) - before[1] <= 8


def test_somebody_who_was_lost_is_found_and_put_back(shop: Shop) -> None:
    """Opted in, nothing against it, not on the list: the flush reads the account again and adds it."""
    shop.later(hours=1)
    shop.flush()
    shop.box.cc.leave_list(PAT, shop.list_id)
    lose(shop, "DELETE FROM sent WHERE person = ?", PAT)
    report, found, _ = reconcile(shop, fixes=True)
    assert (report.drift, found["missing"]) == (1, {PAT.lower()})
    assert PAT.lower() not in shop.members()
    shop.flush()
    assert PAT.lower() in shop.members()
    assert reconcile(shop)[0].drift == 0


def test_who_left_is_never_put_back(shop: Shop) -> None:
    """Gone from the list since ccsync put them there: the repair has the poll note it, which tells Kibo."""
    shop.box.cc.leave_list(PAT, shop.list_id)
    report, found, _ = reconcile(shop, fixes=True)
    assert (report.drift, found["left"]) == (1, {PAT.lower()})
    shop.poll()
    shop.flush()
    assert PAT.lower() not in shop.members()
    assert not any(shop.box.kibo.account(one)["acceptsMarketing"] for one in shop.box.kibo.find_by_email(PAT))
    assert reconcile(shop)[0].drift == 0


def test_an_opt_out_that_never_reached_the_list(shop: Shop) -> None:
    """The removal got lost: it is queued again, and the flush carries it out."""
    change(shop, PAT, acceptsMarketing=False)
    shop.later(minutes=30)
    shop.flush()
    put_back(shop, PAT)
    report, found, _ = reconcile(shop, fixes=True)
    assert (report.drift, found["not-removed"]) == (1, {PAT.lower()})
    shop.flush()
    assert PAT.lower() not in shop.members()
    assert reconcile(shop)[0].drift == 0


def put_back(shop: Shop, address: str) -> None:
    """The person is on the list as if the removal had been forgotten on the way."""
    contact = shop.box.cc.contact(address)
    assert contact is not None
    shop.box.cc.join_list(address, shop.list_id)
    store = shop.open()
    person = people.person_key(store)(address.lower())
    store.run("UPDATE sent SET removed_at = NULL WHERE person = ? AND list_id = ?", person, shop.list_id)
    store.run("UPDATE contacts SET member_of = ? WHERE person = ?", shop.list_id, person)
    store.close()


def test_an_opt_out_that_no_event_told(shop: Shop) -> None:
    """The account says no and no event came: the flush reads it, sees the change, and takes the person off."""
    change(shop, PAT, acceptsMarketing=False)
    store = shop.open()
    store.run("UPDATE bookmarks SET at = '2026-12-01T00:00:00.000Z' WHERE stream = 'events'")
    store.close()
    report, found, _ = reconcile(shop, fixes=True)
    assert (report.drift, found["not-removed"]) == (1, {PAT.lower()})
    shop.flush()
    assert PAT.lower() not in shop.members()
    assert reconcile(shop)[0].drift == 0


def test_a_deleted_account_that_no_event_told(shop: Shop) -> None:
    """The account is gone: the flush meets the 404, takes the person off and forgets them."""
    for account_id in shop.box.kibo.find_by_email(PAT):
        shop.box.kibo.delete_account(account_id)
    report, found, findings = reconcile(shop, fixes=True)
    assert (report.drift, found["not-removed"]) == (1, {PAT.lower()})
    assert "gone" in next(one.reason for one in findings if one.kind == "not-removed")
    shop.flush()
    assert PAT.lower() not in shop.members()
    assert reconcile(shop)[0].drift == 0


def test_what_changed_since_the_last_flush_is_no_drift(shop: Shop) -> None:
    """A new customer, an opt-out and an unsubscribe of the last minutes wait for the next runs."""
    shop.later(minutes=10)
    change(shop, PAT, acceptsMarketing=False)
    shop.box.kibo.add_account(emailAddress="new@example.com", acceptsMarketing=True)
    shop.box.cc.unsubscribe(KIM)
    report, found, _ = reconcile(shop)
    assert report.drift == 0
    assert found["waiting"] == {PAT.lower(), "new@example.com", KIM}


def test_an_unsubscribe_that_kibo_was_never_told(shop: Shop) -> None:
    """If the task to write to Kibo was lost, it is queued again, and the poll opts the customer out."""
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    change(shop, PAT, acceptsMarketing=True)
    lose(shop, "DELETE FROM tasks WHERE kind = 'write-back' AND person = ?", PAT)
    lose(shop, "INSERT INTO erasing VALUES (?)", PAT)
    lose(shop, "DELETE FROM consent WHERE person = ? AND source != 'constant_contact'", PAT)
    report, found, _ = reconcile(shop, fixes=True)
    assert (report.drift, found["not-told"]) == (1, {PAT.lower()})
    shop.poll()
    assert not any(shop.box.kibo.account(one)["acceptsMarketing"] for one in shop.box.kibo.find_by_email(PAT))
    assert reconcile(shop)[0].drift == 0


def test_fix_mends_all_that_is_called_drift(tmp_path: Path) -> None:
    """Every kind of drift at once: after the repair and one run of each cron job there is none left."""
    lost, left, stayed, gone, untold = (f"{name}@example.com" for name in ("lost", "left", "stayed", "gone", "untold"))
    with Shop(tmp_path, SETTINGS) as shop:
        for address in (lost, left, stayed, gone, untold):
            shop.box.kibo.add_account(emailAddress=address, firstName="Pat", acceptsMarketing=True)
        cycle(shop)
        change(shop, stayed, acceptsMarketing=False)
        shop.box.cc.unsubscribe(untold)
        shop.later(minutes=30)
        shop.flush()
        shop.poll()
        put_back(shop, stayed)
        for account_id in shop.box.kibo.find_by_email(untold):
            shop.box.kibo.update_account(account_id, acceptsMarketing=True)
        for statement in (
            "DELETE FROM tasks WHERE kind = 'write-back' AND person = ?",
            "INSERT INTO erasing VALUES (?)",
            "DELETE FROM consent WHERE person = ? AND source != 'constant_contact'",
        ):
            lose(shop, statement, untold)
        for account_id in shop.box.kibo.find_by_email(gone):
            shop.box.kibo.delete_account(account_id)
        for address in (lost, left):
            shop.box.cc.leave_list(address, shop.list_id)
        lose(shop, "DELETE FROM sent WHERE person = ?", lost)
        report, found, _ = reconcile(shop, fixes=True)
        wanted = {"missing": {lost}, "left": {left}, "not-removed": {stayed, gone}, "not-told": {untold}}
        assert (report.drift, {kind: found[kind] for kind in wanted}) == (5, wanted)
        shop.later(minutes=30)
        shop.flush()
        shop.poll()
        shop.flush()
        assert reconcile(shop)[0].drift == 0


def test_a_newer_opt_in_in_the_store_is_not_overruled(shop: Shop) -> None:
    """Unsubscribed at Constant Contact, told to Kibo, opted in again in the store: listed, and left alone for ever."""
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(days=1)
    change(shop, PAT, acceptsMarketing=True)
    shop.flush()
    for _ in range(2):
        shop.later(days=60)
        shop.poll(is_full=True)  # what was told is pruned by now
    report, found, findings = reconcile(shop, fixes=True)
    assert report.drift == 0
    assert PAT.lower() in found["suppressed"]
    assert "opted in again at Kibo since" in next(one.reason for one in findings if one.email == PAT)
    shop.poll()
    assert all(shop.box.kibo.account(one)["acceptsMarketing"] for one in shop.box.kibo.find_by_email(PAT))


def test_the_list_s_own_people(shop: Shop) -> None:
    """Members that others put on the list are listed by whether Kibo knows them; no one is taken off."""
    shop.box.kibo.add_account(emailAddress="no@example.com", acceptsMarketing=False)
    for address in ("No@example.com", "stranger@example.com"):
        shop.box.cc.add_contact(seed_contact(address))
        shop.box.cc.join_list(address, shop.list_id)
    report, found, _ = reconcile(shop, fixes=True)
    assert report.drift == 0
    assert found["listed-says-no"] == {"no@example.com"}
    assert found["unknown-to-kibo"] == {"stranger@example.com"}
    shop.flush()
    assert {"no@example.com", "stranger@example.com"} <= shop.members()


def test_many_members_who_do_not_opt_in_are_read_by_pages(shop: Shop) -> None:
    """Where asking for each costs more calls than reading all who say no, those are read."""
    addresses = {f"no{number}@example.com" for number in range(30)}
    for address in addresses:
        shop.box.kibo.add_account(emailAddress=address.upper(), acceptsMarketing=False)
        shop.box.cc.add_contact(seed_contact(address))
        shop.box.cc.join_list(address, shop.list_id)
    before = len(shop.requests("", "customer/accounts"))
    _, found, _ = reconcile(shop)
    assert found["listed-says-no"] == addresses
    assert len(shop.requests("", "customer/accounts")) - before <= 10


def test_an_old_address_is_only_told(shop: Shop) -> None:
    """An e-mail change left the old address on the list: only the person can unsubscribe it."""
    change(shop, PAT, emailAddress="pat.new@example.com")
    shop.later(minutes=30)
    shop.flush()
    report, found, findings = reconcile(shop, fixes=True)
    assert report.drift == 0
    assert found["old-address"] == {PAT.lower()}
    account_ids = next(one.account_ids for one in findings if one.kind == "old-address")
    assert list(account_ids) == shop.box.kibo.find_by_email("pat.new@example.com")
    shop.flush()
    assert {PAT.lower(), "pat.new@example.com"} <= shop.members()


def test_several_accounts_on_one_address(shop: Shop) -> None:
    """They are one contact, and an operator may want to know."""
    other = shop.box.kibo.add_account(emailAddress=PAT.upper(), acceptsMarketing=True)
    _, found, findings = reconcile(shop)
    assert PAT.lower() in found["several-accounts"]
    assert any(other in one.account_ids for one in findings if one.kind == "several-accounts")


def test_who_came_back_is_told(shop: Shop) -> None:
    """Staff put a person on the list again who had left it, or who asked to be forgotten."""
    shop.box.cc.leave_list(PAT, shop.list_id)
    shop.poll(is_full=True)
    forget(shop, KIM)
    for address in (PAT, KIM):
        shop.box.cc.join_list(address, shop.list_id)
    report, found, _ = reconcile(shop)
    assert found["back-on-list"] == {PAT.lower()}
    assert found["forgotten-listed"] == {KIM}
    assert report.drift == 1
    forget(shop, KIM)
    report, found, _ = reconcile(shop)
    assert report.drift == 0
    assert found["suppressed"] == {KIM}


def test_before_the_first_export_everybody_is_missing(tmp_path: Path) -> None:
    """Before the first export everything is drift; queueing it sends no one before the export."""
    with Shop(tmp_path, SETTINGS) as shop:
        report, found, _ = reconcile(shop, fixes=True)
        assert report.drift == len(found["missing"]) + len(found.get("not-told", ()))
        shop.flush()
        assert shop.members() == set()
        shop.export()
        assert not reconcile(shop)[1].get("missing")


WAYS = {
    "an export of the list": {},
    "names as headings": {"export_headings": "names"},
    "UTF-16": {"export_encoding": "utf-16"},
    "headings nobody knows": {"export_headings": "unknown"},
    "unsubscribed people keep their lists": {"unsubscribed_keep_lists": True},
    "guests are hidden": {"guests_by_default": False},
    "Kibo cannot tell what changed": {"update_date_filter": "refuse"},
    "Kibo ignores the filter by date": {"update_date_filter": "ignore"},
    "members come twice": {"contact_pages": "overlap"},
}


@pytest.mark.parametrize("way", WAYS)
def test_in_every_way_the_vendors_may_go(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same findings whatever the vendors' ways are, by an export of the list as by its pages."""
    monkeypatch.setattr(members, "CALLS_OF_EXPORT", 0)
    with Shop(tmp_path, replace(SETTINGS, **WAYS[way])) as shop:  # type: ignore[arg-type]
        for address in (PAT, KIM):
            shop.box.kibo.add_account(emailAddress=address, firstName="Pat", acceptsMarketing=True)
        guest = shop.box.kibo.add_account(emailAddress="guest@example.com", acceptsMarketing=True, isAnonymous=True)
        cycle(shop)
        shop.box.cc.unsubscribe(KIM)
        shop.poll()
        shop.box.cc.leave_list(PAT, shop.list_id)
        report, found, _ = reconcile(shop)
        assert guest
        assert found["left"] == {PAT.lower()}
        assert report.drift == 1
        assert report.members == len(shop.members())


def test_a_cut_export_of_the_list_is_not_believed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that holds a part of the list would make everybody else look gone: the pages are read instead."""
    monkeypatch.setattr(members, "CALLS_OF_EXPORT", 0)
    shop.box.faults.add("wrong-body", path=".*contact_exports/.*", body="Email address\nkim@example.com\n", nth=None)
    report, found, _ = reconcile(shop)
    assert report.drift == 0
    assert "left" not in found


def test_the_list_is_gone(shop: Shop) -> None:
    """A deleted list is named (exit 9), and nothing is concluded from its absence."""
    shop.box.cc.delete_list(shop.list_id)
    with pytest.raises(RefusedError, match="no longer exists"):
        reconcile(shop)


def test_memory_is_bounded_by_chunks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks give the same findings as large ones."""
    shop.box.cc.leave_list(PAT, shop.list_id)
    whole = reconcile(shop)[2]
    for module in (database, differences, list_exports):
        monkeypatch.setattr(module, "_CHUNK", 1)
    assert reconcile(shop)[2] == whole
