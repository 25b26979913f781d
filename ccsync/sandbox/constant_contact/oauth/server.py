"""Constant Contact's authorization server: the flow of the app, and the refresh of its tokens.

https://developer.constantcontact.com/api_guide/device_flow.html, `pkce_flow.html`, `server_flow.html`; errors are
those of RFC 6749, RFC 7636 and RFC 8628.
"""

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from ccsync.sandbox.constant_contact.oauth.activate_page import PATH as ACTIVATE
from ccsync.sandbox.constant_contact.oauth.activate_page import ask, cloudflare, done
from ccsync.sandbox.constant_contact.oauth.authorize import PAGES, Authorizations
from ccsync.sandbox.constant_contact.oauth.form import OAuthError, read_form
from ccsync.sandbox.constant_contact.oauth.tokens import Tokens
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request

SCOPES = frozenset(
    {"account_read", "account_update", "contact_data", "campaign_data", "billing_data", "offline_access"}
)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_CODE_SECONDS = 600

_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(slots=True)
class Device:
    """One device that asked for access."""

    device_code: str
    user_code: str
    scopes: tuple[str, ...]
    expires_at: datetime
    interval: int
    decision: Literal["pending", "approved", "denied", "used"] = "pending"
    polled_at: datetime | None = None


class AuthorizationServer:
    """Grants tokens. With `approve_automatically`, requests are approved at once."""

    def __init__(
        self, settings: SandboxSettings, clock: Clock, tokens: Tokens, chance: random.Random, auth_url: str
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._chance = chance
        self._devices: list[Device] = []
        self._asked_at: datetime | None = None
        self._browser = Authorizations(settings, clock, chance)
        self.auth_url = auth_url
        self.approve_automatically = False

    def handle(self, request: Request) -> Reply:
        """Answer one request to the auth host."""
        agent = request.headers.get("user-agent", "")
        if not agent or agent.startswith("Python-urllib"):
            return cloudflare()  # seen in front of authz: Python's default User-Agent gets 403
        try:
            match request.method, request.path:
                case "POST", "/oauth2/default/v1/device/authorize":
                    return self._authorize(request)
                case "POST", "/oauth2/default/v1/token":
                    return self._token(request)
                case _, path if path in PAGES:
                    return self._browser.handle(request)
                case "GET", path if path == ACTIVATE:
                    return ask(dict(request.query).get("user_code", ""))
                case "POST", path if path == ACTIVATE:
                    return self._activate(request)
        except OAuthError as refusal:
            return refusal.reply
        return Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", "text/html; charset=utf-8")

    def decide(self, user_code: str | None, *, is_approved: bool) -> None:
        """Approve or deny a device; without a code, the newest."""
        for device in reversed(self._devices):
            if user_code in (None, device.user_code):
                device.decision = "approved" if is_approved else "denied"
                return
        raise LookupError(f"no device with the code {user_code}")

    def _authorize(self, request: Request) -> Reply:
        form = read_form(request, ("client_id", "response_type", "scope"))
        self._check_client(request, form)
        if self._settings.app_flow != "device":
            raise OAuthError("unauthorized_client", "The client is not authorized to use the device flow.")
        if form["response_type"] != "code":
            raise OAuthError("unsupported_response_type", "response_type must be code.")
        scopes = tuple(dict.fromkeys(form["scope"].split()))
        if not scopes or not SCOPES.issuperset(scopes):
            raise OAuthError("invalid_scope", "One or more scopes are not configured for the server.")
        device = Device(
            device_code=f"{self._chance.getrandbits(256):064x}",
            user_code="".join(self._chance.choices(_CODE_LETTERS, k=8)),
            scopes=scopes,
            expires_at=self._clock() + timedelta(seconds=DEVICE_CODE_SECONDS),
            interval=self._settings.device_interval_seconds,
        )
        self._devices.append(device)
        url = urlsplit(self.auth_url)
        page = f"{url.scheme}://{url.netloc}{ACTIVATE}"
        shown = {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={device.user_code}",
            "expires_in": DEVICE_CODE_SECONDS,
            "interval": device.interval,
        }
        return Reply.json(200, shown)

    def _token(self, request: Request) -> Reply:
        self._check_pace()
        grant_type = read_form(request, ("grant_type",))["grant_type"]
        own = DEVICE_GRANT if self._settings.app_flow == "device" else "authorization_code"
        if grant_type not in (own, "refresh_token"):
            raise OAuthError("unsupported_grant_type", "The grant type is not enabled for this application.")
        needed = {DEVICE_GRANT: ("device_code",), "authorization_code": ("code", "redirect_uri")}
        form = read_form(request, needed.get(grant_type, ("refresh_token",)))
        self._check_client(request, form)
        if grant_type == DEVICE_GRANT:
            answer = self._device_grant(form["device_code"])
        elif grant_type == "authorization_code":
            answer = self._tokens.issue(self._browser.redeem(form))
        else:
            answer = self._refresh(form["refresh_token"], form.get("scope"))
        return Reply.json(200, answer, Cache_Control="no-store")

    def _device_grant(self, device_code: str) -> dict[str, object]:
        device = next((one for one in self._devices if one.device_code == device_code), None)
        if device is None or device.decision == "used":
            raise OAuthError("invalid_grant", "The device code is invalid or has been used.")
        now = self._clock()
        last, device.polled_at = device.polled_at, now
        if now >= device.expires_at:
            raise OAuthError("expired_token", "The device code has expired.")
        if last is not None and now - last < timedelta(seconds=device.interval):
            device.interval += 5  # RFC 8628, section 3.5
            raise OAuthError("slow_down", "The device is polling too frequently.")
        if device.decision == "denied":
            raise OAuthError("access_denied", "The resource owner denied the request.")
        if device.decision == "pending" and not self.approve_automatically:
            raise OAuthError("authorization_pending", "The device authorization is pending.")
        device.decision = "used"
        return self._tokens.issue(device.scopes)

    def _refresh(self, refresh_token: str, scope: str | None) -> dict[str, object]:
        answer = self._tokens.refresh(refresh_token, frozenset(scope.split()) if scope else None)
        if answer is None:
            # https://github.com/phpfui/ConstantContact/issues/19
            raise OAuthError("invalid_grant", "The refresh token is invalid or expired.")
        return answer

    def _activate(self, request: Request) -> Reply:
        form = read_form(request, ("user_code", "decision"))
        code = form["user_code"].strip().upper().replace("-", "")
        device = next((one for one in self._devices if one.user_code == code), None)
        if device is None or device.decision != "pending" or self._clock() >= device.expires_at:
            return done(400, "This code is not valid. It may have expired: start again on your device.")
        is_approved = form["decision"] == "approve"
        self.decide(code, is_approved=is_approved)
        return done(200, "Access allowed. You may close this page." if is_approved else "Access denied.")

    def _check_client(self, request: Request, form: Mapping[str, str]) -> None:
        # Only an app of the flow "code" has a secret: its Basic header stands for the client id in the form.
        basic = request.headers.get("authorization")
        if self._settings.app_flow == "code":
            pair = f"{self._settings.cc_client_id}:{self._settings.cc_client_secret}".encode()
            is_known = basic == "Basic " + base64.b64encode(pair).decode() and "client_id" not in form
        else:
            is_known = basic is None and form.get("client_id") == self._settings.cc_client_id
        if not is_known:
            raise OAuthError("invalid_client", "Invalid value for 'client_id' parameter.", 401)

    def _check_pace(self) -> None:
        """One request a second to the token endpoint: staff, https://community.constantcontact.com/t5/user/
        viewprofilepage/user-id/1384049/user-messages-feed/participations"""
        now, last = self._clock(), self._asked_at
        if self._settings.cc_requests_per_second and last and now - last < timedelta(seconds=1):
            raise OAuthError("too_many_requests", "API call exceeded rate limit.", 429)
        self._asked_at = now
