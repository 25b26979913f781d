"""Pulling Kibo's events, in every way that its undocumented endpoint may behave."""

from itertools import product
from pathlib import Path

import pytest

from ccsync.errors import VendorUnreachable
from tests.harness import Shop
from tests.jobs.flushing import PAT, add, change, new_shop, stock

NEW = "new@example.com"


def check(shop: Shop) -> None:
    """A new customer, a change and a second run that finds nothing."""
    stock(shop)
    add(shop, NEW)
    change(shop, PAT, lastName="Newname")
    shop.flush()
    assert NEW in shop.members()
    assert (shop.box.cc.contact(PAT) or {})["last_name"] == "Newname"
    shop.later(minutes=30)
    assert not any(shop.flush().counts.values())


@pytest.mark.parametrize(
    ("filter_", "sort", "order"),
    list(product(("works", "refuse", "ignore"), ("works", "refuse", "ignore"), ("oldest", "newest", "stored"))),
)
def test_filter_and_sort_may_work_or_not(tmp_path: Path, filter_: str, sort: str, order: str) -> None:
    """Whatever the vendor takes of filter and sort order, and however it sorts by itself, nothing is missed."""
    with new_shop(tmp_path, event_filter=filter_, event_sort=sort, event_default_order=order) as shop:
        check(shop)


@pytest.mark.parametrize("host", ["home", "tenant", "both"])
def test_events_may_be_at_either_host(tmp_path: Path, host: str) -> None:
    """The host that serves events is found out."""
    with new_shop(tmp_path, event_host=host) as shop:
        if host == "tenant":  # an operator who knows nothing of it has not set event_url
            text = shop.config_path.read_text()
            shop.config_path.write_text("\n".join(one for one in text.splitlines() if "event_url" not in one) + "\n")
        check(shop)


@pytest.mark.parametrize("dashed", [False, True])
def test_ids_with_and_without_dashes_are_one(tmp_path: Path, dashed: bool) -> None:
    """An id is the same id however it is written."""
    with new_shop(tmp_path, event_ids_dashed=dashed) as shop:
        check(shop)


def test_an_event_that_becomes_visible_late_is_not_missed(tmp_path: Path) -> None:
    """Half an hour late is within the overlap of every run."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        shop.box.kibo.events.lag_seconds = 1_700.0
        add(shop, NEW)
        shop.flush()
        assert NEW not in shop.members()
        for _ in range(2):
            shop.later(minutes=30)
            shop.flush()
        assert NEW in shop.members()


def test_an_event_that_comes_a_day_late_is_not_missed(tmp_path: Path) -> None:
    """Once a day the pull reaches a whole day back."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        shop.box.kibo.events.lag_seconds = 20 * 3600.0
        add(shop, NEW)
        for _ in range(50):
            shop.later(minutes=30)
            shop.flush()
        assert NEW in shop.members()


def test_odd_events_are_harmless(tmp_path: Path) -> None:
    """Repeated, about nobody, of other topics, tests, with null fields: none does anything, none stops the rest."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        account = shop.box.kibo.find_by_email(PAT)[0]
        for topic, entity, fields in (
            ("customeraccount.updated", "999999", {}),
            ("customeraccount.deleted", "999999", {}),
            ("customeraccount.deleted", str(account), {}),
            ("customeraccount.updated", str(account), {"isTest": True}),
            ("customeraccount.updated", "not a number", {}),
            ("customeraccount.updated", "-5", {}),
            ("customeraccount.updated", None, {}),
            ("customeraccount.updated", str(account), {"auditInfo": None}),
            ("customersegment.updated", "5", {}),
            ("b2baccount.statuschanged", "5", {"siteId": None, "correlationId": None}),
        ):
            shop.box.kibo.add_event(topic, entity, **fields)
        add(shop, NEW)
        run = shop.flush()
        assert shop.members() == {PAT, "sam@example.com", NEW}, "who is there is not deleted, whatever an event says"
        assert run.counts.get("removed", 0) == run.counts.get("failed", 0) == 0


def test_pages_that_repeat_for_ever_end(tmp_path: Path) -> None:
    """What was read is dealt with, the run ends and says so, and the bookmark stays where it was."""
    with new_shop(tmp_path, event_pages_repeat=True) as shop:
        add(shop, PAT)
        shop.export()
        shop.later(minutes=30)
        add(shop, NEW)
        with pytest.raises(VendorUnreachable, match="never end"):
            shop.flush()
        assert NEW in shop.members()


def test_no_event_ever_says_what_to_check(tmp_path: Path) -> None:
    """An application that subscribes to nothing gets no events: the run says where to look."""
    with new_shop(tmp_path, event_topics=frozenset()) as shop:
        stock(shop)
        shop.flush()
        assert "Dev Center" in shop.notices["no-events"]


def test_our_own_writes_echo_as_unchanged(tmp_path: Path) -> None:
    """An event without a change costs nothing at Constant Contact."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        change(shop, PAT)  # a PUT of what is there already
        run = shop.flush()
        assert run.counts["unchanged"] == 1
        assert run.total_contacts == 1


def test_a_page_that_is_lost_is_read_by_the_next_run(tmp_path: Path) -> None:
    """The bookmark moves with the last page: after a page that failed, everything since the old one is read again."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        everybody = [f"p{number}@example.com" for number in range(130)]
        for address in everybody:
            add(shop, address)
        shop.later(days=3)
        shop.box.faults.add("status", path="/api/event/pull", nth=2, times=50, status=500)
        with pytest.raises(VendorUnreachable):
            shop.flush()
        shop.box.faults.clear()
        shop.later(minutes=30)
        shop.flush()
        assert set(everybody) <= shop.members()


def test_a_total_that_is_too_low_hides_no_event(tmp_path: Path) -> None:
    """A full page of events is no end: what Kibo does not count is pulled all the same."""
    with new_shop(tmp_path, total_cap=200) as shop:
        stock(shop)
        (account_id,) = shop.box.kibo.find_by_email(PAT)
        for number in range(250):
            shop.box.kibo.update_account(account_id, lastName=f"Name{number}")
        add(shop, NEW)
        shop.flush()
        assert NEW in shop.members()
