"""The device flow: the operator types a code in any browser, ccsync asks until it is approved.

https://developer.constantcontact.com/api_guide/device_flow.html and RFC 8628.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ccsync import shapes
from ccsync.errors import LoginNeeded, VendorUnreachable
from ccsync.oauth.tokens import (
    REFUSALS,
    App,
    TokenAnswer,
    refused_client,
    seconds,
    to_tokens,
    token_call,
    with_refresh_token,
)
from ccsync.transport.calls import Call, Clock
from ccsync.transport.http import Transport
from ccsync.words import counted

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEFAULT_INTERVAL_SECONDS = 5
_DEFAULT_EXPIRY_SECONDS = 600


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """What the operator has to open and type, and how to wait for it. Seconds."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: int
    interval: int


def start_device_flow(transport: Transport, app: App, state: str) -> DeviceGrant:
    """Ask for a device code. Raises `ConfigError` when the vendor does not take the client id for this flow."""
    form = {"client_id": app.client_id, "response_type": "code", "scope": app.scopes, "state": state}
    call = Call("POST", app.auth_url + "/device/authorize", form=form, accepts=REFUSALS)
    answer, value = transport.json(call)
    record = shapes.as_object(value) or {}
    if answer.status in REFUSALS:
        raise refused_client(app, record, answer.status)
    device_code, user_code = shapes.word(record, "device_code"), shapes.text(record, "user_code")
    uri = shapes.text(record, "verification_uri")
    if not (device_code and user_code and uri):
        raise VendorUnreachable("Constant Contact's answer has no device code.")
    return DeviceGrant(
        device_code,
        user_code,
        uri,
        shapes.text(record, "verification_uri_complete"),
        seconds(record, "expires_in", _DEFAULT_EXPIRY_SECONDS),
        seconds(record, "interval", _DEFAULT_INTERVAL_SECONDS),
    )


def await_approval(
    transport: Transport,
    app: App,
    grant: DeviceGrant,
    clock: Clock,
    report: Callable[[float], None] = lambda _: None,
) -> TokenAnswer:
    """Poll until the operator has approved, at the interval that the vendor asks for; `report` gets the seconds left.

    Raises `LoginNeeded` when the operator said no, the code has expired, or no refresh token was issued.
    """
    form = {"client_id": app.client_id, "device_code": grant.device_code, "grant_type": _DEVICE_GRANT}
    interval = grant.interval
    ends_at = clock.monotonic() + grant.expires_in
    while clock.monotonic() + interval <= ends_at + 1:
        report(ends_at - clock.monotonic())
        clock.sleep(interval)
        answer, value = transport.json(token_call(app, form))
        record = shapes.as_object(value) or {}
        if answer.status not in REFUSALS:
            return with_refresh_token(to_tokens(record, app.scopes))
        error = shapes.text(record, "error")
        if error == "slow_down":
            interval += 5  # RFC 8628, 3.5
        elif error == "access_denied":
            raise LoginNeeded("The login was denied in the browser.", "nothing was changed.", "ccsync login")
        elif error == "expired_token":
            break
        elif error == "invalid_grant":
            raise LoginNeeded(
                "Constant Contact did not take the device code any more.",
                "it was used already, or the answer that brought the login was lost on the way (invalid_grant).",
                "ccsync login",
            )
        elif error != "authorization_pending":
            raise refused_client(app, record, answer.status)
    raise LoginNeeded(
        "The login was not approved in time.",
        f"the code {grant.user_code} was valid for {counted(grant.expires_in // 60, 'minute')}.",
        "ccsync login",
    )
