"""Reads Kibo's tenant and customer accounts, and writes their consent."""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from ccsync import shapes
from ccsync.decoding import decode_page
from ccsync.errors import CcsyncError, ConfigError, Interrupted, RefusedError, VendorUnreachable
from ccsync.kibo.audit_log import AUDIT_LOG_PATH, AuditPage, to_audit_page
from ccsync.kibo.customers import customer_of, to_customer
from ccsync.kibo.events import EVENTS_PATH, PAGE_SIZE, EventPage, to_event_page
from ccsync.kibo.writes import CONSENT, WholeAccount, Written, differing_fields, with_consent
from ccsync.models import Customer, JsonObject, Tenant
from ccsync.transport.ahead import MOST, Ahead
from ccsync.transport.calls import Call, Token
from ccsync.transport.http import Transport

T = TypeVar("T")
log = logging.getLogger(__name__)

ACCOUNTS_PATH = "/api/commerce/customer/accounts"
BY_CREATION = "createDate asc"
_GONE = frozenset({404})
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[1-9]\d{0,3}|:[1-5]\d{4}|:6[0-4]\d{3})?")


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of accounts: `total` is how many the filter matches now; `unreadable` rows had no id."""

    customers: tuple[Customer, ...]
    total: int
    unreadable: int


class Kibo:
    """A client for one tenant. Customer calls carry no site: every customer of the tenant is wanted."""

    def __init__(
        self,
        transport: Transport,
        token: Token,
        *,
        tenant_id: int,
        home_url: str,
        tenant_url: str | None = None,
        event_url: str | None = None,
    ) -> None:
        self.transport = transport
        self._token = token
        self._tenant_id = tenant_id
        self._home_url = home_url
        self._tenant_url = tenant_url
        self._event_url = event_url or home_url

    def get_tenant(self) -> Tenant:
        """Look up the tenant's host, as every SDK of the vendor does instead of computing the pod.

        Raises `ConfigError` when the tenant is unknown or not this app's.
        """
        call = Call(
            "GET",
            f"{self._home_url}/api/platform/tenants/{self._tenant_id}",
            headers=self._headers(),
            accepts=frozenset({400, 403, 404}),
        )
        answer, value = self.transport.json(call, self._token)
        record = shapes.as_object(value) or {}
        domain = shapes.word(record, "domain")
        if answer.status >= 400:
            raise ConfigError(
                f"Kibo does not show tenant {self._tenant_id} to this application.",
                f"{answer.status} from {self._home_url}.",
                "Check [kibo] tenant_id, and that the app is installed on that tenant.",
            )
        if domain is None or not _HOST.fullmatch(domain):
            raise VendorUnreachable(
                f"Kibo did not say which host serves tenant {self._tenant_id}.",
                "its answer has no domain, or one that is no host.",
                "Set [kibo] tenant_url by hand, or try again later.",
            )
        return Tenant(self._tenant_id, shapes.text(record, "name") or "", domain)

    def get_customers(
        self,
        *,
        start: int,
        size: int = PAGE_SIZE,
        filter: str | None = None,
        sort: str = BY_CREATION,
        is_anonymous: bool | None = None,
    ) -> CustomerPage:
        """Read the accounts from record `start` (0-based, whatever the description's example says).

        Sorting by createDate and filtering by acceptsMarketing are proven by the vendor's own tests:
        https://github.com/Mozu/mozu-dotnet (`CustomerTests.cs`).
        """
        call = self._list_call(start, size, filter, sort, is_anonymous)
        _, value = self.transport.json(call, self._token, decode_page)
        record = shapes.as_object(value)
        total = shapes.integer(record, "totalCount") if record is not None else None
        if record is None or total is None or not isinstance(record.get("items"), list | None):
            raise VendorUnreachable(
                "Kibo's answer is no page of customers.",
                "it lacks totalCount or items.",
                "Try again later; if it persists, check [kibo] tenant_url.",
            )
        found = record.get("items")
        items = found if isinstance(found, list) else []
        customers = tuple(customer for one in items if (customer := customer_of(one)) is not None)
        return CustomerPage(customers, total, len(items) - len(customers))

    def begin_customers(
        self, *, size: int = PAGE_SIZE, filter: str | None = None, is_anonymous: bool | None = None
    ) -> None:
        """Send the call of `get_customers` for the first page; that takes the answer when it is called like this."""
        self._begin(self._list_call(0, size, filter, BY_CREATION, is_anonymous))

    def _list_call(self, start: int, size: int, filter: str | None, sort: str, is_anonymous: bool | None) -> Call:
        params = {"startIndex": str(start), "pageSize": str(size), "sortBy": sort}
        if filter:
            params["filter"] = filter
        if is_anonymous is not None:
            params["isAnonymous"] = "true" if is_anonymous else "false"
        return Call("GET", self._base() + ACCOUNTS_PATH, params=params, headers=self._headers())

    def pages_ahead(
        self, starts: Iterable[int], *, filter: str | None = None, is_anonymous: bool | None = None
    ) -> Ahead[int]:
        """These starts of pages, while later ones are read already: `get_customers` finds the answers."""
        return self.transport.ahead(
            starts, lambda one: [self._list_call(one, PAGE_SIZE, filter, BY_CREATION, is_anonymous)], self._token
        )

    def searches_ahead(
        self, items: Iterable[T], searches_of: Callable[[T], Iterable[tuple[str, bool | None]]]
    ) -> Ahead[T]:
        """The same for the first pages of the searches of each item: (filter, isAnonymous)."""

        def calls(item: T) -> list[Call]:
            return [self._list_call(0, PAGE_SIZE, text, BY_CREATION, guests) for text, guests in searches_of(item)]

        return self.transport.ahead(items, calls, self._token)

    def accounts_ahead(self, items: Iterable[T], id_of: Callable[[T], int | None], most: int = MOST) -> Ahead[T]:
        """These items, while the accounts of `most` later ones are read already: `get_customer` finds the answers."""

        def calls(item: T) -> list[Call]:
            account_id = id_of(item)
            return [] if account_id is None else [self._account_call(account_id)]

        return self.transport.ahead(items, calls, self._token, most)

    def get_customer(self, account_id: int) -> Customer | None:
        """Read one whole account; `None` when it is deleted."""
        whole = self.get_whole_account(account_id)
        return whole.customer if whole is not None else None

    def get_whole_account(self, account_id: int) -> WholeAccount | None:
        """Read one account so that it can be written back; `None` when it is deleted."""
        found = self._account(self._account_call(account_id))
        return None if found is None else WholeAccount(*found)

    def get_audit_log(self, account_id: int, start: int = 0) -> AuditPage | None:
        """Read an account's audit log from entry `start`; `None` when Kibo does not show it (401, 403, 404).

        It is evidence and no more, so nobody waits for it: `TooLate` where Kibo asks for that.
        """
        params = {"startIndex": str(start), "pageSize": str(PAGE_SIZE)}
        url, refusals = f"{self._account_url(account_id)}/{AUDIT_LOG_PATH}", frozenset({401, 403, 404})
        call = Call("GET", url, params=params, headers=self._headers(), accepts=refusals, may_wait=False)
        answer, value = self.transport.json(call, self._token)
        return None if answer.status in refusals else to_audit_page(value)

    def begin_consent(self, whole: WholeAccount, accepts: bool) -> bool:
        """Send what `put_consent` gives the answer of; false when it cannot go out right now."""
        return self.transport.begin(self._put_call(whole, accepts), self._token)

    def put_consent(self, whole: WholeAccount, accepts: bool) -> Written | None:
        """Write the account back with this `acceptsMarketing`; `None` when it is deleted meanwhile.

        Kibo has no version of an account to hold the write against: the last one wins. So it is read just before, and
        never sent a second time or after a wait: `AnswerLost` and `TooLate` say that it has to be read again.
        """
        found = self._account(self._put_call(whole, accepts))
        if found is None:
            return None
        customer, shown, _ = found
        return Written(customer, differing_fields({**whole.raw, CONSENT: accepts}, shown))

    def _put_call(self, whole: WholeAccount, accepts: bool) -> Call:
        return Call(
            "PUT",
            self._account_url(whole.customer.account_id),
            body=with_consent(whole.text, accepts),
            headers=self._headers(),
            accepts=_GONE,
            is_repeatable=False,
            may_wait=False,
        )

    def _account_call(self, account_id: int) -> Call:
        return Call("GET", self._account_url(account_id), headers=self._headers(), accepts=_GONE)

    def _account_url(self, account_id: int) -> str:
        return f"{self._base()}{ACCOUNTS_PATH}/{account_id}"

    def _account(self, call: Call) -> tuple[Customer, JsonObject, bytes] | None:
        answer, value = self.transport.json(call, self._token)
        if answer.status == 404:
            return None
        record = shapes.as_object(value)
        customer = to_customer(record) if record is not None else None
        account_id = call.url.rpartition("/")[2]
        if record is None or customer is None or str(customer.account_id) != account_id:
            raise VendorUnreachable(
                f"Kibo's answer for account {account_id} is no account.", "it has no id, or another's."
            )
        return customer, record, answer.body

    def get_events(
        self, *, start: int, filter: str | None = None, sort: str | None = None, is_at_tenant: bool = False
    ) -> EventPage | None:
        """Read the events from record `start`; `None` when this host serves none (404).

        Every SDK of the vendor asks the home host, the description lists the tenant's, too
        (https://github.com/KiboSoftware/kibo-open-api-specs, `docs/openapi_event.json`). Which filters and sort
        orders are taken is documented nowhere: a refusal is a `RefusedError` with status 400.
        """
        answer, value = self.transport.json(self._event_call(start, filter, sort, is_at_tenant), self._token)
        return None if answer.status == 404 else to_event_page(value)

    def begin_events(self, *, filter: str | None, sort: str | None, is_at_tenant: bool) -> None:
        """Send the call of `get_events` for the first page; that takes the answer when it is called like this."""
        self._begin(self._event_call(0, filter, sort, is_at_tenant))

    def events_ahead(
        self, starts: Iterable[int], *, filter: str | None, sort: str | None, is_at_tenant: bool
    ) -> Ahead[int]:
        """These starts of pages of events, while later ones are read already: `get_events` finds the answers."""
        return self.transport.ahead(
            starts, lambda start: [self._event_call(start, filter, sort, is_at_tenant)], self._token
        )

    def _event_call(self, start: int, filter: str | None, sort: str | None, is_at_tenant: bool) -> Call:
        params = {"startIndex": str(start), "pageSize": str(PAGE_SIZE)}
        params |= {"filter": filter} if filter else {}
        params |= {"sortBy": sort} if sort else {}
        base = self._base() if is_at_tenant else self._event_url
        return Call("GET", base + EVENTS_PATH, params=params, headers=self._headers(), accepts=frozenset({404}))

    def _begin(self, call: Call) -> None:
        # What goes wrong is met again by whoever asks for the answer, and until then must not keep back other steps.
        try:
            self.transport.begin(call, self._token)
        except Interrupted:
            raise
        except CcsyncError as error:
            log.info("a call could not be sent ahead: %s", error.what)

    def _base(self) -> str:
        if self._tenant_url is None:
            raise RefusedError("The tenant's URL is not known yet.", "it is found at login.", "ccsync login")
        return self._tenant_url

    def _headers(self) -> dict[str, str]:
        return {"x-vol-tenant": str(self._tenant_id)}
