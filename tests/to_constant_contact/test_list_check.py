"""The look at opt-outs and members on which everybody who is sent depends: never older than ten minutes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccsync.to_constant_contact import batches
from tests.harness import LIST, Shop, imported_rows
from tests.jobs.polling import accepts, join, settled, small_shop

CROWD = [f"person{number}@example.com" for number in range(8)]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """An import takes two people."""
    monkeypatch.setattr(batches, "MOST_ROWS", 2)
    with small_shop(tmp_path, customers=0) as made:
        yield made


def after_first(shop: Shop, label: str, act: Callable[[], None]) -> None:
    """Something happens once, after the first call of this kind."""
    has_happened = False

    def listen(heard: str) -> None:
        nonlocal has_happened
        if not has_happened and heard.startswith("after ") and label in heard:
            has_happened = True
            act()

    shop.on_boundary = listen


def sent(shop: Shop) -> set[object]:
    return {row["email"] for row in imported_rows(shop)}


def still_to_be_sent(shop: Shop, before: int) -> str:
    """Somebody whom no import of this run has held yet."""
    done = {row["email"] for row in imported_rows(shop)[before:]}
    return next(one for one in CROWD if one not in done)


@pytest.mark.parametrize("minutes", [10, 300])
@pytest.mark.parametrize("act", ["unsubscribe", "leave_list"])
def test_who_says_no_in_the_middle_of_a_long_export_is_not_sent(act: str, minutes: int, shop: Shop) -> None:
    """By no later batch, though the first one was sent long before; who has left is opted out by the next poll."""
    accounts = join(shop, *CROWD)
    settled(shop)
    for one in accounts:
        shop.box.kibo.update_account(one, lastName="Changed")
    before, said_no = len(imported_rows(shop)), list[str]()

    def say_no() -> None:
        said_no.append(still_to_be_sent(shop, before))
        getattr(shop.box.cc, act)(said_no[0], *([LIST] if act == "leave_list" else []))
        shop.later(minutes=minutes)

    after_first(shop, "contacts_json_import", say_no)
    run = shop.export()
    assert {row["email"] for row in imported_rows(shop)[before:]} == set(CROWD) - set(said_no)
    assert said_no[0] not in shop.members()
    assert run.counts["updated"] == len(CROWD) - 1
    shop.on_boundary = lambda _: None
    shop.poll()
    assert accepts(shop, accounts[CROWD.index(said_no[0])]) is False


def test_a_look_is_not_renewed_before_it_is_old(shop: Shop) -> None:
    """An export that sends at once pulls opt-outs before the first batch, and not again."""
    join(shop, *CROWD)
    shop.export()
    pulls = [one for one in shop.box.requests.records if any(name == "optout_after" for name, _ in one.query)]
    assert len(imported_rows(shop)) == len(CROWD)
    assert len(pulls) == 1


def test_who_says_no_while_kibo_is_slow_is_not_sent(shop: Shop) -> None:
    """The store took hours to read: opt-outs and members are looked at after that."""
    accounts = join(shop, *CROWD)
    settled(shop)
    for one in accounts:
        shop.box.kibo.update_account(one, lastName="Changed")
    before = len(imported_rows(shop))

    def say_no() -> None:
        shop.box.cc.unsubscribe(CROWD[0])
        shop.box.cc.leave_list(CROWD[1], LIST)
        shop.later(hours=5)

    after_first(shop, "/customer/accounts", say_no)
    shop.export()
    assert {row["email"] for row in imported_rows(shop)[before:]} == set(CROWD[2:])


def test_a_long_flush_renews_its_look_as_well(shop: Shop) -> None:
    """What holds for an export holds for every job that sends."""
    accounts = join(shop, *CROWD)
    settled(shop)
    shop.flush()
    shop.later(minutes=30)
    for one in accounts:
        shop.box.kibo.update_account(one, lastName="Changed")
    before, said_no = len(imported_rows(shop)), list[str]()

    def say_no() -> None:
        said_no.append(still_to_be_sent(shop, before))
        shop.box.cc.unsubscribe(said_no[0])
        shop.later(minutes=12)

    after_first(shop, "contacts_json_import", say_no)
    shop.flush()
    assert {row["email"] for row in imported_rows(shop)[before:]} == set(CROWD) - set(said_no)


def test_a_batch_is_stored_some_rows_at_a_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction holds more than its share of rows, so that nobody waits long for the state file."""
    monkeypatch.setattr(batches, "MOST_ROWS", 8)
    monkeypatch.setattr(batches, "_FROZEN_AT_ONCE", 3)
    join(shop, *CROWD)
    stored = list[int]()

    def count(label: str) -> None:
        if label != "after commit":
            return
        store = shop.open()
        stored.append(store.number("SELECT count(*) FROM batch_rows"))
        store.close()

    shop.on_boundary = count
    shop.export()
    assert {3, 6, 8} <= set(stored)
    assert sent(shop) == set(CROWD)
