"""Reading the simulated Constant Contact: who may, which contacts, in which shape, how often."""

import json
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from tests.sandbox.cc_world import START, World, deleted, error_key, opted_out, person, problems

EARLIER = START - timedelta(days=30)


@pytest.fixture
def world() -> World:
    """A small account with one of each kind."""
    return World(
        [
            person("ann@example.com", "Newsletter", permission_to_send="explicit", custom_fields={"kibo_id": "7"}),
            person("Bob@Example.com", "Newsletter", "Customers 2019"),
            opted_out("out@example.com", EARLIER, "Newsletter"),
            person("wait@example.com", permission_to_send="pending_confirmation"),
            person("hold@example.com", permission_to_send="temp_hold"),
            deleted("gone@example.com", date(2016, 7, 8)),
        ]
    )


def test_every_answer_carries_the_sandbox_s_date(world: World) -> None:
    """Date is the sandbox clock's, on answers and refusals of both hosts."""
    replies = [world.call("GET", "/contacts"), world.call("GET", "/nothing"), world.auth("/nothing")]
    assert {reply.headers["Date"] for reply in replies} == {"Thu, 01 Oct 2026 09:30:00 GMT"}


def test_unknown_or_expired_token_is_401(world: World) -> None:
    """A token that is missing, unknown or older than a day gets the 401 object and costs no call."""
    for value in ("", "Bearer nonsense", f"Basic {world.token}"):
        reply = world.call("GET", "/contacts", headers={"authorization": value})
        assert (reply.status, error_key(reply)) == (401, "unauthorized")
        assert reply.headers["WWW-Authenticate"] == "Bearer realm=api.cc.email"
    world.wait(86_400)
    assert world.call("GET", "/contacts").status == 401
    assert world.cc.calls_today == 0


def test_missing_scope_or_privilege_is_403(world: World) -> None:
    """A token without the scope, or of a user without the privilege, gets the 403 object."""
    world.token = str(world.cc.sign_in("contact_data")["access_token"])
    assert world.call("GET", "/contacts").status == 200
    reply = world.call("GET", "/account/summary")
    assert (reply.status, error_key(reply)) == (403, "access_denied")
    world.cc.account.privileges.discard("contacts:read")
    assert world.call("GET", "/contacts").status == 403
    world.token = str(world.cc.sign_in("account_read")["access_token"])
    assert world.call("GET", "/contact_lists").status == 403
    names = [one["privilege_name"] for one in world.get("/account/user/privileges")]
    assert "contacts:write" in names
    assert "contacts:read" not in names


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/contacts"),
        ("PUT", f"/contacts/{uuid4()}"),
        ("POST", "/contacts/sign_up_form"),
        ("PUT", f"/contacts/resubscribe/{uuid4()}"),
    ],
)
def test_calls_that_could_resubscribe_are_recorded_and_refused(world: World, method: str, path: str) -> None:
    """A call that can opt a person in or mail them gets 403 and stays visible."""
    assert world.call(method, path, {}).status == 403
    assert world.cc.forbidden_calls == [f"{method} /v3{path}"]


@pytest.mark.parametrize("path", ["/nothing", "/contact_tags", f"/contact_lists/{uuid4()}", f"/contacts/{uuid4()}"])
def test_what_is_not_there_is_a_404_array(world: World, path: str) -> None:
    """An operation that is not served and an unknown id are 404 with an array."""
    reply = world.call("GET", path)
    assert reply.status == 404
    assert problems(reply)[0].keys() == {"error_key", "error_message"}


@pytest.mark.parametrize(
    "path",
    [
        "/contacts?limits=5",
        "/contacts?limit=0",
        "/contacts?limit=501",
        "/contacts?limit=ten",
        "/contacts?limit=5&limit=6",
        "/contacts?status=everything",
        "/contacts?status=",
        "/contacts?include=list_memberships,names",
        "/contacts?include_count=yes",
        "/contacts?updated_after=2026-10-01",
        "/contacts?optout_after=2026-10-01T00:00:00+00:00",  # an unencoded plus is a blank
        "/contacts?optout_after=2026-10-01T00:00:00",
        "/contacts?lists=Newsletter",
        f"/contacts?lists={','.join(str(uuid4()) for _ in range(26))}",
        "/contacts?segment_id=14&status=all",
        f"/contacts?tags={uuid4()}",
        "/contacts?cursor=abc",
        "/contacts?cursor=bGltaXQ9NTAwJmFmdGVyPTE%3D&limit=5",
        "/contact_lists?limit=1001",
        "/contact_lists?status=gone",
        "/contact_custom_fields?limit=101",
        "/activities?state=initialized",
        "/account/emails?role_code=X",
        "/account/emails?confirm_status=C&role_code=R",
        "/account/summary?extra_fields=shoe_size",
        "/account/user/privileges?a=b",
    ],
)
def test_wrong_queries_are_refused(world: World, path: str) -> None:
    """A query parameter that is undeclared, repeated, of the wrong type or out of range is a 400 array."""
    reply = world.call("GET", path)
    assert reply.status == 400, reply.body
    assert problems(reply)[0]["error_key"] == "contacts.api.validation.error"


# contacts


def test_status_selects_contacts(world: World) -> None:
    """`status` takes one word or several; `all` includes the deleted."""
    assert world.addresses(status="active") == ["ann@example.com", "Bob@Example.com"]
    assert world.addresses(status="unsubscribed,temp_hold") == ["out@example.com", "hold@example.com"]
    assert world.addresses(status="deleted") == ["gone@example.com"]
    assert len(world.addresses(status="all")) == 6


def test_status_has_the_default_of_the_settings(world: World) -> None:
    """Without `status` the deleted are left out, or, as support says, all but the active."""
    assert "gone@example.com" not in world.addresses()
    assert "out@example.com" in world.addresses()
    strict = World([opted_out("out@example.com", EARLIER)], status_default="active")
    assert strict.addresses() == []


def test_email_is_found_whatever_its_case(world: World) -> None:
    """`email` wants the whole address and ignores case."""
    assert world.addresses(email="BOB@example.COM") == ["Bob@Example.com"]
    assert world.addresses(email="bob") == []
    assert world.addresses(email="gone@example.com") == []
    assert world.addresses(email="gone@example.com", status="all") == ["gone@example.com"]
    newsletter = world.cc.list_id("Newsletter")
    assert world.addresses(email="hold@example.com", lists=newsletter) == []


def test_lists_give_the_members_of_any_of_them(world: World) -> None:
    """`lists` joins memberships, names nobody twice, and knows no deleted list."""
    both = f"{world.cc.list_id('Customers 2019')},{world.cc.list_id('Newsletter')}"
    assert world.addresses(lists=both, status="all") == ["ann@example.com", "Bob@Example.com"]
    assert world.addresses(lists=str(uuid4()), status="all") == []


def test_updated_after_misses_opt_outs_and_optout_after_finds_them(world: World) -> None:
    """An opt-out touches the address, not the contact."""
    world.cc.unsubscribe("ann@example.com")
    now = "2026-10-01T09:30:00Z"
    assert world.addresses(status="all", updated_after="2026-10-01T09:29:59Z") == []
    assert world.addresses(status="all", optout_after=now) == ["ann@example.com"]
    contact = world.cc.contact("ann@example.com")
    assert contact is not None
    assert contact["updated_at"] == "2024-03-03T15:53:04Z"
    assert isinstance(address := contact["email_address"], dict)
    assert (address["updated_at"], address["opt_out_date"], address["opt_out_source"]) == (now, now, "Contact")


def test_optout_after_is_inclusive_or_not() -> None:
    """The bound itself belongs to the answer only when the setting says so."""
    for is_inclusive in (True, False):
        world = World([opted_out("out@example.com", EARLIER)], optout_after_is_inclusive=is_inclusive)
        bound = EARLIER.isoformat().replace("+00:00", "Z")
        assert bool(world.addresses(status="all", optout_after=bound)) is is_inclusive
        assert world.addresses(status="all", optout_before=bound) == []


def test_created_and_updated_bounds(world: World) -> None:
    """Bounds may carry fractions and offsets."""
    world.wait(60)
    world.cc.add_contact(person("new@example.com", created_at=world.now, updated_at=world.now))
    assert world.addresses(created_after="2026-10-01T05:30:00.500-04:00") == ["new@example.com"]
    assert "new@example.com" not in world.addresses(created_before="2026-10-01T09:31:00Z")
    assert world.addresses(updated_after="2024-03-03T15:53:04Z", updated_before="2027-01-01T00:00:00Z") == [
        "new@example.com"
    ]


def test_contacts_have_the_vendor_s_shape(world: World) -> None:
    """Parts appear only when included; created_at of an address has an offset; deleted_at is a date."""
    plain = world.get("/contacts", email="ann@example.com")["contacts"][0]
    assert plain["email_address"]["permission_to_send"] == "explicit"
    assert plain["email_address"]["created_at"] == "2024-03-03T10:53:04-05:00"
    assert plain["created_at"] == "2024-03-03T15:53:04Z"
    assert "custom_fields" not in plain
    full = world.get(f"/contacts/{plain['contact_id']}", include="list_memberships,custom_fields,taggings,notes")
    assert full["list_memberships"] == [world.cc.list_id("Newsletter")]
    field = next(one for one in world.get("/contact_custom_fields")["custom_fields"] if one["name"] == "kibo_id")
    assert full["custom_fields"] == [{"custom_field_id": field["custom_field_id"], "value": "7"}]
    assert full["taggings"] == full["notes"] == []
    assert world.get("/contacts", status="deleted")["contacts"][0]["deleted_at"] == "2016-07-08"


def test_contacts_without_an_address_are_among_them(world: World) -> None:
    """Who gave only a mobile number has no email_address at all."""
    everybody = world.get("/contacts", status="all")["contacts"]
    silent = [one for one in everybody if "email_address" not in one]
    assert len(silent) == 2
    assert silent[0]["sms_channel"]["sms_channel_consents"][0]["sms_consent_permission"] == "explicit"
    assert len(world.get("/contacts", sms_status="explicit")["contacts"]) == 2


def test_pages_follow_one_another_and_newcomers_come_last(world: World) -> None:
    """A cursor carries all parameters; who is added meanwhile appears at the end, nobody twice."""
    first = world.get("/contacts", status="all", limit="4", include_count="true")
    assert first["contacts_count"] == 8
    world.cc.add_contact(person("aaa@example.com"))
    world.cc.unsubscribe("ann@example.com")
    second = world.get(first["_links"]["next"]["href"].removeprefix("/v3"))
    third = world.get(second["_links"]["next"]["href"].removeprefix("/v3"))
    assert [len(page["contacts"]) for page in (first, second, third)] == [4, 4, 1]
    assert third["contacts"][0]["email_address"]["address"] == "aaa@example.com"
    assert "_links" not in third


def test_counts_are_by_consent(world: World) -> None:
    """The counts leave out the deleted."""
    counts = world.get("/contacts/counts", include="new_subscriber")
    assert counts == {"total": 7, "explicit": 1, "implicit": 3, "pending": 1, "unsubscribed": 1, "new_subscriber": 2}


# account, lists, custom fields


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
    assert world.cc.contact("ann@example.com") is not None
    assert world.cc.add_list("Newsletter") != list_id


# persons and staff


def test_unsubscribed_person_leaves_all_lists_unless_set_otherwise() -> None:
    """What becomes of the memberships of an unsubscribed contact is a setting."""
    for is_kept in (True, False):
        world = World([person("ann@example.com", "Newsletter")], unsubscribed_keep_lists=is_kept)
        world.cc.unsubscribe("ann@example.com")
        assert bool(world.cc.members("Newsletter")) is is_kept


def test_person_s_own_new_opt_in_is_told_by_source_and_date(world: World) -> None:
    """After an own opt-in permission is explicit, source Contact, date now; the old opt-out date may stay."""
    world.cc.resubscribe("out@example.com")
    contact = world.cc.contact("out@example.com")
    assert contact is not None
    assert isinstance(address := contact["email_address"], dict)
    assert address["permission_to_send"] == "explicit"
    assert (address["opt_in_source"], address["opt_in_date"]) == ("Contact", "2026-10-01T09:30:00Z")
    assert address["opt_out_date"] == "2026-09-01T09:30:00Z"
    assert contact["list_memberships"] == []


def test_leaving_a_list_is_no_opt_out_and_leaves_no_trace(world: World) -> None:
    """Only a comparison of members reveals it."""
    before = world.cc.contact("ann@example.com")
    world.cc.leave_list("ann@example.com", "Newsletter")
    after = world.cc.contact("ann@example.com")
    assert before is not None
    assert after == before | {"list_memberships": []}
    world.cc.join_list("ann@example.com", "Newsletter")
    assert world.cc.contact("ann@example.com") == before


def test_deleted_contact_is_hidden_not_unsubscribed_and_comes_back_by_a_list(world: World) -> None:
    """Deleting is no opt-out."""
    world.cc.delete_contact("ann@example.com")
    contact = world.cc.contact("ann@example.com")
    assert contact is not None
    assert contact["deleted_at"] == "2026-10-01"
    assert isinstance(address := contact["email_address"], dict)
    assert address["permission_to_send"] == "explicit"
    assert world.cc.members("Newsletter") == ["Bob@Example.com"]
    assert world.cc.contact_count() == 6
    world.cc.join_list("ann@example.com", "Newsletter")
    assert world.cc.contact_count() == 7


def test_actions_on_nobody_are_errors(world: World) -> None:
    """A test that misspells an address or a list hears of it."""
    with pytest.raises(LookupError):
        world.cc.unsubscribe("nobody@example.com")
    with pytest.raises(LookupError):
        world.cc.members("No such list")
    with pytest.raises(ValueError, match="resubscribe first"):
        world.cc.join_list("out@example.com", "Newsletter")


# limits


def test_fifth_call_in_a_second_is_throttled() -> None:
    """Four calls a second, no Retry-After, and a refused call costs nothing."""
    world = World(cc_requests_per_second=4)
    replies = [world.call("GET", "/contact_lists") for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 4 + [429] * 2
    assert json.loads(replies[-1].body) == {"error_key": "throttled", "error_message": "Too Many Requests"}
    assert "Retry-After" not in replies[-1].headers
    assert (world.cc.calls_today, world.cc.throttled_count) == (4, 2)
    world.wait(1)
    assert world.call("GET", "/contact_lists").status == 200


def test_quota_ends_at_midnight_utc() -> None:
    """The day's last call is followed by quota_exceeded until 00:00 UTC."""
    world = World(cc_requests_per_day=3)
    assert [world.call("GET", "/nothing").status for _ in range(4)] == [404, 404, 404, 429]
    assert error_key(world.call("GET", "/contacts")) == "quota_exceeded"
    world.now = datetime(2026, 10, 1, 23, 59, 59, tzinfo=UTC)
    assert world.call("GET", "/contacts").status == 429
    world.now = datetime(2026, 10, 2, tzinfo=UTC)
    assert world.call("GET", "/contacts").status == 200
    assert world.cc.calls_today == 1


def test_limits_can_be_reset() -> None:
    """A test may start a day anew."""
    world = World(cc_requests_per_day=1)
    world.call("GET", "/contacts")
    world.cc.reset_limits()
    assert world.call("GET", "/contacts").status == 200
