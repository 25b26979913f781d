"""The simulated authorization server: device flow, refresh, and every way in which they refuse."""

import base64
import json
from typing import Any

import pytest

from ccsync.sandbox.wire import Reply, Request
from tests.sandbox.constant_contact.world import CLIENT_ID, World

AUTHORIZE = "/oauth2/default/v1/device/authorize"
TOKEN = "/oauth2/default/v1/token"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "account_read contact_data offline_access"


def ask(world: World, scope: str = SCOPE) -> Any:
    """A device that asks to be let in."""
    reply = world.auth(AUTHORIZE, client_id=CLIENT_ID, response_type="code", scope=scope, state="x")
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def poll(world: World, device: Any) -> Reply:
    """One poll for its tokens."""
    return world.auth(TOKEN, client_id=CLIENT_ID, device_code=device["device_code"], grant_type=DEVICE_GRANT)


def refresh(world: World, token: str, client_id: str = CLIENT_ID) -> Reply:
    """One refresh."""
    return world.auth(TOKEN, client_id=client_id, refresh_token=token, grant_type="refresh_token")


def error(reply: Reply) -> tuple[int, str]:
    """Status and OAuth error."""
    body = json.loads(reply.body)
    assert body.keys() == {"error", "error_description"}
    return reply.status, body["error"]


def test_device_flow_ends_in_tokens() -> None:
    """Pending until a person approves; then a long JWT, a refresh token of 42 characters, and one use only."""
    world = World()
    device = ask(world)
    assert device["verification_uri"] == "http://127.0.0.1:8080/activate"
    assert device["verification_uri_complete"].endswith(f"/activate?user_code={device['user_code']}")
    assert (device["expires_in"], device["interval"]) == (600, 5)
    assert error(poll(world, device)) == (400, "authorization_pending")
    world.cc.approve_device()
    world.wait(5)
    tokens = json.loads(poll(world, device).body)
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 86_400, SCOPE)
    assert len(tokens["refresh_token"]) == 42
    assert 1_000 <= len(tokens["access_token"]) <= 1_300
    claims = tokens["access_token"].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["aud"] == "https://api.cc.email/v3"
    world.token = tokens["access_token"]
    assert world.call("GET", "/account/summary").status == 200
    world.wait(5)
    assert error(poll(world, device)) == (400, "invalid_grant")


def test_polling_too_fast_slows_down() -> None:
    """A poll before the interval is over gets slow_down and makes the interval five seconds longer."""
    world = World()
    device = ask(world)
    world.cc.approve_automatically = False
    poll(world, device)
    world.wait(4)
    assert error(poll(world, device)) == (400, "slow_down")
    world.wait(9)
    assert error(poll(world, device)) == (400, "slow_down")
    world.wait(15)
    assert error(poll(world, device)) == (400, "authorization_pending")


def test_denied_and_expired_devices_are_told() -> None:
    """access_denied after a person's no, expired_token after ten minutes."""
    world = World()
    device = ask(world)
    world.cc.deny_device(device["user_code"])
    assert error(poll(world, device)) == (400, "access_denied")
    late = ask(world)
    world.wait(600)
    assert error(poll(world, late)) == (400, "expired_token")


def test_automatic_approval_needs_nobody() -> None:
    """For demos a device is let in at its first poll."""
    world = World()
    world.cc.approve_automatically = True
    assert poll(world, ask(world)).status == 200


def test_named_device_is_approved_and_an_unknown_code_is_an_error() -> None:
    """Two devices may ask at once."""
    world = World()
    first, second = ask(world), ask(world)
    world.cc.approve_device(first["user_code"])
    assert error(poll(world, second)) == (400, "authorization_pending")
    assert poll(world, first).status == 200
    with pytest.raises(LookupError):
        world.cc.approve_device("WRONG")


def test_page_approves_or_denies() -> None:
    """A browser finds a form with the code in it; its buttons decide, once."""
    world = World()
    allowed, denied = ask(world), ask(world)
    code = allowed["user_code"]
    query = (("user_code", f'{code}"<'),)
    request = Request("cc_auth", "GET", "/activate", query, {"user-agent": "Mozilla/5.0"}, b"")
    page = world.cc.handle_auth(request)
    assert page.content_type.startswith("text/html")
    assert f'value="{code}&quot;&lt;"'.encode() in page.body
    assert page.body.count(b"<button") == 2
    assert b"allowed" in world.auth("/activate", user_code=code.lower(), decision="approve").body
    assert world.auth("/activate", user_code=code, decision="deny").status == 400
    assert b"denied" in world.auth("/activate", user_code=denied["user_code"], decision="deny").body
    assert poll(world, allowed).status == 200
    assert error(poll(world, denied)) == (400, "access_denied")


@pytest.mark.parametrize("agent", ["", "Python-urllib/3.11"])
def test_cloudflare_dislikes_the_default_user_agent(agent: str) -> None:
    """Without a User-Agent of one's own, the auth host answers 403 in HTML."""
    reply = World().auth(TOKEN, agent=agent, grant_type="refresh_token")
    assert (reply.status, reply.content_type.partition(";")[0]) == (403, "text/html")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"client_id": "nobody", "response_type": "code", "scope": SCOPE}, (401, "invalid_client")),
        ({"client_id": CLIENT_ID, "response_type": "token", "scope": SCOPE}, (400, "unsupported_response_type")),
        ({"client_id": CLIENT_ID, "response_type": "code", "scope": "everything"}, (400, "invalid_scope")),
        ({"client_id": CLIENT_ID, "response_type": "code"}, (400, "invalid_request")),
    ],
)
def test_wrong_device_requests_are_refused(form: dict[str, str], expected: tuple[int, str]) -> None:
    """Client, response type and scope are checked."""
    assert error(World().auth(AUTHORIZE, **form)) == expected


def test_wrong_token_requests_are_refused() -> None:
    """Grant, client, form and content type are checked; an app of this type has no secret."""
    world = World()
    assert error(world.auth(TOKEN, grant_type="password")) == (400, "unsupported_grant_type")
    assert error(world.auth(TOKEN, client_id=CLIENT_ID)) == (400, "invalid_request")
    assert error(refresh(world, "x", client_id="nobody")) == (401, "invalid_client")
    assert error(refresh(world, "unknown")) == (400, "invalid_grant")
    sent = {"user-agent": "test/1", "content-type": "application/json"}
    reply = world.cc.handle_auth(Request("cc_auth", "POST", TOKEN, (), sent, b"{}"))
    assert error(reply) == (400, "invalid_request")
    sent = {"user-agent": "test/1", "content-type": "application/x-www-form-urlencoded", "authorization": "Basic eDp5"}
    body = f"client_id={CLIENT_ID}&grant_type=refresh_token&refresh_token=x".encode()
    assert error(world.cc.handle_auth(Request("cc_auth", "POST", TOKEN, (), sent, body))) == (401, "invalid_client")
    assert world.auth("/oauth2/default/v1/authorize", method="GET").status == 400  # an app of the device flow


def test_no_refresh_token_without_offline_access_or_by_setting() -> None:
    """A missing scope gives no error, just no refresh token; so does an app that cannot."""
    world = World()
    world.cc.approve_automatically = True
    assert "refresh_token" not in json.loads(poll(world, ask(world, "account_read contact_data")).body)
    world = World(device_gives_refresh_token=False)
    world.cc.approve_automatically = True
    assert "refresh_token" not in json.loads(poll(world, ask(world)).body)


def test_rotating_refresh_token_works_once() -> None:
    """A refresh gives a new refresh token and kills the old one; the new one works."""
    world = World()
    old = str(world.cc.sign_in()["refresh_token"])
    answer = json.loads(refresh(world, old).body)
    assert answer["refresh_token"] != old
    reply = refresh(world, old)
    assert json.loads(reply.body) == {
        "error": "invalid_grant",
        "error_description": "The refresh token is invalid or expired.",
    }
    assert refresh(world, answer["refresh_token"]).status == 200
    world.token = answer["access_token"]
    assert world.call("GET", "/contacts").status == 200


@pytest.mark.parametrize("kind", ["long-lived", "long-lived-silent"])
def test_long_lived_refresh_token_works_again_and_again(kind: str) -> None:
    """The same value comes back, or none at all."""
    world = World(refresh_tokens=kind)
    token = str(world.cc.sign_in()["refresh_token"])
    for _ in range(2):
        answer = json.loads(refresh(world, token).body)
        assert answer.get("refresh_token") == (token if kind == "long-lived" else None)


def test_refresh_token_dies_of_180_idle_days() -> None:
    """Use keeps it alive; 180 days without use end it."""
    world = World(refresh_tokens="long-lived")
    token = str(world.cc.sign_in()["refresh_token"])
    for _ in range(2):
        world.wait(180 * 86_400)
        assert refresh(world, token).status == 200
    world.wait(180 * 86_400 + 1)
    assert error(refresh(world, token)) == (400, "invalid_grant")


def test_revoked_tokens_are_worthless() -> None:
    """Who approved was deleted: neither token works any more."""
    world = World()
    token = str(world.cc.sign_in()["refresh_token"])
    world.cc.revoke()
    assert world.call("GET", "/contacts").status == 401
    assert error(refresh(world, token)) == (400, "invalid_grant")


def test_token_endpoint_takes_one_request_a_second() -> None:
    """The second request within a second is 429, and does not use up the token."""
    world = World(cc_requests_per_second=4)
    token = str(world.cc.sign_in()["refresh_token"])
    refresh(world, "unknown")
    assert refresh(world, token).status == 429
    world.wait(1)
    assert refresh(world, token).status == 200


def test_unknown_parameters_are_ignored() -> None:
    """RFC 6749, section 3.2: a library may send `scope` with a device code, or what nobody has heard of."""
    world = World()
    world.cc.approve_automatically = True
    reply = world.auth(AUTHORIZE, client_id=CLIENT_ID, response_type="code", scope=SCOPE, audience="x")
    assert reply.status == 200
    code = json.loads(reply.body)["device_code"]
    reply = world.auth(TOKEN, client_id=CLIENT_ID, grant_type=DEVICE_GRANT, device_code=code, scope=SCOPE, code="y")
    assert reply.status == 200, reply.body
    refresh_token = json.loads(reply.body)["refresh_token"]
    world.wait(2)
    form = {"client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": refresh_token, "device_code": "z"}
    assert world.auth(TOKEN, **form).status == 200
