"""Opt-outs in the store among which one contact, or several, cannot be taken off the list."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.consent.retry import MOST_ATTEMPTS
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.mapping.addresses import person_key_text
from ccsync.state import people
from ccsync.state.outbox import tasks
from tests.harness import Shop
from tests.jobs.polling import join, small_shop

UNSUBSCRIBES = 'opt_out = "unsubscribe"\n'
MODES = {"remove": "", "unsubscribe": UNSUBSCRIBES}
OPERATION = {"remove": "removal", "unsubscribe": "change"}


def addresses(kind: str, number: int) -> list[str]:
    return [f"{kind}{one}@example.com" for one in range(number)]


def opted_out(shop: Shop, bad: list[str], good: list[str]) -> None:
    """Everybody is on the list, and opts out in the store."""
    accounts = join(shop, *bad, *good)
    shop.export()
    shop.later(minutes=30)
    for account_id in accounts:
        shop.box.kibo.update_account(account_id, acceptsMarketing=False)


def removal_of(shop: Shop, address: str) -> tuple[object, ...] | None:
    """The task that takes somebody off the list: status, attempts, last error, next attempt."""
    store = shop.open()
    person = people.person_key(store)(person_key_text(address))
    sql = "SELECT status, attempts, last_error, next_at FROM tasks WHERE kind = 'remove' AND person = ?"
    found = store.one(sql, person)
    store.close()
    return found


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("mode", ["remove", "unsubscribe"])
@pytest.mark.parametrize("number", [1, 3, 12, 30])
def test_contacts_that_cannot_be_taken_off_hold_nobody_up(tmp_path: Path, number: int, mode: str, status: int) -> None:
    """However many are refused, the other opt-outs and the additions of the same flush go through."""
    bad, good = addresses("bad", number), addresses("good", 5)
    with small_shop(tmp_path, MODES[mode]) as shop:
        opted_out(shop, bad, good)
        join(shop, "new@example.com")
        for one in bad:
            shop.box.cc.refuse(OPERATION[mode], status, record=one)
        shop.flush(accept=number + 5)
        assert shop.members().isdisjoint(good)
        assert shop.members() >= {*bad, "new@example.com"}
        found = [removal_of(shop, one) for one in bad]
        assert {one[:2] for one in found if one} == {(tasks.RETRYING, 1)}
        shop.later(minutes=30)
        shop.flush(accept=number)
        assert all(removal_of(shop, one) is None for one in good)


@pytest.mark.parametrize("mode", ["remove", "unsubscribe"])
def test_three_hundred_refused_contacts_hold_nobody_up(tmp_path: Path, mode: str) -> None:
    """Three hundred contacts that cannot be taken off do not hide the few that can."""
    bad, good = addresses("bad", 300), addresses("good", 20)
    with small_shop(tmp_path, MODES[mode]) as shop:
        opted_out(shop, bad, good)
        for one in bad:
            shop.box.cc.refuse(OPERATION[mode], 400, record=one)
        shop.flush(accept=320)
        assert shop.members().isdisjoint(good)


@pytest.mark.parametrize("mode", ["remove", "unsubscribe"])
def test_a_refused_contact_is_parked_with_its_reason_and_tried_again(tmp_path: Path, mode: str) -> None:
    """Two days of flushes make eight attempts; a contact that is mended later leaves the list without anybody's
    doing."""
    with small_shop(tmp_path, MODES[mode]) as shop:
        opted_out(shop, ["bad@example.com"], ["good@example.com"])
        shop.box.cc.refuse(OPERATION[mode], 400, record="bad@example.com")
        for _ in range(96):
            shop.flush(accept=2)
            shop.later(minutes=30)
        found = removal_of(shop, "bad@example.com")
        assert found is not None
        assert found[:2] == (tasks.FAILED, MOST_ATTEMPTS)
        assert "Constant Contact refused" in str(found[2])
        shop.box.cc.relent()
        for _ in range(48):
            shop.flush(accept=2)
            shop.later(minutes=30)
        assert "bad@example.com" not in shop.members()


def test_when_every_removal_is_refused_nobody_is_blamed(tmp_path: Path) -> None:
    """All parts are refused alike: the run ends with the vendor's refusal, and all go out once it takes them again."""
    good = addresses("good", 20)
    with small_shop(tmp_path) as shop:
        opted_out(shop, [], good)
        shop.box.cc.refuse("removal", 400)
        for _ in range(3):
            with pytest.raises(RefusedError):
                shop.flush(accept=20)
            shop.later(minutes=30)
        assert {removal_of(shop, one)[1] for one in good} == {0}  # type: ignore[index]
        shop.box.cc.relent()
        shop.flush(accept=20)
        assert shop.members().isdisjoint(good)


def test_nobodys_attempts_grow_while_constant_contact_is_down(tmp_path: Path) -> None:
    """The control fails: the run ends, and no contact is blamed for it."""
    with small_shop(tmp_path, UNSUBSCRIBES) as shop:
        opted_out(shop, [], addresses("good", 3))
        shop.box.faults.before(lambda: shop.box.cc.refuse(None, 503), vendor="cc_api", method="PUT", nth=1)
        with pytest.raises(VendorUnreachable):
            shop.flush(accept=3)
        shop.box.cc.relent()
        assert {found[1] for one in addresses("good", 3) if (found := removal_of(shop, one))} == {0}
        shop.later(minutes=30)
        shop.flush(accept=3)
        assert shop.members().isdisjoint(addresses("good", 3))


@pytest.mark.parametrize("number", [1, 3])
def test_a_job_that_fails_is_bisected(tmp_path: Path, number: int) -> None:
    """A removal that was accepted and then ends failed is halved like one that is refused."""
    bad, good = addresses("bad", number), addresses("good", 5)
    with small_shop(tmp_path) as shop:
        opted_out(shop, bad, good)
        for one in bad:
            contact = shop.box.cc.contact(one)
            assert contact is not None
            record = str(contact["contact_id"])
            shop.box.cc.jobs.add("removal", seconds=1, state="failed", record=record, times=None)
        shop.flush(accept=number + 5)
        assert shop.members().isdisjoint(good)
        assert {removal_of(shop, one)[1] for one in bad} == {1}  # type: ignore[index]


def test_a_removal_that_hangs_is_started_anew(tmp_path: Path) -> None:
    """A job that never ends keeps nobody on the list: the next flush starts another one, within the same limit."""
    with small_shop(tmp_path) as shop:
        opted_out(shop, [], addresses("good", 3))
        shop.box.cc.jobs.add("removal", seconds=None)
        began = shop.clock.now()
        shop.flush(accept=3)
        assert shop.clock.now() - began < timedelta(minutes=4)
        assert shop.members() >= set(addresses("good", 3))
        shop.later(minutes=30)
        shop.flush()
        assert shop.members().isdisjoint(addresses("good", 3))


def test_a_removal_that_ends_late_takes_nobodys_yes_back(tmp_path: Path) -> None:
    """Who opts in again while a removal hangs is put back on the list after it, and is not taken for departed."""
    with small_shop(tmp_path) as shop:
        opted_out(shop, [], ["good@example.com"])
        shop.box.cc.jobs.add("removal", seconds=3 * 3_600)
        for _ in range(2):
            shop.flush(accept=1)
            shop.later(minutes=30)
        (account_id,) = [one["id"] for one in shop.customers() if one["emailAddress"] == "good@example.com"]
        shop.box.kibo.update_account(account_id, acceptsMarketing=True)
        for _ in range(2):
            shop.flush(accept=1)
            shop.later(minutes=30)
        assert "good@example.com" in shop.members()
        shop.later(hours=2)
        shop.poll(is_full=True)
        for _ in range(2):
            shop.flush(accept=1)
            shop.later(minutes=30)
        shop.poll(is_full=True)
        assert "good@example.com" in shop.members()
        assert shop.box.kibo.account(account_id)["acceptsMarketing"] is True


@pytest.mark.parametrize("how", ["lost", "lost once", "strange answer", "repeat refused"])
def test_a_removal_of_unknown_end_takes_nobodys_yes_back(tmp_path: Path, how: str) -> None:
    """The answer to a removal is lost, or its repetition is refused, and it takes effect hours later: whoever opts in
    meanwhile is put on the list after it, is never taken for departed, and the store keeps their yes.
    """
    path = "/v3/activities/remove"
    with small_shop(tmp_path) as shop:
        opted_out(shop, [], ["good@example.com"])
        shop.box.cc.jobs.add("removal", seconds=3 * 3_600)
        if how != "repeat refused":
            kind = "wrong-body" if how == "strange answer" else "reset-after"
            shop.box.faults.add(kind, path=path, times=1 if how == "lost once" else 9)
        with suppress(VendorUnreachable):
            shop.flush(accept=1)
        shop.box.faults.clear()
        shop.later(minutes=30)
        if how == "repeat refused":
            shop.box.cc.refuse("removal", 400, record="good@example.com")
            shop.flush(accept=1)
            shop.later(minutes=30)
        (account_id,) = [one["id"] for one in shop.customers() if one["emailAddress"] == "good@example.com"]
        shop.box.kibo.update_account(account_id, acceptsMarketing=True)
        for _ in range(8):
            shop.export()
            shop.flush(accept=1)
            shop.later(minutes=30)
            shop.poll(is_full=True)
            assert shop.box.kibo.account(account_id)["acceptsMarketing"] is True
        assert "good@example.com" in shop.members()
        assert removal_of(shop, "good@example.com") is None


def test_another_program_s_job_does_not_stand_for_a_removal(tmp_path: Path) -> None:
    """While the start of a removal fails, another program's job runs, and does its work: who opted out is taken off."""
    with small_shop(tmp_path) as shop:
        opted_out(shop, [], ["good@example.com"])
        shop.box.cc.jobs.add("export", seconds=45 * 60)
        store = shop.open()
        shop._clients(store).constant_contact.export_list(shop.list_id)
        store.close()
        shop.box.faults.add("status", status=500, path="/v3/activities/remove", times=99)
        for _ in range(2):
            with suppress(VendorUnreachable):
                shop.flush(accept=1)
            shop.later(minutes=30)
        assert "good@example.com" in shop.members()
        shop.box.faults.clear()
        shop.later(hours=2)
        shop.flush(accept=1)
        assert "good@example.com" not in shop.members()


@pytest.mark.parametrize("how", ["failed", "lost"])
def test_a_removal_that_only_seemed_to_fail_is_no_departure(tmp_path: Path, how: str) -> None:
    """A customer whom a job took off that ended badly, or whose start was lost, opts in anew before another try: they
    have not left the list, are put back on it, and the store keeps their yes.
    """
    with small_shop(tmp_path) as shop:
        opted_out(shop, [], ["good@example.com"])
        if how == "failed":
            shop.box.cc.jobs.add("removal", seconds=1, state="failed", takes_effect=True)
        else:
            shop.box.faults.add("reset-after", path="/v3/activities/remove", times=9)
        with suppress(VendorUnreachable, RefusedError):
            shop.flush(accept=1)
        assert "good@example.com" not in shop.members()
        shop.later(minutes=30)
        (account_id,) = [one["id"] for one in shop.customers() if one["emailAddress"] == "good@example.com"]
        shop.box.kibo.update_account(account_id, acceptsMarketing=True)
        shop.export()
        shop.later(minutes=30)
        shop.poll(is_full=True)
        assert "good@example.com" in shop.members()
        assert shop.box.kibo.account(account_id)["acceptsMarketing"] is True
