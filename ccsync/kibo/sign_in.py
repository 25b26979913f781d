"""Kibo's application token: client credentials in, one hour's bearer token out."""

from dataclasses import dataclass, field

from ccsync import shapes
from ccsync.errors import ConfigError, VendorUnreachable
from ccsync.transport.calls import Call
from ccsync.transport.http import Transport

TOKEN_PATH = "/api/platform/applications/authtickets/oauth"  # noqa: S105 - a path
DEFAULT_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A bearer token and how many seconds it lasts."""

    access_token: str = field(repr=False)
    expires_in: int


def request_token(transport: Transport, home_url: str, client_id: str, client_secret: str) -> IssuedToken:
    """Ask Kibo for an application token.

    JSON, not form-encoded, with the standard grant type:
    https://github.com/KiboSoftware/sdk-authentication (`src/index.ts`).
    Raises `ConfigError` when Kibo does not take the credentials.
    """
    call = Call(
        "POST",
        home_url + TOKEN_PATH,
        json={"client_id": client_id, "client_secret": client_secret, "grant_type": "client_credentials"},
        accepts=frozenset({400, 401, 403, 404}),
    )
    answer, value = transport.json(call)
    record = shapes.as_object(value) or {}
    token = shapes.word(record, "access_token")
    if answer.status >= 400 or (token is None and shapes.text(record, "errorCode")):
        code = shapes.text(record, "errorCode") or str(answer.status)
        raise ConfigError(
            "Kibo refused the application's credentials.",
            f"{answer.status} {code[:60]} from {home_url}.",
            "Check [kibo] client_id (the application key) and its shared secret in Kibo's Dev Center,"
            " and that the app is installed and enabled.",
        )
    if token is None:
        raise VendorUnreachable(
            "Kibo's token answer has no token.",
            f"{home_url} answered {answer.status} without access_token.",
            "Check [kibo] home_url; if it is right, try again later.",
        )
    seconds = shapes.integer(record, "expires_in") or 0
    return IssuedToken(token, seconds if 0 < seconds <= 86_400 else DEFAULT_SECONDS)
