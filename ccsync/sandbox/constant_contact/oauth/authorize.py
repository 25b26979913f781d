"""What a browser walks through at the authorization server: sign in, *Allow Access?*, and back to the app.

https://developer.constantcontact.com/api_guide/server_flow.html and `pkce_flow.html`. Any user name and password sign
in, as the account's owner.
"""

import base64
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from urllib.parse import urlencode

from ccsync.sandbox.constant_contact.oauth.activate_page import page
from ccsync.sandbox.constant_contact.oauth.form import OAuthError, read_form
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request

AUTHORIZE = "/oauth2/default/v1/authorize"
SIGN_IN = "/signin"
ALLOW = "/allow"
PAGES = frozenset({AUTHORIZE, SIGN_IN, ALLOW})
CODE_SECONDS = 300

_SCOPES = {"account_read", "account_update", "contact_data", "campaign_data", "billing_data", "offline_access"}
_SIGN_IN = """<form method="post" action="{path}"><input type="hidden" name="ticket" value="{ticket}">
<p><label>User name <input name="username" autocomplete="off"></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<button id="signin">Sign In</button></form>"""
_ALLOW = """<form method="post" action="{path}"><input type="hidden" name="ticket" value="{ticket}">
<h2>Allow Access?</h2><p>The app asks for: {scopes}</p>
<button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></form>"""


@dataclass(slots=True)
class Visit:
    """One browser that was sent here by the app."""

    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    challenge: str | None
    is_signed_in: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A code that was given out."""

    visit: Visit
    expires_at: datetime


class Authorizations:
    """The browsers under way and the codes given out."""

    def __init__(self, settings: SandboxSettings, clock: Clock, chance: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._visits: dict[str, Visit] = {}
        self._grants: dict[str, Grant] = {}

    def handle(self, request: Request) -> Reply:
        """Answer a browser."""
        match request.method, request.path:
            case "GET", path if path == AUTHORIZE:
                return self._arrive(request)
            case "POST", path if path == SIGN_IN:
                return self._sign_in(request)
            case "POST", path if path == ALLOW:
                return self._decide(request)
        return page(405, "<p>Method not allowed.</p>")

    def redeem(self, form: Mapping[str, str]) -> tuple[str, ...]:
        """The scopes of a code; it is used up, whatever comes of it. Raises `OAuthError`."""
        grant = self._grants.pop(form["code"], None)
        if grant is None or self._clock() >= grant.expires_at:
            raise OAuthError("invalid_grant", "The authorization code is invalid or has expired.")
        if form["redirect_uri"] != grant.visit.redirect_uri:
            raise OAuthError("invalid_grant", "The 'redirect_uri' does not match the authorization request.")
        if grant.visit.challenge is not None and _challenge(form.get("code_verifier", "")) != grant.visit.challenge:
            raise OAuthError("invalid_grant", "PKCE verification failed.")
        if grant.visit.challenge is None and "code_verifier" in form:
            raise OAuthError("invalid_request", "Unknown parameter 'code_verifier'.")
        return grant.visit.scopes

    def _arrive(self, request: Request) -> Reply:
        asked = dict(request.query)
        # A browser is never sent to an address that is not registered, not even with an error.
        if asked.get("client_id") != self._settings.cc_client_id or self._settings.app_flow == "device":
            return page(400, "<p>Invalid client, or the flow is not enabled for it.</p>")
        if asked.get("redirect_uri") != self._settings.redirect_uri:
            return page(400, "<p>The 'redirect_uri' parameter must be a Login redirect URI of the app.</p>")
        wants_pkce = self._settings.app_flow == "pkce"
        if problem := _problem(request, asked, wants_pkce=wants_pkce):
            return _back(asked["redirect_uri"], asked.get("state"), error=problem)
        scopes = tuple(dict.fromkeys(asked["scope"].split()))
        visit = Visit(asked["redirect_uri"], asked.get("state"), scopes, asked.get("code_challenge"))
        ticket = f"{self._chance.getrandbits(128):032x}"
        self._visits[ticket] = visit
        return page(200, _SIGN_IN.format(path=SIGN_IN, ticket=ticket))

    def _sign_in(self, request: Request) -> Reply:
        form = read_form(request, ("ticket",))
        visit = self._visits.get(form["ticket"])
        if visit is None:
            return page(400, "<p>Your session has expired.</p>")
        if not form.get("username") or not form.get("password"):
            return page(401, "<p>Unable to sign in.</p>" + _SIGN_IN.format(path=SIGN_IN, ticket=form["ticket"]))
        visit.is_signed_in = True
        scopes = escape(", ".join(visit.scopes))
        return page(200, _ALLOW.format(path=ALLOW, ticket=form["ticket"], scopes=scopes))

    def _decide(self, request: Request) -> Reply:
        form = read_form(request, ("ticket", "decision"))
        visit = self._visits.pop(form["ticket"], None)
        if visit is None or not visit.is_signed_in:
            return page(400, "<p>Your session has expired.</p>")
        if form["decision"] != "allow":
            return _back(visit.redirect_uri, visit.state, error="access_denied")
        code = f"{self._chance.getrandbits(256):064x}"
        self._grants[code] = Grant(visit, self._clock() + timedelta(seconds=CODE_SECONDS))
        return _back(visit.redirect_uri, visit.state, code=code)


def _problem(request: Request, asked: Mapping[str, str], *, wants_pkce: bool) -> str | None:
    """The error code for a wrong authorization request."""
    if len(asked) < len(request.query):
        return "invalid_request"
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if not asked.get("scope") or not _SCOPES.issuperset(asked["scope"].split()):
        return "invalid_scope"
    if not asked.get("state"):
        return "invalid_request"
    if wants_pkce and (asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43):
        return "invalid_request"
    return None


def _back(redirect_uri: str, state: str | None, **answer: str) -> Reply:
    query = urlencode(answer | ({"state": state} if state else {}))
    return Reply(302, b"", "text/html", {"Location": f"{redirect_uri}?{query}"})


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
