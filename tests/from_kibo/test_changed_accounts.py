"""flush-events where events may have been missed: all accounts are compared, and only differences are sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.errors import OutOfTime
from ccsync.from_kibo import events
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import properties
from tests.harness import Shop, imported_rows
from tests.jobs.flushing import KIM, PAT, SAM, add, change, delete, new_shop, stock


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store whose events nobody read for eight days, and has now forgotten them."""
    with new_shop(tmp_path) as made:
        stock(made)
        add(made, "gone@example.com")
        made.flush()
        made.later(days=8)
        yield made


def test_what_changed_meanwhile_is_found(shop: Shop) -> None:
    """Opt-ins, changes, opt-outs and deletions of which no event tells any more; nothing else is sent."""
    change(shop, KIM, acceptsMarketing=True)
    change(shop, PAT, lastName="Newname")
    change(shop, SAM, acceptsMarketing=False)
    delete(shop, "gone@example.com")
    shop.box.kibo.events.forget()
    before = len(imported_rows(shop))
    run = shop.flush()
    assert shop.members() == {PAT, KIM}
    assert sorted(str(row["email"]) for row in imported_rows(shop)[before:]) == [KIM, PAT]
    assert (run.counts["added"], run.counts["updated"], run.counts["removed"]) == (1, 1, 2)
    assert "8 days ago" in run.message


def test_the_next_run_reads_events_again(shop: Shop) -> None:
    """A sweep takes the bookmark from its own start: the next run costs what an ordinary one does."""
    shop.flush()
    shop.later(minutes=30)
    change(shop, PAT, lastName="Newname")
    run = shop.flush()
    assert (run.counts["read"], run.counts["updated"], run.message) == (1, 1, "")


def test_a_change_in_the_middle_of_the_sweep_is_not_lost(shop: Shop) -> None:
    """Somebody who opts in behind the sweep is found by the next run at the latest."""
    late = add(shop, "late@example.com", acceptsMarketing=False)
    shop.box.kibo.events.forget()

    def opt_in() -> None:
        shop.box.kibo.update_account(late, acceptsMarketing=True)

    shop.box.faults.before(opt_in, path="/v3/activities/contacts_json_import", nth=1)
    change(shop, PAT, lastName="Newname")
    shop.flush()
    shop.later(minutes=30)
    shop.flush()
    assert "late@example.com" in shop.members()


def test_without_a_bookmark_everybody_is_compared(shop: Shop) -> None:
    """A bookmark that is missing says nothing about what was missed."""
    store = shop.open()
    store.run("DELETE FROM bookmarks WHERE stream = ?", events.STREAM.name)
    store.close()
    change(shop, PAT, lastName="Newname")
    run = shop.flush()
    assert "It is unknown how far events were read" in run.message
    assert run.counts["updated"] == 1


def test_a_store_too_large_for_one_run_is_left_to_an_export(tmp_path: Path) -> None:
    """Where the sweep would outlast the run, it says so and names the export; only the three totals are read."""
    with Shop(tmp_path, SandboxSettings(customers=60_000)) as shop:
        store = shop.open()
        properties.put(store, properties.EXPORTED_LIST, shop.list_id)
        store.close()
        shop.clock.left = 60.0
        with pytest.raises(OutOfTime, match="longer than this run"):
            shop.flush()
        assert len(shop.requests("GET", "customer/accounts")) == 3
