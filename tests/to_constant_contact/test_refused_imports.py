"""Imports that Constant Contact refuses or does not carry out: for one record, for a while, or at a full plan."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import parked
from tests.harness import Shop
from tests.jobs.polling import join, small_shop
from tests.jobs.test_export import seed_contact


def addresses(kind: str, number: int) -> list[str]:
    return [f"{kind}{one}@example.com" for one in range(number)]


def exported(shop: Shop) -> None:
    """The first export is done, so that flushes send additions."""
    shop.export()
    shop.later(minutes=30)


def refused(shop: Shop, *people: str, how: str) -> None:
    """These addresses are refused in imports for good: the call itself, or the job, which ends failed."""
    for one in people:
        if how == "call":
            shop.box.cc.refuse("import", 400, record=one)
        else:
            shop.box.cc.jobs.add("import", seconds=1, state="failed", record=one, times=None)


def parked_accounts(shop: Shop) -> list[int]:
    store = shop.open()
    found = parked.account_ids(store)
    store.close()
    return found


@pytest.mark.parametrize("how", ["call", "job"])
@pytest.mark.parametrize("number", [1, 3, 12, 30])
def test_bad_records_are_found_and_hold_nobody_up(tmp_path: Path, number: int, how: str) -> None:
    """A refused import, or one that ends failed, is bisected down to the records that are refused while others pass."""
    with small_shop(tmp_path) as shop:
        exported(shop)
        bad = join(shop, *addresses("bad", number))
        join(shop, *addresses("good", 20))
        refused(shop, *addresses("bad", number), how=how)
        run = shop.flush()
        assert shop.members() >= set(addresses("good", 20))
        assert shop.members().isdisjoint(addresses("bad", number))
        assert {one.account_id for one in shop.rejected(run)} == set(bad)
        assert {one.code for one in shop.rejected(run)} == {"refused"}


def test_three_hundred_bad_records_hold_nobody_up(tmp_path: Path) -> None:
    """Three hundred bad records do not hide twenty good ones for more than two flushes."""
    with small_shop(tmp_path) as shop:
        exported(shop)
        join(shop, *addresses("bad", 300), *addresses("good", 20))
        refused(shop, *addresses("bad", 300), how="call")
        for _ in range(2):
            try:
                shop.flush()
            except RefusedError:
                shop.later(minutes=30)
        assert shop.members() >= set(addresses("good", 20))


@pytest.mark.parametrize("how", ["call", "job"])
@pytest.mark.parametrize("job", ["export", "flush"])
def test_when_every_import_is_refused_nobody_is_blamed(tmp_path: Path, job: str, how: str) -> None:
    """All parts are refused alike: the run ends with a clear message, and a plain run sends everybody afterwards."""
    with small_shop(tmp_path) as shop:
        exported(shop)
        join(shop, *addresses("good", 20))
        before = parked_accounts(shop)
        if how == "call":
            shop.box.cc.refuse("import", 400)
        else:
            shop.box.cc.jobs.add("import", seconds=1, state="failed", times=None)
        for _ in range(2):
            with pytest.raises(RefusedError, match="Constant Contact"):
                getattr(shop, job)()
            shop.later(minutes=30)
        assert parked_accounts(shop) == before
        shop.box.cc.relent()
        getattr(shop, job)()
        assert shop.members() >= set(addresses("good", 20))


def test_good_customers_who_come_one_by_one_while_imports_are_refused(tmp_path: Path) -> None:
    """A single refused record may be blamed, the next ones are not; all are sent when imports pass again."""
    with small_shop(tmp_path) as shop:
        exported(shop)
        shop.box.cc.refuse("import", 400)
        for one in addresses("good", 4):
            join(shop, one)
            try:
                shop.flush()
            except RefusedError:
                pass
            shop.later(minutes=30)
        assert len(parked_accounts(shop)) == 1
        shop.box.cc.relent()
        for _ in range(2):
            shop.flush()
            shop.later(minutes=30)
        assert shop.members() >= set(addresses("good", 4))
        assert parked_accounts(shop) == []


def test_a_refusal_expires(tmp_path: Path) -> None:
    """A rejected record is tried again after a day, three days, a week and weekly, and released when it is taken."""
    with small_shop(tmp_path) as shop:
        exported(shop)
        join(shop, "bad@example.com", *addresses("good", 3))
        refused(shop, "bad@example.com", how="call")
        tries = list[float]()
        began = shop.clock.now()

        def note() -> None:
            tries.append((shop.clock.now() - began) / timedelta(days=1))

        shop.flush()
        assert len(parked_accounts(shop)) == 1
        shop.box.faults.before(note, path=".*contacts_json_import")
        for day in range(20):
            for _ in range(2):
                shop.later(hours=12)
                shop.flush()
            if day == 18:
                shop.box.cc.relent()
        assert sorted({round(one) for one in tries}) == [1, 4, 11, 18]
        shop.later(days=6)
        shop.flush()
        assert "bad@example.com" in shop.members()
        assert parked_accounts(shop) == []


def test_a_full_plan_needs_nobody_once_it_is_upgraded(tmp_path: Path) -> None:
    """Whom a full plan left out without a reason is named, and sent again within a day of the upgrade by plain cron."""
    with small_shop(tmp_path, plan_contact_limit=10, sms_only_contacts=0) as shop:
        exported(shop)
        join(shop, *addresses("good", 20))
        run = shop.flush()
        assert {one.code for one in shop.rejected(run)} == {"not-imported"}
        assert "your plan" in shop.rejected(run)[0].reason
        shop.box.cc.plan.limit = 0
        for _ in range(50):
            shop.later(minutes=30)
            shop.flush()
        assert shop.members() >= set(addresses("good", 20))
        assert parked_accounts(shop) == []


@pytest.mark.parametrize("status", [400, 402, 403])
def test_a_plan_that_refuses_imports_blames_nobody(tmp_path: Path, status: int) -> None:
    """At the limit the import itself may be refused: everybody stays due, and is sent once the plan has room."""
    settings = {"plan_limit_answer": "refuse", "plan_limit_status": status}
    with small_shop(tmp_path, sms_only_contacts=0, **settings) as shop:
        exported(shop)
        shop.box.cc.plan.limit = 1
        join(shop, *addresses("good", 20))
        with pytest.raises(RefusedError):
            shop.flush()
        shop.box.cc.plan.limit = 0
        shop.later(minutes=30)
        shop.flush()
        assert shop.members() >= set(addresses("good", 20))


def test_a_record_whose_import_loses_its_answer(tmp_path: Path) -> None:
    """An address at which the vendor breaks (500) is found like one that it refuses."""
    with small_shop(tmp_path) as shop:
        exported(shop)
        join(shop, "bad@example.com", *addresses("good", 8))
        shop.box.cc.refuse("import", 500, record="bad@example.com")
        run = shop.flush()
        assert shop.members() >= set(addresses("good", 8))
        assert [one.email for one in shop.rejected(run)] == ["bad@example.com"]


def test_imports_whose_answers_are_all_lost_end_the_run(tmp_path: Path) -> None:
    """The vendor breaks at every import: the run ends as unreachable within minutes, and nobody is blamed."""
    with Shop(tmp_path, SandboxSettings(customers=30, seed=3)) as shop:
        shop.box.cc.refuse("import", 500)
        began = shop.clock.now()
        with pytest.raises(VendorUnreachable):
            shop.export()
        assert shop.clock.now() - began < timedelta(minutes=5)
        assert "refused" not in {one.code for one in shop.rejected(shop.latest()[0])}
        shop.box.cc.relent()
        shop.export()
        assert shop.members()


@pytest.mark.parametrize("is_everybody", [False, True])
def test_a_contact_that_comes_from_elsewhere_after_a_refusal_keeps_its_data(tmp_path: Path, is_everybody: bool) -> None:
    """What was refused did not arrive: whoever has the address by the next try is another source's contact."""
    with small_shop(tmp_path) as shop:
        exported(shop)
        join(shop, *addresses("new", 3))
        shop.box.cc.refuse("import", 400, record=None if is_everybody else "new0@example.com")
        with suppress(RefusedError):
            shop.flush()
        shop.later(minutes=30)
        now = shop.clock.now()
        shop.box.cc.add_contact(seed_contact("new0@example.com", created_at=now, updated_at=now))
        shop.box.cc.relent()
        shop.later(days=2)
        shop.flush()
        assert shop.members() >= set(addresses("new", 3))
        contact = shop.box.cc.contact("new0@example.com")
        assert contact is not None
        assert contact["first_name"] == "Their"
