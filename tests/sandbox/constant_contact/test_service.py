"""The simulated Constant Contact at its door: who may come in, with what query, how often."""

import json
from datetime import UTC, datetime

import pytest

from tests.sandbox.constant_contact.world import World, error_key, problems, small_account

SOMEBODY = "1898ae62-4752-41e9-9c8a-fa163e6b01c1"


@pytest.fixture
def world() -> World:
    """A small account with one of each kind."""
    return small_account()


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
    ("method", "path", "permission"),
    [
        ("POST", "/contacts", "implicit"),
        ("PUT", f"/contacts/{SOMEBODY}", "explicit"),
        ("PUT", f"/contacts/{SOMEBODY}", ["unsubscribed"]),
        ("POST", "/contacts/sign_up_form", None),
        ("PUT", f"/contacts/resubscribe/{SOMEBODY}", None),
    ],
)
def test_calls_that_could_resubscribe_are_recorded_and_refused(
    world: World, method: str, path: str, permission: object
) -> None:
    """A call that can opt a person in again, by its path or by the permission it names, gets 403 and stays visible."""
    body = {"email_address": {"address": "ann@example.com", "permission_to_send": permission}}
    assert world.call(method, path, body).status == 403
    assert world.cc.forbidden_calls == [f"{method} /v3{path}"]


@pytest.mark.parametrize("path", ["/nothing", "/segments", f"/contact_lists/{SOMEBODY}", f"/contacts/{SOMEBODY}"])
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
        f"/contacts?lists={','.join(SOMEBODY for _ in range(26))}",
        "/contacts?segment_id=14&status=all",
        f"/contacts?tags={SOMEBODY}",
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
