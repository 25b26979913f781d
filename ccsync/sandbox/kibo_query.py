"""Kibo's filter and sort language on accounts, as far as it is described or proven; the rest is refused.

https://www.mozu.com/docs/developer/api-guides/sorting-filtering.htm and
https://github.com/Mozu/mozu-dotnet (`CustomerTests.cs`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ccsync.sandbox.accounts import Account

_CLAUSE = re.compile(r"\s*([A-Za-z.]+)\s+(eq|ne|gt|ge|lt|le|sw|cont)\s+(.+?)\s*", re.IGNORECASE)

_TEXTS = {"emailaddress": "emailAddress", "username": "userName", "firstname": "firstName", "lastname": "lastName",
          "externalid": "externalId", "companyororganization": "companyOrOrganization"}  # fmt: skip
_BOOLEANS = {"acceptsmarketing": "acceptsMarketing", "isanonymous": "isAnonymous", "isactive": "isActive",
             "islocked": "isLocked", "taxexempt": "taxExempt"}  # fmt: skip
_DATES = {"createdate": "createDate", "updatedate": "updateDate"}
_SUMMARY = {"commercesummary.ordercount": "orderCount", "commercesummary.wishlistcount": "wishlistCount",
            "commercesummary.visitscount": "visitsCount"}  # fmt: skip
_SORTABLE = {"createdate", "id"}


class BadQuery(ValueError):
    """The service does not understand the filter or the sort."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; `field` is in lower case."""

    field: str
    operator: str
    value: str | bool | int | datetime

    def holds(self, account: Account) -> bool:
        """Does the account satisfy it?"""
        return any(_compare(one, self.operator, self.value) for one in _values(account, self.field))


def parse_filter(text: str) -> list[Clause]:
    """The clauses of a filter, all of which must hold. Raises `BadQuery`."""
    return [_clause(part) for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE)]


def _clause(part: str) -> Clause:
    found = _CLAUSE.fullmatch(part)
    if found is None:
        raise BadQuery(f"malformed filter: {part[:60]}")
    field, operator, raw = found[1].lower(), found[2].lower(), found[3]
    if raw.startswith("'") or raw.lower().startswith("datetime'"):
        raise BadQuery("values are not put in single quotes")
    return Clause(field, operator, _typed(field, raw.strip('"')))


def _typed(field: str, raw: str) -> str | bool | int | datetime:
    if field in _BOOLEANS:
        if raw.lower() not in ("true", "false"):
            raise BadQuery(f"{field} is true or false")
        return raw.lower() == "true"
    if field in _DATES:
        try:
            at = datetime.fromisoformat(raw.replace("z", "Z"))
        except ValueError:
            raise BadQuery(f"{field} is a date") from None
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    if field == "id" or field in _SUMMARY:
        if not raw.isdigit():
            raise BadQuery(f"{field} is a number")
        return int(raw)
    if field in _TEXTS or field in ("contacts.email", "contacts.firstname", "contacts.lastnameorsurname"):
        return raw
    raise BadQuery(f"unknown field {field}")


def check_sort(text: str) -> bool:
    """Is the sort descending? Raises `BadQuery` for a field that cannot be sorted by."""
    first = text.split(",")[0].split()
    if not first or first[0].lower() not in _SORTABLE or len(first) > 2:
        raise BadQuery(f"cannot sort by {text[:60]}")
    if len(first) == 2 and first[1].lower() not in ("asc", "desc"):
        raise BadQuery(f"unknown order {first[1]}")
    return len(first) == 2 and first[1].lower() == "desc"


def _values(account: Account, field: str) -> list[object]:
    if field in _TEXTS:
        return [account[_TEXTS[field]]]
    if field in _BOOLEANS:
        return [account[_BOOLEANS[field]]]
    if field in _DATES:
        audit = account["auditInfo"]
        return [datetime.fromisoformat(str(audit[_DATES[field]]))] if isinstance(audit, dict) else []
    if field == "id":
        return [account["id"]]
    if field in _SUMMARY:
        summary = account["commerceSummary"]
        return [summary[_SUMMARY[field]]] if isinstance(summary, dict) else []
    name = {"email": "email", "firstname": "firstName", "lastnameorsurname": "lastNameOrSurname"}
    contacts = account["contacts"]
    return [one.get(name[field.partition(".")[2]]) for one in contacts] if isinstance(contacts, list) else []


_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,  # type: ignore[operator]
    "ge": lambda a, b: a >= b,  # type: ignore[operator]
    "lt": lambda a, b: a < b,  # type: ignore[operator]
    "le": lambda a, b: a <= b,  # type: ignore[operator]
    "sw": lambda a, b: str(a).startswith(str(b)),
    "cont": lambda a, b: str(b) in str(a),
}


def _compare(have: object, operator: str, wanted: object) -> bool:
    if have is None:
        return operator == "ne"
    if isinstance(have, str) and isinstance(wanted, str):
        have, wanted = have.lower(), wanted.lower()
    return _OPERATORS[operator](have, wanted)
