"""Bulk jobs at Constant Contact that take for ever: consent gets through in both directions meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.errors import VendorUnreachable
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import LIST, Shop
from tests.jobs.polling import accepts, join, small_shop
from tests.jobs.test_export import seed_contact

NEW = [f"new{number}@example.com" for number in range(3)]
LEAVES, UNSUBSCRIBES, CHANGES = "leaves@example.com", "unsubscribes@example.com", "changes@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Three people are on the list; three new ones wait in an import that never ends."""
    with small_shop(tmp_path) as made:
        join(made, LEAVES, UNSUBSCRIBES, CHANGES)
        made.export()
        made.poll()
        made.later(minutes=30)
        made.box.cc.jobs.add("import", seconds=None, times=None)
        join(made, *NEW)
        yield made


def account(shop: Shop, address: str) -> int:
    (found,) = shop.box.kibo.find_by_email(address)
    return found


def imports(shop: Shop) -> int:
    return len(shop.requests("POST", "contacts_json_import"))


def cycle(shop: Shop, times: int = 1) -> None:
    """Both cron jobs, as often as that."""
    for _ in range(times):
        shop.flush()
        shop.poll()
        shop.later(minutes=30)


def test_a_run_waits_three_minutes_at_most(shop: Shop) -> None:
    """The import stays noted; the next run checks it once, does not wait and sends no one twice."""
    began = shop.clock.now()
    run = shop.flush()
    assert run.status == "COMPLETE"
    assert timedelta(minutes=2) < shop.clock.now() - began < timedelta(minutes=4)
    shop.later(minutes=30)
    began, sent = shop.clock.now(), imports(shop)
    shop.flush()
    assert shop.clock.now() - began < timedelta(seconds=30)
    assert imports(shop) == sent == 2


def test_opt_outs_in_both_directions_get_through(shop: Shop) -> None:
    """Neither the removals of the flush nor the write back of the poll waits for the import."""
    shop.flush()
    shop.box.kibo.update_account(account(shop, LEAVES), acceptsMarketing=False)
    shop.box.cc.unsubscribe(UNSUBSCRIBES)
    shop.later(minutes=30)
    cycle(shop)
    assert LEAVES not in shop.members()
    assert accepts(shop, account(shop, UNSUBSCRIBES)) is False


def test_an_import_that_ends_late_is_settled(shop: Shop) -> None:
    """When it ends after two hours, its people count as sent and are not sent again."""
    shop.flush()
    shop.later(hours=2)
    shop.box.cc.relent()
    cycle(shop, 2)
    assert shop.members() >= set(NEW)
    assert imports(shop) == 2
    run = shop.export()
    assert (run.counts.get("added", 0), run.counts.get("updated", 0)) == (0, 0)


def test_who_opts_out_while_the_import_runs_is_off_the_list_after_it(shop: Shop) -> None:
    """The import could put them back behind the removal, so that it is repeated when the import is over."""
    shop.flush()
    shop.later(minutes=30)
    shop.box.kibo.update_account(account(shop, NEW[0]), acceptsMarketing=False)
    shop.box.kibo.delete_account(account(shop, NEW[1]))
    cycle(shop, 2)
    shop.box.cc.relent()
    shop.later(minutes=30)
    cycle(shop, 2)
    assert shop.members() & set(NEW) == {NEW[2]}


def test_a_change_while_the_import_runs_is_sent_after_it(shop: Shop) -> None:
    """Newer data of a person in an unfinished import waits for its end: an older import must not come last."""
    shop.flush()
    shop.later(minutes=30)
    shop.box.kibo.update_account(account(shop, NEW[0]), firstName="Newer")
    cycle(shop, 2)
    assert imports(shop) == 2
    shop.box.cc.relent()
    cycle(shop, 2)
    contact = shop.box.cc.contact(NEW[0])
    assert contact is not None
    assert contact["first_name"] == "Newer"


def test_an_import_of_more_than_six_hours_is_given_up(shop: Shop) -> None:
    """It is reported once, its people are looked up, and those who have not arrived are sent by another one."""
    shop.flush()
    shop.box.cc.jobs.clear()
    said = 0
    for _ in range(16):
        shop.later(minutes=30)
        shop.flush()
        said += any("six hours" in text for text in shop.notices.values())
    assert said == 1
    assert shop.members() >= set(NEW)
    shop.box.kibo.update_account(account(shop, NEW[0]), acceptsMarketing=False)
    shop.flush()
    assert NEW[0] not in shop.members()
    shop.box.cc.relent()  # it ends after all, and puts everybody on the list who was in it
    shop.later(minutes=30)
    cycle(shop, 2)
    assert shop.members() & set(NEW) == {NEW[1], NEW[2]}


@pytest.mark.parametrize("ends_at", [8, None])
def test_who_left_the_list_before_an_import_was_given_up_is_not_sent_again(tmp_path: Path, ends_at: int | None) -> None:
    """It has put them on the list, or their contact would not be there: in doubt they are not mailed, and keep their
    yes. Whoever opts in anew is sent.
    """
    with small_shop(tmp_path) as shop:
        shop.export()
        (account_id,) = join(shop, LEAVES)
        seconds = None if ends_at is None else ends_at * 3_600.0
        shop.box.cc.jobs.add("import", seconds=seconds, takes_effect=True)
        shop.flush()
        shop.later(minutes=30)
        shop.box.cc.leave_list(LEAVES, LIST)
        cycle(shop, 20)
        shop.export()
        assert (LEAVES in shop.members(), accepts(shop, account_id)) == (False, True)
        for says in (False, True):
            shop.box.kibo.update_account(account_id, acceptsMarketing=says)
            cycle(shop)
        assert (LEAVES in shop.members(), accepts(shop, account_id)) == (True, True)


def test_an_export_by_a_person_waits_longer_and_says_that_it_is_not_over(tmp_path: Path) -> None:
    """After half an hour without movement everything else is done; later jobs look at the import."""
    with Shop(tmp_path, SandboxSettings(customers=30, seed=3)) as shop:
        shop.box.cc.jobs.add("import", seconds=4 * 3_600, times=1)
        began = shop.clock.now()
        with pytest.raises(VendorUnreachable, match="has not finished"):
            shop.export()
        assert shop.clock.now() - began > timedelta(minutes=29)
        shop.later(hours=4)
        shop.flush()
        members = shop.members()
        assert members
        assert "export-due" not in shop.notices
        assert shop.export().counts.get("added", 0) == 0
        assert shop.members() == members


def test_an_export_of_members_that_never_ends_stops_no_write_back(tmp_path: Path) -> None:
    """The list is read page by page instead; who unsubscribed is written back in the same run."""
    with Shop(tmp_path, SandboxSettings(customers=60, seed=3, opted_in_percent=100)) as shop:
        (pat,) = join(shop, "pat@example.com")
        shop.export()
        shop.poll()
        shop.later(days=1)
        for number in range(2_200):
            shop.box.cc.add_contact(seed_contact(f"other{number}@example.com", lists=(LIST,)))
        shop.box.cc.jobs.add("export", seconds=None, times=None)
        shop.box.cc.unsubscribe("pat@example.com")
        began = shop.clock.now()
        shop.poll()
        assert shop.requests("POST", "contact_exports")
        assert accepts(shop, pat) is False
        assert shop.clock.now() - began < timedelta(minutes=5)
