"""Tags: the book of them, tagging as a bulk job, and contacts found by their tags."""

import json
from uuid import uuid4

import pytest

from tests.sandbox.constant_contact.world import World, person, problems, shown

ADD, REMOVE = "contacts_taggings_add", "contacts_taggings_remove"


@pytest.fixture
def world() -> World:
    """Three contacts, two of them on a list."""
    return World(
        [person("ann@example.com", "Newsletter"), person("bob@example.com", "Newsletter"), person("cid@example.com")]
    )


def make(world: World, name: str) -> str:
    """A new tag; its id."""
    reply = world.call("POST", "/contact_tags", {"name": name})
    assert reply.status == 201, reply.body
    return str(json.loads(reply.body)["tag_id"])


def tags_of(world: World, address: str) -> list[str]:
    taggings: list[str] = shown(world, address)["taggings"]
    return taggings


def test_tags_are_made_read_renamed_and_listed(world: World) -> None:
    """A name is unique and 1 to 255 characters; the listing is paged."""
    vip = make(world, "VIP")
    made = [make(world, f"tag {number}") for number in range(3)]
    assert world.call("POST", "/contact_tags", {"name": "VIP"}).status == 409
    assert world.call("POST", "/contact_tags", {"name": "n" * 256}).status == 400
    assert world.call("PUT", f"/contact_tags/{vip}", {"name": "tag 1"}).status == 409
    assert world.call("PUT", f"/contact_tags/{vip}", {"name": "Gold"}).status == 200
    assert world.get(f"/contact_tags/{vip}")["name"] == "Gold"
    pages = list(world.pages("/contact_tags", limit="3"))
    assert [one["tag_id"] for page in pages for one in page["tags"]] == [vip, *made]
    assert "contacts_count" not in pages[0]["tags"][0]
    assert world.call("GET", f"/contact_tags/{uuid4()}").status == 404


def test_contacts_are_tagged_and_tags_taken_off(world: World) -> None:
    """By ids; the contact shows its tags where they are asked for, and the tag counts its contacts."""
    vip, new = make(world, "VIP"), make(world, "New")
    source = {"contact_ids": world.ids("ann@example.com", "cid@example.com")}
    activity = world.run_job(ADD, {"source": source, "tag_ids": [vip, new]})
    assert (activity["state"], activity["status"]) == (
        "completed",
        {"items_total_count": 2, "items_completed_count": 2},
    )
    assert tags_of(world, "ann@example.com") == [vip, new]
    assert tags_of(world, "bob@example.com") == []
    assert world.get(f"/contact_tags/{vip}", include_count="true")["contacts_count"] == 2
    world.run_job(REMOVE, {"source": {"contact_ids": world.ids("ann@example.com")}, "tag_ids": [vip]})
    assert tags_of(world, "ann@example.com") == [new]


def test_sources_of_a_tagging_are_lists_tags_or_everybody(world: World) -> None:
    """One source at a time, and who is left out of it."""
    first, second, third = (make(world, name) for name in ("first", "second", "third"))
    lists = {"list_ids": [world.cc.list_id("Newsletter")]}
    world.run_job(ADD, {"source": lists, "exclude": {"contact_ids": world.ids("bob@example.com")}, "tag_ids": [first]})
    world.run_job(ADD, {"source": {"tag_ids": [first]}, "tag_ids": [second]})
    world.run_job(ADD, {"source": {"all_active_contacts": True}, "tag_ids": [third]})
    assert tags_of(world, "ann@example.com") == [first, second, third]
    assert tags_of(world, "bob@example.com") == [third]
    body = {"source": {"tag_ids": [first]}, "list_ids": [world.cc.list_id("Newsletter")]}
    world.run_job("remove_list_memberships", body)
    assert world.cc.members("Newsletter") == ["bob@example.com"]


def test_contacts_are_found_by_tags(world: World) -> None:
    """GET /contacts?tags= gives those who have one of them; an unknown tag is 400."""
    vip = make(world, "VIP")
    world.run_job(ADD, {"source": {"contact_ids": world.ids("bob@example.com", "cid@example.com")}, "tag_ids": [vip]})
    assert world.addresses(tags=vip, status="all", limit="1") == ["bob@example.com", "cid@example.com"]
    assert world.call("GET", f"/contacts?tags={uuid4()}").status == 400


def test_tags_stay_when_lists_are_left(world: World) -> None:
    """Unsubscribing takes a contact off its lists, and off no tag; a tag that is deleted is nobody's."""
    vip = make(world, "VIP")
    world.run_job(ADD, {"source": {"contact_ids": world.ids("ann@example.com")}, "tag_ids": [vip]})
    world.cc.unsubscribe("ann@example.com")
    contact = shown(world, "ann@example.com")
    assert (contact["list_memberships"], contact["taggings"]) == ([], [vip])
    world.cc.tags.delete("VIP")
    assert tags_of(world, "ann@example.com") == []


def test_no_contact_has_more_than_fifty_tags(world: World) -> None:
    """The 51st is not set, and the activity says so."""
    tags = [make(world, f"tag {number}") for number in range(51)]
    source = {"contact_ids": world.ids("ann@example.com")}
    world.run_job(ADD, {"source": source, "tag_ids": tags[:50]})
    activity = world.run_job(ADD, {"source": source, "tag_ids": tags[50:]})
    assert tags_of(world, "ann@example.com") == tags[:50]
    assert len(activity["activity_errors"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"tag_ids": [str(uuid4())]},
        {"tag_ids": []},
        {"source": {"tag_ids": [str(uuid4())]}},
        {"source": {"new_subscriber": True}},
        {"source": {}},
        {"list_ids": []},
    ],
)
def test_wrong_taggings_are_refused(world: World, changes: dict[str, object]) -> None:
    """A tag that does not exist, no tag, no source, an undeclared property: 400."""
    body = {"source": {"contact_ids": world.ids("ann@example.com")}, "tag_ids": [make(world, "VIP")]} | changes
    reply = world.call("POST", f"/activities/{ADD}", body)
    assert reply.status == 400
    assert problems(reply)


def test_a_tagging_may_hang_or_be_refused(world: World) -> None:
    """Like every bulk job."""
    vip = make(world, "VIP")
    body = {"source": {"contact_ids": world.ids("ann@example.com")}, "tag_ids": [vip]}
    world.cc.jobs.add("tagging", seconds=None)
    assert world.run_job(ADD, body)["state"] == "processing"
    world.cc.refuse("tagging", 500, record="ann@example.com")
    assert world.call("POST", f"/activities/{ADD}", body).status == 500


def test_one_custom_field_by_its_id(world: World) -> None:
    """GET /contact_custom_fields/{id} shows what the listing shows."""
    field = world.get("/contact_custom_fields")["custom_fields"][2]
    assert world.get(f"/contact_custom_fields/{field['custom_field_id']}") == field
    assert world.call("GET", f"/contact_custom_fields/{uuid4()}").status == 404
