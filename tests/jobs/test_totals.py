"""Kibo's total and its pages may contradict each other: everybody it shows is dealt with, and the job ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import properties
from tests.harness import Shop
from tests.jobs.reconciling import reconcile
from tests.jobs.test_export import expected_members

SETTINGS = SandboxSettings(customers=450, seed=11)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SETTINGS) as made:
        yield made


def exported_list(shop: Shop) -> str | None:
    store = shop.open()
    found = properties.get(store, properties.EXPORTED_LIST)
    store.close()
    return found


@pytest.mark.parametrize("too_many", [1, 250])
def test_a_total_that_stays_too_high_does_not_block_the_export(shop: Shop, too_many: int) -> None:
    """The export counts as finished, sends everybody Kibo shows, and remarks on the total; so does each later one."""
    shop.box.kibo.total_off = too_many
    for _ in range(2):
        run = shop.export()
        assert run.status == "COMPLETE"
        assert shop.members() == expected_members(shop)
        assert exported_list(shop) == shop.list_id
        assert any("more than it shows" in one for one in shop.remarks)


@pytest.mark.parametrize("told", [200, 34, 0])
def test_a_total_that_is_too_low_hides_nobody(shop: Shop, told: int) -> None:
    """A full page is no end: an export, a sweep of a flush and reconcile read on until Kibo shows nobody new."""
    shop.box.kibo.total_off = told - shop.box.kibo.opted_in_count()
    assert shop.export().status == "COMPLETE"
    assert shop.members() == expected_members(shop)
    shop.later(days=9)
    shop.box.kibo.add_account(emailAddress="late@example.com", firstName="L", acceptsMarketing=True)
    assert shop.flush().status == "COMPLETE"
    assert shop.members() == expected_members(shop)
    assert reconcile(shop)[0].drift == 0


def test_a_total_that_stays_too_high_costs_few_calls(shop: Shop) -> None:
    """Its pages are not read once more from the start: the end was seen, and looked at twice."""
    shop.export()
    before = len(shop.requests("GET", "/customer/accounts"))
    shop.export()
    usual = len(shop.requests("GET", "/customer/accounts")) - before
    shop.box.kibo.total_off = 1
    before = len(shop.requests("GET", "/customer/accounts"))
    shop.export()
    assert len(shop.requests("GET", "/customer/accounts")) - before <= usual + 8


@pytest.mark.parametrize("kind", ["short", "repeat"])
@pytest.mark.parametrize("nth", range(4, 9))
def test_a_page_that_is_cut_short_or_comes_twice_hides_nobody(shop: Shop, kind: str, nth: int) -> None:
    """One faulty page among the others is read again where its boundary does not match; all are on the list."""
    shop.box.kibo.page_faults.add(kind, nth=nth)
    run = shop.export()
    assert run.status == "COMPLETE"
    assert shop.members() == expected_members(shop)


def test_a_total_that_stays_too_high_does_not_block_the_events(shop: Shop) -> None:
    """A flush that has to compare all customers ends well and goes on from there with events."""
    shop.export()
    shop.box.kibo.total_off = 1
    shop.later(days=9)
    account_id = shop.box.kibo.add_account(emailAddress="late@example.com", firstName="L", acceptsMarketing=True)
    assert account_id
    assert shop.flush().status == "COMPLETE"
    assert "late@example.com" in shop.members()
    shop.later(minutes=30)
    shop.flush()
    assert not any("compared with what was sent" in one for one in shop.remarks)
