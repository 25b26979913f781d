"""The simulated bulk import: what it accepts, when it takes effect, whom it touches, what it counts."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from tests.sandbox.constant_contact.world import START, World, deleted, error_key, opted_out, person, row, shown

IMPORT = "/activities/contacts_json_import"


def test_import_takes_time_and_then_happens_at_once() -> None:
    """initialized, processing with a percentage, completed; until then nobody is on the list."""
    world = World(import_seconds=10)
    activity_id = world.start_import([row("ann@example.com"), row("bob@example.com")])
    first = world.get(f"/activities/{activity_id}")
    assert (first["state"], first["percent_done"], first["status"]) == ("initialized", 0, {})
    assert first["_links"] == {"self": {"href": f"/v3/activities/{activity_id}"}}
    world.wait(6)
    running = world.get(f"/activities/{activity_id}")
    assert running["state"] == "processing"
    assert 0 < running["percent_done"] < 100
    assert world.cc.members("Newsletter") == []
    world.wait(5)
    assert world.cc.members("Newsletter") == ["ann@example.com", "bob@example.com"]
    done = world.get(f"/activities/{activity_id}")
    assert (done["state"], done["percent_done"]) == ("completed", 100)
    assert done["completed_at"] == "2026-10-01T09:30:10.000Z"
    assert done["status"] == {
        "items_total_count": 3,
        "items_completed_count": 3,
        "person_count": 2,
        "error_count": 0,
        "correctable_count": 0,
        "cannot_add_to_list_count": 0,
        "list_count": 1,
    }


def test_effects_count_from_the_end_of_the_import_not_from_the_look_at_it() -> None:
    """Who leaves the list after the import ended stays away, however late anybody looks."""
    world = World()
    world.start_import([row("ann@example.com")])
    world.wait(3600)
    world.cc.leave_list("ann@example.com", "Newsletter")
    assert world.cc.members("Newsletter") == []
    assert shown(world, "ann@example.com")["created_at"] == "2026-10-01T09:30:03Z"


def test_new_contact_is_implicit_and_the_account_s() -> None:
    """Everybody an import brings is implicit, opted in and created by the account."""
    world = World()
    world.run_import([row("ann@example.com", first_name="Ann")])
    contact = shown(world, "ann@example.com")
    address = contact["email_address"]
    assert (address["permission_to_send"], address["opt_in_source"]) == ("implicit", "Account")
    assert (contact["create_source"], contact["first_name"]) == ("Account", "Ann")


def test_known_contact_keeps_what_the_row_does_not_give() -> None:
    """Only given properties change, blank ones do not count, permission stays, the address's case is ignored."""
    world = World([person("Ann@Example.com", permission_to_send="explicit", custom_fields={"segments": "vip"})])
    more: dict[str, object] = {"last_name": "Musil", "first_name": "", "cf:kibo_id": "7", "birthday_month": 11}
    world.run_import([row("ann@example.COM", birthday_day=24, anniversary="3/3/2024", **more)])
    contact = shown(world, "ann@example.com")
    address = contact["email_address"]
    assert (address["address"], address["permission_to_send"]) == ("Ann@Example.com", "explicit")
    assert (contact["first_name"], contact["last_name"]) == ("Debora", "Musil")
    assert (contact["birthday_month"], contact["anniversary"]) == (11, "2024-03-03")
    assert [one["value"] for one in contact["custom_fields"]] == ["vip", "7"]
    assert world.cc.members("Newsletter") == ["Ann@Example.com"]


def test_phones_and_addresses_arrive_by_kind() -> None:
    """Names without a prefix mean home (phones: other); street2 is appended; `home country` is accepted."""
    world = World()
    place = {"home_street": "1 Main St", "home_street2": "Apt. 3", "home_city": "Chicago", "home country": "US"}
    world.run_import([row("ann@example.com", mobile_phone="1", phone="2", zip="60609", work_zip="1", **place)])
    contact = shown(world, "ann@example.com")
    phones = {one["kind"]: one["phone_number"] for one in contact["phone_numbers"]}
    assert phones == {"other": "2", "mobile": "1"}
    home, work = sorted(contact["street_addresses"], key=lambda one: str(one["kind"]))
    assert (home["street"], home["postal_code"], home["country"]) == ("1 Main St Apt. 3", "60609", "US")
    assert work["postal_code"] == "1"


def test_unsubscribed_person_is_not_put_on_a_list() -> None:
    """The import counts them, leaves permission alone, and completes; other fields follow the setting."""
    for is_updated in (True, False):
        world = World([opted_out("out@example.com", START)], import_updates_unsubscribed=is_updated)
        activity = world.run_import([row("out@example.com", first_name="New"), row("in@example.com")])
        assert activity["state"] == "completed"
        assert activity["status"]["cannot_add_to_list_count"] == 1
        assert activity["status"]["person_count"] == 2
        assert world.cc.members("Newsletter") == ["in@example.com"]
        contact = shown(world, "out@example.com")
        address = contact["email_address"]
        assert address["permission_to_send"] == "unsubscribed"
        assert contact["first_name"] == ("New" if is_updated else "Debora")


def test_person_who_left_only_the_list_is_put_back() -> None:
    """The vendor warns of this: an import adds again who had left the list."""
    world = World([person("ann@example.com", "Newsletter")])
    world.cc.leave_list("ann@example.com", "Newsletter")
    world.run_import([row("ann@example.com")])
    assert world.cc.members("Newsletter") == ["ann@example.com"]


def test_deleted_contact_comes_back_or_not() -> None:
    """Whether an import revives a deleted contact is a setting; an unsubscribed one never comes back."""
    for is_revived in (True, False):
        gone = deleted("gone@example.com", date(2016, 7, 8))
        world = World([gone, opted_out("out@example.com", START)], import_revives_deleted=is_revived)
        world.cc.delete_contact("out@example.com")
        status = world.run_import([row("gone@example.com"), row("out@example.com")])["status"]
        assert world.cc.members("Newsletter") == (["gone@example.com"] if is_revived else [])
        assert (status["error_count"], status["cannot_add_to_list_count"]) == (int(not is_revived), 1)
        assert "deleted_at" in shown(world, "out@example.com")


@pytest.mark.parametrize(
    ("bad", "counter"),
    [
        ({"email": "not an address"}, "correctable_count"),
        ({"email": "a,b@example.com"}, "correctable_count"),
        ({"email": ".a@example.com"}, "correctable_count"),
        ({"email": "ä@example.com"}, "correctable_count"),
        ({"email": "a@localhost"}, "correctable_count"),
        ({"email": ""}, "correctable_count"),
        ({"email": "", "first_name": "Nobody"}, "correctable_count"),
        ({"birthday_month": 13, "birthday_day": 1}, "correctable_count"),
        ({"birthday_month": 12}, "correctable_count"),
        ({"anniversary": "3. März"}, "correctable_count"),
        ({"anniversary": "02/30/2024"}, "correctable_count"),
        ({"email": "a" * 70 + "@example.com"}, "error_count"),
        ({"first_name": "x" * 51}, "error_count"),
        ({"home_street": "x" * 256}, "error_count"),
        ({"cf:kibo_id": "x" * 256}, "error_count"),
        ({"home_phone": "1", "work_phone": "2", "mobile_phone": "3", "other_phone": "4"}, "error_count"),
        ({f"cf:field_{n}": "x" for n in range(26)}, "error_count"),
        ({"sms_number": "12"}, "error_count"),
    ],
)
def test_bad_row_is_counted_and_the_rest_goes_in(bad: dict[str, object], counter: str) -> None:
    """A row the vendor cannot use is counted in its own counter, without saying whose it was."""
    world = World()
    activity = world.run_import([row("bad@example.com") | bad, row("good@example.com")])
    assert world.cc.members("Newsletter") == ["good@example.com"]
    status = activity["status"]
    assert (status[counter], status["person_count"], status["items_total_count"]) == (1, 1, 3)
    assert status["error_count"] + status["correctable_count"] == 1
    assert activity["activity_errors"][0].startswith("Line 2: ")
    assert "@" not in activity["activity_errors"][0]


@pytest.mark.parametrize(
    ("mode", "persons", "correctable"), [("accept", 1, 0), ("correctable", 0, 1), ("drop", 0, 0), ("lose", 1, 0)]
)
def test_long_addresses_follow_the_setting(mode: str, persons: int, correctable: int) -> None:
    """51 to 80 characters are taken, correctable, or dropped without a word, and even counted as taken."""
    world = World(long_address_import=mode)
    activity = world.run_import([row("a" * 60 + "@example.com")])
    status = activity["status"]
    assert (status["person_count"], status["correctable_count"]) == (persons, correctable)
    assert len(activity["activity_errors"]) == correctable


def test_unknown_custom_fields_follow_the_setting() -> None:
    """An unknown cf: name is ignored, an error of the row, or fails the job without any effect."""
    rows = [row("ann@example.com", **{"cf:shoe": "42"}), row("bob@example.com")]
    world = World(unknown_custom_field="ignore")
    assert world.run_import(rows)["status"]["person_count"] == 2
    world = World(unknown_custom_field="error")
    assert world.run_import(rows)["status"]["error_count"] == 1
    assert world.cc.members("Newsletter") == ["bob@example.com"]
    world = World(unknown_custom_field="fail")
    assert world.run_import(rows)["state"] == "failed"
    assert world.cc.members("Newsletter") == []


def test_row_without_an_address_may_have_a_mobile_number() -> None:
    """An SMS-only contact is found again by its number; consent wants a date."""
    world = World()
    rows: list[dict[str, object]] = [
        {"sms_number": "508-123-1235", "first_name": "Tex", "sms_consent_date": "07-03-2024"},
        {"sms_number": "5081231235", "last_name": "Avery"},
    ]
    world.run_import(rows, sms_permission_to_send="explicit")
    assert (world.cc.members("Newsletter"), world.cc.member_count("Newsletter")) == ([], 1)
    contact = world.get("/contacts", lists=world.cc.list_id("Newsletter"))["contacts"][0]
    assert (contact["first_name"], contact["last_name"]) == ("Tex", "Avery")


def test_one_address_twice_in_a_payload_is_one_contact() -> None:
    """Rows are carried out in order, so that the later one wins."""
    world = World()
    world.run_import([row("ann@example.com", first_name="A"), row("ANN@example.com", first_name="B")])
    assert world.cc.members("Newsletter") == ["ann@example.com"]
    assert shown(world, "ann@example.com")["first_name"] == "B"


def test_header_row_is_counted_or_not() -> None:
    """items_total_count may be one above what was sent."""
    world = World(items_total_counts_header=False)
    assert world.run_import([row("ann@example.com")])["status"]["items_total_count"] == 1


def test_large_import_takes_a_second_more_for_10000_rows() -> None:
    """Time grows with the number of rows."""
    world = World(import_seconds=1)
    activity_id = world.start_import([row(f"p{n}@example.com") for n in range(20_000)])
    world.wait(2.9)
    assert world.get(f"/activities/{activity_id}")["state"] == "processing"
    world.wait(0.1)
    assert world.get(f"/activities/{activity_id}")["state"] == "completed"


def test_thousand_queued_imports_are_the_most() -> None:
    """The 1,001st is 429 with a key that is neither throttled nor quota_exceeded."""
    world = World(import_seconds=100)
    for _ in range(1_000):
        world.start_import([row("a@example.com")])
    body = {"import_data": [row("a@example.com")], "list_ids": [world.cc.list_id("Newsletter")]}
    reply = world.call("POST", IMPORT, body)
    assert (reply.status, error_key(reply)) == (429, "activities.queue_full")
    world.wait(200)
    assert world.call("POST", IMPORT, body).status == 201


def test_activities_are_listed_newest_first_for_ten_days() -> None:
    """Paged, filtered by state, and forgotten by the listing after ten days."""
    world = World()
    ids = []
    for _ in range(5):
        ids.append(world.start_import([row("a@example.com")]))
        world.wait(60)
    last = world.start_import([row("a@example.com")])
    pages = list(world.pages("/activities", limit="4"))
    assert [one["activity_id"] for page in pages for one in page["activities"]] == [last, *reversed(ids)]
    assert [len(page["activities"]) for page in pages] == [4, 2]
    assert len(world.get("/activities", state="completed")["activities"]) == 5
    assert world.get("/activities", state="time_out")["activities"] == []
    world.wait(2)
    assert len(world.get("/activities", state="processing")["activities"]) == 1
    world.now = START + timedelta(days=10, seconds=90)
    world.token = str(world.cc.sign_in()["access_token"])
    assert len(world.get("/activities")["activities"]) == 4
    assert world.call("GET", f"/activities/{uuid4()}").status == 404
