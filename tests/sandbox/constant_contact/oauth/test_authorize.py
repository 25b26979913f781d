"""The simulated sign-in pages: whom they send back, with what, and what a code is good for."""

import base64
import hashlib
import json
import random
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from ccsync.sandbox.constant_contact.service import ConstantContact
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request
from tests.doubles import FakeClock

URI = "http://localhost:8484/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BASE = "/oauth2/default/v1"


class Browser:
    """A browser and an app at one authorization server."""

    def __init__(self, flow: str = "pkce") -> None:
        self.clock = FakeClock()
        self.settings = SandboxSettings(customers=0, app_flow=flow, redirect_uri=URI)
        self.cc = ConstantContact(self.settings, self.clock.now, [], "http://127.0.0.1:1" + BASE)
        self.query = {
            "client_id": self.settings.cc_client_id,
            "redirect_uri": URI,
            "response_type": "code",
            "scope": "account_read contact_data offline_access",
            "state": f"s{random.random()}",
        }
        if flow == "pkce":
            self.query |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

    def send(self, method: str, path: str, query: Mapping[str, str], form: Mapping[str, str], **headers: str) -> Reply:
        content = {"user-agent": "test/1", "content-type": "application/x-www-form-urlencoded", **headers}
        return self.cc.handle_auth(
            Request("cc_auth", method, path, tuple(query.items()), content, urlencode(form).encode())
        )

    def arrive(self, **changes: str) -> Reply:
        return self.send("GET", BASE + "/authorize", {**self.query, **changes}, {})

    def walk(self, decision: str = "allow") -> dict[str, list[str]]:
        """Sign in and decide; the query that the app gets."""
        ticket = self.arrive().body.decode().partition('name="ticket" value="')[2].partition('"')[0]
        self.send("POST", "/signin", {}, {"ticket": ticket, "username": "o@example.com", "password": "x"})
        reply = self.send("POST", "/allow", {}, {"ticket": ticket, "decision": decision})
        assert reply.status == 302
        assert reply.headers["Location"].startswith(URI + "?")
        return parse_qs(urlsplit(reply.headers["Location"]).query)

    def redeem(self, code: str, **changes: str) -> tuple[int, str | None]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": URI}
        headers = {}
        if self.settings.app_flow == "pkce":
            form |= {"client_id": self.settings.cc_client_id, "code_verifier": VERIFIER}
        else:
            pair = f"{self.settings.cc_client_id}:{self.settings.cc_client_secret}"
            headers = {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        self.clock.advance(2)
        reply = self.send("POST", BASE + "/token", {}, {**form, **changes}, **headers)
        return reply.status, json.loads(reply.body).get("error")


@pytest.mark.parametrize("flow", ["pkce", "code"])
def test_an_approval(flow: str) -> None:
    """Back to the registered address with code and state; the code gives tokens once."""
    browser = Browser(flow)
    answer = browser.walk()
    assert answer["state"] == [browser.query["state"]]
    assert browser.redeem(answer["code"][0]) == (200, None)
    assert browser.redeem(answer["code"][0]) == (400, "invalid_grant")


def test_a_denial() -> None:
    """Deny sends back `access_denied` and no code."""
    answer = Browser().walk("deny")
    assert answer["error"] == ["access_denied"]
    assert "code" not in answer


@pytest.mark.parametrize("changes", [{"redirect_uri": URI + "/"}, {"redirect_uri": ""}, {"client_id": "nobody"}])
def test_nobody_is_sent_to_an_unknown_address(changes: dict[str, str]) -> None:
    """A redirect URI that differs in one character, or an unknown client, is a page and no redirect."""
    reply = Browser().arrive(**changes)
    assert reply.status == 400
    assert "Location" not in reply.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"state": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
def test_a_wrong_request_goes_back_as_an_error(changes: dict[str, str], error: str) -> None:
    """Everything else that is wrong is told to the app."""
    reply = Browser().arrive(**changes)
    assert reply.status == 302
    assert f"error={error}" in reply.headers["Location"]


@pytest.mark.parametrize("changes", [{"redirect_uri": URI + "2"}, {"code_verifier": "w" * 43}])
def test_a_code_belongs_to_its_login(changes: dict[str, str]) -> None:
    """Another redirect URI or another verifier is `invalid_grant`, and the code is used up; so is an invented one."""
    browser = Browser()
    code = browser.walk()["code"][0]
    assert browser.redeem(code, **changes) == (400, "invalid_grant")
    assert browser.redeem(code) == (400, "invalid_grant")
    assert browser.redeem("made-up") == (400, "invalid_grant")


def test_a_code_lasts_five_minutes() -> None:
    """After them it is worth nothing."""
    browser = Browser()
    code = browser.walk()["code"][0]
    browser.clock.advance(300)
    assert browser.redeem(code) == (400, "invalid_grant")


def test_the_flow_is_the_app_s() -> None:
    """An app of one flow may not use another: no device code for PKCE, no pages for the device flow."""
    form = {"client_id": Browser().settings.cc_client_id, "response_type": "code", "scope": "contact_data"}
    assert Browser("pkce").send("POST", BASE + "/device/authorize", {}, form).status == 400
    assert Browser("device").arrive().status == 400


def test_nobody_allows_without_signing_in() -> None:
    """The second page counts only after the first."""
    browser = Browser()
    ticket = browser.arrive().body.decode().partition('name="ticket" value="')[2].partition('"')[0]
    assert browser.send("POST", "/allow", {}, {"ticket": ticket, "decision": "allow"}).status == 400


def test_unknown_parameters_of_the_authorization_are_ignored() -> None:
    """RFC 6749, section 3.1: `prompt`, or what nobody has heard of, does no harm."""
    assert Browser().arrive(prompt="login", colour="red").status == 200
