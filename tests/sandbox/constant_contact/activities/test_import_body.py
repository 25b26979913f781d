"""The body of a simulated bulk import: what is refused, and what is silently cut."""

import json
from uuid import uuid4

import pytest

from tests.sandbox.constant_contact.world import World, problems, row

IMPORT = "/activities/contacts_json_import"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"import_data": [], "list_ids": ["LIST"]},
        {"import_data": [row("a@example.com")]},
        {"import_data": [row("a@example.com")], "list_ids": []},
        {"import_data": [row("a@example.com")], "list_ids": ["Newsletter"]},
        {"import_data": [row("a@example.com")], "list_ids": [str(uuid4())]},
        {"import_data": [row("a@example.com")], "list_ids": [str(uuid4()) for _ in range(51)]},
        {"import_data": [row("a@example.com")], "list_ids": ["LIST"], "sms_permission_to_send": "implicit"},
        {"import_data": [row("a@example.com")], "list_ids": ["LIST"], "permission_to_send": "explicit"},
        {"import_data": ["a@example.com"], "list_ids": ["LIST"]},
        {"import_data": [row("a@example.com", permission_to_send="explicit")], "list_ids": ["LIST"]},
        {"import_data": [row("a@example.com", first_name=None)], "list_ids": ["LIST"]},
        {"import_data": [row("a@example.com", birthday_month="11")], "list_ids": ["LIST"]},
        {"import_data": [row("a@example.com", birthday_month=True)], "list_ids": ["LIST"]},
        {"import_data": [row("a@example.com", **{"cf:": "x"})], "list_ids": ["LIST"]},
    ],
)
def test_wrong_bodies_are_refused(body: dict[str, object]) -> None:
    """Missing, undeclared and mistyped properties refuse the whole request, and nothing is queued."""
    world = World()
    text = json.dumps(body).replace("LIST", world.cc.list_id("Newsletter")).encode()
    reply = world.call("POST", IMPORT, text)
    assert reply.status == 400, reply.body
    assert problems(reply)
    assert world.get("/activities")["activities"] == []


def test_query_and_deleted_list_are_refused() -> None:
    """An import takes no query, and a deleted list is unknown."""
    world = World()
    body = {"import_data": [row("a@example.com")], "list_ids": [world.cc.list_id("Newsletter")]}
    assert world.call("POST", f"{IMPORT}?a=b", body).status == 400
    world.cc.delete_list("Newsletter")
    assert world.call("POST", IMPORT, body).status == 400


def test_all_behind_four_megabytes_is_silently_dropped() -> None:
    """Only whole contacts within the first 4,000,000 bytes count, as if the others had not been sent."""
    world = World()
    rows = [row(f"p{n:05}@example.com", **{"cf:kibo_id": "é" * 200, "street": "x"}) for n in range(10_000)]
    body = {"list_ids": [world.cc.list_id("Newsletter")], "import_data": rows}
    text = json.dumps(body, ensure_ascii=False, indent=1).encode()
    fitting = text[:4_000_000].count(b"}")
    assert 5_000 < fitting < 9_990
    activity_id = json.loads(world.call("POST", IMPORT, text).body)["activity_id"]
    world.wait(60)
    activity = world.get(f"/activities/{activity_id}")
    assert activity["status"]["items_total_count"] == fitting + 1
    assert activity["status"]["error_count"] == 0
    assert activity["activity_errors"] == []
    assert world.cc.members("Newsletter")[-1] == f"p{fitting - 1:05}@example.com"


def test_all_behind_40000_contacts_is_silently_dropped() -> None:
    """The 40,001st contact is not processed."""
    world = World()
    activity = world.run_import([row(f"p{n}@example.com") for n in range(40_010)])
    assert activity["status"]["person_count"] == world.cc.member_count("Newsletter") == 40_000
