"""Changing and deleting single contacts: what is lost, who lives again, and what is refused."""

import json
from uuid import uuid4

import pytest

from tests.sandbox.constant_contact.world import error_key, problems, shown
from tests.sandbox.constant_contact.writing import NOW, account, opt_out, post, put

BEFORE = "2024-03-03T15:53:04Z"


def test_put_unsubscribes_with_source_date_and_reason() -> None:
    """An opt-out by PUT shows who asked, when and why, touches the contact too, and ends the memberships."""
    world = account()
    reply = put(world, "ann@example.com", email_address=opt_out("ann@example.com"), update_source="Contact")
    assert reply.status == 200
    contact = json.loads(reply.body)
    assert contact == shown(world, "ann@example.com")
    address = contact["email_address"]
    assert address["permission_to_send"] == "unsubscribed"
    assert (address["opt_out_source"], address["opt_out_date"]) == ("Contact", NOW)
    assert address["opt_out_reason"] == "Opted out in the shop"
    assert (contact["update_source"], contact["updated_at"], address["updated_at"]) == ("Contact", NOW, NOW)
    assert contact["list_memberships"] == []
    assert world.addresses(status="all", optout_after=NOW) == ["ann@example.com"]
    assert world.cc.forbidden_calls == []


def test_put_unsubscribes_and_may_keep_lists() -> None:
    """Whether an unsubscribed contact is still listed is the setting of an opt-out anywhere."""
    world = account(unsubscribed_keep_lists=True)
    put(world, "ann@example.com", email_address=opt_out("ann@example.com"))
    assert len(shown(world, "ann@example.com")["list_memberships"]) == 2


def test_unsubscribing_again_keeps_the_first_date_unless_set() -> None:
    """Whether a second opt-out has a date of its own is a setting."""
    for is_moved, dated in ((False, "2026-09-01T09:30:00Z"), (True, NOW)):
        world = account(put_again_moves_opt_out_date=is_moved)
        put(world, "out@example.com", email_address=opt_out("out@example.com"))
        assert shown(world, "out@example.com")["email_address"]["opt_out_date"] == dated


def test_put_nulls_what_it_omits_and_keeps_parts() -> None:
    """Omitted names, company, birthday and anniversary are lost; omitted lists, fields, phones and addresses stay."""
    world = account()
    parts = {
        "phone_numbers": [{"phone_number": "512-555-0100", "kind": "mobile"}],
        "street_addresses": [{"kind": "home", "street": "1 Main St", "city": "Austin"}],
    }
    whole = {"last_name": "Lang", "company_name": "Acme", "birthday_month": 11, "birthday_day": 24,
             "anniversary": "11/15/2006", "job_title": "Musician"}  # fmt: skip
    full = json.loads(put(world, "ann@example.com", **whole, **parts).body)
    assert full["anniversary"] == "2006-11-15"
    assert {name: full[name] for name in whole if name != "anniversary"} == {
        name: value for name, value in whole.items() if name != "anniversary"
    }
    bare = json.loads(put(world, "ann@example.com").body)
    assert not whole.keys() & bare.keys()
    assert bare["first_name"] == "Debora"
    assert len(bare["list_memberships"]) == 2
    assert bare["custom_fields"][0]["value"] == "7"
    assert bare["phone_numbers"][0]["phone_number"] == "512-555-0100"
    assert bare["street_addresses"][0]["city"] == "Austin"


def test_put_replaces_the_parts_it_names() -> None:
    """Lists and custom fields that are given are all there are afterwards."""
    world = account()
    field = world.cc.custom_fields.ids["segments"]
    customers = world.cc.list_id("Customers 2019")
    changed = {"list_memberships": [customers], "custom_fields": [{"custom_field_id": field, "value": "VIP"}]}
    contact = json.loads(put(world, "ann@example.com", **changed).body)
    assert contact["list_memberships"] == [customers]
    assert contact["custom_fields"] == [{"custom_field_id": field, "value": "VIP"}]


def test_put_without_a_permission_keeps_it_unless_set() -> None:
    """What an omitted permission means is a setting, since a default could opt people in again."""
    world = account()
    assert put(world, "out@example.com").status == 200
    assert shown(world, "out@example.com")["email_address"]["permission_to_send"] == "unsubscribed"
    world = account(put_omitted_permission="implicit")
    put(world, "out@example.com")
    assert shown(world, "out@example.com")["email_address"]["permission_to_send"] == "implicit"


def test_put_without_an_address_keeps_it_or_is_refused() -> None:
    """Whether email_address may be left out is a setting."""
    world = account()
    assert put(world, "ann@example.com", email_address=...).status == 200
    assert shown(world, "ann@example.com")["email_address"]["updated_at"] == BEFORE
    assert put(account(put_omitted_email="refuse"), "ann@example.com", email_address=...).status == 400


def test_put_revives_the_deleted() -> None:
    """A PUT brings a deleted contact back, without lists, even one that only unsubscribes; it wants Account."""
    world = account()
    assert put(world, "gone@example.com", update_source="Contact").status == 400
    assert put(world, "gone@example.com", email_address=opt_out("gone@example.com")).status == 200
    contact = shown(world, "gone@example.com")
    assert "deleted_at" not in contact
    assert contact["list_memberships"] == []
    assert world.addresses(status="unsubscribed") == ["out@example.com", "gone@example.com"]
    lenient = account(put_revives_by_contact="revive")
    assert put(lenient, "gone@example.com", update_source="Contact").status == 200


def test_put_changes_an_address_that_is_free() -> None:
    """A new address is found at once, the old one no longer; somebody else's, even a deleted one's, is a 409."""
    world = account()
    contact_id = world.ids("ann@example.com")[0]
    taken = put(world, "ann@example.com", email_address={"address": "GONE@example.com"})
    assert (taken.status, problems(taken)[0]["error_key"]) == (409, "contacts.api.conflict")
    assert put(world, "ann@example.com", email_address={"address": "Ann.New@example.com"}).status == 200
    assert world.cc.contact("ann@example.com") is None
    contact = shown(world, "ann.new@example.com")
    assert (contact["contact_id"], contact["email_address"]["address"]) == (contact_id, "Ann.New@example.com")
    assert "Ann.New@example.com" in world.cc.members("Newsletter")
    assert world.addresses(email="ANN.NEW@example.com") == ["Ann.New@example.com"]
    assert post(world, "ann@example.com").status == 409


def test_put_may_echo_what_is_read_only() -> None:
    """Read-only properties of email_address are taken and ignored."""
    world = account()
    read = shown(world, "out@example.com")["email_address"]
    echoed = {name: read[name] for name in ("address", "created_at", "updated_at", "opt_out_date", "opt_out_source")}
    assert put(world, "out@example.com", email_address=echoed | {"opt_out_date": NOW}).status == 200
    assert shown(world, "out@example.com")["email_address"]["opt_out_date"] == "2026-09-01T09:30:00Z"


WRONG: list[dict[str, object]] = [
    {"first_name": "x" * 51},
    {"first_name": 5},
    {"birthday_month": 11},
    {"birthday_month": 13, "birthday_day": 1},
    {"anniversary": "yesterday"},
    {"email_address": {"address": "no address"}},
    {"email_address": {"address": "x" * 70 + "@example.com"}},
    {"email_address": {"permission_to_send": "unsubscribed"}},
    {"email_address": "ann@example.com"},
    {"phone_numbers": [{"phone_number": "1" * 26}]},
    {"phone_numbers": [{"phone_number": "1", "kind": "desk"}]},
    {"phone_numbers": [{"phone_number": "1"}] * 4},
    {"street_addresses": [{"street": "1 Main St"}]},
    {"custom_fields": [{"custom_field_id": str(uuid4()), "value": "x"}]},
    {"list_memberships": ["Newsletter"]},
    {"taggings": [str(uuid4())]},
    {"contact_id": str(uuid4())},
    {"created_at": NOW},
]


@pytest.mark.parametrize("changes", WRONG)
def test_wrong_bodies_are_refused(changes: dict[str, object]) -> None:
    """An undeclared property, a wrong type, a text too long, an unknown field: 400, and nothing is changed."""
    world = account()
    before = shown(world, "ann@example.com")
    for reply in (put(world, "ann@example.com", **changes), post(world, "new@example.com", **changes)):
        assert reply.status == 400, reply.body
    assert shown(world, "ann@example.com") == before
    assert world.cc.contact("new@example.com") is None


def test_source_is_required() -> None:
    """Without update_source, or create_source, or with one that nobody is, a body is refused."""
    world = account()
    for source in (..., "API", None):
        assert put(world, "ann@example.com", update_source=source).status == 400
        assert post(world, "new@example.com", create_source=source).status == 400
    assert "create_source is missing" in problems(post(world, "new@example.com", create_source=...))[0]["error_message"]
    assert post(world, "new@example.com", update_source="Account").status == 400


def test_unknown_contact_is_404_and_wrong_type_415() -> None:
    """A PUT of nobody is a 404 array; a body that is not JSON by its header is 415."""
    world = account()
    body = {"update_source": "Account", "first_name": "Ann"}
    assert world.call("PUT", f"/contacts/{uuid4()}", body).status == 404
    path = f"/contacts/{world.ids('ann@example.com')[0]}"
    assert world.call("PUT", path, body, headers={"content-type": "text/plain"}).status == 415


@pytest.mark.parametrize("permission", ["explicit", "implicit", "not_set", "pending_confirmation", "temp_hold", 5])
def test_any_other_permission_is_forbidden(permission: object) -> None:
    """A body that names a permission other than unsubscribed has no effect, gets 403 and stays visible."""
    world = account()
    reply = put(
        world, "out@example.com", email_address={"address": "out@example.com", "permission_to_send": permission}
    )
    assert (reply.status, error_key(reply)) == (403, "access_denied")
    named = {"address": "new@example.com", "permission_to_send": permission}
    assert post(world, "new@example.com", email_address=named).status == 403
    assert world.cc.forbidden_calls == [f"PUT /v3/contacts/{world.ids('out@example.com')[0]}", "POST /v3/contacts"]
    assert shown(world, "out@example.com")["email_address"]["permission_to_send"] == "unsubscribed"


def test_delete_is_no_opt_out() -> None:
    """204; hidden, off all lists, permission as it was; once more does no harm, nobody is 404."""
    world = account()
    path = f"/contacts/{world.ids('ann@example.com')[0]}"
    assert [world.call("DELETE", path).status for _ in range(2)] == [204, 204]
    contact = shown(world, "ann@example.com")
    assert (contact["deleted_at"], contact["list_memberships"]) == ("2026-10-01", [])
    assert contact["email_address"]["permission_to_send"] == "implicit"
    assert world.call("DELETE", f"/contacts/{uuid4()}").status == 404
