"""No before yes: what withdraws consent goes out before anything is read or added."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.errors import CcsyncError
from tests.harness import Shop
from tests.jobs.flushing import KIM, PAT, SAM, add, cannot_be_read, change, new_shop, stock


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with new_shop(tmp_path) as made:
        yield made


def opted_out_and_refused(shop: Shop) -> None:
    """Pat's opt-out is known, and Constant Contact did not take the removal."""
    stock(shop)
    change(shop, PAT, acceptsMarketing=False)
    shop.box.faults.add("status", path="/v3/activities/remove_list_memberships", nth=None, status=503)
    shop.flush()
    shop.box.faults.clear()
    assert PAT in shop.members()
    shop.later(minutes=30)


def test_a_removal_that_is_due_goes_out_though_no_account_can_be_read(shop: Shop) -> None:
    """Kibo shows events and no accounts: who opted out before leaves the list all the same."""
    opted_out_and_refused(shop)
    change(shop, SAM, lastName="Changed")
    cannot_be_read(shop)
    with pytest.raises(CcsyncError):
        shop.flush()
    assert PAT not in shop.members()


def test_a_removal_that_is_due_goes_out_though_no_event_can_be_pulled(shop: Shop) -> None:
    """The trouble is raised afterwards."""
    opted_out_and_refused(shop)
    shop.box.faults.add("status", path="/api/event/pull", nth=None, status=503)
    with pytest.raises(CcsyncError):
        shop.flush()
    assert PAT not in shop.members()


def test_removals_go_out_before_additions(shop: Shop) -> None:
    """In the order of the calls, and opt-outs are pulled before both."""
    stock(shop)
    change(shop, PAT, acceptsMarketing=False)
    add(shop, "new@example.com")
    before = len(shop.requests())
    shop.flush()
    calls = shop.requests()[before:]
    pulled = calls.index("GET /v3/contacts")
    removed = calls.index("POST /v3/activities/remove_list_memberships")
    assert pulled < removed < calls.index("POST /v3/activities/contacts_json_import")
    assert {PAT, KIM}.isdisjoint(shop.members())
    assert "new@example.com" in shop.members()


def test_removals_that_were_due_count_for_the_safety_limit(tmp_path: Path) -> None:
    """Those that go out before the reading and those that follow from it are one run's."""
    with new_shop(tmp_path, "\nmax_opt_outs = 2\n") as shop:
        people = [f"person{number}@example.com" for number in range(4)]
        for one in people:
            add(shop, one)
        stock(shop)
        for one in people[:2]:
            change(shop, one, acceptsMarketing=False)
        shop.box.faults.add("status", path="/v3/activities/remove_list_memberships", nth=None, status=503)
        with pytest.raises(CcsyncError):
            shop.flush()
        shop.box.faults.clear()
        shop.later(minutes=30)
        for one in people[2:]:
            change(shop, one, acceptsMarketing=False)
        with pytest.raises(CcsyncError) as caught:
            shop.flush()
        assert caught.value.exit_code == 10
        assert set(people) & shop.members() == set(people[2:])
