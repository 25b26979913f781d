"""Campaigns: a draft is made and filled in, and nothing sends it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.constant_contact.world import World, person

CONTENT: dict[str, object] = {
    "format_type": 5,
    "from_name": "Shop",
    "from_email": "info@example.com",
    "reply_to_email": "NEWS@example.com",
    "subject": "Hello",
    "html_content": "<html><body>[[trackingImage]]</body></html>",
}


@pytest.fixture
def world() -> World:
    """An account with a list, and a token that may make campaigns."""
    made = World([person("ann@example.com", "Newsletter")])
    made.token = str(made.cc.sign_in("contact_data campaign_data")["access_token"])
    return made


def create(world: World, name: str = "News", **changes: object) -> tuple[int, Any]:
    """POST a campaign; the status and the body."""
    content = {key: value for key, value in (CONTENT | changes).items() if value is not ...}
    reply = world.call("POST", "/emails", {"name": name, "email_campaign_activities": [content]})
    return reply.status, json.loads(reply.body)


def test_a_campaign_is_made_in_draft(world: World) -> None:
    """200 with the campaign and its one activity, which is on no list yet."""
    status, made = create(world)
    assert (status, made["current_status"], made["name"]) == (200, "Draft", "News")
    (activity,) = made["campaign_activities"]
    assert activity["role"] == "primary_email"
    shown = world.get(f"/emails/activities/{activity['campaign_activity_id']}")
    assert (shown["current_status"], shown["contact_list_ids"], shown["from_email"]) == (
        "DRAFT",
        [],
        "info@example.com",
    )
    assert "html_content" not in shown
    assert world.get(f"/emails/{made['campaign_id']}") == made


def test_the_listing_shows_no_activities(world: World) -> None:
    """Campaigns by `updated_at`, page by page, each without its activities."""
    for name in ("One", "Two", "Three"):
        create(world, name)
        world.wait(60)
    page = world.get("/emails", limit="2")
    assert [one["name"] for one in page["campaigns"]] == ["Three", "Two"]
    assert "campaign_activities" not in page["campaigns"][0]
    since = page["campaigns"][1]["updated_at"]
    assert [one["name"] for one in world.get("/emails", after_date=since)["campaigns"]] == ["Three"]


def test_a_draft_is_given_its_lists(world: World) -> None:
    """PUT replaces what it leaves out, but for the content; an unknown list is 400."""
    activity_id = create(world)[1]["campaign_activities"][0]["campaign_activity_id"]
    path, list_id = f"/emails/activities/{activity_id}", world.cc.list_id("Newsletter")
    shown = world.get(path)
    assert world.call("PUT", path, shown | {"contact_list_ids": [list_id], "subject": "Hi"}).status == 200
    after = world.get(path, include="html_content")
    assert (after["contact_list_ids"], after["subject"]) == ([list_id], "Hi")
    assert after["html_content"] == CONTENT["html_content"]
    assert world.call("PUT", path, shown | {"contact_list_ids": [str(uuid4())]}).status == 400
    assert world.call("PUT", path, {key: shown[key] for key in ("from_name", "subject")}).status == 400
    assert world.call("GET", f"/emails/activities/{uuid4()}").status == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"from_email": "new@example.com"},  # not confirmed
        {"reply_to_email": "stranger@example.org"},
        {"subject": ...},
        {"html_content": ...},
        {"format_type": 3},
        {"from_name": "n" * 101},
        {"colour": "red"},
    ],
)
def test_a_wrong_campaign_is_refused(world: World, changes: dict[str, object]) -> None:
    """Addresses must be confirmed ones of the account; what is required must be there; nothing undeclared."""
    assert create(world, **changes)[0] == 400
    assert world.cc.emails.campaigns == []


def test_names_of_campaigns_are_unique(world: World) -> None:
    """The second of a name is 409."""
    assert create(world)[0] == 200
    assert create(world)[0] == 409


def test_nothing_is_ever_sent(world: World) -> None:
    """A schedule, a test mail, a resend: the sandbox refuses and keeps it on record."""
    activity_id = create(world)[1]["campaign_activities"][0]["campaign_activity_id"]
    for what in ("schedules", "tests", "non_opener_resends"):
        assert world.call("POST", f"/emails/activities/{activity_id}/{what}", {}).status == 403
    assert len(world.cc.forbidden_calls) == 3


def test_campaigns_want_scope_and_privilege(world: World) -> None:
    """Without the scope campaign_data, or the user's privilege, it is 403."""
    world.cc.account.lack(["campaign:write"])
    assert create(world)[0] == 403
    world.cc.account.lack([])
    world.sign_in_again()
    assert create(world)[0] == 403
