"""Facts that nobody has checked on a live account: a day in the shop ends alike, whichever way each turns out to be."""

from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.errors import LoginNeeded, RefusedError
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import LIST, Shop
from tests.jobs.flushing import add, change, new_shop
from tests.jobs.reconciling import reconcile
from tests.jobs.test_export import expected_members

STAYS, MOVES, OUT, LEAVER, NO, NEW = (
    f"{name}@example.com" for name in ("stays", "moves", "out", "leaver", "no", "new")
)
WAYS: dict[str, dict[str, object]] = {
    "as is thought most likely": {},
    "events are kept for a day": {"event_kept_days": 1},
    "events become visible late": {"event_lag_seconds": 1_500.0},
    "our own writes make no events": {"put_makes_events": False},
    "ids that no contact has are refused": {"unknown_contact_ids": "refuse"},
    "a job for a list that is gone is a 400": {"missing_list_status": 400},
    "an unsubscribe moves the date of an earlier one": {"put_again_moves_opt_out_date": True},
    "a PUT without an address is refused": {"put_omitted_email": "refuse"},
    "a PUT without a permission makes it implicit": {"put_omitted_permission": "implicit"},
    "a PUT by a contact revives": {"put_revives_by_contact": "revive"},
    "who is added joins though opted out": {"add_unsubscribed_to_list": "join"},
    "a new contact is explicit": {"post_permission": "explicit"},
    "automations are answered with 200": {"automations_status": 200},
    "exports show ids of lists": {"export_lists": "ids"},
    "exports show no lists": {"export_lists": "absent"},
    "exports have contact ids": {"export_has_contact_id": True},
    "exports have dates alone": {"export_dates": "date"},
    "exported files are gone at once": {"export_kept_hours": 0.0},
    "no date of an opt-out is shown": {"opt_out_dates_shown": False},
    "a renamed contact shows a new date": {"rename_moves_updated_at": True},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_day_ends_alike(way: str, tmp_path: Path) -> None:
    """Every act of the day is where it belongs in the evening, on both sides; the night after is idle."""
    opt_out = "unsubscribe" if any(one.startswith("put_") for one in WAYS[way]) else "remove-from-list"
    with new_shop(tmp_path, f'opt_out = "{opt_out}"\nwelcome_email = true\n', **WAYS[way]) as shop:
        _play_a_day(shop)
        assert shop.members() == {STAYS, NEW, MOVES}
        accepts = {str(one["emailAddress"]): one["acceptsMarketing"] for one in shop.customers()}
        assert accepts == {STAYS: True, MOVES: True, OUT: False, LEAVER: False, NO: False, NEW: True}
        assert (shop.box.cc.contact(MOVES) or {})["last_name"] == "Newname"
        assert shop.box.cc.forbidden_calls == []
        assert not any(shop.flush().counts.values())
        assert not any(shop.poll(is_full=True).counts.values())


@pytest.mark.parametrize("makes_events", [True, False])
def test_who_came_back_is_added_whether_our_write_makes_an_event_or_not(makes_events: bool, tmp_path: Path) -> None:
    """A poll finds a return that the store does not take, and the flush behind it reads the account as it was."""
    with new_shop(tmp_path, put_makes_events=makes_events) as shop:
        add(shop, STAYS)
        shop.export()
        shop.box.cc.unsubscribe(STAYS)
        _cron(shop)
        shop.box.cc.resubscribe(STAYS)
        shop.box.kibo.refuse("put", 503)
        shop.poll(is_full=True)
        shop.flush()
        shop.box.kibo.relent()
        for _ in range(2):
            _cron(shop)
        assert [one["acceptsMarketing"] for one in shop.customers()] == [True]
        assert shop.members() == {STAYS}


def _play_a_day(shop: Shop) -> None:
    """Six people are exported or come; each does one thing, and cron runs every half hour."""
    for address in (STAYS, MOVES, OUT, LEAVER, NO):
        add(shop, address)
    shop.export()
    _cron(shop)
    shop.box.cc.unsubscribe(OUT)
    shop.box.cc.leave_list(LEAVER, LIST, "Contact")
    shop.box.kibo.opt_out(shop.box.kibo.find_by_email(NO)[0])
    change(shop, MOVES, lastName="Newname")
    add(shop, NEW)
    for _ in range(4):
        _cron(shop)


def _cron(shop: Shop) -> None:
    shop.later(minutes=15)
    shop.flush()
    shop.later(minutes=15)
    shop.poll()


@pytest.mark.parametrize("makes_events", [True, False])
def test_a_part_that_is_edited_arrives_with_the_next_export_at_the_latest(makes_events: bool, tmp_path: Path) -> None:
    """Where a new phone number alone raises no event, no flush can know of it."""
    with new_shop(tmp_path, part_edits_make_events=makes_events) as shop:
        add(shop, STAYS, contacts=[{"phoneNumbers": {"home": "512-555-0100"}}])
        shop.export()
        _cron(shop)
        change(shop, STAYS, contacts=[{"phoneNumbers": {"home": "512-555-0199"}}])
        _cron(shop)
        assert (_phone(shop) == "512-555-0199") is makes_events
        shop.export()
        assert _phone(shop) == "512-555-0199"


def _phone(shop: Shop) -> str:
    contact = shop.box.cc.contact(STAYS) or {}
    return str(contact["phone_numbers"][0]["phone_number"])


@pytest.mark.parametrize(
    ("customers", "deepest", "answer"),
    [(450, 0, "refuse"), (650, 200, "refuse"), (650, 300, "refuse"), (2_300, 1_000, "hide"), (2_300, 1_150, "hide")],
)
@pytest.mark.parametrize("shows_guests", [True, False])
def test_rows_beyond_some_depth_are_read_in_windows(
    shows_guests: bool, customers: int, deepest: int, answer: str, tmp_path: Path
) -> None:
    """However deep Kibo shows rows, and however it keeps the rest back, everybody is exported; the second finds it so.

    The depth is remembered for a week: until then no page is asked for that would lie too deep.
    """
    settings = SandboxSettings(customers=customers, guests_by_default=shows_guests)
    with Shop(tmp_path, replace(settings, deepest_row=deepest, deepest_row_answer=answer)) as shop:
        shop.export()
        assert shop.members() == expected_members(shop)
        assert not any("more than it shows" in one for one in shop.remarks)
        shop.later(hours=1)
        shop.box.requests.records.clear()
        assert not shop.export().counts.get("added")
        lists = [one for one in shop.box.requests.records if one.path.endswith("/customer/accounts")]
        assert {one.status for one in lists} == {200}
        assert len(lists) <= 2 * customers // (deepest or 200) + 15


@pytest.mark.parametrize(
    ("customers", "deepest", "answer"),
    [(2_300, 0, "refuse"), (2_300, 1_000, "refuse"), (2_300, 1_000, "hide"), (2_000, 0, "refuse")],
)
def test_a_total_that_stops_counting_is_not_believed(customers: int, deepest: int, answer: str, tmp_path: Path) -> None:
    """A totalCount of whole thousands is no end: whoever lies beyond it is exported, and an event there is read."""
    settings = SandboxSettings(customers=customers, opted_in_percent=100, total_cap=1_000)
    with Shop(tmp_path, replace(settings, deepest_row=deepest, deepest_row_answer=answer)) as shop:
        shop.export()
        assert len(shop.members()) > 1_400
        assert shop.members() == expected_members(shop)
        shop.later(minutes=30)
        wanted = [one["id"] for one in shop.customers() if one["acceptsMarketing"] is True and one["emailAddress"]]
        for account_id in wanted[:550]:  # two events each
            shop.box.kibo.update_account(int(str(account_id)), lastName="Newname")
        last = add(shop, "last@example.com")
        shop.flush()
        assert "last@example.com" in shop.members(), last


def test_more_customers_of_one_second_than_the_depth_are_not_taken_for_the_whole(tmp_path: Path) -> None:
    """Where no window can get on, the export says so and sends nothing."""
    with new_shop(tmp_path, deepest_row=300) as shop:
        for number in range(450):
            add(shop, f"p{number}@example.com")
        with pytest.raises(RefusedError, match="Kibo"):
            shop.export()
        assert not shop.requests("POST", "contacts_json_import")


@pytest.mark.parametrize("gives", [True, False])
def test_a_device_login_without_a_refresh_token_is_none(gives: bool, tmp_path: Path) -> None:
    """It would end within a day: nothing is saved, and the message says what to choose in the portal."""
    if gives:
        with new_shop(tmp_path, device_gives_refresh_token=True) as shop:
            assert shop.latest() == []
        return
    with pytest.raises(LoginNeeded, match="no refresh token"), new_shop(tmp_path, device_gives_refresh_token=False):
        pass


@pytest.mark.parametrize("makes_events", [True, False])
def test_a_business_account_is_nobody_s(makes_events: bool, tmp_path: Path) -> None:
    """Whether or not a change of its users makes an event, it neither adds nor keeps anybody."""
    with new_shop(tmp_path, b2b_users_make_events=makes_events) as shop:
        shop.export()
        _cron(shop)
        business = shop.box.kibo.add_b2b_account(NEW, acceptsMarketing=True)
        _cron(shop)
        shop.box.kibo.change_b2b_user(business)
        _cron(shop)
        assert shop.members() == set()
        assert shop.box.kibo.account(business)["acceptsMarketing"] is True


@pytest.mark.parametrize("writes", ["", "redacted", "redacted@anonymous.invalid"])
@pytest.mark.parametrize("makes_event", [True, False])
def test_a_redacted_account_is_gone(makes_event: bool, writes: str, tmp_path: Path) -> None:
    """Whatever the redaction writes, the person leaves the list: with the event, or with the next export."""
    with new_shop(tmp_path, redaction_writes=writes, redaction_makes_event=makes_event) as shop:
        add(shop, STAYS)
        gone = add(shop, OUT)
        shop.export()
        _cron(shop)
        shop.box.kibo.redact_account(gone)
        _cron(shop)
        if not makes_event:
            shop.export()
            _cron(shop)
        assert shop.members() == {STAYS}


@pytest.mark.parametrize("writes", ["", "redacted", "redacted@anonymous.invalid"])
def test_reconcile_finds_a_redacted_account_that_made_no_event(writes: str, tmp_path: Path) -> None:
    """It has no other address now: its person is still on the list, and the repair takes them off."""
    with new_shop(tmp_path, redaction_writes=writes, redaction_makes_event=False) as shop:
        add(shop, STAYS)
        gone = add(shop, OUT)
        shop.export()
        _cron(shop)
        shop.box.kibo.redact_account(gone)
        _cron(shop)
        report, kinds, _ = reconcile(shop, fixes=True)
        assert (report.drift, kinds["not-removed"]) == (1, {OUT})
        _cron(shop)
        assert shop.members() == {STAYS}
        assert reconcile(shop)[0].drift == 0


@pytest.mark.parametrize("longest", [50, 70])
def test_a_long_first_name_arrives_cut(longest: int, tmp_path: Path) -> None:
    """Names are cut at the described 50 letters, which either vendor takes."""
    with new_shop(tmp_path, longest_first_name=longest) as shop:
        add(shop, STAYS, firstName="A" * 60)
        shop.export()
        assert (shop.box.cc.contact(STAYS) or {})["first_name"] == "A" * 50


@pytest.mark.parametrize("starts", [True, False])
def test_a_paused_automation_mails_nobody(starts: bool, tmp_path: Path) -> None:
    """Where an import starts automations, it is the pause before the first export that keeps people from being mailed.

    ccsync names each automation and asks for a yes; see `tests/reports/test_first_export.py`.
    """
    with new_shop(tmp_path, imports_start_automations=starts) as shop:
        shop.box.cc.automations.add("Welcome", (shop.list_id,), state="PAUSED")
        add(shop, STAYS)
        shop.export()
        assert shop.box.cc.automations.mailed == []
        shop.box.cc.automations.add("Forgotten", (shop.list_id,))
        add(shop, NEW)
        shop.export()
        assert shop.box.cc.automations.mailed == ([(NEW, "Forgotten")] if starts else [])
