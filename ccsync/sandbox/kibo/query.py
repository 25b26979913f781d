"""Kibo's filter, sort and selection language on accounts, as far as described or proven; the rest is refused.

https://www.mozu.com/docs/developer/api-guides/sorting-filtering.htm and
https://github.com/Mozu/mozu-dotnet (`CustomerTests.cs`).
"""

import re
from array import array
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from ccsync.sandbox.kibo.accounts import Account, Accounts
from ccsync.sandbox.population.people import LAST_DAY

_CLAUSE = re.compile(r"\s*([A-Za-z.]+)\s+(eq|ne|gt|ge|lt|le|sw|cont)\s+(.+?)\s*", re.IGNORECASE)

_TEXTS = {"emailaddress": "emailAddress", "username": "userName", "firstname": "firstName", "lastname": "lastName",
          "externalid": "externalId", "companyororganization": "companyOrOrganization"}  # fmt: skip
_BOOLEANS = {"acceptsmarketing": "acceptsMarketing", "isanonymous": "isAnonymous", "isactive": "isActive",
             "islocked": "isLocked", "taxexempt": "taxExempt"}  # fmt: skip
_DATES = {"createdate": "createDate", "updatedate": "updateDate"}
NESTED = "auditinfo."
"""The other form of a date's name; whether it is understood is a setting."""
_SUMMARY = {"commercesummary.ordercount": "orderCount", "commercesummary.wishlistcount": "wishlistCount",
            "commercesummary.visitscount": "visitsCount",
            "commercesummary.totalorderamount": "totalOrderAmount"}  # fmt: skip
_CONTACT_TEXTS = {"contacts.email": "email", "contacts.firstname": "firstName",
                  "contacts.lastnameorsurname": "lastNameOrSurname"}  # fmt: skip
_SEARCHED = ("emailAddress", "userName", "firstName", "lastName", "companyOrOrganization")
_GROUPS = {"contacts": "contacts", "customeraccountnotes": "notes", "ordersummary": "commerceSummary"}

Value: TypeAlias = str | bool | int | datetime
"""What a filter compares with."""


class BadQuery(ValueError):
    """The service does not understand the filter or the sort."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; `field` is in lower case."""

    field: str
    operator: str
    value: Value

    def holds(self, account: Account) -> bool:
        """Does the account satisfy it?"""
        return any(compare(one, self.operator, self.value) for one in _values(account, self.field))


def parse_filter(text: str, typed: Callable[[str, str], Value] | None = None) -> list[Clause]:
    """The clauses of a filter, all of which must hold. Raises `BadQuery`.

    `typed` turns a field and its raw value into the value; without it the fields are those of accounts.
    """
    parts = re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE)
    return [_clause(part, typed or _typed) for part in parts]


def _clause(part: str, typed: Callable[[str, str], Value]) -> Clause:
    found = _CLAUSE.fullmatch(part)
    if found is None:
        raise BadQuery(f"malformed filter: {part[:60]}")
    field, operator, raw = found[1].lower(), found[2].lower(), found[3]
    if raw.startswith("'") or raw.lower().startswith("datetime'"):
        raise BadQuery("values are not put in single quotes")
    if raw.startswith('"') != raw.endswith('"') or raw == '"':
        raise BadQuery("a double quote is not closed")
    value = typed(field, raw.strip('"'))
    if operator not in _operators_for(value):
        raise BadQuery(f"{field} cannot be compared with {operator}")
    return Clause(field, operator, value)


def _operators_for(value: object) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("eq", "ne")
    return tuple(_OPERATORS) if isinstance(value, str) else ("eq", "ne", "gt", "ge", "lt", "le")


def _typed(field: str, raw: str) -> Value:
    if field in _BOOLEANS:
        if raw.lower() not in ("true", "false"):
            raise BadQuery(f"{field} is true or false")
        return raw.lower() == "true"
    if field.removeprefix(NESTED) in _DATES:
        return to_date(field, raw)
    if field in ("id", "segments.id") or field in _SUMMARY:
        if not (raw.isascii() and raw.isdigit()):
            raise BadQuery(f"{field} is a whole number")
        return int(raw)
    if field in _TEXTS or field in _CONTACT_TEXTS:
        return raw
    raise BadQuery(f"unknown field {field}")


def to_date(field: str, raw: str) -> datetime:
    """A date of a filter; without an offset it is UTC. Raises `BadQuery`."""
    try:
        at = datetime.fromisoformat(raw.replace("z", "Z"))
    except ValueError:
        raise BadQuery(f"{field} is a date") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def matching(
    accounts: Accounts, clauses: Sequence[Clause], quick: str = "", *, minds_case: bool = False
) -> Sequence[int]:
    """The ids that satisfy everything, oldest first; whole accounts are made only where the index cannot tell.

    `minds_case`: two addresses are one only in the same case of letters.
    """
    left = list(clauses)
    opt_in = Clause("acceptsmarketing", "eq", True)
    address = next((one for one in left if (one.field, one.operator) == ("emailaddress", "eq")), None)
    ids: Sequence[int]
    if any(_is_after_population(one) for one in left):
        ids = accounts.changed_ids()
    elif address is not None:
        ids = accounts.find_by_email(str(address.value))
        if minds_case:
            ids = [one for one in ids if accounts.address(one) == address.value]
    elif opt_in in left:
        ids = accounts.opted_in()
        left.remove(opt_in)
    else:
        ids = accounts.ids()
    if left:
        ids = array("q", (one for one in ids if _satisfies(accounts, one, left)))
    if quick:
        ids = [one for one in ids if _mentions(accounts.get(one), quick.lower())]
    return ids


def _is_after_population(clause: Clause) -> bool:
    if clause.field != "updatedate" or clause.operator not in ("ge", "gt", "eq"):
        return False
    return isinstance(clause.value, datetime) and clause.value > LAST_DAY


def _satisfies(accounts: Accounts, account_id: int, clauses: Sequence[Clause]) -> bool:
    known: dict[str, Callable[[int], object]] = {
        "id": int,
        "acceptsmarketing": accounts.accepts_marketing,
        "isanonymous": accounts.is_guest,
        "emailaddress": accounts.address,
        "createdate": accounts.created_at,
    }
    return all(
        compare(known[one.field](account_id), one.operator, one.value)
        if one.field in known
        else one.holds(accounts.get(account_id))
        for one in clauses
    )


def _mentions(account: Account, text: str) -> bool:
    return any(text in str(account[name] or "").lower() for name in _SEARCHED)


Selection: TypeAlias = "dict[str, Selection]"
"""What to return, names in lower case; empty for the whole."""


def parse_selection(text: str, known: AbstractSet[str], **inner: AbstractSet[str]) -> Selection:
    """What `responseFields` asks for, like `items(id,emailAddress),totalCount`.

    `known` are the names of the answer, `inner` those of its members. Raises `BadQuery`.
    """
    tokens = re.findall(r"[A-Za-z0-9]+|\S", text)
    found = _selection(tokens)
    if tokens:
        raise BadQuery(f"malformed responseFields: {text[:60]}")
    _check_names(found, known)
    for name, names in inner.items():
        _check_names(found.get(name, {}), names)
    return found


def _selection(tokens: list[str]) -> Selection:
    """Take one comma-separated list of names off `tokens`."""
    found: Selection = {}
    while True:
        if not tokens or not tokens[0].isalnum():
            raise BadQuery("malformed responseFields: a name is missing")
        name = tokens.pop(0).lower()
        found[name] = {}
        if tokens[:1] == ["("]:
            del tokens[0]
            found[name] = _selection(tokens)
            if tokens[:1] != [")"]:
                raise BadQuery("malformed responseFields: a bracket is not closed")
            del tokens[0]
        if tokens[:1] != [","]:
            return found
        del tokens[0]


def _check_names(found: Selection, known: AbstractSet[str]) -> None:
    if unknown := found.keys() - {name.lower() for name in known}:
        raise BadQuery(f"unknown field {min(unknown)[:40]} in responseFields")


def select(value: object, selection: Selection) -> object:
    """The part of an answer that `selection` names."""
    if not selection:
        return value
    if isinstance(value, list):
        return [select(one, selection) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: select(one, selection[name.lower()]) for name, one in value.items() if name.lower() in selection}


def sections_left_out(groups: str) -> set[str]:
    """Which parts of an account go when `responseGroups` names only some. Raises `BadQuery`."""
    asked = {name.strip().lower() for name in groups.split(",")}
    if unknown := asked - _GROUPS.keys():
        raise BadQuery(f"unknown response group {min(unknown)[:40]}")
    return {part for group, part in _GROUPS.items() if group not in asked}


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
        value = summary[_SUMMARY[field]] if isinstance(summary, dict) else None
        return [value["amount"] if isinstance(value, dict) else value]
    part, name = ("segments", "id") if field == "segments.id" else ("contacts", _CONTACT_TEXTS[field])
    rows = account[part]
    return [one.get(name) for one in rows] if isinstance(rows, list) else []


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


def compare(have: object, operator: str, wanted: object) -> bool:
    """Does the comparison hold? Texts are compared whatever the case of their letters."""
    if have is None:
        return operator == "ne"
    if isinstance(have, str) and isinstance(wanted, str):
        have, wanted = have.lower(), wanted.lower()
    return _OPERATORS[operator](have, wanted)
