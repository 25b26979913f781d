"""oauthlib, which half of Python signs in with, gets its tokens from the sandbox by each of the four grants."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from oauthlib.oauth2 import DeviceClient, WebApplicationClient
from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error, InvalidGrantError

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from tests.visitor import visit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SCOPES = ["account_read", "contact_data", "offline_access"]
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(autouse=True)
def loopback_may_be_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """oauthlib speaks https only unless it is told otherwise."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox whose app has the flow that the test names."""
    settings = SandboxSettings(customers=0, app_flow=request.param, cc_requests_per_second=0)
    with Sandbox(settings) as made:
        yield made


def ask(box: Sandbox, client: Any, body: str, secret: str | None = None) -> dict[str, Any]:
    """Send a body to the token endpoint; the tokens as oauthlib reads them."""
    pair = (box.settings.cc_client_id, secret) if secret else None
    answer = requests.post(f"{box.urls.cc_auth}/token", data=body, headers=FORM, auth=pair, timeout=5)
    return client.parse_request_body_response(answer.text, scope=SCOPES)  # type: ignore[no-any-return]


def takes_token(box: Sandbox, tokens: dict[str, Any]) -> bool:
    """Does the API let the bearer in?"""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return requests.get(f"{box.urls.cc_api}/account/summary", headers=headers, timeout=5).status_code == 200


@pytest.mark.parametrize("box", ["device"], indirect=True)
def test_device(box: Sandbox) -> None:
    """The device has to wait until a person approves; the `scope` that oauthlib adds to the poll is ignored."""
    client = DeviceClient(box.settings.cc_client_id)
    # The vendor's page asks for the response_type, of which RFC 8628 knows nothing.
    url = client.prepare_request_uri(f"{box.urls.cc_auth}/device/authorize", scope=SCOPES, response_type="code")
    address, _, form = url.partition("?")
    grant = requests.post(address, data=form, headers=FORM, timeout=5).json()
    body = client.prepare_request_body(grant["device_code"], scope=SCOPES, include_client_id=True)
    with pytest.raises(CustomOAuth2Error, match="authorization_pending"):
        ask(box, client, body)
    box.advance(grant["interval"])
    box.cc.approve_device(grant["user_code"])
    tokens = ask(box, client, body)
    assert takes_token(box, tokens)
    assert tokens["refresh_token"]


@pytest.mark.parametrize("box", ["code"], indirect=True)
def test_authorization_code(box: Sandbox) -> None:
    """The code of the redirect and the app's secret give tokens, once."""
    client = WebApplicationClient(box.settings.cc_client_id)
    code = _code(box, client)
    body = client.prepare_request_body(code=code, redirect_uri=box.settings.redirect_uri, include_client_id=False)
    assert takes_token(box, ask(box, client, body, box.settings.cc_client_secret))
    with pytest.raises(InvalidGrantError):
        ask(box, client, body, box.settings.cc_client_secret)


@pytest.mark.parametrize("box", ["pkce"], indirect=True)
def test_pkce(box: Sandbox) -> None:
    """The verifier proves what the challenge promised; another one does not."""
    client = WebApplicationClient(box.settings.cc_client_id)
    verifier = client.create_code_verifier(64)
    proof = {"code_challenge": client.create_code_challenge(verifier, "S256"), "code_challenge_method": "S256"}

    def body(given: str) -> str:
        code = _code(box, client, **proof)
        return str(client.prepare_request_body(code=code, redirect_uri=box.settings.redirect_uri, code_verifier=given))

    assert takes_token(box, ask(box, client, body(verifier)))
    with pytest.raises(InvalidGrantError):
        ask(box, client, body("x" * 64))


@pytest.mark.parametrize("box", ["device"], indirect=True)
def test_refresh(box: Sandbox) -> None:
    """A refresh token gives new tokens, and is worth nothing afterwards."""
    client = DeviceClient(box.settings.cc_client_id)
    first = box.cc.sign_in(" ".join(SCOPES))
    body = client.prepare_refresh_body(
        refresh_token=str(first["refresh_token"]), scope=SCOPES, client_id=box.settings.cc_client_id
    )
    second = ask(box, client, body)
    assert takes_token(box, second)
    assert second["refresh_token"] != first["refresh_token"]
    with pytest.raises(InvalidGrantError):
        ask(box, client, body)


def _code(box: Sandbox, client: WebApplicationClient, **more: str) -> str:
    """The code in the redirect, after a person allowed access."""
    state = "a-state-of-its-own"
    url = client.prepare_request_uri(
        f"{box.urls.cc_auth}/authorize", redirect_uri=box.settings.redirect_uri, scope=SCOPES, state=state, **more
    )
    landed = visit(url).replace("http://localhost", "https://localhost")
    return str(client.parse_request_uri_response(landed, state=state)["code"])
