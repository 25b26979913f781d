"""Constant Contact, simulated: access, routing, and refusals.

Written from the vendor's description of API v3 (3.0.178),
https://developer.constantcontact.com/api_reference/index.html; what it leaves open is a setting.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NoReturn

from ccsync.sandbox.acts import Acts
from ccsync.sandbox.constant_contact.actions import Actions
from ccsync.sandbox.constant_contact.activities.courses import Courses, names
from ccsync.sandbox.constant_contact.errors import Refused, access_denied, not_found, refused, unauthorized
from ccsync.sandbox.constant_contact.limits import Limits
from ccsync.sandbox.constant_contact.oauth.server import AuthorizationServer
from ccsync.sandbox.constant_contact.oauth.tokens import Tokens
from ccsync.sandbox.constant_contact.routes import OPERATIONS, Route, draw_routes, operation_of
from ccsync.sandbox.population.people import SeedContact
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.troubles import PageFaults, Refusals
from ccsync.sandbox.wire import Clock, Reply, Request

# Calls that can opt somebody in again, ask them to, or send a campaign: nothing of ccsync may make them.
# See also `_names_permission`.
_FORBIDDEN = (
    ("POST", re.compile("/v3/contacts/sign_up_form")),
    ("PUT", re.compile("/v3/contacts/resubscribe/[^/]+")),
    ("POST", re.compile("/v3/emails/activities/[^/]+/(schedules|tests|non_opener_resends)")),  # what sends a campaign
)


class ConstantContact(Actions):
    """The whole vendor in one object: the API, the auth host, and (as `Actions`) its people and staff."""

    def __init__(
        self,
        settings: SandboxSettings,
        clock: Clock,
        people: Iterable[SeedContact],
        auth_url: str,
        acts: Acts | None = None,
    ) -> None:
        super().__init__(settings, clock, people, acts)
        self.tokens = Tokens(settings, clock, self._chance)
        self.auth = AuthorizationServer(settings, clock, self.tokens, self._chance, auth_url)
        self.limits = Limits(settings, clock)
        self.refusals = Refusals(clock, frozenset(OPERATIONS.values()))
        self.forbidden_calls: list[str] = []
        self._routes = draw_routes(self)

    # what comes over the wire

    def handle_api(self, request: Request) -> Reply:
        """Answer a request to the API; paths begin with /v3."""
        self.catch_up()
        try:
            reply = self._answer(request)
        except Refused as refusal:
            reply = refusal.reply
        return reply

    def handle_auth(self, request: Request) -> Reply:
        """Answer a request to the auth host: /oauth2/default/v1/… and /activate."""
        return self.auth.handle(request)

    # what a person does on the auth host

    def approve_device(self, user_code: str | None = None) -> None:
        """Allow access to a device; without a code, to the newest."""
        self.auth.decide(user_code, is_approved=True)

    def deny_device(self, user_code: str | None = None) -> None:
        """Deny access to a device; without a code, to the newest."""
        self.auth.decide(user_code, is_approved=False)

    def sign_in(self, scope: str = "account_read contact_data offline_access") -> dict[str, object]:
        """Tokens as the token endpoint gives them after an approval, without the flow."""
        return self.tokens.issue(tuple(scope.split()))

    def revoke(self, *, access: bool = True, refresh: bool = True) -> None:
        """Revoke the tokens given out so far, as when the user who approved is deleted."""
        self.tokens.revoke(access=access, refresh=refresh)

    @property
    def approve_automatically(self) -> bool:
        """Whether devices are approved without a person."""
        return self.auth.approve_automatically

    @approve_automatically.setter
    def approve_automatically(self, is_wanted: bool) -> None:
        self.auth.approve_automatically = is_wanted

    @property
    def auth_url(self) -> str:
        """The address of the auth host, as it appears in `verification_uri`."""
        return self.auth.auth_url

    @auth_url.setter
    def auth_url(self, url: str) -> None:
        self.auth.auth_url = url

    # what a test makes go wrong

    def refuse(
        self,
        operation: str | None = None,
        status: int = 400,
        *,
        record: str | None = None,
        seconds: float | None = None,
        every: int = 1,
        retry_after: int | None = None,
        code: str | None = None,
    ) -> None:
        """Refuse an operation of `OPERATIONS`, or all; or only calls that name one contact, by id or address."""
        records = [record]
        if record is not None and (contact := self.contact(record)):
            records.append(str(contact["contact_id"]))
        for one in records:
            self.refusals.add(
                operation, status, record=one, seconds=seconds, every=every, retry_after=retry_after, code=code
            )

    def relent(self, operation: str | None = None) -> None:
        """End the refusals and, without an operation, all trouble with jobs and pages."""
        self.refusals.end(operation)
        if operation is None:
            self.jobs.clear()
            self.page_faults.clear()
            self.file_faults.clear()
            self.activities.end_hanging()

    @property
    def jobs(self) -> Courses:
        """Trouble with the next bulk jobs."""
        return self.activities.courses

    @property
    def page_faults(self) -> PageFaults:
        """Trouble with pages of a list's members."""
        return self.contacts.page_faults

    @property
    def file_faults(self) -> PageFaults:
        """Trouble with the files of exports."""
        return self.exports.faults

    # limits

    @property
    def calls_today(self) -> int:
        """API calls counted since 00:00 UTC; a test may set it."""
        return self.limits.calls_today

    @calls_today.setter
    def calls_today(self, calls: int) -> None:
        self.limits.calls_today = calls

    @property
    def throttled_count(self) -> int:
        """How many calls came faster than allowed."""
        return self.limits.throttled_count

    def reset_limits(self) -> None:
        """Forget all calls made so far."""
        self.limits.reset()

    # inside

    def _answer(self, request: Request) -> Reply:
        for method, path in _FORBIDDEN:
            if request.method == method and path.fullmatch(request.path):
                self._forbid(request)
        if request.path.startswith("/v3/contacts") and _names_permission(request.body):
            self._forbid(request)
        scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.find(access_token.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise unauthorized()
        self.limits.admit()
        for route in self._routes:
            found = route.path.fullmatch(request.path)
            if found and route.method == request.method:
                self._check_rights(route, token.scopes)
                self._check_refusals(route, request)
                return route.answer(request, *found.groups())
        raise not_found()

    def _check_refusals(self, route: Route, request: Request) -> None:
        """Refuse the call if a test wants it refused."""
        asked = {request.path.rpartition("/")[2].lower(), *(value.lower() for _, value in request.query)}
        operation = operation_of(route)
        met = self.refusals.met(operation, lambda record: record in asked or names(request.body, record))
        if met is None:
            return
        # The key is one that staff have seen given to valid requests: community thread 294036.
        reply = refused(met.status, met.code or "http.status.bad_request", "The request could not be processed.").reply
        if met.retry_after is not None:
            reply = replace(reply, headers={**reply.headers, "Retry-After": str(met.retry_after)})
        raise Refused(reply)

    def _forbid(self, request: Request) -> NoReturn:
        self.forbidden_calls.append(f"{request.method} {request.path}")
        raise access_denied("The sandbox refuses calls that can re-subscribe a person or send a campaign.")

    def _check_rights(self, route: Route, scopes: frozenset[str]) -> None:
        if route.scope and route.scope not in scopes:
            raise access_denied("Request forbidden due to insufficient scope.")
        if route.privilege and route.privilege not in self.account.privileges:
            # https://developer.constantcontact.com/api_guide/account_get_privileges.html
            raise access_denied("Request forbidden due to insufficient user privileges.")


def _names_permission(content: bytes) -> bool:
    """Does a body say, anywhere, a `permission_to_send` other than unsubscribed? null is none."""
    try:
        waiting: list[object] = [json.loads(content)]
    except (ValueError, RecursionError):
        return False
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get("permission_to_send") not in (None, "unsubscribed"):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False
