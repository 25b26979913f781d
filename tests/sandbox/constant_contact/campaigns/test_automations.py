"""Automations: which there are, and which begin when somebody joins a list."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.constant_contact.world import World, person


@pytest.fixture
def world() -> World:
    """An account with a list, and a token that may see campaigns."""
    made = World([person("ann@example.com", "Newsletter")])
    made.token = str(made.cc.sign_in("contact_data campaign_data")["access_token"])
    return made


def listed(world: World, query: str = "") -> list[dict[str, Any]]:
    """The summaries of a listing, whose declared status is 209."""
    reply = world.call("GET", f"/automations/workflows{query}")
    assert reply.status == 209, reply.body
    found: list[dict[str, Any]] = json.loads(reply.body)["flow_summaries"]
    return found


def test_automations_are_listed_newest_first(world: World) -> None:
    """With name and state; by name, and in the other order where asked for."""
    world.cc.automations.add("Birthday", state="DRAFT")
    world.cc.automations.add("Welcome", (world.cc.list_id("Newsletter"),))
    assert [(one["name"], one["status"]) for one in listed(world)] == [("Welcome", "ACTIVE"), ("Birthday", "DRAFT")]
    assert [one["name"] for one in listed(world, "?sort_direction=ASC")] == ["Birthday", "Welcome"]
    assert [one["name"] for one in listed(world, "?name=Birthday")] == ["Birthday"]
    assert world.call("GET", "/automations/workflows?sort_direction=UP").status == 400


def test_one_automation_shows_its_trigger(world: World) -> None:
    """That begins with a list names it; it may be only for some sources."""
    list_id = world.cc.list_id("Newsletter")
    flow_id = world.cc.automations.add("Welcome", (list_id,), create_source="Contact")
    trigger = world.get(f"/automations/workflows/{flow_id}")["active_definition"]["trigger"]["trigger_def"]
    assert trigger["action_name"] == "list_join"
    values = {one["parameter_name"]: one["parameter_value"] for one in trigger["parameters"]}
    assert values == {"list_ids": [list_id], "create_source": "Contact"}
    assert world.call("GET", f"/automations/workflows/{uuid4()}").status == 404


def test_automations_want_scope_and_privilege(world: World) -> None:
    """Without the scope campaign_data, or the user's privilege, it is 403."""
    world.cc.account.lack(["customer-journey:read"])
    assert world.call("GET", "/automations/workflows").status == 403
    world.cc.account.lack([])
    world.sign_in_again()
    assert world.call("GET", "/automations/workflows").status == 403


def test_the_listing_may_be_an_ordinary_success() -> None:
    """Whether 209 is what the service answers is not known: a setting."""
    world = World(automations_status=200)
    world.token = str(world.cc.sign_in("campaign_data")["access_token"])
    assert world.call("GET", "/automations/workflows").status == 200
