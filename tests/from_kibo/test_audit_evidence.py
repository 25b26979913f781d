"""What Kibo's audit log shows of a change of consent becomes evidence in the ledger, and nothing depends on it."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.from_kibo.audit_evidence import MOST_ROWS, entry_of, who
from ccsync.kibo.audit_log import ConsentEntry
from ccsync.models import Customer
from ccsync.sandbox.kibo.audit import STAFF
from ccsync.state import ledger
from ccsync.state.database.times import to_text
from ccsync.state.ledger import ConsentChange
from tests.harness import Shop
from tests.jobs.flushing import KIM, PAT, SAM, add, change, new_shop, stock

LOG = "/AuditLog/Entries"
SEEN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def evidence(shop: Shop) -> list[Mapping[str, str | None]]:
    """What the audit log showed of each observed change, oldest first."""
    store = shop.open()
    found = [row.change for row in ledger.iter_ledger(store) if row.change.source == "kibo" and row.change.happened_at]
    store.close()
    return [{name: value for name, value in one.evidence.items() if name != "acceptsMarketing"} for one in found]


def looked_up(shop: Shop) -> int:
    """How often the last run asked for an audit log."""
    count = len(shop.requests("GET", LOG))
    shop.box.requests.records.clear()
    return count


def act(shop: Shop, address: str, *, opts_in: bool, actor: str = "person") -> None:
    """Consent is changed in the store, and half an hour passes."""
    for account_id in shop.box.kibo.find_by_email(address):
        shop.box.kibo.update_account(account_id, actor=actor, acceptsMarketing=opts_in)
    shop.later(minutes=30)


def test_the_ledger_says_who_changed_consent(tmp_path: Path) -> None:
    """Staff's user id, or that it was the customer; the application, the date and the number of the entry."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        at = shop.clock.now()
        act(shop, PAT, opts_in=False, actor="staff")
        act(shop, KIM, opts_in=True)
        shop.flush()
        staffs, kims = evidence(shop)
        assert (staffs["changed_by"], staffs["application"]) == (STAFF, "Admin")
        assert staffs["changed_at"] == to_text(at)
        assert (kims["changed_by"], kims["application"]) == ("the customer", "Storefront")
        assert str(staffs["audit_entry"]).isdigit()
        assert shop.members() == {SAM, KIM}


def test_an_account_that_was_not_known_before(tmp_path: Path) -> None:
    """A yes of an account that no export has read has its evidence, too; the yeses that an export finds have none."""
    with new_shop(tmp_path) as shop:
        lee = add(shop, "lee@example.com", acceptsMarketing=False)
        shop.box.kibo.events.forget()
        stock(shop)
        shop.box.kibo.update_account(lee, actor="staff", acceptsMarketing=True)
        looked_up(shop)
        shop.flush()
        assert looked_up(shop) == 1
        store = shop.open()
        found = {row.change.account_id: row.change.evidence.get("changed_by") for row in ledger.iter_ledger(store)}
        store.close()
        assert {one for one, who in found.items() if who == STAFF} == {lee}


def test_what_adds_and_withdraws_comes_first(tmp_path: Path) -> None:
    """Every other call of the run is made before the audit log is asked for, and an idle run does not ask."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        act(shop, PAT, opts_in=False)
        shop.box.requests.records.clear()
        shop.flush()
        calls = shop.requests()
        first = next(place for place, call in enumerate(calls) if LOG in call)
        assert all("/accounts/" in call for call in calls[first:])
        assert any("remove_list_memberships" in call for call in calls[:first])
        assert looked_up(shop) == 1
        shop.flush()
        assert looked_up(shop) == 0


@pytest.mark.parametrize("answer", ["shown", "refuse", "missing", "empty"])
def test_either_way_the_run_ends_well(tmp_path: Path, answer: str) -> None:
    """Without evidence the ledger has what it had; a refusal is remembered for a week, an empty log is not."""
    with new_shop(tmp_path, audit_log=answer) as shop:
        stock(shop)
        looked_up(shop)
        calls = []
        for opts_in, days in ((False, 0), (True, 8), (False, 0)):
            act(shop, PAT, opts_in=opts_in)
            assert shop.flush().status == "COMPLETE"
            calls.append(looked_up(shop))
            shop.later(days=days)
        assert [bool(one) for one in evidence(shop)] == [answer == "shown"] * 3
        # A refusal is asked for twice: a token may have expired between.
        assert calls == ([2, 0, 2] if answer in ("refuse", "missing") else [1, 1, 1])


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_no_answer_makes_a_run_fail(tmp_path: Path, status: int) -> None:
    """Whatever Kibo answers there, the run is complete and waits for nothing long."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        act(shop, PAT, opts_in=False)
        asked = {"Retry-After": "3600"} if status in (429, 503) else {}
        shop.box.faults.add("status", path=".*" + LOG, nth=None, status=status, headers=asked)
        began_at = shop.clock.now()
        assert shop.flush().status == "COMPLETE"
        assert shop.clock.now() - began_at < timedelta(minutes=3)
        assert shop.members() == {SAM}


def test_what_a_busy_kibo_did_not_show_comes_with_the_next_run(tmp_path: Path) -> None:
    """A wait that Kibo asks for is not waited for, and the change is looked up later."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        act(shop, PAT, opts_in=False)
        shop.box.faults.add("status", path=".*" + LOG, status=429, headers={"Retry-After": "600"})
        shop.flush()
        assert evidence(shop) == [{}]
        shop.later(minutes=30)
        shop.flush()
        assert evidence(shop)[0]["changed_by"] == "the customer"


def test_a_token_that_has_expired_is_no_refusal(tmp_path: Path) -> None:
    """A single 401 is answered with a new token, and the log is read."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        act(shop, PAT, opts_in=False)
        shop.box.faults.add("status", path=".*" + LOG, status=401)
        shop.flush()
        assert evidence(shop)[0]["changed_by"] == "the customer"


def test_one_run_looks_up_a_bounded_number(tmp_path: Path) -> None:
    """The rest is looked up by the next runs."""
    with new_shop(tmp_path) as shop:
        addresses = [f"p{number}@example.com" for number in range(MOST_ROWS + 3)]
        for address in addresses:
            add(shop, address, acceptsMarketing=False)
        shop.export()
        shop.later(minutes=30)
        for address in addresses:
            change(shop, address, acceptsMarketing=True)
        counts = []
        for _ in range(3):
            shop.later(minutes=30)
            shop.box.requests.records.clear()
            shop.flush()
            counts.append(looked_up(shop))
        assert counts == [MOST_ROWS, 3, 0]
        assert all(evidence(shop))


def test_a_deleted_account_holds_up_nobody(tmp_path: Path) -> None:
    """An account that is gone before it was looked up has no evidence; the next one has."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        act(shop, PAT, opts_in=False)
        act(shop, SAM, opts_in=False)
        (pat,) = shop.box.kibo.find_by_email(PAT)
        shop.box.faults.before(lambda: shop.box.kibo.delete_account(pat), path=".*" + LOG, nth=1)
        shop.flush()
        assert [bool(one) for one in evidence(shop)] == [False, True]


def test_the_evidence_of_the_forgotten_is_erased(tmp_path: Path) -> None:
    """It goes with the rows it is about, and rows that get their numbers are looked up, too."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        act(shop, PAT, opts_in=False)
        shop.flush()
        for account_id in shop.box.kibo.find_by_email(PAT):
            shop.box.kibo.delete_account(account_id)
        shop.later(minutes=30)
        shop.flush()
        store = shop.open()
        assert not store.exists("SELECT 1 FROM consent_evidence")
        store.close()
        act(shop, SAM, opts_in=False)
        shop.flush()
        assert [one["changed_by"] for one in evidence(shop)] == ["the customer"]


def test_evidence_is_append_only(tmp_path: Path) -> None:
    """Nothing changes or deletes it, except when its person is forgotten."""
    with new_shop(tmp_path) as shop:
        stock(shop)
        act(shop, PAT, opts_in=False)
        shop.flush()
        store = shop.open()
        for sql in ("UPDATE consent_evidence SET found = '{}'", "DELETE FROM consent_evidence"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                store.run(sql)
        store.close()


def entry(hours: float, became: bool, was: bool | None = None) -> ConsentEntry:
    """An entry of so many hours before the change was seen."""
    return ConsentEntry(1, SEEN - hours * HOUR, (not became) if was is None else was, became, None, None)


@pytest.mark.parametrize(
    ("entries", "previous", "expected"),
    [
        ([], None, None),
        ([entry(0, False)], None, 0),
        ([entry(0, False), entry(2, True), entry(3, False)], None, 0),
        ([entry(3, False), entry(2, True)], None, None),
        ([entry(-1, True), entry(1, False)], None, 1),
        ([entry(200, False)], None, None),
        ([entry(3, False)], SEEN - 2 * HOUR, None),
        ([entry(1, False)], SEEN - 2 * HOUR, 0),
        ([entry(1, False, was=False)], None, None),
    ],
)
def test_only_the_entry_of_this_very_change_counts(
    entries: list[ConsentEntry], previous: datetime | None, expected: int | None
) -> None:
    """The last one before ccsync saw the opt-out, if it shows one; never one of an earlier change."""
    seen = ConsentChange(b"p" * 16, PAT, "opted-out", "kibo", SEEN, SEEN, account_id=1)
    assert entry_of(seen, entries, previous) == (None if expected is None else entries[expected])


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("0A1B", "the customer"),
        ("PAT@example.com", "the customer"),
        ("casey.jones@example.org", "c…@example.org"),
        (STAFF, STAFF),
        (None, ""),
        ("x" * 200, "x" * 80),
        ("\n a\tb ", "a b"),
    ],
)
def test_of_staff_only_as_much_as_serves_as_evidence(user: str | None, expected: str) -> None:
    """The customer by any of their names, a user id as it is, and no whole address of anybody in the store."""
    raw = {"userId": "0a1b", "userName": "pat", "emailAddress": "pat@example.com"}
    assert who(user, Customer(1, "pat@example.com", True, None, None, None, raw)) == expected
