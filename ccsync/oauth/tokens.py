"""Constant Contact's token endpoint: what an app is, what tokens come back, and how they are renewed.

https://developer.constantcontact.com/api_guide/server_flow.html, `pkce_flow.html`, `device_flow.html`.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from ccsync import shapes
from ccsync.errors import ConfigError, LoginNeeded, VendorUnreachable
from ccsync.models import JsonObject
from ccsync.transport.calls import Call
from ccsync.transport.http import Transport

SCOPES = "account_read contact_data offline_access"
CAMPAIGN_SCOPE = "campaign_data"
"""For draft campaigns and for naming automations; asked for only where the operator wants it."""
REFUSALS = frozenset({400, 401, 403})
_DEFAULT_TOKEN_SECONDS = 3_600
_PORTAL_NAMES = {"device": "Device Flow", "pkce": "PKCE Flow", "code": "Authorization Code Flow"}


@dataclass(frozen=True, slots=True)
class App:
    """The app as it is registered in the vendor's portal, and what it asks for.

    `auth_url` ends in /oauth2/default/v1.
    """

    auth_url: str
    client_id: str
    flow: str = "device"
    client_secret: str | None = field(default=None, repr=False)
    scopes: str = SCOPES


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """Tokens as issued. `refresh_token` is `None` when the answer had none; `expires_in` is seconds."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    scope: str


def refresh(transport: Transport, app: App, refresh_token: str, scope: str = "") -> TokenAnswer:
    """Exchange a refresh token. With rotating tokens the old one is invalid after this call.

    `scope` is what the login had: an answer that names none has not changed it (RFC 6749, section 6).
    Raises `LoginNeeded` for `invalid_grant` and for nothing else.
    """
    refusal = LoginNeeded(
        "Constant Contact refused the saved login.",
        "the refresh token is no longer valid (invalid_grant).",
        "ccsync login (nothing else is lost)",
    )
    return redeem(transport, app, {"grant_type": "refresh_token", "refresh_token": refresh_token}, refusal, scope)


def redeem(
    transport: Transport, app: App, form: Mapping[str, str], refusal: LoginNeeded, scope: str = ""
) -> TokenAnswer:
    """Exchange a code or a token for tokens. Raises `refusal` where it is not good, `ConfigError` for the app."""
    answer, value = transport.json(token_call(app, form))
    record = shapes.as_object(value) or {}
    if answer.status not in REFUSALS:
        return to_tokens(record, scope)
    raise refusal if shapes.text(record, "error") == "invalid_grant" else refused_client(app, record, answer.status)


def token_call(app: App, form: Mapping[str, str]) -> Call:
    """A request to the token endpoint; only an app with a secret sends it, as a Basic header."""
    url = app.auth_url + "/token"
    if app.client_secret is None:
        return Call("POST", url, form={**form, "client_id": app.client_id}, accepts=REFUSALS)
    pair = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
    return Call("POST", url, form=form, basic=f"Basic {pair}", accepts=REFUSALS)


def to_tokens(record: JsonObject, scope: str = "") -> TokenAnswer:
    """The issued tokens. Raises `VendorUnreachable` for an invalid answer."""
    access_token = shapes.word(record, "access_token")
    if access_token is None:
        raise VendorUnreachable("Constant Contact's token answer has no token.")
    return TokenAnswer(
        access_token,
        shapes.word(record, "refresh_token"),
        seconds(record, "expires_in", _DEFAULT_TOKEN_SECONDS),
        shapes.text(record, "scope") or scope or SCOPES,
    )


def with_refresh_token(tokens: TokenAnswer) -> TokenAnswer:
    """The same, if they can be renewed. Raises `LoginNeeded`: a login that ends within a day is useless."""
    if tokens.refresh_token is None:
        raise LoginNeeded(
            "Constant Contact gave no refresh token; nothing was saved.",
            "the login would end within a day: the app does not allow offline access.",
            "In the Constant Contact developer portal choose a refresh token type for the app (Long Lived is safest),"
            " or create a new app; then: ccsync login",
        )
    return tokens


def refused_client(app: App, record: JsonObject, status: int) -> ConfigError:
    """The error for an app that the vendor does not accept; the caller raises it."""
    keys = "client_id (the API key) and client_secret" if app.client_secret else "client_id (the API key)"
    code = (shapes.text(record, "error") or shapes.text(record, "error_key") or "")[:60]
    return ConfigError(
        f'Constant Contact does not take this app for flow = "{app.flow}".',
        f"{status} {code} from {app.auth_url}.",
        f"Check [constant_contact] {keys}, and that the app's OAuth2 setting in the developer portal is"
        f" {_PORTAL_NAMES[app.flow]}.",
    )


def seconds(record: JsonObject, key: str, default: int) -> int:
    """A duration; some answers carry it as text, and nonsense falls back to `default`."""
    value = record.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 10_000_000:
        return default
    return int(value)
