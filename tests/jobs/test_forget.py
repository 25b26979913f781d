"""Forgetting a person: off the list, out of every file, and kept out until they opt in again."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.errors import RefusedError, StateError
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import create_store, erasure, ledger, open_store, properties
from ccsync.state.database import opening
from ccsync.state.suppressions import FORGOTTEN, UNSUBSCRIBED
from tests.harness import Crash, Shop, imported_rows
from tests.jobs.forgetting import forget, rows_about, suppressions_of, traces
from tests.jobs.test_export import seed_contact

PAT = "Pat.Doe@example.com"
SETTINGS = SandboxSettings(customers=20, seed=11, import_seconds=1.0)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SETTINGS) as made:
        made.account_id = made.box.kibo.add_account(  # type: ignore[attr-defined]
            emailAddress=PAT, firstName="Pat", lastName="Doe", acceptsMarketing=True
        )
        yield made


def account_of(shop: Shop) -> int:
    return int(shop.account_id)  # type: ignore[attr-defined]


def test_nothing_is_left_but_a_hash(shop: Shop) -> None:
    """Off the list, no row in any table but the suppression, no byte of the address in any file."""
    shop.export()
    assert traces(shop, PAT)
    others = shop.members() - {PAT.lower()}
    receipt = forget(shop, f" {PAT.upper()} ")
    assert receipt is not None
    assert shop.members() == others
    assert traces(shop, PAT) == []
    assert rows_about(shop, PAT) == {"suppressions": 1}
    assert suppressions_of(shop, PAT) == [FORGOTTEN]
    assert (receipt.on_list, receipt.contacts, receipt.accounts) == (1, 1, {account_of(shop): True})
    assert receipt.erased["consent"] == 1
    run = shop.latest()[0]
    assert (run.job, run.status, dict(run.counts)) == ("forget", "COMPLETE", {"removed": 1, "forgotten": 1})
    assert not shop.box.cc.forbidden_calls


def test_no_other_person_loses_a_row(shop: Shop) -> None:
    """What is gone from each table is what the receipt says was the person's, and nothing is added."""
    shop.export()
    before = everything(shop)
    receipt = forget(shop, PAT)
    after = everything(shop)
    assert receipt is not None
    for table in erasure.HELD_BY:
        assert after[table] <= before[table], table
        assert len(before[table] - after[table]) == receipt.erased.get(table, 0), table
    assert {"consent", "contacts", "accounts", "account_addresses", "sent", "history"} <= receipt.erased.keys()
    store = shop.open()
    names = {str(one.change.email).lower() for one in ledger.iter_ledger(store)}
    store.close()
    assert names >= shop.members()


def everything(shop: Shop) -> dict[str, set[tuple[object, ...]]]:
    store = shop.open()
    tables = [str(name) for (name,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {table: set(store.rows(f"SELECT * FROM {table}")) for table in tables}
    store.close()
    return found


def test_no_export_brings_the_person_back(shop: Shop) -> None:
    """The account still opts in: nothing is sent, and nothing about it is noted again."""
    shop.export()
    forget(shop, PAT)
    sent = len(imported_rows(shop))
    shop.box.kibo.update_account(account_of(shop), firstName="Patricia")
    for _ in range(2):
        run = shop.export()
        assert run.status == "COMPLETE"
        assert run.counts["read"] == sum(
            run.counts.get(key, 0) for key in ("added", "updated", "unchanged", "suppressed", "rejected", "skipped")
        )
    assert PAT.lower() not in shop.members()
    assert len(imported_rows(shop)) == sent
    assert traces(shop, PAT) == []
    assert rows_about(shop, PAT) == {"suppressions": 1}
    shop.export(only=PAT)
    assert "asked to be forgotten" in shop.latest()[0].message
    assert traces(shop, PAT) == []


def test_an_observed_opt_in_lifts_it(shop: Shop) -> None:
    """The account is seen to say no and later yes: that is a new word of the person's."""
    shop.export()
    forget(shop, PAT)
    shop.later(days=1)
    shop.box.kibo.update_account(account_of(shop), acceptsMarketing=False)
    shop.export()
    assert traces(shop, PAT) == []
    shop.later(days=1)
    shop.box.kibo.update_account(account_of(shop), acceptsMarketing=True)
    shop.export()
    assert PAT.lower() in shop.members()
    assert suppressions_of(shop, PAT) == []


def test_where_nobody_opted_in_any_later_yes_counts(shop: Shop) -> None:
    """All accounts said no when the person was forgotten: no account has to be remembered for that."""
    shop.export()
    shop.box.kibo.update_account(account_of(shop), acceptsMarketing=False)
    forget(shop, PAT)
    assert rows_about(shop, PAT) == {"suppressions": 1}
    shop.later(days=1)
    shop.box.kibo.update_account(account_of(shop), acceptsMarketing=True)
    shop.export()
    assert PAT.lower() in shop.members()


def test_a_new_account_is_a_new_consent(shop: Shop) -> None:
    """The account was deleted as the receipt asked, and the person signs up again."""
    shop.export()
    forget(shop, PAT)
    shop.box.kibo.delete_account(account_of(shop))
    shop.later(days=1)
    shop.box.kibo.add_account(emailAddress=PAT.lower(), acceptsMarketing=True)
    shop.export()
    assert PAT.lower() in shop.members()
    assert suppressions_of(shop, PAT) == []


def test_every_account_on_the_address(shop: Shop) -> None:
    """Several accounts, in any case of letters, are one person; each is named in the receipt, guests included."""
    other = shop.box.kibo.add_account(emailAddress=PAT.upper(), acceptsMarketing=False)
    guest = shop.box.kibo.add_account(emailAddress=PAT, acceptsMarketing=True, isAnonymous=True)
    shop.export()
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert receipt.accounts == {account_of(shop): True, other: False, guest: True}
    shop.export()
    assert PAT.lower() not in shop.members()


def test_the_old_addresses_of_its_account_go_too(shop: Shop) -> None:
    """An e-mail change left the old address on the list: it is the same person's, and is forgotten with the new one."""
    shop.export()
    shop.box.kibo.update_account(account_of(shop), emailAddress="pat.new@example.com")
    shop.later(days=1)
    shop.export()
    assert {PAT.lower(), "pat.new@example.com"} <= shop.members()
    receipt = forget(shop, "pat.new@example.com")
    assert receipt is not None
    assert (receipt.old_addresses, receipt.on_list, receipt.unseen) == (1, 2, 0)
    assert not {PAT.lower(), "pat.new@example.com"} & shop.members()
    assert traces(shop, PAT, "pat.new@example.com") == []


def test_an_old_address_alone_leaves_the_account_alone(shop: Shop) -> None:
    """An old address may belong to someone else now: the account's current one stays, and the receipt points it out."""
    shop.export()
    shop.box.kibo.update_account(account_of(shop), emailAddress="pat.new@example.com")
    shop.later(days=1)
    shop.export()
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert receipt.moved_accounts == [account_of(shop)] or receipt.moved_accounts == (account_of(shop),)
    assert shop.members() & {PAT.lower(), "pat.new@example.com"} == {"pat.new@example.com"}
    assert traces(shop, PAT) == []


def test_a_rejected_record_holds_an_address_as_well(shop: Shop) -> None:
    """An address that cannot be sent stands among the rejected records only."""
    shop.box.kibo.add_account(emailAddress="pat..doe@example.com", acceptsMarketing=True)
    shop.export()
    assert traces(shop, "pat..doe@example.com")
    receipt = forget(shop, "pat..doe@example.com")
    assert receipt is not None
    assert traces(shop, "pat..doe@example.com") == []
    shop.export()
    assert traces(shop, "pat..doe@example.com") == []


def test_an_unsubscribe_outlives_it(shop: Shop) -> None:
    """Unsubscribed and forgotten: both hold, and later passes note neither address nor contact."""
    shop.export()
    shop.box.cc.unsubscribe(PAT)
    forget(shop, PAT)
    shop.later(days=1)
    shop.export()
    assert suppressions_of(shop, PAT) == [FORGOTTEN, UNSUBSCRIBED]
    assert traces(shop, PAT) == []
    contact = shop.box.cc.contact(PAT)
    assert contact is not None
    assert traces(shop, contact["contact_id"]) == []


def test_a_new_unsubscribe_is_a_new_act(shop: Shop) -> None:
    """An opt-out after the erasure is recorded and written to Kibo like any other; forgetting again erases it."""
    shop.export()
    forget(shop, PAT)
    shop.later(days=1)
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    assert shop.box.kibo.account(account_of(shop))["acceptsMarketing"] is False
    assert suppressions_of(shop, PAT) == [FORGOTTEN, UNSUBSCRIBED]
    forget(shop, PAT)
    assert traces(shop, PAT) == []
    shop.later(days=1)
    shop.poll(is_full=True)
    assert traces(shop, PAT) == []


def test_other_lists_stay_as_they_are(shop: Shop) -> None:
    """Only the active list is left; the contact itself stays, with its data and its permission."""
    shop.box.cc.add_list("Newsletter of somebody else")
    shop.box.cc.add_contact(seed_contact(PAT, lists=("Newsletter of somebody else",)))
    shop.export()
    before = shop.box.cc.contact(PAT)
    forget(shop, PAT)
    after = shop.box.cc.contact(PAT)
    assert before is not None
    assert after is not None
    assert before["email_address"] == after["email_address"]
    assert set(before["list_memberships"]) - set(after["list_memberships"]) == {shop.list_id}


def test_nobody_known_nothing_done(shop: Shop) -> None:
    """An address that ccsync does not know changes nothing; Constant Contact is asked once whose contact has it."""
    shop.export()
    asked, before = len(shop.box.requests.records), everything(shop)
    assert forget(shop, "nobody@example.com") is None
    assert len(shop.box.requests.records) == asked + 1
    after = everything(shop)
    assert {name for name in before if after[name] != before[name]} <= {"calls", "gates"}


def test_an_import_under_way_is_finished_first(shop: Shop) -> None:
    """The person is in an import that a dead run left behind: it could put them back after the removal."""

    def die(label: str) -> None:
        if label == "after commit" and any("contacts_json_import" in one for one in shop.requests("POST")):
            raise Crash

    shop.on_boundary = die
    with pytest.raises(Crash):
        shop.export()
    shop.on_boundary = lambda _: None
    assert rows_about(shop, PAT).get("batch_rows") == 1
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert receipt.on_list == 1
    shop.later(hours=1)
    assert PAT.lower() not in shop.members()
    assert traces(shop, PAT) == []
    shop.export()
    assert PAT.lower() not in shop.members()


def test_who_cannot_be_taken_off_the_list_is_not_erased(shop: Shop) -> None:
    """The job fails at Constant Contact: exit 9, nothing erased, nothing sent any more; the next one finishes."""
    shop.export()
    body = '{"activity_id": "00000000-0000-4000-8000-000000000000", "state": "failed"}'
    shop.box.faults.add("status", path=".*remove_list_memberships", body=body, status=201)
    with pytest.raises(RefusedError, match="nothing was erased"):
        forget(shop, PAT)
    shop.box.faults.clear()
    assert rows_about(shop, PAT)["consent"] == 1
    assert suppressions_of(shop, PAT) == [FORGOTTEN]
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert PAT.lower() not in shop.members()
    assert traces(shop, PAT) == []


def test_a_reader_in_the_way_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program reads, the write-ahead log cannot be emptied: say so, and finish the next time."""
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0)
    shop.export()
    reader = sqlite3.connect(shop.config.state.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM consent").fetchone()
    with pytest.raises(StateError, match="traces"):
        forget(shop, PAT)
    reader.close()
    assert forget(shop, PAT) is not None
    assert traces(shop, PAT) == []


def test_without_a_list_there_is_nothing_to_leave(shop: Shop) -> None:
    """The list was never chosen, or is another one now: what is held is erased all the same."""
    shop.export()
    text = shop.config_path.read_text()
    other = shop.box.cc.add_list("Another list")
    shop.config_path.write_text(text.replace(shop.list_id, other))
    shop.list_id, old = other, shop.list_id
    receipt = forget(shop, PAT)
    assert receipt is not None
    assert receipt.on_list == 0
    assert PAT in {one.strip() for one in shop.box.cc.members(old)}
    assert traces(shop, PAT) == []


def test_it_may_be_asked_twice(shop: Shop) -> None:
    """The second time there is nothing left to erase, and the receipt says the same."""
    shop.export()
    first = forget(shop, PAT)
    second = forget(shop, PAT)
    assert first is not None
    assert second is not None
    assert second == replace(first, at=second.at, run_id=second.run_id, on_list=0, erased={}, kept=second.kept)
    assert [one.kind for one in second.kept] == [FORGOTTEN]


def test_every_table_is_thought_of(tmp_path: Path) -> None:
    """Each table that can hold something of a person is erased, or is the one that keeps the hash."""
    opened = create_store(tmp_path / "ccsync.db")
    for (table,) in opened.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        columns = {str(row[1]) for row in opened.rows(f"PRAGMA table_info({table})")}
        held = columns & {"person", "account_id", "email", "contact_id", "row"}
        assert not held or table in erasure.HELD_BY or table in ("suppressions", "erasing"), table
        if held and table in erasure.HELD_BY:
            assert set(erasure.HELD_BY[str(table)]) <= columns
    opened.close()


def test_a_copy_in_a_page_that_was_rearranged(tmp_path: Path) -> None:
    """Bytes can be left between the rows of a page: then the whole file is rewritten."""
    path = tmp_path / "ccsync.db"
    create_store(path).close()
    careless = sqlite3.connect(path)
    careless.execute("PRAGMA secure_delete = OFF")
    careless.execute("INSERT INTO meta VALUES ('left', 'PAT.doe@example.com')")
    careless.commit()
    careless.execute("DELETE FROM meta WHERE key = 'left'")
    careless.commit()
    careless.close()
    assert b"PAT.doe@example.com" in path.read_bytes()
    opened = open_store(path)
    assert erasure.has_traces(opened, ["pat.DOE@example.com"])
    assert not erasure.has_traces(opened, ["kim@example.com"])
    assert erasure.finish(opened, ["pat.doe@example.com"])
    assert b"PAT.doe@example.com" not in path.read_bytes()
    assert properties.get(opened, "person_secret")
    opened.close()


@pytest.mark.parametrize("size", [64, 70, 4096])
def test_no_trace_hides_between_two_blocks(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search meets an address that lies across the end of a block."""
    monkeypatch.setattr(erasure, "_BLOCK", size)
    opened = create_store(tmp_path / "ccsync.db")
    for number in range(40):
        address = f"{'x' * number}pat{number}@example.com"
        properties.put(opened, f"key{number}", address)
        assert erasure.has_traces(opened, [address.upper()])
    opened.close()


def test_events_notice_the_new_opt_in(shop: Shop) -> None:
    """A no and a later yes, each with an event: the flush puts the person back and records nothing earlier."""
    shop.export()
    forget(shop, PAT)
    shop.later(minutes=30)
    shop.box.kibo.update_account(account_of(shop), acceptsMarketing=False)
    shop.flush()
    assert PAT.lower() not in shop.members()
    assert traces(shop, PAT) == []
    shop.later(minutes=30)
    shop.box.kibo.update_account(account_of(shop), acceptsMarketing=True)
    shop.flush()
    assert PAT.lower() in shop.members()


def test_an_event_alone_brings_nobody_back(shop: Shop) -> None:
    """The account changes its name and still opts in: the flush leaves it alone."""
    shop.export()
    forget(shop, PAT)
    shop.later(minutes=30)
    shop.box.kibo.update_account(account_of(shop), firstName="Patricia")
    run = shop.flush()
    assert run.status == "COMPLETE"
    assert PAT.lower() not in shop.members()
    assert traces(shop, PAT) == []


def test_a_dead_try_is_carried_on_by_the_flush(shop: Shop) -> None:
    """The process died before the removal: cron's next flush takes the person off the list all the same."""
    shop.export()

    def die(label: str) -> None:
        if "remove_list_memberships" in label:
            raise Crash

    shop.on_boundary = die
    with pytest.raises(Crash):
        forget(shop, PAT)
    shop.on_boundary = lambda _: None
    assert PAT.lower() in shop.members()
    shop.flush()
    assert PAT.lower() not in shop.members()
    assert forget(shop, PAT) is not None
    assert traces(shop, PAT) == []


def test_the_deleted_account_is_let_go(shop: Shop) -> None:
    """The operator deletes the account at Kibo, as the receipt says: its event leaves nothing behind either."""
    shop.export()
    forget(shop, PAT)
    shop.later(minutes=30)
    shop.box.kibo.delete_account(account_of(shop))
    run = shop.flush()
    assert run.status == "COMPLETE"
    assert rows_about(shop, PAT) == {"suppressions": 1}
    assert traces(shop, PAT) == []
