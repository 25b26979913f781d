"""Calls go out before their answers are needed, and nothing that is concluded from them is later than they are."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccsync.errors import VendorUnreachable
from ccsync.sandbox.server import Record
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import Shop, imported_rows
from tests.jobs.polling import join, settled, small_shop, suppressed

LONG = [f"{'a' * length}@example.com" for length in range(40, 63, 4)]
LATE = "late@example.com"


def calls_of(shop: Shop, run: Callable[[], object]) -> list[Record]:
    """The calls that a run makes, in the order in which they were sent."""
    before = len(shop.box.requests.records)
    run()
    return list(shop.box.requests.records)[before:]


def query_of(call: Record) -> dict[str, str]:
    return dict(call.query)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SandboxSettings(customers=450, seed=11)) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Shop]:
    with small_shop(tmp_path, customers=0) as made:
        yield made


def test_kibo_works_while_constant_contact_shows_the_list(shop: Shop) -> None:
    """Totals and events are asked for first, and no total twice."""
    settled(shop)
    made = calls_of(shop, shop.export)
    totals = [one for one in made if query_of(one).get("pageSize") == "1"]
    asked = [one.path for one in made]
    assert len(totals) == 3
    assert max(asked.index("/api/event/pull"), made.index(totals[-1])) < next(
        number for number, one in enumerate(asked) if "contact_lists" in one
    )


def test_a_first_export_reads_customers_while_opt_outs_are_pulled(shop: Shop) -> None:
    """Once the operator has agreed, their first page is on its way."""
    made = calls_of(shop, shop.export)
    first = next(number for number, one in enumerate(made) if query_of(one).get("pageSize") == "200")
    opt_outs = next(number for number, one in enumerate(made) if query_of(one).get("status") == "unsubscribed")
    assert first < opt_outs


def test_the_look_at_changes_goes_out_behind_the_last_page(shop: Shop) -> None:
    """Before the pages are processed: the probe of a row comes after it."""
    settled(shop)
    made = [one for one in calls_of(shop, shop.export) if "/customer/accounts" in one.path]
    last = max(number for number, one in enumerate(made) if query_of(one).get("startIndex") == "199")
    assert "updateDate" in query_of(made[last + 1])["filter"]


def test_the_probe_of_a_changed_row_holds_up_no_page(shop: Shop) -> None:
    """A flush of several pages of changes: the second is under way before a row of the first is compared."""
    settled(shop)
    for account_id in shop.box.kibo.account_ids()[:250]:
        shop.box.kibo.update_account(account_id, lastName="Changed")
    made = [one for one in calls_of(shop, shop.flush) if "/customer/accounts" in one.path]
    starts = [query_of(one).get("startIndex") for one in made]
    assert starts.index("199") < starts.index(None)


def test_an_event_of_the_time_while_constant_contact_kept_us_waiting_is_read(small: Shop) -> None:
    """The bookmark moves to when the first page was asked for, hours before the run went on."""
    join(small, "first@example.com")
    settled(small)

    def join_late() -> None:
        small.box.kibo.add_account(emailAddress=LATE, firstName="L", acceptsMarketing=True)
        small.later(hours=3)

    small.on_boundary = lambda heard: join_late() if heard == "after GET /v3/contacts" and not accounts() else None

    def accounts() -> list[int]:
        return small.box.kibo.find_by_email(LATE)

    small.flush()
    small.on_boundary = lambda _: None
    small.later(minutes=30)
    small.flush()
    assert LATE in small.members()


def test_what_cannot_go_out_early_keeps_back_no_opt_out(small: Shop) -> None:
    """Kibo gives no token: the unsubscribed are known all the same, and the flush ends with that trouble."""
    join(small, LATE)
    settled(small)
    small.later(hours=2)
    small.box.cc.unsubscribe(LATE)
    small.box.faults.add("status", path=".*authtickets.*", status=503, nth=None)
    with pytest.raises(VendorUnreachable, match="Kibo"):
        small.flush()
    assert "unsubscribed" in suppressed(small, LATE)


@pytest.mark.parametrize("way", ["accept", "drop", "lose", "correctable"])
def test_the_longest_address_speaks_for_the_others(way: str, tmp_path: Path) -> None:
    """One look where imports take it; where they do not, everybody with a long address is looked for, and named."""
    with small_shop(tmp_path, customers=0, long_address_import=way) as shop:
        join(shop, *LONG)
        before = len(shop.box.requests.records)
        run = shop.export()
        looks = [one for one in list(shop.box.requests.records)[before:] if "email" in query_of(one)]
        assert len(imported_rows(shop)) == len(LONG)
        assert len(looks) == 1 or way != "accept"
        assert shop.members() == (set(LONG) if way == "accept" else set())
        assert run.counts["rejected"] == (0 if way == "accept" else len(LONG))
