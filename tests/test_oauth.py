"""The device flow and the refresh: polling as told, and only `invalid_grant` means a new login."""

import pytest
import requests_mock

from ccsync.errors import ConfigError, LoginNeeded, VendorUnreachable
from ccsync.oauth import SCOPES, App, DeviceGrant, await_approval, refresh, start_device_flow
from ccsync.transport.http import Transport
from tests.doubles import FakeClock, OpenGate

AUTH = "https://authz.example.com/oauth2/default/v1"
APP = App(AUTH, "key")
GRANT = DeviceGrant("device", "BCDFGHJK", "https://x.example.com/activate", None, expires_in=60, interval=5)
TOKENS = {"access_token": "a", "refresh_token": "r", "expires_in": 86400, "scope": SCOPES}
PENDING = {"status_code": 400, "json": {"error": "authorization_pending"}}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def transport(clock: FakeClock) -> Transport:
    return Transport(vendor="Constant Contact", origins=["https://authz.example.com:443"], clock=clock, gate=OpenGate())


def test_the_three_scopes_are_asked_for(transport: Transport, requests_mock: requests_mock.Mocker) -> None:
    """account_read, contact_data and offline_access: without the last there is no refresh token."""
    answer = {"device_code": "d", "user_code": "u", "verification_uri": "https://x.example.com", "interval": "7"}
    requests_mock.post(AUTH + "/device/authorize", json=answer)
    grant = start_device_flow(transport, APP, "state")
    assert (grant.interval, grant.expires_in) == (7, 600)
    assert "scope=account_read+contact_data+offline_access" in (requests_mock.last_request.text or "")


def test_it_polls_as_told(transport: Transport, clock: FakeClock, requests_mock: requests_mock.Mocker) -> None:
    """The interval is obeyed, and `slow_down` makes it five seconds longer for good."""
    slow = {"status_code": 400, "json": {"error": "slow_down"}}
    requests_mock.post(AUTH + "/token", [PENDING, slow, PENDING, {"json": TOKENS}])
    assert await_approval(transport, APP, GRANT, clock).refresh_token == "r"
    assert clock.slept == [5, 5, 10, 10]


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
def test_no_is_an_answer(
    transport: Transport, clock: FakeClock, requests_mock: requests_mock.Mocker, error: str
) -> None:
    """Denied or expired ends the login, and says to begin again."""
    requests_mock.post(AUTH + "/token", [PENDING, {"status_code": 400, "json": {"error": error}}])
    with pytest.raises(LoginNeeded) as caught:
        await_approval(transport, APP, GRANT, clock)
    assert caught.value.fix == "ccsync login"


def test_nobody_comes(transport: Transport, clock: FakeClock, requests_mock: requests_mock.Mocker) -> None:
    """Polling ends when the code does."""
    requests_mock.post(AUTH + "/token", [PENDING])
    with pytest.raises(LoginNeeded, match="not approved in time"):
        await_approval(transport, APP, GRANT, clock)
    assert sum(clock.slept) <= 61


def test_without_a_refresh_token_nothing_is_saved(
    transport: Transport, clock: FakeClock, requests_mock: requests_mock.Mocker
) -> None:
    """The error says what to change in the app, instead of a login that ends within a day."""
    requests_mock.post(AUTH + "/token", json={"access_token": "a", "expires_in": 86400})
    with pytest.raises(LoginNeeded, match="no refresh token") as caught:
        await_approval(transport, APP, GRANT, clock)
    assert "Long Lived" in caught.value.fix


@pytest.mark.parametrize("expires_in", ["86400", 86400.0])
def test_a_lifetime_may_be_text(transport: Transport, requests_mock: requests_mock.Mocker, expires_in: object) -> None:
    """`expires_in` comes as a number or as text."""
    requests_mock.post(AUTH + "/token", json={**TOKENS, "expires_in": expires_in})
    assert refresh(transport, APP, "r").expires_in == 86400


def test_invalid_grant_alone_means_a_new_login(transport: Transport, requests_mock: requests_mock.Mocker) -> None:
    """A client that is not known is the config's fault; a broken answer is nobody's, and passes."""
    requests_mock.post(AUTH + "/token", status_code=400, json={"error": "invalid_grant"})
    with pytest.raises(LoginNeeded):
        refresh(transport, APP, "r")
    requests_mock.post(AUTH + "/token", status_code=401, json={"error": "invalid_client"})
    with pytest.raises(ConfigError, match="does not take this app"):
        refresh(transport, APP, "r")
    for answer in ({"status_code": 403, "text": "<html>"}, {"status_code": 500}, {"text": "<html>"}):
        requests_mock.post(AUTH + "/token", [answer])
        with pytest.raises(VendorUnreachable):
            refresh(transport, APP, "r")


def test_the_secret_goes_as_basic(transport: Transport, requests_mock: requests_mock.Mocker) -> None:
    """An app with a secret signs in by Basic, without client_id in the form; others the other way round."""
    requests_mock.post(AUTH + "/token", json=TOKENS)
    refresh(transport, App(AUTH, "key", "code", "hush"), "r")
    assert requests_mock.last_request.headers["Authorization"].startswith("Basic ")
    assert "client_id" not in (requests_mock.last_request.text or "")
    refresh(transport, APP, "r")
    assert "Authorization" not in requests_mock.last_request.headers
    assert "client_id=key" in (requests_mock.last_request.text or "")
