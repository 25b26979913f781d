"""Kibo, simulated: application tokens, the tenant look-up, and customer accounts with their quirks.

Written from https://github.com/KiboSoftware/kibo-open-api-specs and the vendor's SDKs; what they leave open is a
setting.
"""

import re
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ccsync.sandbox.acts import Acts
from ccsync.sandbox.kibo import query as language
from ccsync.sandbox.kibo.access import Access
from ccsync.sandbox.kibo.accounts import Account, fields_of_an_account
from ccsync.sandbox.kibo.actions import Actions
from ccsync.sandbox.kibo.events import SITES
from ccsync.sandbox.kibo.put import BadBody, replaced
from ccsync.sandbox.kibo.query import BadQuery, Clause
from ccsync.sandbox.kibo.sorting import sorted_ids
from ccsync.sandbox.kibo.sub_resources import PATH as SUB_RESOURCES
from ccsync.sandbox.kibo.sub_resources import SubResources
from ccsync.sandbox.kibo.wire import (
    PAGE_FIELDS,
    Refused,
    Turned,
    application_of,
    flag,
    json_body,
    number,
    page_bounds,
    parameters,
    selected,
    want,
)
from ccsync.sandbox.population.people import Population
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request

ACCOUNT_FIELDS = fields_of_an_account() | {"last2FaDate"}
_TOKEN = "/api/platform/applications/authtickets/oauth"
_LIST = re.compile(r"/api/commerce/customer/accounts/?")
_ONE = re.compile(r"/api/commerce/customer/accounts/([^/]+)")
_TENANT = re.compile(r"/api/platform/tenants/([^/]+)")
_LIST_PARAMETERS = {"startIndex", "pageSize", "sortBy", "filter", "q", "qLimit", "isAnonymous", "responseGroups",
                    "responseFields"}  # fmt: skip
_TENANT_FIELDS = {"id", "name", "domain", "isDevTenant", "sites", "masterCatalogs"}
_SECTIONS: Account = {"contacts": [], "attributes": [], "segments": [], "commerceSummary": {}}
_MOST_REMEMBERED = 4


class Kibo(Actions):
    """One tenant of the vendor. `tenant_host` is set when its port is known."""

    def __init__(
        self, settings: SandboxSettings, clock: Clock, population: Population, acts: Acts | None = None
    ) -> None:
        super().__init__(settings, clock, population, acts)
        self._access = Access(settings, clock)
        self._sub_resources = SubResources(settings, self._accounts, self.audit)
        self._found: dict[object, Sequence[int]] = {}
        self._arrivals: list[datetime] = []
        self.tenant_host = "127.0.0.1"

    def expire_tokens(self) -> None:
        """Refuse every token from now on."""
        self._access.expire()

    # over the wire

    def handle_home(self, request: Request) -> Reply:
        """Answer a request to the home host."""
        return self._answered(request, self._at_home)

    def handle_tenant(self, request: Request) -> Reply:
        """Answer a request to the tenant's host."""
        return self._answered(request, self._at_tenant)

    def _at_home(self, request: Request) -> Reply:
        if request.path == _TOKEN:
            return self._sign_in(request)
        if found := _TENANT.fullmatch(request.path):
            self._access.check(request, names_tenant=False)
            self._check("tenant")
            return self._tenant(request, found[1])
        if answer := self.events.answers(request, "home"):
            if self._is_over_limit():
                return self._too_many(self._settings.kibo_retry_after_seconds)
            self._access.check(request)
            self._check("events")
            return answer(request)
        raise Refused(404, "NOT_FOUND", "no such resource")

    def _at_tenant(self, request: Request) -> Reply:
        if request.path == _TOKEN:
            return self._sign_in(request)
        if self._is_over_limit():
            return self._too_many(self._settings.kibo_retry_after_seconds)
        self._access.check(request)
        if found := SUB_RESOURCES.fullmatch(request.path):
            self._check("sub-resource", found[1])
            return self._sub_resources.answer(request, found[1], found[2].lower())
        if _LIST.fullmatch(request.path):
            want(request, "GET")
            return self._list(request)
        if found := _ONE.fullmatch(request.path):
            return self._one(request, found[1])
        if answer := self.events.answers(request, "tenant"):
            self._check("events")
            return answer(request)
        raise Refused(404, "NOT_FOUND", "no such resource")

    def _sign_in(self, request: Request) -> Reply:
        self._check("sign-in")
        return self._access.sign_in(request)

    def _answered(self, request: Request, answer: Callable[[Request], Reply]) -> Reply:
        try:
            reply = answer(request)
        except Turned as turned:
            reply = turned.reply
        except Refused as refusal:
            reply = refusal.reply(application_of(request.path))
        except (BadQuery, BadBody) as error:
            reply = Refused(400, "VALIDATION_ERROR", str(error)).reply(application_of(request.path))
        headers = {"x-vol-correlation": secrets.token_hex(16), **reply.headers}
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def _is_over_limit(self) -> bool:
        if not self._settings.kibo_requests_per_minute:
            return False
        now = self._clock()
        self._arrivals = [at for at in self._arrivals if now - at < timedelta(minutes=1)]
        if len(self._arrivals) >= self._settings.kibo_requests_per_minute:
            return True
        self._arrivals.append(now)
        return False

    def _too_many(self, seconds: int) -> Reply:
        """https://docs.kibocommerce.com/help/api-best-practices: no body."""
        return Reply(429, headers={"Retry-After": str(seconds)})

    def _check(self, operation: str, record: str = "") -> None:
        """Refuse the call if a test wants it refused."""
        met = self.refusals.met(operation, lambda name: name == record.lower())
        if met is None:
            return
        if met.status == 429:
            raise Turned(self._too_many(met.retry_after or self._settings.kibo_retry_after_seconds))
        raise Refused(
            met.status, met.code or "UNEXPECTED_ERROR", "the sandbox was told to refuse this", met.retry_after
        )

    def _tenant(self, request: Request, tenant_id: str) -> Reply:
        want(request, "GET")
        asked = parameters(request, {"responseFields"})
        if tenant_id != str(self._settings.tenant_id):
            raise Refused(404, "ITEM_NOT_FOUND", f"Item not found: tenant {tenant_id}")
        site = {"tenantId": self._settings.tenant_id, "localeCode": "en-US", "countryCode": "US", "catalogId": 1}
        tenant = {
            "id": self._settings.tenant_id,
            "name": "Sandbox Shop",
            "domain": self.tenant_host,
            "isDevTenant": True,
            "sites": [{**site, "id": one, "name": name} for one, name in zip(SITES, ("US", "EU"), strict=True)],
            "masterCatalogs": [{"id": 1, "name": "All"}],
        }
        return Reply.json(200, selected(tenant, asked, _TENANT_FIELDS))

    # accounts

    def _list(self, request: Request) -> Reply:
        asked = parameters(request, _LIST_PARAMETERS)
        start, size = page_bounds(asked, self._settings.page_over_200)
        deepest = self._settings.deepest_row or sys.maxsize
        if start + size > deepest and self._settings.deepest_row_answer == "refuse":
            raise Refused(400, "VALIDATION_ERROR", "the page lies too deep")
        left_out = _left_out(asked)
        clauses = self._clauses(asked)
        address = next((str(one.value) for one in clauses if one.field == "emailaddress"), None)
        self._check("list" if address is None else "search", address or "")
        ids = self._matching(asked, clauses)
        chosen, total = ids[start : min(start + size, deepest)], self._counted(len(ids) + self.total_off)
        if fault := self.page_faults.next():
            chosen = ids[:size] if fault == "repeat" else chosen[: len(chosen) // 2]
        items = [self._row(_without(self._accounts.get(one), left_out)) for one in chosen]
        page = {"startIndex": start, "pageSize": size, "pageCount": -(-total // size), "totalCount": total}
        return Reply.json(200, selected({**page, "items": items}, asked, PAGE_FIELDS, items=ACCOUNT_FIELDS))

    def _counted(self, total: int) -> int:
        return min(total, self._settings.total_cap or total)

    def _row(self, account: Account) -> Account:
        """The account as a list shows it; no description says whether a row carries everything."""
        lacking = {part: empty for part, empty in _SECTIONS.items() if part not in self._settings.rows_carry}
        how = self._settings.rows_lack
        if how == "absent" or not lacking:
            return _without(account, set(lacking))
        return account | (lacking if how == "empty" else dict.fromkeys(lacking))

    def _matching(self, asked: dict[str, str], clauses: list[Clause]) -> Sequence[int]:
        """The ids that are asked for, in order; found again only after a change."""
        quick, most = asked.get("q", ""), number(asked, "qLimit", 100)
        if not 1 <= most <= 100:
            raise Refused(400, "VALIDATION_ERROR", "qLimit is 1 to 100")
        order = asked.get("sortBy", "createDate asc")
        if order.lower().startswith("id") and self._settings.sort_by_id != "works":
            if self._settings.sort_by_id == "refuse":
                raise BadQuery("cannot sort by id")
            order = "createDate asc"
        key = (self._accounts.version, tuple(clauses), quick, order)
        if key not in self._found:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            minds_case = self._settings.address_filter_minds_case
            found = language.matching(self._accounts, clauses, quick, minds_case=minds_case)
            self._found[key] = sorted_ids(self._accounts, found, order)
        ids = self._found[key]
        return ids[:most] if quick else ids

    def _clauses(self, asked: dict[str, str]) -> list[Clause]:
        """What the accounts must satisfy."""
        clauses = [self._flattened(one) for one in language.parse_filter(asked["filter"])] if "filter" in asked else []
        if self._settings.update_date_filter != "works" and any(one.field == "updatedate" for one in clauses):
            if self._settings.update_date_filter == "refuse":
                raise BadQuery("updateDate is not filterable")
            clauses = [one for one in clauses if one.field != "updatedate"]
        is_anonymous = flag(asked, "isAnonymous")
        if is_anonymous is None and not self._settings.guests_by_default:
            is_anonymous = False
        if is_anonymous is not None:
            clauses.append(Clause("isanonymous", "eq", is_anonymous))
        return clauses

    def _flattened(self, clause: Clause) -> Clause:
        """Proven for createDate: its name is flattened. For updateDate, Kibo may understand either form, or both."""
        is_nested, form = clause.field.startswith(language.NESTED), self._settings.update_date_name
        name = clause.field.removeprefix(language.NESTED)
        if is_nested and (form == "flattened" or name != "updatedate"):
            raise BadQuery(f"unknown field {clause.field}")
        if clause.field == "updatedate" and form == "nested":
            raise BadQuery("unknown field updatedate")
        return replace(clause, field=name)

    def _one(self, request: Request, text: str) -> Reply:
        want(request, "GET", "PUT")
        asked = parameters(request, {"responseFields"} | ({"responseGroups"} if request.method == "GET" else set()))
        if not (text.isascii() and text.isdigit()) or not self._accounts.has(int(text)):
            raise Refused(404, "ITEM_NOT_FOUND", f"Item not found: customer account {text[:20]}")
        self._check("put" if request.method == "PUT" else "read", text)
        account = self._accounts.get(int(text))
        selected(account, asked, ACCOUNT_FIELDS)  # a bad selection has no effect
        if request.method == "PUT":
            lost = dict.fromkeys(self._settings.put_loses)
            before, account = account, self._accounts.update(int(text), replaced(account, json_body(request)) | lost)
            self._note_change("app", before, account)
            if self._settings.put_makes_events:
                self.events.record("customeraccount.updated", int(text))
        account = _without(account, _left_out(asked))
        return Reply.json(200, selected(account, asked, ACCOUNT_FIELDS))


def _left_out(asked: dict[str, str]) -> set[str]:
    return language.sections_left_out(asked["responseGroups"]) if "responseGroups" in asked else set()


def _without(account: Account, sections: set[str]) -> Account:
    return {name: value for name, value in account.items() if name not in sections}
