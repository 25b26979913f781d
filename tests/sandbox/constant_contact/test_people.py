"""Contacts that move: another address, another id, a confirmation that is waited for, a list left and joined again."""

import json

import pytest

from tests.sandbox.constant_contact.world import World, person, row, shown
from tests.sandbox.constant_contact.writing import opt_out, post, put


@pytest.fixture
def world() -> World:
    """One contact on one list."""
    return World([person("ann@example.com", "Newsletter")])


def confirming(**settings: object) -> World:
    """An account where who signs up has to confirm."""
    return World([person("ann@example.com", "Newsletter")], confirmed_opt_in=True, **settings)


def test_a_renamed_contact_keeps_its_id_and_its_lists(world: World) -> None:
    """Who changes the address in Update Profile is the same contact, and email_address.updated_at moves."""
    before = shown(world, "ann@example.com")
    world.wait(60)
    world.cc.rename("ann@example.com", "Ann.New@example.com")
    after = shown(world, "ann.new@example.com")
    assert (after["contact_id"], after["list_memberships"]) == (before["contact_id"], before["list_memberships"])
    assert after["email_address"]["updated_at"] == "2026-10-01T09:31:00Z"
    assert after["updated_at"] == before["updated_at"]
    assert world.cc.contact("ann@example.com") is None


def test_a_rename_may_show_in_updated_at() -> None:
    """Whether the contact's own updated_at moves is in no description: a setting."""
    world = World([person("ann@example.com")], rename_moves_updated_at=True)
    world.cc.rename("ann@example.com", "new@example.com")
    contact = shown(world, "new@example.com")
    assert (contact["updated_at"], contact["update_source"]) == ("2026-10-01T09:30:00Z", "Contact")


def test_an_address_given_up_is_not_to_be_had_by_a_single_create(world: World) -> None:
    """409 names the contact that had the address; an import makes a new contact of it."""
    contact_id = world.ids("ann@example.com")[0]
    world.cc.rename("ann@example.com", "new@example.com")
    reply = post(world, "ann@example.com")
    assert reply.status == 409
    assert contact_id in reply.body.decode()
    world.run_import([row("ann@example.com")])
    assert world.ids("ann@example.com") != [contact_id]


def test_nobody_takes_another_contact_s_address(world: World) -> None:
    """A rename to an address in use is a mistake of the test."""
    world.cc.add_contact(person("bob@example.com"))
    with pytest.raises(ValueError, match="another contact"):
        world.cc.rename("ann@example.com", "BOB@example.com")


def test_who_is_erased_for_good_comes_back_as_somebody_new(world: World) -> None:
    """The old id is 404, the address is free, and has a new id afterwards."""
    old = world.ids("ann@example.com")[0]
    world.cc.delete_contact("ann@example.com", for_good=True)
    assert world.call("GET", f"/contacts/{old}").status == 404
    assert post(world, "ann@example.com").status == 201
    assert world.ids("ann@example.com") != [old]


def test_under_confirmed_opt_in_a_created_contact_is_on_no_list_before_confirming() -> None:
    """POST with create_source Contact: pending_confirmation, no list; after the click explicit, and on the list."""
    world = confirming()
    newsletter = world.cc.list_id("Newsletter")
    reply = post(world, "new@example.com", create_source="Contact", list_memberships=[newsletter])
    contact = json.loads(reply.body)
    assert contact["email_address"]["permission_to_send"] == "pending_confirmation"
    assert (contact["email_address"]["confirm_status"], contact["list_memberships"]) == ("pending", [])
    assert world.cc.members("Newsletter") == ["ann@example.com"]
    world.cc.confirm("new@example.com")
    contact = shown(world, "new@example.com")
    assert contact["list_memberships"] == [newsletter]
    address = contact["email_address"]
    assert (address["permission_to_send"], address["opt_in_source"]) == ("explicit", "Contact")
    assert address["confirm_status"] == "confirmed"
    with pytest.raises(ValueError, match="nothing to confirm"):
        world.cc.confirm("new@example.com")


def test_the_welcome_mail_waits_for_the_confirmation() -> None:
    """Nobody is welcomed before having confirmed."""
    world = confirming()
    post(world, "new@example.com", create_source="Contact", list_memberships=[world.cc.list_id("Newsletter")])
    assert world.cc.welcomed == []
    world.cc.confirm("new@example.com")
    assert world.cc.welcomed == ["new@example.com"]


def test_the_account_s_own_contacts_need_no_confirmation() -> None:
    """With create_source Account, and in an import, nothing is waited for."""
    world = confirming()
    post(world, "staff@example.com", list_memberships=[world.cc.list_id("Newsletter")])
    world.run_import([row("bulk@example.com")])
    assert world.cc.members("Newsletter") == ["ann@example.com", "staff@example.com", "bulk@example.com"]


@pytest.mark.parametrize(("setting", "is_member"), [("wait", False), ("join", True)])
def test_bulk_jobs_and_who_has_not_confirmed(setting: str, is_member: bool) -> None:
    """Whether an import or an addition puts a waiting contact on a list is a setting; confirming always does."""
    world = confirming(bulk_adds_pending=setting)
    post(world, "new@example.com", create_source="Contact")
    world.run_import([row("new@example.com")])
    assert ("new@example.com" in world.cc.members("Newsletter")) is is_member
    body = {"source": {"contact_ids": world.ids("new@example.com")}, "list_ids": [world.cc.list_id("Customers 2019")]}
    world.run_job("add_list_memberships", body)
    assert ("new@example.com" in world.cc.members("Customers 2019")) is is_member
    world.cc.confirm("new@example.com")
    assert "new@example.com" in world.cc.members("Newsletter")
    assert "new@example.com" in world.cc.members("Customers 2019")


def test_the_record_tells_persons_from_staff(world: World) -> None:
    """Each act on a contact is in the log with who did it, its contact, and its list."""
    contact_id, list_id = world.ids("ann@example.com")[0], world.cc.list_id("Newsletter")
    world.cc.leave_list("ann@example.com", "Newsletter")
    world.cc.join_list("ann@example.com", "Newsletter", "Account")
    world.cc.rename("ann@example.com", "new@example.com")
    world.cc.unsubscribe("new@example.com")
    world.cc.resubscribe("new@example.com")
    world.cc.delete_contact("new@example.com")
    acts = world.acts.about(contact_id=contact_id)
    assert [(one.actor, one.kind, one.says) for one in acts] == [
        ("person", "leave-list", False),
        ("staff", "join-list", True),
        ("person", "rename", None),
        ("person", "unsubscribe", False),
        ("person", "resubscribe", True),
        ("staff", "delete", None),
    ]
    assert (acts[0].list_id, acts[0].at, acts[2].value) == (list_id, world.now, "ann@example.com")


def test_the_record_tells_what_the_application_did(world: World) -> None:
    """What was sent, who came on a list and off it by that, and who was unsubscribed."""
    list_id = world.cc.list_id("Newsletter")
    world.run_import([row("ann@example.com"), row("new@example.com")])
    world.run_job(
        "remove_list_memberships", {"source": {"contact_ids": world.ids("ann@example.com")}, "list_ids": [list_id]}
    )
    put(world, "new@example.com", email_address=opt_out("new@example.com"))
    assert [(one.kind, one.address) for one in world.acts.by("app")] == [
        ("send", "ann@example.com"),
        ("send", "new@example.com"),
        ("join-list", "new@example.com"),
        ("leave-list", "ann@example.com"),
        ("unsubscribe", "new@example.com"),
    ]
    assert {one.list_id for one in world.acts.by("app", kind="send")} == {list_id}


def test_the_record_holds_contacts_of_other_sources_and_lists_that_go(world: World) -> None:
    """Who is added by staff is on record with the lists; so is a list that is deleted."""
    world.cc.add_contact(person("bob@example.com", "Newsletter"))
    world.cc.delete_list("Newsletter")
    assert [(one.actor, one.kind) for one in world.acts] == [
        ("staff", "add"),
        ("staff", "join-list"),
        ("staff", "delete-list"),
    ]
