"""Jobs that put contacts on lists or take them off, and what a change of lists shows of itself."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.constant_contact.world import EARLIER, World, deleted, opted_out, person, problems, shown

NOW = "2026-10-01T09:31:00Z"


def account(**settings: Any) -> World:
    """Two on the newsletter, one on no list, one who opted out, one who was deleted."""
    people = [
        person("ann@example.com", "Newsletter", "Customers 2019", create_source="Contact"),
        person("bob@example.com", "Newsletter"),
        person("cid@example.com"),
        opted_out("out@example.com", EARLIER),
        deleted("gone@example.com", EARLIER.date()),
    ]
    return World(people, **settings)


def job(world: World, *addresses: str, lists: tuple[str, ...] = ("Newsletter",)) -> dict[str, object]:
    """A body for these people and lists."""
    return {"source": {"contact_ids": world.ids(*addresses)}, "list_ids": [world.cc.list_id(one) for one in lists]}


def trace(world: World, address: str) -> tuple[str, str]:
    """What a contact shows of its last change."""
    contact = shown(world, address)
    return contact["update_source"], contact["updated_at"]


def test_removal_takes_effect_when_its_time_has_come() -> None:
    """The answer is 201 with an activity that is not finished; the people are on the list until it is."""
    world = account(membership_seconds=10.0)
    reply = world.call("POST", "/activities/remove_list_memberships", job(world, "ann@example.com"))
    started = json.loads(reply.body)
    assert (reply.status, started["state"], started["percent_done"], started["status"]) == (201, "initialized", 0, {})
    world.wait(9)
    assert world.get(f"/activities/{started['activity_id']}")["state"] == "processing"
    assert "ann@example.com" in world.cc.members("Newsletter")
    world.wait(1)
    done = world.get(f"/activities/{started['activity_id']}")
    assert (done["state"], done["percent_done"]) == ("completed", 100)
    assert done["status"] == {"items_total_count": 1, "items_completed_count": 1, "list_count": 1}
    assert world.cc.members("Newsletter") == ["bob@example.com"]


def test_removal_leaves_other_lists_and_consent_alone() -> None:
    """Who is taken off a list stays on the others, and is not unsubscribed."""
    world = account()
    before = shown(world, "ann@example.com")
    world.run_job("remove_list_memberships", job(world, "ann@example.com"))
    after = shown(world, "ann@example.com")
    assert after["list_memberships"] == [world.cc.list_id("Customers 2019")]
    assert after["email_address"] == before["email_address"]


def test_removal_is_no_matter_for_those_who_are_not_there() -> None:
    """Who is not on the list, or deleted, does no harm; unknown ids are ignored or refused, as set."""
    world = account()
    body = job(world, "cid@example.com", "gone@example.com")
    body["source"] = {"contact_ids": [*world.ids("cid@example.com", "gone@example.com"), str(uuid4())]}
    assert world.run_job("remove_list_memberships", body)["status"]["items_total_count"] == 3
    assert len(world.cc.members("Newsletter")) == 2
    strict = account(unknown_contact_ids="refuse")
    body = job(strict, "cid@example.com") | {"source": {"contact_ids": [str(uuid4())]}}
    assert strict.call("POST", "/activities/remove_list_memberships", body).status == 400


def test_adding_puts_on_every_list() -> None:
    """Every contact is put on every list, once."""
    world = account()
    both = job(world, "ann@example.com", "cid@example.com", lists=("Newsletter", "Customers 2019"))
    done = world.run_job("add_list_memberships", both)
    assert done["status"] == {"items_total_count": 2, "items_completed_count": 2, "list_count": 2}
    assert world.cc.members("Customers 2019") == ["ann@example.com", "cid@example.com"]
    assert world.cc.members("Newsletter") == ["ann@example.com", "bob@example.com", "cid@example.com"]


def test_adding_never_opts_in() -> None:
    """Who opted out is left out or put on the list, as set; the permission stays what it was."""
    for setting, members in (("skip", []), ("join", ["out@example.com"])):
        world = account(add_unsubscribed_to_list=setting)
        world.run_job("add_list_memberships", job(world, "out@example.com", lists=("Customers 2019",)))
        assert world.cc.members("Customers 2019")[1:] == members
        assert shown(world, "out@example.com")["email_address"]["permission_to_send"] == "unsubscribed"


def test_adding_revives_the_deleted() -> None:
    """A deleted contact comes back by being put on a list."""
    world = account()
    world.run_job("add_list_memberships", job(world, "gone@example.com"))
    assert "deleted_at" not in shown(world, "gone@example.com")
    assert "gone@example.com" in world.cc.members("Newsletter")


def test_whole_lists_can_be_the_source() -> None:
    """`list_ids` means the members, `all_active_contacts` everybody who may be mailed, `exclude` leaves some out."""
    world = account()
    newsletter, customers = world.cc.list_id("Newsletter"), world.cc.list_id("Customers 2019")
    source = {"list_ids": [newsletter]}
    exclude = {"contact_ids": world.ids("bob@example.com")}
    body: dict[str, object] = {"source": source, "exclude": exclude, "list_ids": [newsletter]}
    assert world.run_job("remove_list_memberships", body)["status"]["items_total_count"] == 1
    assert world.cc.members("Newsletter") == ["bob@example.com"]
    world.run_job("add_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [customers]})
    assert world.cc.members("Customers 2019") == ["ann@example.com", "bob@example.com", "cid@example.com"]


@pytest.mark.parametrize(
    "changes",
    [
        {"source": {}},
        {"source": []},
        {"source": {"contact_ids": []}},
        {"source": {"contact_ids": ["ann@example.com"]}},
        {"source": {"contact_ids": [str(uuid4()) for _ in range(501)]}},
        {"source": {"contact_ids": [str(uuid4())], "all_active_contacts": True}},
        {"source": {"tag_ids": [str(uuid4())]}},
        {"source": {"emails": ["ann@example.com"]}},
        {"source": {"segment_id": 4}},
        {"list_ids": []},
        {"list_ids": "Newsletter"},
        {"list_ids": [str(uuid4()) for _ in range(51)]},
        {"exclude": {"contact_ids": [str(uuid4())]}},
        {"reason": "none"},
    ],
)
def test_wrong_jobs_are_refused(changes: dict[str, object]) -> None:
    """A source that is none or two, ids that are none, too many of anything, an undeclared property: 400."""
    world = account()
    reply = world.call("POST", "/activities/remove_list_memberships", job(world, "ann@example.com") | changes)
    assert reply.status == 400, reply.body
    assert problems(reply)
    assert world.get("/activities")["activities"] == []


def test_missing_list_is_refused_as_set() -> None:
    """A job for a list that does not exist is 404, or 400; a list deleted later is passed over."""
    for status in (404, 400):
        world = account(missing_list_status=status)
        body = job(world, "ann@example.com") | {"list_ids": [str(uuid4())]}
        assert world.call("POST", "/activities/remove_list_memberships", body).status == status
        assert world.call("POST", "/activities/add_list_memberships", body).status == status
    world = account()
    reply = world.call("POST", "/activities/remove_list_memberships", job(world, "ann@example.com"))
    world.cc.delete_list("Newsletter")
    world.wait(60)
    done = world.get(f"/activities/{json.loads(reply.body)['activity_id']}")
    assert (done["state"], done["status"]["list_count"]) == ("completed", 0)


def test_change_of_lists_leaves_no_trace_unless_set() -> None:
    """By default neither person, staff nor a job can be told from the contact."""
    world = account()
    before = trace(world, "ann@example.com")
    world.cc.leave_list("ann@example.com", "Newsletter")
    world.run_job("remove_list_memberships", job(world, "ann@example.com", lists=("Customers 2019",)))
    assert trace(world, "ann@example.com") == before


@pytest.mark.parametrize("setting", ["source", "both"])
def test_trace_tells_a_person_s_own_act_from_others(setting: str) -> None:
    """With the setting, update_source is Contact for the person's own act, Account for staff's and a job's."""
    world = account(list_change_trace=setting)
    world.wait(60)
    dated = {"source": "2024-03-03T15:53:04Z", "both": NOW}[setting]
    world.cc.leave_list("ann@example.com", "Newsletter")
    assert trace(world, "ann@example.com") == ("Contact", dated)
    world.cc.leave_list("ann@example.com", "Customers 2019", source="Account")
    assert trace(world, "ann@example.com") == ("Account", dated)
    world.cc.join_list("ann@example.com", "Newsletter")
    world.run_job("remove_list_memberships", job(world, "ann@example.com"))
    assert trace(world, "ann@example.com")[0] == "Account"


def test_job_leaves_those_alone_whom_it_does_not_move() -> None:
    """Somebody who is not on the list shows no trace of a removal."""
    world = account(list_change_trace="both")
    before = trace(world, "cid@example.com")
    world.run_job("remove_list_memberships", job(world, "cid@example.com"))
    assert trace(world, "cid@example.com") == before


def test_jobs_want_the_privilege_to_write() -> None:
    """A user who may only read gets 403."""
    world = account()
    body = job(world, "ann@example.com")
    world.cc.account.privileges.discard("contacts:write")
    assert world.call("POST", "/activities/remove_list_memberships", body).status == 403
    assert world.call("POST", "/activities/add_list_memberships", body).status == 403
