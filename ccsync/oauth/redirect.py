"""The flows with a redirect, with and without PKCE: what to open, and which answer of the browser counts.

https://developer.constantcontact.com/api_guide/server_flow.html, `pkce_flow.html`; RFC 6749, 7636 and 8252.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from ccsync.errors import LoginNeeded
from ccsync.oauth.tokens import App, TokenAnswer, redeem, with_refresh_token
from ccsync.transport.http import Transport

CODE_SECONDS = 300
"""An authorization code is good for five minutes."""


class NotTheAnswer(Exception):
    """A request or a pasted text that is not the answer to this login; the text says why. The login waits on."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login by redirect. `verifier` is PKCE's; `None` for `flow = "code"`."""

    redirect_uri: str
    state: str = field(repr=False)
    verifier: str | None = field(repr=False)


def new_attempt(app: App, redirect_uri: str) -> Attempt:
    """Start a login that cannot be guessed: 256 bits of state, and a verifier of 86 characters for PKCE."""
    verifier = secrets.token_urlsafe(64) if app.flow == "pkce" else None
    return Attempt(redirect_uri, secrets.token_urlsafe(32), verifier)


def authorization_url(app: App, attempt: Attempt) -> str:
    """What the operator opens in a browser."""
    query = {
        "client_id": app.client_id,
        "redirect_uri": attempt.redirect_uri,
        "response_type": "code",
        "scope": app.scopes,
        "state": attempt.state,
    }
    if attempt.verifier is not None:
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        query["code_challenge"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        query["code_challenge_method"] = "S256"
    return f"{app.auth_url}/authorize?{urlencode(query)}"


def read_answer(query: str, attempt: Attempt) -> str:
    """The code in the query of a redirect.

    Raises `NotTheAnswer` for what does not belong to this login, `LoginNeeded` when the operator or the vendor said no.
    """
    try:
        given = parse_qs(query, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise NotTheAnswer("it has too many parameters") from None
    states = given.get("state", [])
    if len(states) != 1 or not hmac.compare_digest(states[0].encode(errors="replace"), attempt.state.encode()):
        raise NotTheAnswer("its state is not the one of this login")
    if errors := given.get("error"):
        raise _refusal(errors[0])
    codes = given.get("code", [])
    if len(codes) != 1 or not codes[0] or not codes[0].isascii():
        raise NotTheAnswer("it has no code")
    return codes[0]


def read_pasted(text: str, attempt: Attempt) -> str:
    """The code in an address that was copied from a browser. Raises as `read_answer` does."""
    try:
        given, registered = urlsplit(text.strip()), urlsplit(attempt.redirect_uri)
    except ValueError:
        raise NotTheAnswer("it is not an address; copy all of the browser's address line") from None
    if not given.scheme or not given.netloc:
        raise NotTheAnswer("it is not an address; copy all of the browser's address line")
    if (given.scheme, given.netloc.lower(), given.path or "/") != (
        registered.scheme,
        registered.netloc.lower(),
        registered.path or "/",
    ):
        raise NotTheAnswer(f"it does not begin with {attempt.redirect_uri}")
    return read_answer(given.query, attempt)


def exchange_code(transport: Transport, app: App, attempt: Attempt, code: str) -> TokenAnswer:
    """Redeem a code. Raises `LoginNeeded` when it is not good or no refresh token comes, `ConfigError` for the app."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": attempt.redirect_uri}
    if attempt.verifier is not None:
        form["code_verifier"] = attempt.verifier
    refusal = LoginNeeded(
        "Constant Contact did not take the code of the browser.",
        "a code is good for five minutes and once (invalid_grant).",
        "ccsync login",
    )
    return with_refresh_token(redeem(transport, app, form, refusal, app.scopes))


def _refusal(error: str) -> LoginNeeded:
    if error == "access_denied":
        return LoginNeeded("The login was denied in the browser.", "nothing was changed.", "ccsync login")
    return LoginNeeded(
        "Constant Contact refused the login in the browser.",
        f"its answer is {error[:60]}.",
        "Check the app's OAuth2 setting and redirect URI in the developer portal, then: ccsync login",
    )
