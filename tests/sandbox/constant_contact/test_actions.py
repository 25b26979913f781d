"""What persons and staff do in the simulated account, and what the API shows of it."""

from datetime import date

import pytest

from tests.sandbox.constant_contact.world import World, deleted, person, shown, small_account


@pytest.fixture
def world() -> World:
    """A small account with one of each kind."""
    return small_account()


def test_unsubscribed_person_leaves_all_lists_unless_set_otherwise() -> None:
    """What becomes of the memberships of an unsubscribed contact is a setting."""
    for is_kept in (True, False):
        world = World([person("ann@example.com", "Newsletter")], unsubscribed_keep_lists=is_kept)
        world.cc.unsubscribe("ann@example.com")
        assert bool(world.cc.members("Newsletter")) is is_kept


def test_person_s_own_new_opt_in_is_told_by_source_and_date(world: World) -> None:
    """After an own opt-in permission is explicit, source Contact, date now; the old opt-out date may stay."""
    world.cc.resubscribe("out@example.com")
    contact = shown(world, "out@example.com")
    address = contact["email_address"]
    assert address["permission_to_send"] == "explicit"
    assert (address["opt_in_source"], address["opt_in_date"]) == ("Contact", "2026-10-01T09:30:00Z")
    assert address["opt_out_date"] == "2026-09-01T09:30:00Z"
    assert contact["list_memberships"] == []


def test_leaving_a_list_is_no_opt_out_and_leaves_no_trace(world: World) -> None:
    """Only a comparison of members reveals it."""
    before = shown(world, "ann@example.com")
    world.cc.leave_list("ann@example.com", "Newsletter")
    assert shown(world, "ann@example.com") == before | {"list_memberships": []}
    world.cc.join_list("ann@example.com", "Newsletter")
    assert shown(world, "ann@example.com") == before


def test_deleted_contact_is_hidden_not_unsubscribed_and_comes_back_by_a_list(world: World) -> None:
    """Deleting is no opt-out."""
    world.cc.delete_contact("ann@example.com")
    contact = shown(world, "ann@example.com")
    assert contact["deleted_at"] == "2026-10-01"
    address = contact["email_address"]
    assert address["permission_to_send"] == "explicit"
    assert world.cc.members("Newsletter") == ["Bob@Example.com"]
    assert world.cc.contact_count() == 6
    world.cc.join_list("ann@example.com", "Newsletter")
    assert world.cc.contact_count() == 7


def test_own_sign_up_brings_a_deleted_contact_back() -> None:
    """Who signs up again is there again, as before but explicit."""
    world = World([deleted("gone@example.com", date(2016, 7, 8))])
    world.cc.resubscribe("gone@example.com")
    assert world.addresses(status="active") == ["gone@example.com"]


def test_seeds_with_unknown_custom_fields_are_errors() -> None:
    """A population must keep to the account's custom fields."""
    with pytest.raises(ValueError, match="hat_size"):
        World([person("ann@example.com", custom_fields={"hat_size": "58"})])


def test_actions_on_nobody_are_errors(world: World) -> None:
    """A test that misspells an address or a list hears of it."""
    with pytest.raises(LookupError):
        world.cc.unsubscribe("nobody@example.com")
    with pytest.raises(LookupError):
        world.cc.members("No such list")
    with pytest.raises(ValueError, match="resubscribe first"):
        world.cc.join_list("out@example.com", "Newsletter")
