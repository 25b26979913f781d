"""An account that half works: refusals for a while or of one contact, a full plan, pages that are not whole."""

import json

import pytest

from tests.sandbox.constant_contact.world import World, person, problems, row
from tests.sandbox.constant_contact.writing import opt_out, post, put


@pytest.fixture
def world() -> World:
    """Six contacts on one list."""
    return World([person(f"p{number}@example.com", "Newsletter") for number in range(6)])


def removal(world: World, *addresses: str) -> dict[str, object]:
    return {"source": {"contact_ids": world.ids(*addresses)}, "list_ids": [world.cc.list_id("Newsletter")]}


def test_imports_are_refused_for_a_while(world: World) -> None:
    """Every import is a 400 with the vendor's key until the time is over; other calls go on."""
    world.cc.refuse("import", 400, seconds=3_600)
    body = {"import_data": [row("new@example.com")], "list_ids": [world.cc.list_id("Newsletter")]}
    reply = world.call("POST", "/activities/contacts_json_import", body)
    assert (reply.status, problems(reply)[0]["error_key"]) == (400, "http.status.bad_request")
    assert world.call("GET", "/contacts").status == 200
    world.wait(3_601)
    assert world.call("POST", "/activities/contacts_json_import", body).status == 201


def test_now_and_then_a_valid_call_is_refused(world: World) -> None:
    """Each so many-th call of an operation is a 400, the next one passes."""
    world.cc.refuse("create", every=3)
    statuses = [post(world, f"new{number}@example.com").status for number in range(6)]
    assert statuses == [201, 201, 400, 201, 201, 400]


@pytest.mark.parametrize("status", [400, 500])
def test_one_contact_is_refused_for_good(world: World, status: int) -> None:
    """Whatever names that contact by id is refused, a batch with it too; all others pass."""
    world.cc.refuse("removal", status, record="p1@example.com")
    world.cc.refuse("change", status, record="p1@example.com")
    path = "/activities/remove_list_memberships"
    assert world.call("POST", path, removal(world, "p0@example.com", "p1@example.com")).status == status
    assert world.call("POST", path, removal(world, "p0@example.com")).status == 201
    assert put(world, "p1@example.com", email_address=opt_out("p1@example.com")).status == status
    assert put(world, "p2@example.com", email_address=opt_out("p2@example.com")).status == 200
    world.cc.relent()
    assert put(world, "p1@example.com", email_address=opt_out("p1@example.com")).status == 200


def test_one_address_is_refused_in_imports_and_searches(world: World) -> None:
    """A record is known by its address where the contact does not exist yet."""
    world.cc.refuse(None, 400, record="bad@example.com")
    assert world.call("GET", "/contacts?email=BAD%40example.com").status == 400
    assert world.call("GET", "/contacts?email=p1%40example.com").status == 200
    ids = [world.cc.list_id("Newsletter")]
    for address, status in (("Bad@example.com", 400), ("good@example.com", 201)):
        body = {"import_data": [row(address)], "list_ids": ids}
        assert world.call("POST", "/activities/contacts_json_import", body).status == status


def test_everything_fails_for_a_while_with_a_hold_of_ten_years(world: World) -> None:
    """An answer may ask for a wait that is absurd."""
    world.cc.refuse(None, 503, seconds=60, retry_after=315_360_000)
    reply = world.call("GET", "/contacts")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "315360000")
    world.wait(61)
    assert world.call("GET", "/contacts").status == 200


def test_a_misspelt_refusal_is_an_error(world: World) -> None:
    """A test that refuses what does not exist hears of it."""
    with pytest.raises(ValueError, match="operation must be one of"):
        world.cc.refuse("imports")
    with pytest.raises(ValueError, match="status is 400 to 599"):
        world.cc.refuse("import", 200)


def test_a_full_plan_takes_part_of_an_import_and_does_not_say_which() -> None:
    """At the limit new contacts are silently left out, known ones are updated, unsubscribed ones do not count."""
    world = World([person("ann@example.com"), person("bob@example.com")], plan_contact_limit=3, sms_only_contacts=0)
    world.cc.unsubscribe("bob@example.com")
    activity = world.run_import([row(f"n{number}@example.com") for number in range(4)] + [row("ann@example.com")])
    assert world.cc.members("Newsletter") == ["ann@example.com", "n0@example.com", "n1@example.com"]
    assert (activity["state"], activity["activity_errors"]) == ("completed", [])
    assert (activity["status"]["person_count"], activity["status"]["error_count"]) == (3, 0)
    assert post(world, "n9@example.com").status == 400
    world.cc.plan.limit = 100
    assert post(world, "n9@example.com").status == 201


def test_a_full_plan_may_refuse_the_import() -> None:
    """Whether and how the import itself is refused is in no description: a setting."""
    world = World([person("ann@example.com")], plan_contact_limit=1, sms_only_contacts=0,
                  plan_limit_answer="refuse", plan_limit_status=402)  # fmt: skip
    body = {"import_data": [row("new@example.com")], "list_ids": [world.cc.list_id("Newsletter")]}
    assert world.call("POST", "/activities/contacts_json_import", body).status == 402
    assert world.acts.by("app") == []


def test_a_short_page_of_members_looks_like_the_last(world: World) -> None:
    """Valid JSON, fewer rows, no next link; the next reading is whole. Other listings are not touched."""
    world.cc.page_faults.add("short")
    assert len(world.addresses(status="all", limit="2")) == 6
    list_id = world.cc.list_id("Newsletter")
    assert len(world.addresses(lists=list_id, status="all", limit="4")) == 2
    assert len(world.addresses(lists=list_id, status="all", limit="4")) == 6


def test_a_page_may_be_given_twice(world: World) -> None:
    """The second page shows the rows of the first again."""
    world.cc.page_faults.add("repeat", nth=2)
    found = list(world.pages("/contacts", lists=world.cc.list_id("Newsletter"), status="all", limit="2"))
    assert found[0]["contacts"] == found[1]["contacts"]


def test_a_file_of_an_export_may_lack_rows(world: World) -> None:
    """The export is completed, its file is not whole; the next one is."""
    world.cc.file_faults.add("short")
    body = {"list_ids": [world.cc.list_id("Newsletter")], "fields": ["email_address"]}
    sizes = []
    for _ in range(2):
        link = world.run_job("contact_exports", body)["_links"]["results"]["href"]
        sizes.append(len(world.call("GET", link.removeprefix("/v3")).body.splitlines()))
    assert sizes == [4, 7]


def test_the_list_s_own_record_counts_its_members(world: World) -> None:
    """membership_count, of one list and in the listing: all, or those who may be mailed."""
    world.cc.add_contact(person("hold@example.com", "Newsletter", permission_to_send="temp_hold"))
    list_id = world.cc.list_id("Newsletter")
    for how, count in (("all", 7), ("active", 6)):
        assert world.get(f"/contact_lists/{list_id}", include_membership_count=how)["membership_count"] == count
        listed = world.get("/contact_lists", include_membership_count=how, name="Newsletter")["lists"]
        assert [one["membership_count"] for one in listed] == [count]
    assert "membership_count" not in world.get(f"/contact_lists/{list_id}")
    world.cc.leave_list("p0@example.com", "Newsletter")
    assert world.get(f"/contact_lists/{list_id}", include_membership_count="all")["membership_count"] == 6


@pytest.mark.parametrize("how", ["gone", "shown"])
def test_a_deleted_list(how: str) -> None:
    """It is 404, or it says when it was deleted: a setting; its name leaves the listing either way."""
    world = World([person("ann@example.com", "Newsletter")], deleted_list=how)
    list_id = world.cc.list_id("Newsletter")
    world.cc.delete_list("Newsletter")
    reply = world.call("GET", f"/contact_lists/{list_id}?include_membership_count=all")
    assert reply.status == (404 if how == "gone" else 200)
    if how == "shown":
        found = json.loads(reply.body)
        assert (found["deleted_at"], found["membership_count"]) == ("2026-10-01T09:30:00Z", 0)
    assert "Newsletter" not in [one["name"] for one in world.get("/contact_lists")["lists"]]


def test_the_account_s_counts(world: World) -> None:
    """GET /contacts/counts tells each permission, and nobody who is deleted."""
    world.cc.unsubscribe("p0@example.com")
    world.cc.delete_contact("p1@example.com")
    counts = world.get("/contacts/counts")
    assert (counts["unsubscribed"], counts["implicit"]) == (1, 4 + 2)  # two have no address
    assert counts["total"] == 7
