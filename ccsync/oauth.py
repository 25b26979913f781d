"""Constant Contact's OAuth 2 sign-in: the device flow and the refresh of its tokens.

https://developer.constantcontact.com/api_guide/device_flow.html and RFC 8628.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from ccsync import shapes
from ccsync.errors import ConfigError, LoginNeeded, VendorUnreachable
from ccsync.models import JsonObject
from ccsync.transport import Call, Clock, Transport

SCOPES = "account_read contact_data offline_access"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEFAULT_INTERVAL_SECONDS = 5
_DEFAULT_EXPIRY_SECONDS = 600
_DEFAULT_TOKEN_SECONDS = 3_600
_REFUSALS = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class App:
    """The app as it is registered in the vendor's portal. `auth_url` ends in /oauth2/default/v1."""

    auth_url: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """What the operator has to open and type, and how to wait for it. Seconds."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """Tokens as issued. `refresh_token` is `None` when the answer had none; `expires_in` is seconds."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    scope: str


def start_device_flow(transport: Transport, app: App, state: str) -> DeviceGrant:
    """Ask for a device code. Raises `ConfigError` when the vendor does not take the client id for this flow."""
    form = {"client_id": app.client_id, "response_type": "code", "scope": SCOPES, "state": state}
    call = Call("POST", app.auth_url + "/device/authorize", form=form, accepts=_REFUSALS)
    answer, value = transport.json(call)
    record = shapes.as_object(value) or {}
    if answer.status in _REFUSALS:
        raise _refused_client(app, record, answer.status)
    device_code, user_code = shapes.text(record, "device_code"), shapes.text(record, "user_code")
    uri = shapes.text(record, "verification_uri")
    if not (device_code and user_code and uri):
        raise VendorUnreachable("Constant Contact's answer has no device code.", "", "Try again later.")
    return DeviceGrant(
        device_code,
        user_code,
        uri,
        shapes.text(record, "verification_uri_complete"),
        _seconds(record, "expires_in", _DEFAULT_EXPIRY_SECONDS),
        _seconds(record, "interval", _DEFAULT_INTERVAL_SECONDS),
    )


def await_approval(transport: Transport, app: App, grant: DeviceGrant, clock: Clock) -> TokenAnswer:
    """Poll until the operator has approved, as fast as told and no faster.

    Raises `LoginNeeded` when the operator said no, the code has expired, or no refresh token was issued.
    """
    form = {"client_id": app.client_id, "device_code": grant.device_code, "grant_type": _DEVICE_GRANT}
    interval = grant.interval
    ends_at = clock.monotonic() + grant.expires_in
    while clock.monotonic() + interval <= ends_at + 1:
        clock.sleep(interval)
        answer, value = transport.json(_token_call(app, form))
        record = shapes.as_object(value) or {}
        if answer.status not in _REFUSALS:
            return _with_refresh_token(_to_tokens(record))
        error = shapes.text(record, "error")
        if error == "slow_down":
            interval += 5  # RFC 8628, 3.5
        elif error == "access_denied":
            raise LoginNeeded("The login was denied in the browser.", "nothing was changed.", "ccsync login")
        elif error in ("expired_token", "invalid_grant"):
            break
        elif error != "authorization_pending":
            raise _refused_client(app, record, answer.status)
    raise LoginNeeded(
        "The login was not approved in time.",
        f"the code {grant.user_code} was good for {grant.expires_in // 60} minutes.",
        "ccsync login",
    )


def refresh(transport: Transport, app: App, refresh_token: str) -> TokenAnswer:
    """Exchange a refresh token. With rotating tokens the old one is dead once this was answered.

    Raises `LoginNeeded` for `invalid_grant` and for nothing else.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answer, value = transport.json(_token_call(app, form))
    record = shapes.as_object(value) or {}
    if answer.status not in _REFUSALS:
        return _to_tokens(record)
    if shapes.text(record, "error") == "invalid_grant":
        raise LoginNeeded(
            "Constant Contact refused the saved login.",
            "the refresh token is no longer valid (invalid_grant).",
            "ccsync login        (nothing else is lost)",
        )
    raise _refused_client(app, record, answer.status)


def _token_call(app: App, form: Mapping[str, str]) -> Call:
    url = app.auth_url + "/token"
    if app.client_secret is None:
        return Call("POST", url, form={**form, "client_id": app.client_id}, accepts=_REFUSALS)
    pair = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
    return Call("POST", url, form=form, basic=f"Basic {pair}", accepts=_REFUSALS)


def _to_tokens(record: JsonObject) -> TokenAnswer:
    access_token = shapes.text(record, "access_token")
    if access_token is None:
        raise VendorUnreachable("Constant Contact's token answer has no token.", "", "Try again later.")
    return TokenAnswer(
        access_token,
        shapes.text(record, "refresh_token"),
        _seconds(record, "expires_in", _DEFAULT_TOKEN_SECONDS),
        shapes.text(record, "scope") or SCOPES,
    )


def _with_refresh_token(tokens: TokenAnswer) -> TokenAnswer:
    if tokens.refresh_token is None:
        raise LoginNeeded(
            "Constant Contact gave no refresh token; nothing was saved.",
            "the login would end within a day: the app does not allow offline access.",
            "In the Constant Contact developer portal give the app the Device flow with refresh tokens (Long Lived"
            " is safest), or create the app anew; then: ccsync login",
        )
    return tokens


def _refused_client(app: App, record: JsonObject, status: int) -> ConfigError:
    code = (shapes.text(record, "error") or shapes.text(record, "error_key") or "")[:60]
    return ConfigError(
        "Constant Contact does not take this app for the device flow.",
        f"{status} {code} from {app.auth_url}.",
        "Check [constant_contact] client_id (the API key), and that the app's OAuth2 setting is Device Flow.",
    )


def _seconds(record: JsonObject, key: str, default: int) -> int:
    """A duration; some answers carry it as text, and nonsense falls back to `default`."""
    value = record.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 10_000_000:
        return default
    return int(value)
