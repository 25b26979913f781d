"""Reading simulated contacts: which ones, in which order, in which shape."""

from datetime import datetime
from itertools import islice
from uuid import uuid4

import pytest

from ccsync.sandbox.settings import DATE_FORMATS
from tests.sandbox.constant_contact.world import EARLIER, World, opted_out, person, shown, small_account


@pytest.fixture
def world() -> World:
    """A small account with one of each kind."""
    return small_account()


def test_status_selects_contacts(world: World) -> None:
    """`status` takes one word or several; `all` includes the deleted."""
    assert world.addresses(status="active") == ["ann@example.com", "Bob@Example.com"]
    assert world.addresses(status="unsubscribed,temp_hold") == ["out@example.com", "hold@example.com"]
    assert world.addresses(status="deleted") == ["gone@example.com"]
    assert len(world.addresses(status="all")) == 6


def test_status_has_the_default_of_the_settings(world: World) -> None:
    """Without `status` the deleted are left out, or, as support says, all but the active."""
    assert "gone@example.com" not in world.addresses()
    assert "out@example.com" in world.addresses()
    strict = World([opted_out("out@example.com", EARLIER)], status_default="active")
    assert strict.addresses() == []


def test_email_is_found_whatever_its_case(world: World) -> None:
    """`email` wants the whole address and ignores case."""
    assert world.addresses(email="BOB@example.COM") == ["Bob@Example.com"]
    assert world.addresses(email="bob") == []
    assert world.addresses(email="gone@example.com") == []
    assert world.addresses(email="gone@example.com", status="all") == ["gone@example.com"]
    newsletter = world.cc.list_id("Newsletter")
    assert world.addresses(email="hold@example.com", lists=newsletter) == []


def test_lists_give_the_members_of_any_of_them(world: World) -> None:
    """`lists` joins memberships, names nobody twice, and knows no deleted list."""
    both = f"{world.cc.list_id('Customers 2019')},{world.cc.list_id('Newsletter')}"
    assert world.addresses(lists=both, status="all") == ["ann@example.com", "Bob@Example.com"]
    assert world.addresses(lists=str(uuid4()), status="all") == []


def test_updated_after_misses_opt_outs_and_optout_after_finds_them(world: World) -> None:
    """An opt-out touches the address, not the contact."""
    world.cc.unsubscribe("ann@example.com")
    now = "2026-10-01T09:30:00Z"
    assert world.addresses(status="all", updated_after="2026-10-01T09:29:59Z") == []
    assert world.addresses(status="all", optout_after=now) == ["ann@example.com"]
    contact = shown(world, "ann@example.com")
    assert contact["updated_at"] == "2024-03-03T15:53:04Z"
    address = contact["email_address"]
    assert (address["updated_at"], address["opt_out_date"], address["opt_out_source"]) == (now, now, "Contact")


def test_optout_after_is_inclusive_or_not() -> None:
    """The bound itself belongs to the answer only when the setting says so."""
    for is_inclusive in (True, False):
        world = World([opted_out("out@example.com", EARLIER)], optout_after_is_inclusive=is_inclusive)
        bound = EARLIER.isoformat().replace("+00:00", "Z")
        assert bool(world.addresses(status="all", optout_after=bound)) is is_inclusive
        assert world.addresses(status="all", optout_before=bound) == []


def test_created_and_updated_bounds(world: World) -> None:
    """Bounds may carry fractions and offsets."""
    world.wait(60)
    world.cc.add_contact(person("new@example.com", created_at=world.now, updated_at=world.now))
    assert world.addresses(created_after="2026-10-01T05:30:00.500-04:00") == ["new@example.com"]
    assert "new@example.com" not in world.addresses(created_before="2026-10-01T09:31:00Z")
    assert world.addresses(updated_after="2024-03-03T15:53:04Z", updated_before="2027-01-01T00:00:00Z") == [
        "new@example.com"
    ]


def test_contacts_have_the_vendor_s_shape(world: World) -> None:
    """Parts appear only when included; created_at of an address has an offset; deleted_at is a date."""
    plain = world.get("/contacts", email="ann@example.com")["contacts"][0]
    assert plain["email_address"]["permission_to_send"] == "explicit"
    assert plain["email_address"]["created_at"] == "2024-03-03T10:53:04-05:00"
    assert plain["created_at"] == "2024-03-03T15:53:04Z"
    assert "custom_fields" not in plain
    full = world.get(f"/contacts/{plain['contact_id']}", include="list_memberships,custom_fields,taggings,notes")
    assert full["list_memberships"] == [world.cc.list_id("Newsletter")]
    field = next(one for one in world.get("/contact_custom_fields")["custom_fields"] if one["name"] == "kibo_id")
    assert full["custom_fields"] == [{"custom_field_id": field["custom_field_id"], "value": "7"}]
    assert full["taggings"] == full["notes"] == []
    assert world.get("/contacts", status="deleted")["contacts"][0]["deleted_at"] == "2016-07-08"


def test_contacts_without_an_address_are_among_them(world: World) -> None:
    """Who gave only a mobile number has no email_address at all."""
    everybody = world.get("/contacts", status="all")["contacts"]
    silent = [one for one in everybody if "email_address" not in one]
    assert len(silent) == 2
    assert silent[0]["sms_channel"]["sms_channel_consents"][0]["sms_consent_permission"] == "explicit"
    assert len(world.get("/contacts", sms_status="explicit")["contacts"]) == 2


def test_pages_follow_one_another_and_newcomers_come_last(world: World) -> None:
    """A cursor carries all parameters; who is added meanwhile appears at the end, nobody twice."""
    first = world.get("/contacts", status="all", limit="4", include_count="true")
    assert first["contacts_count"] == 8
    world.cc.add_contact(person("aaa@example.com"))
    world.cc.unsubscribe("ann@example.com")
    second = world.get(first["_links"]["next"]["href"].removeprefix("/v3"))
    third = world.get(second["_links"]["next"]["href"].removeprefix("/v3"))
    assert [len(page["contacts"]) for page in (first, second, third)] == [4, 4, 1]
    assert third["contacts"][0]["email_address"]["address"] == "aaa@example.com"
    assert "_links" not in third


def test_counts_are_by_consent(world: World) -> None:
    """The counts leave out the deleted."""
    counts = world.get("/contacts/counts", include="new_subscriber")
    assert counts == {"total": 7, "explicit": 1, "implicit": 3, "pending": 1, "unsubscribed": 1, "new_subscriber": 2}


@pytest.mark.parametrize("how", DATE_FORMATS)
def test_opt_out_dates_have_the_format_of_the_setting(how: str) -> None:
    """All five formats of the vendor, and a mixture of them."""
    people = [opted_out(f"out{number}@example.com", EARLIER) for number in range(5)]
    found = World(people, json_dates=how).get("/contacts", status="unsubscribed")["contacts"]
    dates = [one["email_address"]["opt_out_date"] for one in found]
    assert {datetime.fromisoformat(one).date() for one in dates} == {EARLIER.date()}
    assert len(set(dates)) == (5 if how == "mixed" else 1)


def test_opt_outs_may_have_no_date() -> None:
    """Some contacts are unsubscribed and have no opt_out_date: none is known, or, by a setting, none is shown."""
    world = World([opted_out("out@example.com", EARLIER)], opt_out_dates_shown=False)
    assert "opt_out_date" not in shown(world, "out@example.com")["email_address"]
    assert world.addresses(status="all", optout_after="2026-01-01T00:00:00Z") == ["out@example.com"]
    world = World([person("ann@example.com")])
    world.cc.unsubscribe("ann@example.com", reason="No time", is_dated=False)
    address = shown(world, "ann@example.com")["email_address"]
    assert "opt_out_date" not in address
    assert (address["opt_out_source"], address["opt_out_reason"]) == ("Contact", "No time")
    assert world.addresses(status="all", optout_after="2026-01-01T00:00:00Z") == []
    assert world.addresses(status="unsubscribed") == ["ann@example.com"]


def test_contacts_without_an_address_are_as_many_as_set() -> None:
    """The account may have any number of them, and they may be on a list."""
    world = World(sms_only_contacts=3)
    assert len(world.get("/contacts", status="all")["contacts"]) == 3
    world.cc.add_sms_contact("2025550199", "Newsletter")
    assert (world.cc.members("Newsletter"), world.cc.member_count("Newsletter")) == ([], 1)


def test_pages_may_be_faulty() -> None:
    """By a setting rows come twice, the cursor comes round to the first page again, or pages never end."""
    people = [person(f"p{number}@example.com") for number in range(6)]
    world = World(people, contact_pages="overlap", sms_only_contacts=0)
    found = [
        [one["email_address"]["address"][1] for one in page["contacts"]] for page in world.pages("/contacts", limit="3")
    ]
    assert found == [["0", "1", "2"], ["2", "3", "4"], ["4", "5"]]
    for setting, is_new in (("loop", False), ("endless", True)):
        world = World(people, contact_pages=setting, sms_only_contacts=0)
        pages = list(islice(world.pages("/contacts", limit="3"), 7))
        links = [one["_links"]["next"]["href"] for one in pages]
        assert (len(set(links)) == 7) is is_new
        assert bool(pages[-1]["contacts"]) is not is_new
