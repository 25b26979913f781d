"""Rows of Kibo's list that are known again: they are not mapped a second time, and nothing else is left out for it."""

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from ccsync import decoding
from ccsync.consent.decisions import Act
from ccsync.from_kibo.known_rows import KnownRows
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.mapping.contact import fingerprint
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import properties, staging
from ccsync.state.log.runs import Run
from ccsync.state.staging import Staged
from ccsync.state.views import known_rows
from tests.consent.test_one_decision import MARK, OLD_MARK, Crowd
from tests.harness import Crash, Shop

CUSTOMERS = 30
ROW = '{"id": 1, "contacts": [{"x": 1}]}'


def of_row(text: str, *, is_text: bool = False) -> Customer:
    return Customer(1, None, True, None, None, None, text.encode() if is_text else json.loads(text))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose first export is done; everybody opts in."""
    with Shop(tmp_path, SandboxSettings(customers=CUSTOMERS, seed=8, opted_in_percent=100)) as found:
        found.export()
        yield found


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A run's tools, of a shop without customers."""
    with Shop(tmp_path, SandboxSettings(customers=0)) as shop:
        store = shop.open()
        tools = shop._clients(store)
        staging.clear(store)
        yield shop._context(store, tools)
        shop._close(store, tools)


def export(shop: Shop, job: Callable[[Shop], Run] = Shop.export) -> tuple[Run, set[int]]:
    """A job's run, and the accounts whose rows it knew again."""
    known = set[int]()

    def look(label: str) -> None:
        store, is_staged = shop._kept, "SELECT 1 FROM temp.sqlite_master WHERE name = 'staged'"
        if label == "after commit" and store is not None and store.exists(is_staged):
            sql = "SELECT account_id FROM temp.staged WHERE person NOT NULL AND row IS NULL"
            known.update(store.column(int, sql))

    shop.on_boundary = look
    run = job(shop)
    shop.on_boundary = lambda _: None
    return run, known


def somebody(shop: Shop) -> tuple[int, str]:
    """An account whose row is known again, and its address."""
    _, known = export(shop)
    account = shop.box.kibo.account(min(known))
    return min(known), str(account["emailAddress"]).lower()


@pytest.mark.parametrize("has_library", [True, False], ids=["msgspec", "no msgspec"])
def test_rows_that_have_not_changed_are_known_again(
    has_library: bool, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second export knows most customers again, all but the odd ones, and counts them as before: as unchanged.

    Where the library that decodes is gone or is new, that takes one more export, which sends nothing either.
    """
    first = shop.latest()[0]
    if not has_library:
        monkeypatch.setattr(decoding, "_library", cache(lambda: None))
        assert not export(shop)[1]
    run, known = export(shop)
    assert len(known) >= 0.5 * CUSTOMERS
    assert run.counts["unchanged"] == first.counts["added"]
    assert {key: run.counts.get(key, 0) for key in ("added", "updated", "removed")} == dict.fromkeys(
        ("added", "updated", "removed"), 0
    )


def test_a_row_that_changed_is_mapped_again(shop: Shop) -> None:
    """The change is sent, and the next run knows the row as it is now."""
    account_id, _ = somebody(shop)
    shop.box.kibo.update_account(account_id, lastName="Changed")
    run, known = export(shop)
    assert account_id not in known
    assert run.counts["updated"] == 1
    run, known = export(shop)
    assert account_id in known
    assert run.counts.get("updated", 0) == 0


@pytest.mark.parametrize("is_text", [True, False], ids=["text", "decoded"])
@pytest.mark.parametrize(
    ("row", "person", "mark"),
    [
        ('{"id": 1, "contacts": [{"x": 2}]}', b"a", MARK),
        ('{"id": 1, "contacts": [{"x": 1.0}]}', b"a", MARK),
        ('{"id": 1, "contacts": [{"x": true}]}', b"a", MARK),
        ('{"id": 1, "contacts": [{"y": 1}]}', b"a", MARK),
        ('{"id": 1, "contacts": [{"x": 1}], "notes": null}', b"a", MARK),
        ('{"id": 1, "contacts": [{"x": 1}]}', b"b", MARK),
        ('{"id": 1, "contacts": [{"x": 1}]}', b"a", OLD_MARK),
    ],
)
def test_any_other_value_makes_another_hash(
    row: str, person: bytes, mark: bytes, is_text: bool, context: Context
) -> None:
    """However deep it lies, whether it is mapped or not; so do another person and another fingerprint."""
    rows = KnownRows(context)
    hashes = {rows.hash_of(of_row(text, is_text=is_text), b"a", MARK) for text in [ROW, ROW]}
    assert len(hashes) == 1
    assert rows.hash_of(of_row(row, is_text=is_text), person, mark) not in hashes


def test_another_mapping_knows_nobody(shop: Shop) -> None:
    """What is mapped in another way is mapped again, and sent."""
    assert export(shop)[1]
    shop.config_path.write_text(shop.config_path.read_text() + '\n[mapping]\njob_title = "id"\n')
    run, known = export(shop)
    assert not known
    assert run.counts["updated"] >= 0.5 * CUSTOMERS


def test_with_tags_nobody_is_known(shop: Shop) -> None:
    """A customer's tags are read from the row: each is looked into."""
    shop.config_path.write_text(shop.config_path.read_text() + '\n[tags]\nVIP = "VIP"\n')
    assert not export(shop)[1]


def test_what_a_dead_run_did_not_send_is_sent(shop: Shop) -> None:
    """A row that was mapped, but never sent, is not known again: the hash vouches for what was sent alone."""
    account_id, _ = somebody(shop)
    shop.box.kibo.update_account(account_id, lastName="Changed")

    def die(label: str) -> None:
        if label.startswith("before POST") and label.endswith("contacts_json_import"):
            raise Crash

    shop.on_boundary = die
    with pytest.raises(Crash):
        shop.export()
    run, known = export(shop)
    assert account_id not in known
    assert run.counts["updated"] == 1


def test_who_unsubscribed_is_not_known_again(shop: Shop) -> None:
    """The row says yes as before, and the person has said no at Constant Contact."""
    account_id, address = somebody(shop)
    before = shop.latest()[0].counts.get("suppressed", 0)
    shop.box.cc.unsubscribe(address)
    run, known = export(shop)
    assert account_id not in known
    assert run.counts["suppressed"] == before + 1


def test_a_no_and_a_new_yes_are_both_observed(shop: Shop) -> None:
    """An account that says no leaves the list; when its row is again what it was, its yes is an opt-in."""
    account_id, address = somebody(shop)
    before = dict(shop.box.kibo.account(account_id))
    shop.box.kibo.update_account(account_id, acceptsMarketing=False)
    shop.later(hours=1)
    shop.flush()
    assert address not in shop.members()
    store = shop.open()
    kept = store.value(bytes, "SELECT row_hash FROM accounts WHERE account_id = ?", account_id)
    store.close()
    assert kept is None  # of an account that says no nothing more than that is remembered
    shop.later(hours=1)
    shop.box.kibo.update_account(account_id, acceptsMarketing=True)
    run, known = export(shop)
    assert before["acceptsMarketing"]
    assert account_id not in known
    assert run.counts["added"] == 1
    assert address in shop.members()


def test_a_younger_account_of_a_known_person_wins(shop: Shop) -> None:
    """A second account of a person, with newer data: its row decides, though the other one is known again."""
    account_id, address = somebody(shop)
    shop.later(hours=1)
    shop.box.kibo.add_account(emailAddress=address, acceptsMarketing=True, firstName="Newer", lastName="Name")
    run, known = export(shop)
    assert account_id in known
    assert run.counts["updated"] == 1
    run, _ = export(shop)
    assert run.counts.get("updated", 0) == 0


def test_whoever_changed_since_is_read_by_the_next_flush(context: Context) -> None:
    """Nothing is at hand of a row that was known again: if more has to be done after all, its account is read."""
    store = context.store
    store.run("INSERT INTO contacts (person, is_ours) VALUES (?, 1)", b"a")  # off the list since
    with store.transaction():
        staging.stage_known(store, [(7, None, b"a", MARK)])
    assert not list(iter_decisions(context, is_retry=False))
    assert store.column(int, "SELECT account_id FROM tasks WHERE kind = 'read'") == [7]
    assert not staging.have_read(store)


def test_a_row_nested_too_deeply_is_never_known(context: Context) -> None:
    """What cannot be hashed is mapped each time."""
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    customer = Customer(1, None, True, None, None, None, {"id": 1, "notes": deep})
    assert KnownRows(context).hash_of(customer, b"a", fingerprint({})) is None


@pytest.mark.parametrize("number", [2_000, pytest.param(10_000, marks=pytest.mark.deep)])
def test_nobody_is_passed_over_whose_decision_is_another_one(number: int, context: Context) -> None:
    """Of random people with several accounts: who needs no decision is unchanged by the one rule for everybody."""
    store, chance = context.store, random.Random(number)
    with store.transaction():
        properties.put(store, properties.EXPORTED_LIST, context.list_id)
        crowd = list(Crowd(store, context.list_id, seed=number).make(number))
    accepting = [(person, one) for person in crowd for one in person.accepting]
    is_known = {one.account_id: chance.random() < 0.7 for _, one in accepting}
    marks = {account_id: MARK if known else chance.choice([MARK, OLD_MARK]) for account_id, known in is_known.items()}
    rows = {
        one.account_id: Staged(
            one.account_id, one.since, person.key, marks[one.account_id], f'{{"email":"{person.address}"}}'
        )
        for person, one in accepting
    }
    with store.transaction():
        staging.stage(store, rows.values())
        known_rows.note(store, [(one, b"a hash") for one in rows])
    decided = {staged.person: decision for staged, decision in iter_decisions(context, is_retry=False)}
    with store.transaction():
        for one in rows.values():
            if is_known[one.account_id]:
                staging.stage_known(store, [(one.account_id, one.updated_at, one.person, MARK)])
    looked_at = {staged.person: decision for staged, decision in iter_decisions(context, is_retry=False)}
    left = set(store.column(bytes, "SELECT DISTINCT person FROM staged"))  # the others are read by the next flush
    passed_over = left - looked_at.keys()
    assert len(passed_over) > number // 300
    assert {(decided[one].act, decided[one].is_email_only) for one in passed_over} == {(Act.UNCHANGED, False)}
    assert all(decided[one] == decision for one, decision in looked_at.items())
    candidates = known_rows.candidates(store, context.list_id, list(rows)[:900])
    of_mark = {rows[account_id].person for account_id, _, mark, _ in candidates if mark == MARK}
    assert of_mark
    assert of_mark <= {one for one, decision in decided.items() if decision.act in (Act.UNCHANGED, Act.UPDATE)}
