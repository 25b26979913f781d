"""Kibo, simulated: application tokens, the tenant look-up, and customer accounts with their traps.

Written from https://github.com/KiboSoftware/kibo-open-api-specs and the vendor's SDKs; what they leave open is a
setting.
"""

import json
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from ccsync.sandbox.accounts import Account, Accounts
from ccsync.sandbox.kibo_put import BadBody, replaced
from ccsync.sandbox.kibo_query import BadQuery, Clause, check_sort, parse_filter
from ccsync.sandbox.population import LAST_DAY, Population
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request

TOKEN_SECONDS = 3_600
_LIST = re.compile(r"/api/commerce/customer/accounts/?")
_ONE = re.compile(r"/api/commerce/customer/accounts/([^/]+)")
_TENANT = re.compile(r"/api/platform/tenants/([^/]+)")
_LIST_PARAMETERS = {"startIndex", "pageSize", "sortBy", "filter", "fields", "q", "qLimit", "isAnonymous",
                    "responseGroups", "responseFields"}  # fmt: skip
_PARTS = ("contacts", "attributes", "segments", "commerceSummary")


class Refused(Exception):
    """The request ends with this answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        body = {"applicationName": "Customer", "errorCode": code, "message": message, "items": []}
        self.reply = Reply.json(status, {**body, "additionalErrorData": [], "correlationId": secrets.token_hex(16)})


class Kibo:
    """One tenant of the vendor. `tenant_host` is set when its port is known."""

    def __init__(self, settings: SandboxSettings, clock: Clock, population: Population) -> None:
        self._settings = settings
        self._clock = clock
        self._accounts = Accounts(population, clock)
        self._tokens: dict[str, datetime] = {}
        self._arrivals: list[datetime] = []
        self.tenant_host = "127.0.0.1"
        # what people and staff do in the store, and what a test asks
        self.account = self._accounts.get
        self.account_ids = self._accounts.ids
        self.find_by_email = self._accounts.find_by_email
        self.delete_account = self._accounts.delete

    def add_account(self, **fields: object) -> int:
        """Somebody makes an account; its id."""
        return self._accounts.add(fields)

    def update_account(self, account_id: int, **fields: object) -> None:
        """Somebody changes an account in the store."""
        self._accounts.update(account_id, fields)

    def opted_in_count(self) -> int:
        """How many accounts accept marketing."""
        return len(self._accounts.opted_in())

    def expire_tokens(self) -> None:
        """Every token is refused from now on."""
        self._tokens.clear()

    # over the wire

    def handle_home(self, request: Request) -> Reply:
        """Answer a request to the home host."""
        try:
            if request.path == "/api/platform/applications/authtickets/oauth":
                return self._dressed(self._sign_in(request))
            if found := _TENANT.fullmatch(request.path):
                self._check_access(request)
                return self._dressed(self._tenant(request, found[1]))
            raise Refused(404, "NOT_FOUND", "no such resource")
        except Refused as refusal:
            return self._dressed(refusal.reply)

    def handle_tenant(self, request: Request) -> Reply:
        """Answer a request to the tenant's host."""
        try:
            if self._is_over_limit():
                wait = str(self._settings.kibo_retry_after_seconds)
                return self._dressed(Reply(429, headers={"Retry-After": wait}))
            self._check_access(request)
            if _LIST.fullmatch(request.path):
                self._want(request, "GET")
                return self._dressed(self._list(request))
            if found := _ONE.fullmatch(request.path):
                return self._dressed(self._one(request, found[1]))
            raise Refused(404, "NOT_FOUND", "no such resource")
        except Refused as refusal:
            return self._dressed(refusal.reply)

    def _dressed(self, reply: Reply) -> Reply:
        headers = {**reply.headers, "x-vol-correlation": secrets.token_hex(16)}
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def _want(self, request: Request, *methods: str) -> None:
        if request.method not in methods:
            raise Refused(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here")

    def _is_over_limit(self) -> bool:
        if not self._settings.kibo_requests_per_minute:
            return False
        now = self._clock()
        self._arrivals = [at for at in self._arrivals if now - at < timedelta(minutes=1)]
        if len(self._arrivals) >= self._settings.kibo_requests_per_minute:
            return True
        self._arrivals.append(now)
        return False

    def _check_access(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        ends = self._tokens.get(token)
        if kind.lower() != "bearer" or ends is None or ends <= self._clock():
            raise Refused(401, "INVALID_ACCESS_TOKEN", "the access token is invalid or expired")
        if request.headers.get("x-vol-tenant") != str(self._settings.tenant_id):
            raise Refused(403, "INVALID_TENANT", "x-vol-tenant is missing or not a tenant of this application")

    def _sign_in(self, request: Request) -> Reply:
        self._want(request, "POST")
        body = _json_body(request)
        allowed = {"client_id", "client_secret", "grant_type", "refresh_token"}
        if set(body) - allowed or not all(isinstance(value, str | None) for value in body.values()):
            raise Refused(400, "VALIDATION_ERROR", "undeclared or wrongly typed property")
        known = (self._settings.kibo_client_id, self._settings.kibo_client_secret)
        if (body.get("client_id"), body.get("client_secret")) != known:
            raise Refused(401, "INVALID_CREDENTIALS", "the application key or the shared secret is wrong")
        token = "eyJ" + secrets.token_urlsafe(60)
        self._tokens[token] = self._clock() + timedelta(seconds=TOKEN_SECONDS)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS}
        return Reply.json(200, {**answer, "refresh_token": secrets.token_hex(16)})

    def _tenant(self, request: Request, tenant_id: str) -> Reply:
        self._want(request, "GET")
        _parameters(request, {"responseFields"})
        if tenant_id != str(self._settings.tenant_id):
            raise Refused(404, "ITEM_NOT_FOUND", f"Item not found: tenant {tenant_id}")
        site = {"tenantId": self._settings.tenant_id, "localeCode": "en-US", "countryCode": "US", "catalogId": 1}
        return Reply.json(
            200,
            {
                "id": self._settings.tenant_id,
                "name": "Sandbox Shop",
                "domain": self.tenant_host,
                "isDevTenant": True,
                "sites": [{**site, "id": 20_001, "name": "US"}, {**site, "id": 20_002, "name": "EU"}],
                "masterCatalogs": [{"id": 1, "name": "All"}],
            },
        )

    # accounts

    def _list(self, request: Request) -> Reply:
        asked = _parameters(request, _LIST_PARAMETERS)
        start, size = _number(asked, "startIndex", 0), _number(asked, "pageSize", 20)
        if size > 200:
            if self._settings.page_over_200 == "refuse":
                raise Refused(400, "VALIDATION_ERROR", "pageSize is at most 200")
            size = 200
        try:
            clauses = parse_filter(asked["filter"]) if asked.get("filter") else []
            is_descending = check_sort(asked.get("sortBy", "createDate asc"))
        except BadQuery as error:
            raise Refused(400, "INVALID_FILTER", str(error)) from None
        if any(one.field == "updatedate" for one in clauses) and self._settings.update_date_filter != "works":
            if self._settings.update_date_filter == "refuse":
                raise Refused(400, "INVALID_FILTER", "updateDate is not filterable")
            clauses = [one for one in clauses if one.field != "updatedate"]
        ids = self._matching(clauses, _flag(asked, "isAnonymous"))
        if is_descending:
            ids = ids[::-1]
        items = [self._as_row(self._accounts.get(one)) for one in ids[start : start + size]]
        pages = -(-len(ids) // size) if size else 0
        answer = {"startIndex": start, "pageSize": size, "pageCount": pages, "totalCount": len(ids)}
        return Reply.json(200, {**answer, "items": items})

    def _matching(self, clauses: Sequence[Clause], is_anonymous: bool | None) -> Sequence[int]:
        """The ids that satisfy everything, oldest first; whole accounts are made only where the index cannot tell."""
        left = list(clauses)
        ids: Sequence[int]
        opt_in = next(
            (one for one in left if (one.field, one.operator, one.value) == ("acceptsmarketing", "eq", True)), None
        )
        recent = next((one for one in left if _is_after_population(one)), None)
        address = next((one for one in left if (one.field, one.operator) == ("emailaddress", "eq")), None)
        if recent is not None:
            ids = self._accounts.changed_ids()
        elif address is not None:
            ids = self._accounts.find_by_email(str(address.value))
        elif opt_in is not None:
            ids = self._accounts.opted_in()
            left.remove(opt_in)
        else:
            ids = self._accounts.ids()
        if is_anonymous is None and not self._settings.guests_by_default:
            is_anonymous = False
        if is_anonymous is not None:
            ids = [one for one in ids if self._accounts.is_guest(one) == is_anonymous]
        if left:
            ids = [one for one in ids if all(clause.holds(self._accounts.get(one)) for clause in left)]
        return ids

    def _as_row(self, account: Account) -> Account:
        return {key: value for key, value in account.items() if key not in _PARTS or key in self._settings.rows_carry}

    def _one(self, request: Request, text: str) -> Reply:
        self._want(request, "GET", "PUT")
        _parameters(request, {"responseGroups", "userId", "responseFields"})
        if not text.isdigit() or not self._accounts.has(int(text)):
            raise Refused(404, "ITEM_NOT_FOUND", f"Item not found: customer account {text[:20]}")
        account = self._accounts.get(int(text))
        if request.method == "GET":
            return Reply.json(200, account)
        try:
            fields = replaced(account, _json_body(request))
        except BadBody as error:
            raise Refused(400, "VALIDATION_ERROR", str(error)) from None
        return Reply.json(200, self._accounts.update(int(text), fields))


def _is_after_population(clause: Clause) -> bool:
    return (
        clause.field == "updatedate"
        and clause.operator in ("ge", "gt")
        and isinstance(clause.value, datetime)
        and clause.value > LAST_DAY
    )


def _json_body(request: Request) -> Account:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refused(400, "VALIDATION_ERROR", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "VALIDATION_ERROR", "the body is not an object")
    return body


def _parameters(request: Request, allowed: set[str]) -> dict[str, str]:
    names = {name.lower(): name for name in allowed}
    unknown = [name for name, _ in request.query if name.lower() not in names]
    if unknown:
        raise Refused(400, "VALIDATION_ERROR", f"unknown parameter {unknown[0][:40]}")
    return {names[name.lower()]: value for name, value in request.query}


def _number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not text.isdigit() or int(text) > 2**31 - 1:
        raise Refused(400, "VALIDATION_ERROR", f"{name} is a whole number")
    return int(text)


def _flag(asked: dict[str, str], name: str) -> bool | None:
    text = asked.get(name)
    if text is None:
        return None
    if text.lower() not in ("true", "false"):
        raise Refused(400, "VALIDATION_ERROR", f"{name} is true or false")
    return text.lower() == "true"
