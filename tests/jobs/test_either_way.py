"""Facts that nobody has checked on a live account: a day in the shop ends alike, whichever way each turns out to be."""

from pathlib import Path

import pytest

from ccsync.errors import LoginNeeded, RefusedError
from tests.harness import LIST, Shop
from tests.jobs.flushing import add, change, new_shop

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


@pytest.mark.parametrize("deepest", [0, 300])
def test_a_list_that_ends_before_its_last_customer_is_not_taken_for_the_whole(deepest: int, tmp_path: Path) -> None:
    """Where Kibo shows no row beyond some depth, the export says so and sends nothing."""
    with new_shop(tmp_path, deepest_row=deepest) as shop:
        for number in range(450):
            add(shop, f"p{number}@example.com")
        if deepest:
            with pytest.raises(RefusedError, match="Kibo"):
                shop.export()
            assert not shop.requests("POST", "contacts_json_import")
        else:
            shop.export()
            assert len(shop.members()) == 450


@pytest.mark.parametrize("gives", [True, False])
def test_a_device_login_without_a_refresh_token_is_none(gives: bool, tmp_path: Path) -> None:
    """It would end within a day: nothing is saved, and the message says what to choose in the portal."""
    if gives:
        with new_shop(tmp_path, device_gives_refresh_token=True) as shop:
            assert shop.latest() == []
        return
    with pytest.raises(LoginNeeded, match="no refresh token"), new_shop(tmp_path, device_gives_refresh_token=False):
        pass
