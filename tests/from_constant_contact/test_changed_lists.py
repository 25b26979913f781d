"""The configured list changes, changes back, or is deleted and made anew."""

from pathlib import Path

import pytest

from ccsync.errors import SafetyLimitError
from ccsync.reports import status
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import LIST, Shop
from tests.inside import InsideShop
from tests.jobs.polling import LEE, PAT, accepts, join, settled, suppressed, told
from tests.jobs.reconciling import reconcile

MANY = [f"many{number}@example.com" for number in range(12)]


def use(shop: Shop, list_id: str) -> None:
    """Another list is the active one from now on."""
    shop.config_path.write_text(shop.config_path.read_text().replace(shop.list_id, list_id))
    shop.list_id = list_id


def use_another(shop: Shop) -> str:
    """A new list is the active one, and everybody is on it; the former one."""
    former = shop.list_id
    use(shop, shop.box.cc.add_list("Another list"))
    shop.export()
    return former


def two_days(shop: Shop) -> None:
    for _ in range(2):
        shop.later(hours=25)
        shop.poll()
        shop.flush()


def test_who_leaves_another_list_has_not_left_the_former_one_again(shop: Shop) -> None:
    """What was written for the former list is not queued again, and nothing of it stands when the person is back."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, LIST)
    shop.poll(is_full=True)
    use_another(shop)
    shop.box.kibo.opt_in(pat)
    two_days(shop)
    assert PAT in shop.members()
    shop.box.cc.leave_list(PAT, shop.list_id)
    shop.box.faults.add(kind="status", status=500, times=50, method="PUT", path=".*/accounts/.*")
    shop.later(minutes=30)
    shop.poll(is_full=True)
    shop.box.faults.clear()
    assert [(one.outcome, one.done_at is None) for one in told(shop, PAT)] == [("departed", False), ("", True)]
    shop.box.cc.join_list(PAT, shop.list_id)
    two_days(shop)
    assert accepts(shop, pat) is True


def former_departures(shop: Shop) -> int:
    store = shop.open()
    found = status.gather(store, shop.config, shop.clock.now())
    store.close()
    return found.former_departures


@pytest.mark.parametrize("is_deleted", [True, False])
def test_unchecked_departures_of_a_former_list_wait_until_it_is_active_again(shop: Shop, is_deleted: bool) -> None:
    """Held by the safety limit, they neither stop the polls of another list nor are let through there: of a list that
    was deleted, everybody is gone. Nothing is lost of one that is active again, and `status` counts them meanwhile;
    once the list is deleted, nobody can check them any more, and they are dropped.
    """
    many = join(shop, *MANY)
    settled(shop)
    for one in MANY:
        shop.box.cc.leave_list(one, LIST)
    with pytest.raises(SafetyLimitError):
        shop.poll(is_full=True)
    former = use_another(shop)
    if is_deleted:
        shop.box.cc.delete_list(former)
    assert former_departures(shop) == len(MANY)
    two_days(shop)
    shop.poll(accept=100)
    assert former_departures(shop) == (0 if is_deleted else len(MANY))
    assert {accepts(shop, one) for one in many} == {True}
    if not is_deleted:
        use(shop, former)
        shop.later(hours=25)
        with pytest.raises(SafetyLimitError):
            shop.poll()
        shop.poll(accept=100)
        assert {accepts(shop, one) for one in many} == {False}


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_who_opted_out_while_another_list_was_active_leaves_the_former_one_when_it_is_back(
    shop: Shop, when: str
) -> None:
    """A list that is not active is not touched: the no is carried out as soon as it is."""
    (pat, _) = join(shop, PAT, LEE)
    settled(shop)
    if when == "before":
        shop.box.kibo.opt_out(pat)
        shop.box.faults.add(kind="status", status=500, times=50, method="POST", path=".*remove_list_memberships")
        shop.flush()
        shop.box.faults.clear()
    former = use_another(shop)
    shop.box.kibo.opt_out(pat)
    two_days(shop)
    assert PAT in shop.box.cc.members(former)
    use(shop, former)
    shop.poll()
    shop.flush()
    assert (PAT in shop.members(), LEE in shop.members(), suppressed(shop, PAT)) == (False, True, {"opted-out"})
    report, kinds, _ = reconcile(shop)
    assert report.drift == 0, kinds


def test_of_an_account_deleted_meanwhile_the_contact_stays_on_the_former_list(tmp_path: Path) -> None:
    """All that was known of its person is erased, and a list that is not active is not touched: `why` claims nothing
    else, and `reconcile` names the contact.
    """
    with InsideShop(tmp_path, SandboxSettings(customers=4, seed=5)) as shop:
        (pat,) = join(shop, PAT)
        former, new = shop.list_id, shop.box.cc.add_list("Another list")
        assert shop.ccsync("export", "--yes").returncode == 0
        shop.edit(former, new)
        assert shop.ccsync("export", "--yes").returncode == 0
        shop.later(minutes=30)
        shop.box.kibo.delete_account(pat)
        assert shop.ccsync("flush-events").returncode == 0
        assert PAT not in shop.box.cc.members(new)
        assert "ccsync does not know this address" in shop.ccsync("why", PAT).stdout
        shop.edit(new, former)
        assert shop.ccsync("export", "--yes").returncode == 0
        assert PAT in shop.box.cc.members(former)
        shown = shop.ccsync("why", PAT).stdout
        assert "but not added by ccsync as far as it knows" in shown
        assert "no record that ccsync added it to the list" in shown
        assert "unknown-to-kibo" in shop.ccsync("reconcile", "--json").stdout


def test_a_newer_yes_of_whose_contact_had_moved_on_the_former_list(shop: Shop) -> None:
    """`why` promises that a later opt-in changes it: that the contact was on the former list stands in nobody's way."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.rename(PAT, LEE)
    shop.poll(is_full=True)
    use_another(shop)
    assert shop.members().isdisjoint({PAT, LEE})
    two_days(shop)
    shop.box.kibo.opt_out(pat)
    two_days(shop)
    shop.box.kibo.opt_in(pat)
    two_days(shop)
    assert (shop.members() & {PAT, LEE}, accepts(shop, pat)) == ({PAT}, True)
    report, kinds, _ = reconcile(shop)
    assert report.drift == 0, kinds
