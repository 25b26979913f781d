"""Contact exports: the job, its file, and all that nobody has written down about the file."""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from ccsync.sandbox.settings import DATE_FORMATS
from tests.sandbox.constant_contact.world import EARLIER, START, World, deleted, opted_out, person, problems, row


def account(**settings: Any) -> World:
    """Two on the newsletter, one who opted out, one who was deleted; nobody without an address."""
    people = [
        person("ann@example.com", "Newsletter", "Customers 2019", custom_fields={"kibo_id": "7"}),
        person("Bob@Example.com", "Newsletter", first_name='Bob "B", the\nfirst', last_name="Zoë"),
        opted_out("out@example.com", EARLIER),
        deleted("gone@example.com", EARLIER.date()),
    ]
    return World(people, **{"sms_only_contacts": 0, "export_headings": "names"} | settings)


def content(world: World, **body: object) -> bytes:
    """The file of an export, fetched by the link of its activity."""
    done = world.run_job("contact_exports", body)
    assert done["state"] == "completed"
    href = done["_links"]["results"]["href"]
    assert href.startswith("/v3/contact_exports/")
    reply = world.call("GET", href.removeprefix("/v3"))
    assert (reply.status, reply.content_type) == (200, "text/csv")
    return reply.body


def table(world: World, **body: object) -> list[dict[str, str]]:
    """The rows of an export, by heading."""
    return list(csv.DictReader(io.StringIO(content(world, **body).decode(), newline="")))


def addresses(world: World, **body: object) -> list[str]:
    return [one["email_address"] for one in table(world, **body)]


def test_export_is_a_job_that_ends_with_a_link() -> None:
    """201 without a link; when its time has come the activity counts the contacts and names the file."""
    world = account(export_seconds=20.0)
    reply = world.call("POST", "/activities/contact_exports", {"list_ids": [world.cc.list_id("Newsletter")]})
    started = json.loads(reply.body)
    assert (reply.status, started["state"], set(started["_links"])) == (201, "initialized", {"self"})
    world.wait(19)
    assert set(world.get(f"/activities/{started['activity_id']}")["_links"]) == {"self"}
    world.wait(2)
    done = world.get(f"/activities/{started['activity_id']}")
    assert (done["state"], done["status"]) == ("completed", {"items_total_count": 2, "items_completed_count": 2})
    assert done["_links"]["results"]["href"].startswith("/v3/contact_exports/")
    assert started["activity_id"] not in done["_links"]["results"]["href"]


def test_source_is_contacts_or_lists_or_everybody() -> None:
    """Chosen contacts, the members of lists, each once, or the account; the deleted only when asked for, or set."""
    world = account()
    both = [world.cc.list_id("Newsletter"), world.cc.list_id("Customers 2019")]
    assert addresses(world, list_ids=both) == ["ann@example.com", "Bob@Example.com"]
    chosen = [*world.ids("out@example.com", "ann@example.com"), str(uuid4())]
    assert addresses(world, contact_ids=chosen) == ["ann@example.com", "out@example.com"]
    assert addresses(world) == ["ann@example.com", "Bob@Example.com", "out@example.com"]
    assert addresses(account(export_holds_deleted=True))[-1] == "gone@example.com"
    excluded = {"contact_ids": world.ids("ann@example.com")}
    assert addresses(world, list_ids=both, exclude=excluded) == ["Bob@Example.com"]


def test_status_narrows_an_export() -> None:
    """`status` is active, unsubscribed or removed, beside contacts and lists, too."""
    world = account()
    assert addresses(world, status="active") == ["ann@example.com", "Bob@Example.com"]
    assert addresses(world, status="unsubscribed") == ["out@example.com"]
    assert addresses(world, status="removed") == ["gone@example.com"]
    everybody = world.ids("ann@example.com", "out@example.com", "gone@example.com")
    assert addresses(world, contact_ids=everybody, status="unsubscribed") == ["out@example.com"]


def test_fields_are_the_columns_in_the_order_asked_for() -> None:
    """`fields` chooses columns, custom fields among them; without it there are all."""
    world = account()
    chosen = table(world, fields=["kibo_id", "email_address", "last_name"])
    assert list(chosen[0]) == ["kibo_id", "email_address", "last_name"]
    assert chosen[0] == {"kibo_id": "7", "email_address": "ann@example.com", "last_name": "Lang"}
    assert {"email_optout_date", "email_lists", "zip", "loyalty_tier"} <= set(table(world)[0])


def test_rows_show_what_the_account_knows() -> None:
    """Names with quotes and line ends, phone, address and the opt-out are in the file."""
    world = account()
    world.run_import([row("ann@example.com", mobile_phone="512-555-0100", street="1 Main St", city="Austin", zip="78")])
    ann, bob, out = table(world)
    assert (ann["phone_number"], ann["street"], ann["city"], ann["zip"]) == (
        "512-555-0100",
        "1 Main St",
        "Austin",
        "78",
    )
    assert (bob["first_name"], bob["last_name"]) == ('Bob "B", the\nfirst', "Zoë")
    assert (out["email_optout_source"], out["email_optout_date"]) == ("Contact", "2026-09-01T09:30:00Z")
    assert ann["email_optout_date"] == ""


def test_file_is_what_was_true_at_the_end_of_the_job() -> None:
    """Who leaves while the job is under way is no longer in the file; who leaves later still is."""
    world = account()
    reply = world.call("POST", "/activities/contact_exports", {"list_ids": [world.cc.list_id("Newsletter")]})
    world.cc.leave_list("ann@example.com", "Newsletter")
    world.wait(60)
    href = world.get(f"/activities/{json.loads(reply.body)['activity_id']}")["_links"]["results"]["href"]
    world.cc.leave_list("bob@example.com", "Newsletter")
    text = world.call("GET", href.removeprefix("/v3")).body.decode()
    assert "ann@example.com" not in text
    assert "Bob@Example.com" in text


def test_lists_of_a_row_are_names_ids_or_absent() -> None:
    """What email_lists shows is a setting; without it the column is not there."""
    for setting in ("names", "ids", "absent"):
        world = account(export_lists=setting)
        ann, _, out = table(world)
        names = ("Newsletter", "Customers 2019")
        if setting == "absent":
            assert "email_lists" not in ann
            continue
        words = names if setting == "names" else [world.cc.list_id(one) for one in names]
        assert (ann["email_lists"], out["email_lists"]) == (", ".join(words), "")


def test_headings_are_as_set() -> None:
    """Headings are labels, the names of the fields, or nothing one could know."""
    fields = ["email_address", "email_optout_date", "first_name"]
    first_lines = {
        "labels": "Email address,Email optout date,First name",
        "names": "email_address,email_optout_date,first_name",
        "unknown": "Spalte 1,Spalte 2,Spalte 3",
    }
    for setting, line in first_lines.items():
        world = account(export_headings=setting)
        assert content(world, fields=fields).decode().split("\r\n")[0] == line


def test_row_may_carry_the_contact_s_id() -> None:
    """Whether the file says whose row it is, is a setting."""
    world = account(export_has_contact_id=True)
    assert table(world, fields=["email_address"])[0]["contact_id"] == world.ids("ann@example.com")[0]
    assert "contact_id" not in table(account())[0]


@pytest.mark.parametrize("how", DATE_FORMATS)
def test_dates_have_the_format_of_the_setting(how: str) -> None:
    """All five formats of the vendor, and a mixture, mean the same day, and but for the bare date the same second."""
    out = table(account(export_dates=how), status="unsubscribed")[0]["email_optout_date"]
    read = datetime.fromisoformat(out)
    assert read.date() == EARLIER.date()
    if read.tzinfo:
        assert abs(read - EARLIER) < timedelta(seconds=1)
    mixed = [one["created_at"] for one in table(account(export_dates="mixed"))]
    assert len({len(one) for one in mixed}) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encoding_is_as_set(encoding: str) -> None:
    """The file is UTF-8, with a mark before it or without, or UTF-16."""
    assert "Zoë" in content(account(export_encoding=encoding)).decode(encoding)
    assert content(account(export_encoding="utf-8-sig")).startswith(b"\xef\xbb\xbf")


def test_file_stays_for_some_hours() -> None:
    """After the hours of the setting, and for an id that no file has, the answer is 404."""
    world = account(export_kept_hours=1.0)
    done = world.run_job("contact_exports", {})
    path = done["_links"]["results"]["href"].removeprefix("/v3")
    assert world.call("GET", path).status == 200
    world.wait(3_600)
    assert world.call("GET", path).status == 404
    assert world.call("GET", f"/contact_exports/{done['activity_id']}").status == 404
    assert world.now > START


def test_contacts_without_an_address_are_in_the_file() -> None:
    """Who gave only a mobile number has an empty address."""
    world = account()
    world.cc.add_sms_contact("2025550199", "Newsletter")
    assert addresses(world, list_ids=[world.cc.list_id("Newsletter")])[-1] == ""


@pytest.mark.parametrize(
    "body",
    [
        {"contact_ids": []},
        {"contact_ids": [str(uuid4()) for _ in range(501)]},
        {"contact_ids": ["ann@example.com"]},
        {"list_ids": ["Newsletter"]},
        {"list_ids": [str(uuid4()) for _ in range(51)]},
        {"contact_ids": [str(uuid4())], "list_ids": [str(uuid4())]},
        {"contact_ids": [str(uuid4())], "exclude": {"contact_ids": [str(uuid4())]}},
        {"exclude": {"contact_ids": [str(uuid4())]}},
        {"status": "all"},
        {"status": 5},
        {"fields": ["shoe_colour"]},
        {"fields": "email_address"},
        {"fields": ["email_optout_date"]},
        {"segment_id": 4},
        {"limit": 5},
    ],
)
def test_wrong_exports_are_refused(body: dict[str, object]) -> None:
    """Ids that are none, too many, two sources at once, an unknown field or status, an undeclared property: 400."""
    reply = account().call("POST", "/activities/contact_exports", body)
    assert reply.status == 400, reply.body
    assert problems(reply)


def test_export_of_a_missing_list_is_refused() -> None:
    """A list that does not exist is 404, or what the setting says."""
    body = {"list_ids": [str(uuid4())]}
    assert account().call("POST", "/activities/contact_exports", body).status == 404
    assert account(missing_list_status=400).call("POST", "/activities/contact_exports", body).status == 400
