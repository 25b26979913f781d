"""Bulk jobs that do not go well: they hang, end badly, or end badly for one record."""

import json

import pytest

from tests.sandbox.constant_contact.world import World, person, row

DAY = 86_400


@pytest.fixture
def world() -> World:
    """One contact on one list."""
    return World([person("ann@example.com", "Newsletter")])


def start(world: World, kind: str) -> str:
    """Begin one job of a kind; its id."""
    list_id = world.cc.list_id("Newsletter")
    bodies = {
        "contacts_json_import": {"import_data": [row("new@example.com")], "list_ids": [list_id]},
        "remove_list_memberships": {"source": {"contact_ids": world.ids("ann@example.com")}, "list_ids": [list_id]},
        "contact_exports": {"list_ids": [list_id], "fields": ["email_address"]},
    }
    reply = world.call("POST", f"/activities/{kind}", bodies[kind])
    assert reply.status == 201, reply.body
    return str(json.loads(reply.body)["activity_id"])


KINDS = [("import", "contacts_json_import"), ("removal", "remove_list_memberships"), ("export", "contact_exports")]


@pytest.mark.parametrize(("kind", "path"), KINDS)
def test_a_job_hangs_for_ever(world: World, kind: str, path: str) -> None:
    """It is processing for as long as one looks, has no effect and no result; the next job of the kind goes well."""
    world.cc.jobs.add(kind, seconds=None)
    before = world.cc.members("Newsletter")
    hung = start(world, path)
    world.wait(9 * DAY)
    world.sign_in_again()
    activity = world.get(f"/activities/{hung}")
    assert activity["state"] == "processing"
    assert activity["percent_done"] < 100
    assert "results" not in activity["_links"]
    assert world.cc.members("Newsletter") == before
    well = start(world, path)
    world.wait(60)
    assert world.get(f"/activities/{well}")["state"] == "completed"
    assert hung in [one["activity_id"] for one in world.get("/activities", state="processing")["activities"]]


def test_a_job_takes_its_time_and_ends_well(world: World) -> None:
    """After the hour it is completed, and has done what it was to do."""
    world.cc.jobs.add("import", seconds=3_600)
    activity_id = start(world, "contacts_json_import")
    world.wait(3_599)
    assert world.get(f"/activities/{activity_id}")["percent_done"] == 99
    assert world.cc.members("Newsletter") == ["ann@example.com"]
    world.wait(1)
    assert world.get(f"/activities/{activity_id}")["state"] == "completed"
    assert world.cc.members("Newsletter") == ["ann@example.com", "new@example.com"]


def test_a_job_may_have_done_its_work_though_it_never_ends(world: World) -> None:
    """What is seen of an activity need not be what it did."""
    world.cc.jobs.add("import", seconds=None, takes_effect=True)
    activity_id = start(world, "contacts_json_import")
    world.wait(60)
    assert world.get(f"/activities/{activity_id}")["state"] == "processing"
    assert world.cc.members("Newsletter") == ["ann@example.com", "new@example.com"]


@pytest.mark.parametrize("state", ["failed", "cancelled", "timed_out"])
@pytest.mark.parametrize(("kind", "path"), KINDS)
def test_a_job_ends_badly(world: World, kind: str, path: str, state: str) -> None:
    """It ends with that state and its message, and did nothing."""
    world.cc.jobs.add(kind, seconds=30, state=state, message="Something went wrong.")
    before = world.cc.members("Newsletter")
    activity_id = start(world, path)
    world.wait(60)
    activity = world.get(f"/activities/{activity_id}")
    assert (activity["state"], activity["activity_errors"]) == (state, ["Something went wrong."])
    assert "results" not in activity["_links"]
    assert world.cc.members("Newsletter") == before


def test_one_bad_record_makes_its_batch_fail(world: World) -> None:
    """An import that names it ends failed, whatever else is in it; others complete."""
    world.cc.jobs.add("import", seconds=3, state="failed", record="bad@example.com", times=None)
    states = [
        world.run_import([row(f"good{number}@example.com"), *more])["state"]
        for number, more in enumerate(([row("Bad@example.com")], [], [row("bad@example.com")]))
    ]
    assert states == ["failed", "completed", "failed"]
    assert world.cc.members("Newsletter") == ["ann@example.com", "good1@example.com"]


@pytest.mark.parametrize("seconds", [None, 3.0 * DAY])
def test_what_hangs_ends_when_all_is_well_again(world: World, seconds: float | None) -> None:
    """The vendor mends itself: what hung takes effect then."""
    world.cc.jobs.add("import", seconds=seconds)
    activity_id = start(world, "contacts_json_import")
    world.wait(DAY)
    world.sign_in_again()
    world.cc.relent()
    assert world.get(f"/activities/{activity_id}")["state"] == "completed"
    assert world.cc.members("Newsletter") == ["ann@example.com", "new@example.com"]


def test_a_misspelt_course_is_an_error(world: World) -> None:
    """A test that asks for a kind or an end that does not exist hears of it."""
    with pytest.raises(ValueError, match="kind is one of"):
        world.cc.jobs.add("imports", seconds=None)
    with pytest.raises(ValueError, match="state of"):
        world.cc.jobs.add("import", seconds=1, state="time_out")
