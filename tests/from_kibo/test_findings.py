"""What Kibo refuses or leaves out is found out once a week, not in every run."""

from itertools import product
from pathlib import Path

import pytest

from tests.harness import Shop
from tests.jobs.flushing import add, change, new_shop, stock

EVENTS = "/api/event/pull"
ACCOUNTS = "/api/commerce/customer/accounts"
WAYS = ("works", "refuse", "ignore")


def asked(shop: Shop, job: str, path: str) -> list[tuple[str, int]]:
    """The filter and the status of each call to `path` that one run of a job makes."""
    shop.box.requests.records.clear()
    getattr(shop, job)()
    return [
        (dict(one.query).get("filter", ""), one.status)
        for one in shop.box.requests.records
        if one.path.startswith(path)
    ]


@pytest.mark.parametrize(("filter_", "sort"), list(product(WAYS, WAYS)))
def test_an_idle_flush_asks_for_events_once(tmp_path: Path, filter_: str, sort: str) -> None:
    """Whatever of filter and order is refused or ignored, the second run knows: one call, and it succeeds."""
    with new_shop(tmp_path, event_filter=filter_, event_sort=sort) as shop:
        stock(shop)
        assert [status for _, status in asked(shop, "flush", EVENTS)] == [200]


def test_a_refusal_is_believed_for_a_week(tmp_path: Path) -> None:
    """After that every way is tried again, the best first."""
    with new_shop(tmp_path, event_filter="refuse", event_sort="refuse") as shop:
        stock(shop)
        for days, statuses in ((6, [200]), (2, [400, 400, 400, 200]), (0, [200])):
            shop.later(days=days, minutes=30)
            assert [status for _, status in asked(shop, "flush", EVENTS)] == statuses


def test_what_was_taken_and_is_refused_now_costs_no_event(tmp_path: Path) -> None:
    """A vendor that changes its ways within the week is asked in the other ways at once."""
    with new_shop(tmp_path, event_sort="refuse") as shop:
        stock(shop)
        add(shop, "new@example.com")
        shop.box.faults.add("status", path=EVENTS, status=400, body='{"errorCode": "VALIDATION_ERROR"}')
        shop.flush()
        assert "new@example.com" in shop.members()


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"update_date_filter": "refuse"}, ""),
        ({"update_date_filter": "ignore"}, ""),
        ({"update_date_name": "nested"}, "auditInfo.updateDate"),
        ({"update_date_name": "both"}, "updateDate"),
    ],
)
def test_the_name_of_the_update_date_is_found_out_once(tmp_path: Path, settings: dict[str, object], name: str) -> None:
    """The third export asks by the name that is taken, or not at all; in the first everybody is new."""
    with new_shop(tmp_path, **settings) as shop:
        stock(shop)
        shop.export()
        change(shop, "pat@example.com", lastName="Newname")
        by_date = [one for one in asked(shop, "export", ACCOUNTS) if "pdateDate" in one[0]]
        assert [(text.partition(" ")[0], status) for text, status in by_date] == ([(name, 200)] if name else [])
        assert (shop.box.cc.contact("pat@example.com") or {})["last_name"] == "Newname"


def test_parts_that_the_list_lacks_are_not_looked_for_again(tmp_path: Path) -> None:
    """The second export reads each customer once, and no page twice."""
    with new_shop(tmp_path, rows_carry=frozenset({"segments"})) as shop:
        for number in range(6):
            add(shop, f"p{number}@example.com", contacts=[{"phoneNumbers": {"home": f"512-555-010{number}"}}])
        shop.export()
        shop.box.requests.records.clear()
        shop.export()
        singly = [one for one in shop.requests("GET", ACCOUNTS) if not one.endswith("/accounts")]
        pages = [
            one for one in shop.box.requests.records if dict(one.query).get("sortBy") and one.path.endswith("/accounts")
        ]
        assert len(singly) == len(set(singly)) == 6
        assert len([one for one in pages if dict(one.query).get("pageSize") == "200"]) <= 2
