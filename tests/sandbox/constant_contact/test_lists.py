"""The simulated account: owner, addresses, custom fields, lists."""

import json

import pytest

from tests.sandbox.constant_contact.world import World, problems, shown, small_account


@pytest.fixture
def world() -> World:
    """A small account with one of each kind."""
    return small_account()


def test_account_tells_owner_and_addresses(world: World) -> None:
    """The summary has the encoded id; addresses are a bare array, filtered by one parameter at a time."""
    summary = world.get("/account/summary", extra_fields="physical_address")
    assert summary["encoded_account_id"] == "p07e1l8cdif9dl"
    assert summary["physical_address"]["city"] == "Boston"
    emails = world.get("/account/emails")
    assert {one["confirm_status"] for one in emails} == {"CONFIRMED", "UNCONFIRMED"}
    assert "DEFAULT_FROM" in emails[0]["roles"]
    assert [one["email_address"] for one in world.get("/account/emails", confirm_status="U")] == ["new@example.com"]
    assert world.get("/account/emails", role_code="B")[0]["email_address"] == "billing@example.com"
    assert world.get("/account/emails", email_address="INFO@example.com")[0]["email_id"] == 1


def test_custom_field_names_are_not_their_labels(world: World) -> None:
    """The key of an import is the name, which differs from the label; the fields are paged."""
    pages = list(world.pages("/contact_custom_fields", limit="3"))
    fields = [one for page in pages for one in page["custom_fields"]]
    assert len(pages) == 3
    assert {"label": "Loyalty tier", "name": "loyalty_tier"}.items() <= fields[0].items()


def test_a_new_field_s_name_is_made_of_its_label() -> None:
    """Blanks become underscores; in an account where names come back in lower case, that too; a label is taken once."""
    for setting, name in (("as-labelled", "Hat_Size"), ("lower", "hat_size")):
        world = World(custom_field_names=setting)
        body = {"label": "Hat Size", "type": "text_area"}
        reply = world.call("POST", "/contact_custom_fields", body)
        assert reply.status == 201
        assert {"label": "Hat Size", "name": name, "type": "text_area"}.items() <= json.loads(reply.body).items()
        assert world.call("POST", "/contact_custom_fields", {**body, "label": "hat size"}).status == 409
        assert world.call("POST", "/contact_custom_fields", {"label": "Cap", "type": "text"}).status == 400


def test_list_is_created_once_found_by_its_full_name_and_renamed(world: World) -> None:
    """A taken name is a 409 array; a rename keeps the id and the members."""
    reply = world.call("POST", "/contact_lists", {"name": "Web shop customers", "favorite": True})
    assert reply.status == 201
    created = json.loads(reply.body)
    assert created["favorite"] is True
    again = world.call("POST", "/contact_lists", {"name": "Web shop customers"})
    assert (again.status, problems(again)[0]["error_key"]) == (409, "contacts.api.conflict")
    found = world.get("/contact_lists", name="Web shop customers", include_membership_count="all")
    assert [(one["list_id"], one["membership_count"]) for one in found["lists"]] == [(created["list_id"], 0)]
    assert world.get("/contact_lists", name="Web shop")["lists"] == []
    renamed = world.call("PUT", f"/contact_lists/{created['list_id']}", {"name": "Shop"})
    assert json.loads(renamed.body)["list_id"] == created["list_id"] == world.cc.list_id("Shop")
    assert world.call("PUT", f"/contact_lists/{created['list_id']}", {"name": "Newsletter"}).status == 409


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 5}, {"name": "x" * 256}, {"name": "x", "favorite": "yes"}, {"name": "x", "id": "y"}],
)
def test_wrong_lists_are_refused(world: World, body: dict[str, object]) -> None:
    """A list needs a name of 1 to 255 characters and takes nothing undeclared."""
    assert world.call("POST", "/contact_lists", body).status == 400


def test_body_must_be_json(world: World) -> None:
    """Another content type is 415, malformed JSON 400."""
    wrong = world.call("POST", "/contact_lists", {"name": "x"}, {"content-type": "text/plain"})
    assert wrong.status == 415
    for body in (b"{", b"[]", b"\xff", b'{"name": NaN}', b"[" * 100_000):
        assert world.call("POST", "/contact_lists", body).status == 400


def test_lists_are_paged_and_counted(world: World) -> None:
    """The listing pages by relative links and counts members, active ones apart."""
    for number in range(60):
        world.cc.add_list(f"List {number}")
    pages = list(world.pages("/contact_lists", include_count="true", include_membership_count="active"))
    assert [len(page["lists"]) for page in pages] == [50, 12]
    assert pages[0]["lists_count"] == 62
    assert pages[0]["lists"][0]["membership_count"] == 2
    assert world.get("/contact_lists", channel_type="sms")["lists"] == []


def test_thousand_and_first_list_is_refused(world: World) -> None:
    """An account has at most 1,000 lists."""
    for number in range(998):
        world.cc.add_list(f"List {number}")
    assert world.call("POST", "/contact_lists", {"name": "one more"}).status == 400


def test_deleted_list_is_gone(world: World) -> None:
    """A deleted list is a 404, shows only with its status, and leaves its members in the account."""
    list_id = world.cc.list_id("Newsletter")
    world.cc.delete_list("Newsletter")
    assert world.call("GET", f"/contact_lists/{list_id}").status == 404
    assert [one["name"] for one in world.get("/contact_lists")["lists"]] == ["Customers 2019"]
    assert "deleted_at" in world.get("/contact_lists", status="deleted")["lists"][0]
    assert shown(world, "ann@example.com")["list_memberships"] == []
    assert world.cc.add_list("Newsletter") != list_id
