"""The flows with a redirect: only the answer to this very login counts."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import requests_mock

from ccsync.errors import ConfigError, LoginNeeded
from ccsync.oauth import (
    App,
    Attempt,
    NotTheAnswer,
    authorization_url,
    exchange_code,
    new_attempt,
    read_answer,
    read_pasted,
)
from ccsync.transport.http import Transport
from tests.doubles import FakeClock, OpenGate

AUTH = "https://authz.example.com/oauth2/default/v1"
URI = "http://localhost:8484/callback"
ATTEMPT = Attempt(URI, "the-state", "the-verifier")
PKCE = App(AUTH, "key", "pkce")
TOKENS = {"access_token": "a", "refresh_token": "r", "expires_in": 86400}


@pytest.fixture
def transport() -> Transport:
    clock = FakeClock()
    return Transport(vendor="Constant Contact", origins=["https://authz.example.com:443"], clock=clock, gate=OpenGate())


def test_the_url_asks_for_what_is_needed() -> None:
    """Client, redirect URI, the three scopes, 256 bits of state; for PKCE the S256 challenge of the verifier."""
    attempt = new_attempt(PKCE, URI)
    url = urlsplit(authorization_url(PKCE, attempt))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query["redirect_uri"] == URI
    assert query["scope"] == "account_read contact_data offline_access"
    assert len(base64.urlsafe_b64decode(query["state"] + "=")) == 32
    digest = hashlib.sha256((attempt.verifier or "").encode()).digest()
    assert base64.urlsafe_b64decode(query["code_challenge"] + "=") == digest
    assert query["code_challenge_method"] == "S256"
    assert 43 <= len(attempt.verifier or "") <= 128
    assert attempt.verifier not in url.query


def test_two_logins_share_nothing() -> None:
    """State and verifier are new each time; the flow with a secret has no verifier."""
    one, two = new_attempt(PKCE, URI), new_attempt(PKCE, URI)
    assert one.state != two.state
    assert one.verifier != two.verifier
    code_app = App(AUTH, "key", "code", "hush")
    assert "code_challenge" not in authorization_url(code_app, new_attempt(code_app, URI))


def test_the_right_answer() -> None:
    """One code with the right state."""
    assert read_answer("code=abc&state=the-state", ATTEMPT) == "abc"


@pytest.mark.parametrize(
    "query",
    [
        "code=abc&state=other",
        "code=abc",
        "code=abc&state=the-state&state=the-state",
        "code=abc&state=the-state&state=other",
        "code=abc&state=",
        "code=abc&state=the-stat%C3%A9",
        "state=the-state",
        "code=&state=the-state",
        "code=a&code=b&state=the-state",
        "error=access_denied&state=other",
        "error=access_denied",
        "&".join(f"x{number}=1" for number in range(30)) + "&code=abc&state=the-state",
        "",
    ],
)
def test_anything_else_is_not_the_answer(query: str) -> None:
    """A wrong, missing or doubled state, code or error ends nothing and gives nothing."""
    with pytest.raises(NotTheAnswer):
        read_answer(query, ATTEMPT)


@pytest.mark.parametrize(
    ("error", "words"), [("access_denied", "denied"), ("invalid_scope", "refused"), ("<script>", "refused")]
)
def test_a_no_ends_the_login(error: str, words: str) -> None:
    """With the right state an error is the answer."""
    with pytest.raises(LoginNeeded, match=words):
        read_answer(f"error={error}&error_description=%3Cscript%3E&state=the-state", ATTEMPT)


@pytest.mark.parametrize(
    "text",
    [URI + "?code=abc&state=the-state", f"  {URI}?code=abc&state=the-state \n", URI + "?state=the-state&code=abc#"],
)
def test_a_pasted_address(text: str) -> None:
    """The whole address, blanks around it forgiven."""
    assert read_pasted(text, ATTEMPT) == "abc"


@pytest.mark.parametrize(
    "text",
    [
        "http://evil.example.com/callback?code=abc&state=the-state",
        "https://localhost:8484/callback?code=abc&state=the-state",
        "http://localhost:9999/callback?code=abc&state=the-state",
        "http://localhost:8484/other?code=abc&state=the-state",
        URI + "?code=abc&state=other",
        "abc",
        "code=abc&state=the-state",
        "",
        "http://[::1",
        URI + "?code=abc&state=the-state\udcff",
        URI + "?code=abc\udcff&state=the-state",
        URI + "?code=%C3%A9&state=the-state",
    ],
)
def test_another_pasted_text(text: str) -> None:
    """Another host, port, path or state, just the code, or nothing is refused."""
    with pytest.raises(NotTheAnswer):
        read_pasted(text, ATTEMPT)


def test_a_code_is_redeemed(transport: Transport, requests_mock: requests_mock.Mocker) -> None:
    """PKCE sends the verifier and the client id, never a secret."""
    requests_mock.post(AUTH + "/token", json=TOKENS)
    assert exchange_code(transport, PKCE, ATTEMPT, "abc").refresh_token == "r"
    sent = requests_mock.last_request
    form = parse_qs(sent.text or "")
    assert form["code_verifier"] == ["the-verifier"]
    assert form["client_id"] == ["key"]
    assert "Authorization" not in sent.headers


def test_the_flow_with_a_secret(transport: Transport, requests_mock: requests_mock.Mocker) -> None:
    """The secret goes as a Basic header, and nothing of it into the form."""
    requests_mock.post(AUTH + "/token", json=TOKENS)
    exchange_code(transport, App(AUTH, "key", "code", "hush"), Attempt(URI, "s", None), "abc")
    sent = requests_mock.last_request
    assert sent.headers["Authorization"] == "Basic " + base64.b64encode(b"key:hush").decode()
    assert parse_qs(sent.text or "").keys() == {"grant_type", "code", "redirect_uri"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status_code": 400, "json": {"error": "invalid_grant"}}, LoginNeeded),
        ({"status_code": 401, "json": {"error": "invalid_client"}}, ConfigError),
        ({"json": {"access_token": "a"}}, LoginNeeded),
    ],
)
def test_a_code_that_is_not_taken(
    transport: Transport, requests_mock: requests_mock.Mocker, answer: dict[str, object], expected: type[Exception]
) -> None:
    """An old code means a new login, a refused app the config, and no refresh token no login."""
    requests_mock.post(AUTH + "/token", [answer])
    with pytest.raises(expected):
        exchange_code(transport, PKCE, ATTEMPT, "abc")
