"""Access to Kibo: application tokens, and the tenant they are for.

Written from https://github.com/KiboSoftware/kibo-open-api-specs (`openapi_appdevelopement.json`) and
https://github.com/KiboSoftware/sdk-authentication; that the grant may be left out, and that the tenant's host gives
tokens, too: https://github.com/KiboSoftware/kibo-import-export-cli (`src/catalog-fetcher.js`).
"""

import secrets
from datetime import datetime, timedelta

from ccsync.sandbox.kibo.wire import Refused, json_body, parameters, want
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request

TOKEN_SECONDS = 3_600


class Access:
    """The tokens given out."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens: dict[str, datetime] = {}
        self._refresh_tokens: set[str] = set()

    def expire(self) -> None:
        """Refuse every token from now on."""
        self._tokens.clear()

    def check(self, request: Request, *, names_tenant: bool = True) -> None:
        """Raises `Refused`. The look-up of a tenant needs no header that names it: the SDKs send none there."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        ends = self._tokens.get(token)
        if kind.lower() != "bearer" or ends is None or ends <= self._clock():
            raise Refused(401, "INVALID_ACCESS_TOKEN", "the access token is invalid or expired")
        if names_tenant and request.headers.get("x-vol-tenant") != str(self._settings.tenant_id):
            raise Refused(403, "INVALID_TENANT", "x-vol-tenant is missing or not a tenant of this application")

    def sign_in(self, request: Request) -> Reply:
        """POST /api/platform/applications/authtickets/oauth."""
        want(request, "POST")
        parameters(request, set())
        body = json_body(request)
        allowed = {"client_id", "client_secret", "grant_type", "refresh_token"}
        if set(body) - allowed or not all(isinstance(value, str | None) for value in body.values()):
            raise Refused(400, "VALIDATION_ERROR", "undeclared or wrongly typed property")
        if body.get("grant_type") not in (None, "client_credentials"):
            raise Refused(400, "VALIDATION_ERROR", "grant_type is client_credentials")
        known = (self._settings.kibo_client_id, self._settings.kibo_client_secret)
        if (body.get("client_id"), body.get("client_secret")) != known:
            raise Refused(401, "INVALID_CREDENTIALS", "the application key or the shared secret is wrong")
        if body.get("refresh_token") is not None and body["refresh_token"] not in self._refresh_tokens:
            raise Refused(401, "INVALID_CREDENTIALS", "the refresh token is wrong")
        token, refresh = "eyJ" + secrets.token_urlsafe(60), secrets.token_hex(16)
        self._refresh_tokens.add(refresh)
        self._tokens[token] = self._clock() + timedelta(seconds=TOKEN_SECONDS)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS}
        return Reply.json(200, {**answer, "refresh_token": refresh})
