"""flush-events on the sandbox: what changes in the store reaches the list, and nothing else does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.errors import RefusedError, SafetyLimitError, VendorUnreachable
from ccsync.state import suppressions
from tests.harness import Shop, imported_rows
from tests.jobs.flushing import KIM, PAT, SAM, add, cannot_be_read, change, delete, new_shop, statuses, stock
from tests.jobs.reconciling import reconcile


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store with Pat and Sam, who opted in and were exported, and Kim, who did not."""
    with new_shop(tmp_path) as made:
        stock(made)
        yield made


def calls(shop: Shop) -> dict[str, int]:
    return {name: number for name, number in shop.box.requests.calls.items() if name in ("cc_api", "kibo_tenant")}


# what a change does


def test_a_new_customer_is_added(shop: Shop) -> None:
    """A customer who signs up and opts in is on the list after the next flush."""
    add(shop, "new@example.com")
    run = shop.flush()
    assert "new@example.com" in shop.members()
    assert (run.counts["added"], run.counts["events_created"]) == (1, 2), "an event for each of the two sites"


def test_an_opt_in_is_added(shop: Shop) -> None:
    """A customer who changes to yes is added, and the consent ledger says when."""
    change(shop, KIM, acceptsMarketing=True)
    run = shop.flush()
    assert shop.members() == {PAT, SAM, KIM}
    assert run.counts["events_updated"] == 2


def test_a_changed_name_is_sent(shop: Shop) -> None:
    """A change of a mapped field reaches the contact."""
    change(shop, PAT, lastName="Newname")
    assert shop.flush().counts["updated"] == 1
    assert (shop.box.cc.contact(PAT) or {})["last_name"] == "Newname"


def test_a_change_that_is_not_mapped_costs_no_call(shop: Shop) -> None:
    """What concerns the list in no way ends as unchanged, without a call to Constant Contact but for the opt-outs."""
    change(shop, PAT, taxExempt=True)
    before = calls(shop)
    assert shop.flush().counts["unchanged"] == 1
    assert calls(shop)["cc_api"] - before["cc_api"] == 1


def test_an_opt_out_leaves_the_list(shop: Shop) -> None:
    """An observed change to no takes the contact off the list, and only that: it stays in the account."""
    change(shop, PAT, acceptsMarketing=False)
    run = shop.flush()
    assert shop.members() == {SAM}
    assert run.counts["removed"] == 1
    contact = shop.box.cc.contact(PAT) or {}
    assert contact["email_address"]["permission_to_send"] == "implicit"


def test_an_opt_out_unsubscribes_where_that_is_set(tmp_path: Path) -> None:
    """With opt_out = "unsubscribe" the contact is unsubscribed from everything, and keeps its data."""
    with new_shop(tmp_path, 'opt_out = "unsubscribe"\n') as shop:
        add(shop, PAT, lastName="Doe")
        shop.export()
        change(shop, PAT, acceptsMarketing=False)
        run = shop.flush()
        contact = shop.box.cc.contact(PAT) or {}
        assert run.counts["unsubscribed"] == 1
        assert contact["email_address"]["permission_to_send"] == "unsubscribed"
        assert contact["email_address"]["opt_out_source"] == "Contact"
        assert contact["last_name"] == "Doe"


@pytest.mark.parametrize("is_cut", [False, True])
def test_an_unsubscribe_of_our_own_is_nobodys_act(is_cut: bool, tmp_path: Path) -> None:
    """Another account with the address keeps its yes in the store, also where the answer to our write was lost."""
    with new_shop(tmp_path, 'opt_out = "unsubscribe"\n') as shop:
        pat, twin = add(shop, PAT), add(shop, PAT)
        shop.export()
        shop.box.kibo.opt_out(pat)
        if is_cut:
            shop.box.faults.add("reset-after", path="/v3/contacts/", nth=2)
        shop.flush()
        for _ in range(2):
            shop.later(hours=25)
            shop.poll(is_full=True)
            shop.flush()
        contact = shop.box.cc.contact(PAT) or {}
        assert contact["email_address"]["permission_to_send"] == "unsubscribed"
        assert shop.box.kibo.account(twin)["acceptsMarketing"] is True
        report, kinds, _ = reconcile(shop)
        assert (report.drift, PAT in shop.members()) == (0, False), kinds
        shop.box.kibo.opt_in(pat)
        shop.poll()
        assert shop.box.kibo.account(twin)["acceptsMarketing"] is True
        shop.box.cc.resubscribe(PAT)
        shop.later(minutes=30)
        shop.box.cc.unsubscribe(PAT)
        shop.later(minutes=30)
        shop.poll()
        assert shop.box.kibo.account(twin)["acceptsMarketing"] is False


def test_an_opt_out_after_which_somebody_opts_in_again(shop: Shop) -> None:
    """Who says no and later yes again is on the list again."""
    change(shop, PAT, acceptsMarketing=False)
    shop.flush()
    shop.later(minutes=30)
    change(shop, PAT, acceptsMarketing=True)
    shop.flush()
    assert PAT in shop.members()


def test_a_deleted_account_leaves_the_list_and_is_forgotten(shop: Shop) -> None:
    """The person is off the list, and no file of ours holds the address."""
    delete(shop, PAT)
    run = shop.flush()
    assert shop.members() == {SAM}
    assert (run.counts["removed"], run.counts["forgotten"], run.counts["events_deleted"]) == (1, 1, 2)
    store = shop.open()
    store.scrub()
    store.close()
    for path in shop.folder.glob("ccsync.db*"):
        assert PAT.encode() not in path.read_bytes()


def test_a_changed_address_adds_the_new_one_only(shop: Shop) -> None:
    """The old address is left alone: its owner must unsubscribe. A later opt-out removes both."""
    change(shop, PAT, emailAddress="pat.new@example.com")
    shop.flush()
    assert shop.members() == {PAT, SAM, "pat.new@example.com"}
    shop.later(minutes=30)
    change(shop, "pat.new@example.com", acceptsMarketing=False)
    shop.flush()
    assert shop.members() == {SAM}


def test_somebody_unsubscribed_is_not_sent_again(shop: Shop) -> None:
    """Pull before push: an unsubscribe of a minute ago wins over a change in the store."""
    shop.box.cc.unsubscribe(PAT)
    change(shop, PAT, lastName="Newname")
    assert shop.flush().counts["suppressed"] == 1
    assert PAT not in shop.members()


def test_somebody_who_left_the_list_is_not_put_back(shop: Shop) -> None:
    """An import would put back who just left: they are looked for before it."""
    shop.box.cc.leave_list(PAT, shop.list_id)
    change(shop, PAT, lastName="Newname")
    run = shop.flush()
    assert PAT not in shop.members()
    assert run.counts["departed"] == 1


# siblings


def test_an_older_siblings_yes_does_not_outweigh_a_no(shop: Shop) -> None:
    """An opt-out holds for the address, whatever an older account on it says."""
    add(shop, PAT, firstName="Other", acceptsMarketing=True)
    shop.flush()
    shop.later(minutes=30)
    first, *_ = shop.box.kibo.find_by_email(PAT)
    shop.box.kibo.update_account(first, acceptsMarketing=False)
    shop.flush()
    assert PAT not in shop.members()
    shop.later(minutes=30)
    shop.export()
    assert PAT not in shop.members()


def test_of_two_accounts_the_later_word_holds(shop: Shop) -> None:
    """Two changes in one run, read in whatever order: the newer one decides, yes or no."""
    other = add(shop, PAT, acceptsMarketing=False)
    shop.flush()
    first = shop.box.kibo.find_by_email(PAT)[0]
    shop.later(minutes=1)
    shop.box.kibo.update_account(other, acceptsMarketing=True)
    shop.later(minutes=1)
    shop.box.kibo.update_account(first, acceptsMarketing=False)
    shop.flush()
    assert PAT not in shop.members()
    shop.later(minutes=1)
    shop.box.kibo.update_account(first, acceptsMarketing=True)
    shop.later(minutes=1)
    shop.box.kibo.update_account(other, acceptsMarketing=False)
    shop.flush()
    assert PAT not in shop.members()
    shop.later(minutes=1)
    shop.box.kibo.update_account(first, acceptsMarketing=False)
    shop.later(minutes=1)
    shop.box.kibo.update_account(other, acceptsMarketing=True)
    shop.flush()
    assert PAT in shop.members()


def test_the_newest_account_of_an_address_gives_its_data(shop: Shop) -> None:
    """A change of an older account must not overwrite what the newest one says."""
    other = add(shop, PAT, firstName="Newest")
    shop.flush()
    assert (shop.box.cc.contact(PAT) or {})["first_name"] == "Newest"
    shop.box.kibo.update_account(other, lastName="Name")
    shop.flush()
    assert (shop.box.cc.contact(PAT) or {})["last_name"] == "Name"


def test_a_deleted_account_with_a_sibling_stays(shop: Shop) -> None:
    """While another account on the address opts in, the contact stays, with that account's data."""
    add(shop, PAT, firstName="Sibling")
    shop.flush()
    shop.later(minutes=30)
    shop.box.kibo.delete_account(shop.box.kibo.find_by_email(PAT)[1])
    shop.flush()
    assert PAT in shop.members()
    assert (shop.box.cc.contact(PAT) or {})["first_name"] == "Pat"


# cost and calm


def test_a_run_with_nothing_to_do_costs_two_calls(shop: Shop) -> None:
    """Idle: one call to Constant Contact, one to Kibo, and not a word."""
    shop.flush()
    shop.later(minutes=30)
    before = shop.requests()
    run = shop.flush()
    made = [one for one in shop.requests()[len(before) :] if "authtickets" not in one]  # a token lasts an hour
    assert made == ["GET /api/event/pull", "GET /v3/contacts"]
    assert not any(run.counts.values())
    assert not shop.notices


def test_the_second_run_does_nothing(shop: Shop) -> None:
    """What was sent is not sent again, though the overlap shows the same events again."""
    change(shop, PAT, lastName="Newname")
    add(shop, "new@example.com")
    change(shop, SAM, acceptsMarketing=False)
    shop.flush()
    shop.later(minutes=30)
    before = len(imported_rows(shop))
    run = shop.flush()
    assert len(imported_rows(shop)) == before
    assert not any(run.counts.values())


def test_one_import_a_run(shop: Shop) -> None:
    """Many changes of many kinds go in one bulk import."""
    for number in range(30):
        add(shop, f"new{number}@example.com")
    change(shop, PAT, lastName="Newname")
    before = len(shop.requests("POST", "contacts_json_import"))
    assert shop.flush().counts["added"] == 30
    assert len(shop.requests("POST", "contacts_json_import")) - before == 1


# before the first export


def test_before_the_first_export_nothing_is_added(tmp_path: Path) -> None:
    """Additions wait for a person's decision; the run says so."""
    with new_shop(tmp_path) as shop:
        add(shop, PAT)
        shop.flush()
        assert not shop.members()
        assert "export" in shop.notices["export-due"]
        assert statuses(shop) == {"pending": 1}
        shop.export()
        shop.later(minutes=30)
        shop.flush()
        assert shop.members() == {PAT}
        assert statuses(shop) == {}
        assert "export-due" not in shop.notices


def test_removals_go_out_before_the_first_export_is_finished(tmp_path: Path) -> None:
    """What ccsync put on the list leaves it on an opt-out, whether all of the first export arrived or not."""
    with new_shop(tmp_path) as shop:
        add(shop, PAT)
        shop.export(only=PAT)
        add(shop, SAM)
        change(shop, PAT, acceptsMarketing=False)
        run = shop.flush()
        assert not shop.members()
        assert run.counts["removed"] == 1


# what fails


def test_an_account_that_cannot_be_read_does_not_stop_the_others(shop: Shop) -> None:
    """It is put off, and comes again when Kibo shows it; the others are dealt with now."""
    bad = add(shop, "bad@example.com")
    add(shop, "good@example.com")
    cannot_be_read(shop, bad)
    run = shop.flush()
    assert "good@example.com" in shop.members()
    assert run.counts["failed"] == 1
    assert statuses(shop) == {"retrying": 1}
    shop.box.faults.clear()
    shop.later(minutes=30)
    shop.flush()
    assert "bad@example.com" in shop.members()


def test_three_bad_accounts_do_not_block_the_queue(shop: Shop) -> None:
    """However many of them come first."""
    for number in range(4):
        account_id = add(shop, f"bad{number}@example.com")
        cannot_be_read(shop, account_id)
    add(shop, "good@example.com")
    shop.flush()
    assert "good@example.com" in shop.members()


def test_an_account_that_fails_again_and_again_is_set_aside(shop: Shop) -> None:
    """After eight attempts it waits for a change, or for a person; a new event gives it a fresh start."""
    bad = add(shop, "bad@example.com")
    cannot_be_read(shop, bad)
    for _ in range(8):
        shop.flush()
        shop.later(hours=12)
    assert statuses(shop) == {"failed": 1}
    shop.box.faults.clear()
    shop.flush()
    assert "bad@example.com" not in shop.members()
    shop.box.kibo.update_account(bad, lastName="Mended")
    shop.later(minutes=30)
    shop.flush()
    assert "bad@example.com" in shop.members()


def test_trouble_of_kibos_is_no_accounts_failure(shop: Shop) -> None:
    """When Kibo shows no account at all, no attempt is counted."""
    add(shop, "new@example.com")
    cannot_be_read(shop)
    with pytest.raises(VendorUnreachable):
        shop.flush()
    assert statuses(shop) == {"pending": 1}
    shop.box.faults.clear()
    shop.later(minutes=30)
    shop.flush()
    assert "new@example.com" in shop.members()


def test_a_row_that_is_rejected_waits_for_a_change(shop: Shop) -> None:
    """A bad address is reported once with its reason, and sent after it is corrected."""
    bad = add(shop, "no at sign")
    run = shop.flush()
    assert (run.errors, shop.news) == (1, True)
    assert statuses(shop) == {"failed": 1}
    shop.later(minutes=30)
    assert shop.flush().errors == 0
    shop.box.kibo.update_account(bad, emailAddress="mended@example.com")
    shop.flush()
    assert "mended@example.com" in shop.members()


def test_a_deleted_list_stops_the_run(shop: Shop) -> None:
    """It is named, nothing is sent, and nothing is lost."""
    add(shop, "new@example.com")
    shop.box.cc.delete_list(shop.list_id)
    with pytest.raises(RefusedError, match="no longer exists"):
        shop.flush()
    assert statuses(shop) == {"pending": 1}


# the safety limit


def test_the_brake_holds_removals_back(tmp_path: Path) -> None:
    """More opt-outs at once than the setting allows are not acted on; --accept lets exactly so many through."""
    with new_shop(tmp_path, max_opt_outs(3)) as shop:
        for number in range(5):
            add(shop, f"p{number}@example.com")
        shop.export()
        for number in range(4):
            change(shop, f"p{number}@example.com", acceptsMarketing=False)
        add(shop, "new@example.com")
        with pytest.raises(SafetyLimitError, match="4 people"):
            shop.flush()
        assert len(shop.members()) == 6, "additions go on"
        store = shop.open()
        assert len([1 for _ in store.rows("SELECT 1 FROM suppressions WHERE kind = ?", suppressions.OPTED_OUT)]) == 4
        store.close()
        shop.later(minutes=30)
        with pytest.raises(SafetyLimitError, match="2 people") as stopped:
            shop.flush(accept=2)
        assert stopped.value.fix.endswith("ccsync flush-events --accept 2"), "those who are gone need no leave"
        assert "They stay on the list meanwhile" in stopped.value.why
        assert len(shop.members()) == 4
        shop.flush(accept=2)
        assert len(shop.members()) == 2


def test_a_store_that_shows_nothing_erases_nothing(tmp_path: Path) -> None:
    """If every account seems deleted at once, no one is taken off the list and nothing is forgotten."""
    with new_shop(tmp_path, max_opt_outs(10)) as shop:
        for number in range(30):
            add(shop, f"p{number}@example.com")
        shop.export()
        for number in range(30):
            delete(shop, f"p{number}@example.com")
        with pytest.raises(SafetyLimitError, match="30 people"):
            shop.flush()
        assert len(shop.members()) == 30


def max_opt_outs(number: int) -> str:
    return f"max_opt_outs = {number}\n"
