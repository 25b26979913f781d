"""Creating single contacts: who is new, who is welcomed, and who is a conflict."""

import json
from uuid import uuid4

from tests.sandbox.constant_contact.world import problems, shown
from tests.sandbox.constant_contact.writing import NOW, account, post, put


def test_post_creates_somebody_new() -> None:
    """201 with the whole contact; source, lists and fields as given, permission implicit."""
    world = account()
    newsletter = world.cc.list_id("Newsletter")
    reply = post(world, "New@example.com", create_source="Contact", last_name="Lang", list_memberships=[newsletter])
    assert reply.status == 201
    contact = json.loads(reply.body)
    assert contact == shown(world, "new@example.com")
    address = contact["email_address"]
    assert (address["address"], address["permission_to_send"]) == ("New@example.com", "implicit")
    assert (address["opt_in_source"], address["opt_in_date"]) == ("Contact", NOW)
    assert (contact["create_source"], contact["update_source"], contact["created_at"]) == ("Contact", "Contact", NOW)
    assert contact["list_memberships"] == [newsletter]
    assert world.cc.forbidden_calls == []


def test_welcome_mail_goes_to_those_who_came_themselves() -> None:
    """A Welcome Email is for create_source Contact on a list; never for Account, and never for an import."""
    world = account()
    newsletter = [world.cc.list_id("Newsletter")]
    post(world, "self@example.com", create_source="Contact", list_memberships=newsletter)
    post(world, "staff@example.com", list_memberships=newsletter)
    post(world, "nowhere@example.com", create_source="Contact")
    world.run_import([{"email": "bulk@example.com"}])
    assert world.cc.welcomed == ["self@example.com"]


def test_post_is_409_for_every_address_that_ever_was() -> None:
    """Whoever is there, opted out or deleted, in any case of letters, is a conflict that names the contact."""
    world = account()
    for address in ("ann@example.com", "OUT@example.com", "gone@example.com"):
        before = shown(world, address)
        reply = post(world, address, create_source="Contact", list_memberships=[world.cc.list_id("Newsletter")])
        assert (reply.status, problems(reply)[0]["error_key"]) == (409, "contacts.api.conflict")
        assert problems(reply)[0]["error_message"].endswith(before["contact_id"])
        assert shown(world, address) == before
    assert world.cc.welcomed == []


def test_post_wants_an_address_or_a_name() -> None:
    """A name alone makes a contact without an address; nothing at all is refused."""
    world = account()
    named = {"create_source": "Account", "first_name": "Ann"}
    assert "email_address" not in json.loads(world.call("POST", "/contacts", named).body)
    assert world.call("POST", "/contacts", {"create_source": "Account"}).status == 400


def test_post_may_ask_for_confirmation() -> None:
    """What permission a new contact has is a setting: Confirmed Opt-In makes it pending."""
    world = account(post_permission="pending_confirmation")
    post(world, "new@example.com", create_source="Contact")
    assert shown(world, "new@example.com")["email_address"]["permission_to_send"] == "pending_confirmation"


def test_post_may_create_somebody_who_is_unsubscribed() -> None:
    """Such a contact is on no list and gets no mail."""
    world = account()
    body = {"address": "never@example.com", "permission_to_send": "unsubscribed"}
    newsletter = [world.cc.list_id("Newsletter")]
    assert post(world, "", email_address=body, create_source="Contact", list_memberships=newsletter).status == 201
    contact = shown(world, "never@example.com")
    assert (contact["email_address"]["opt_out_date"], contact["list_memberships"]) == (NOW, [])
    assert world.cc.welcomed == []


def test_missing_list_creates_nobody() -> None:
    """A list that does not exist is refused before anything is done."""
    world = account()
    assert post(world, "new@example.com", list_memberships=[str(uuid4())]).status == 404
    assert put(world, "ann@example.com", list_memberships=[str(uuid4())], last_name="X").status == 404
    assert world.cc.contact("new@example.com") is None
    assert shown(world, "ann@example.com")["last_name"] == "Lang"
