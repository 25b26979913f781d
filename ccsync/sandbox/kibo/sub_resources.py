"""What hangs below an account: contacts, attributes, segments, the audit log; each a paged collection of its own.

https://github.com/KiboSoftware/kibo-open-api-specs (`docs/openapi_customer.json`).
"""

import re

from ccsync.sandbox.kibo.accounts import Account, Accounts
from ccsync.sandbox.kibo.audit import ENTRY_FIELDS, AuditLog
from ccsync.sandbox.kibo.wire import PAGE_FIELDS, Refused, page_bounds, parameters, selected, want
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request

PATH = re.compile(
    r"/api/commerce/customer/accounts/([^/]+)/(contacts|attributes|segments|auditlog/entries)/?", re.IGNORECASE
)
_PARAMETERS = {"startIndex", "pageSize", "sortBy", "filter", "responseFields"}
_FIELDS = {
    "contacts": frozenset(
        {"id", "accountId", "email", "firstName", "middleNameOrInitial", "lastNameOrSurname", "companyOrOrganization",
         "label", "faxNumber", "phoneNumbers", "address", "types", "auditInfo"}
    ),
    "attributes": frozenset({"fullyQualifiedName", "attributeDefinitionId", "values", "auditInfo"}),
    "segments": frozenset({"id", "code", "name", "description", "auditInfo"}),
    "auditlog/entries": ENTRY_FIELDS,
}  # fmt: skip


class SubResources:
    """Answers for the collections below accounts."""

    def __init__(self, settings: SandboxSettings, accounts: Accounts, audit: AuditLog) -> None:
        self._settings = settings
        self._accounts = accounts
        self._audit = audit

    def answer(self, request: Request, account_text: str, part: str) -> Reply:
        """GET …/accounts/{accountId}/{part}. Raises `Refused`."""
        want(request, "GET")
        asked = parameters(request, _PARAMETERS)
        if unknown := {"sortBy", "filter"} & asked.keys():
            raise Refused(400, "VALIDATION_ERROR", f"the sandbox does not simulate {min(unknown)} here")
        start, size = page_bounds(asked, self._settings.page_over_200)
        if not (account_text.isascii() and account_text.isdigit()) or not self._accounts.has(int(account_text)):
            raise Refused(404, "ITEM_NOT_FOUND", f"Item not found: customer account {account_text[:20]}")
        rows = self._rows(int(account_text), part)
        page: Account = {"startIndex": start, "pageSize": size, "pageCount": -(-len(rows) // size)}
        page |= {"totalCount": len(rows), "items": rows[start : start + size]}
        return Reply.json(200, selected(page, asked, PAGE_FIELDS, items=_FIELDS[part]))

    def _rows(self, account_id: int, part: str) -> list[object]:
        if part == "auditlog/entries":
            how = self._settings.audit_log
            if how in ("refuse", "missing"):
                raise Refused(*((403, "FORBIDDEN") if how == "refuse" else (404, "NOT_FOUND")), "no audit log for you")
            return list[object](self._audit.of(account_id)) if how == "shown" else []
        rows = self._accounts.get(account_id)[part]
        return rows if isinstance(rows, list) else []
