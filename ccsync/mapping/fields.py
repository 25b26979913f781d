"""Kibo sources: which fields of a customer account can be mapped, and how each is read from its JSON.

Nothing here trusts the JSON's shape: what is missing or empty reads as "", what is of the wrong shape reads
as "" with the trouble said. Source of the shapes: `AccountBase`, `CustomerAccount` in Kibo's customer API.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ccsync.models import JsonObject

ATTRIBUTE_PREFIX = "attributes."
ANY_ATTRIBUTE = "attributes.<name>"


Reading = tuple[str, str]
"""A value as text ("" when there is none), and what was left out of it, if anything.

A bare tuple, because a dozen are made for every customer."""

_NOTHING: Reading = ("", "")
_TOO_LARGE: Reading = ("", "left out: a number too large to be sent")


class Account(NamedTuple):
    """An account's JSON with what several fields need: looked up once, and only when mapped."""

    raw: JsonObject
    contact: JsonObject
    attributes: Mapping[str, object]  # name in lower case -> values


@dataclass(frozen=True, slots=True)
class Source:
    """A Kibo field that may stand on a mapping's right side.

    `kinds` are the kinds of target it can feed; `section` is the sub-resource it is read from, or "".
    """

    name: str
    kinds: frozenset[str]
    section: str
    meaning: str


_TEXT, _DATE = frozenset({"text"}), frozenset({"text", "date"})
SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source("firstName", _TEXT, "", "first name of the account"),
        Source("lastName", _TEXT, "", "last name of the account"),
        Source("companyOrOrganization", _TEXT, "", "company of the account"),
        Source("emailAddress", _TEXT, "", "e-mail address"),
        Source("userName", _TEXT, "", "user name"),
        Source("id", _TEXT, "", "account number"),
        Source("userId", _TEXT, "", "id of the shopper's login"),
        Source("externalId", _TEXT, "", "number in another system"),
        Source("customerSet", _TEXT, "", "customer set"),
        Source("accountType", _TEXT, "", "account type, as B2C"),
        Source("localeCode", _TEXT, "", "language, as en-US"),
        Source("isAnonymous", _TEXT, "", "true for a guest"),
        Source("taxExempt", _TEXT, "", "true or false"),
        Source("taxId", _TEXT, "", "tax number"),
        Source("customerSinceDate", _DATE, "", "when the account was made"),
        Source("commerceSummary.orderCount", _TEXT, "commerceSummary", "number of orders"),
        Source("commerceSummary.totalOrderAmount", _TEXT, "commerceSummary", "value of all orders, a number"),
        Source("commerceSummary.lastOrderDate", _DATE, "commerceSummary", "date of the last order"),
        Source("commerceSummary.wishlistCount", _TEXT, "commerceSummary", "number of wish lists"),
        Source("commerceSummary.visitsCount", _TEXT, "commerceSummary", "number of visits"),
        Source("segments", _TEXT, "segments", 'codes of the segments, sorted, joined by ", "'),
        Source("phoneNumbers", frozenset({"phones"}), "contacts", "phones of the chosen contact"),
        Source("address", frozenset({"address"}), "contacts", "address of the chosen contact"),
        Source(ANY_ATTRIBUTE, _DATE, "attributes", "an attribute, as attributes.tenant~birthday"),
    )
}
"""Every Kibo field that can be mapped; the last entry is for all attributes."""


def source_of(name: str) -> Source | None:
    """Return the source of that name; names are exact, but for an attribute's, whose case does not matter."""
    if name.startswith(ATTRIBUTE_PREFIX):
        namespace, tilde, attribute = name.removeprefix(ATTRIBUTE_PREFIX).partition("~")
        return SOURCES[ANY_ATTRIBUTE] if namespace and tilde and attribute else None
    return SOURCES.get(name)


def reader_of(name: str) -> Callable[[Account], Reading]:
    """Return what reads a text or date source (not phoneNumbers, not address) from an account."""
    if name.startswith(ATTRIBUTE_PREFIX):
        key = name.removeprefix(ATTRIBUTE_PREFIX).lower()
        return lambda account: _joined(account.attributes.get(key))
    if name == "segments":
        return _segments
    if name.startswith("commerceSummary."):
        key = name.removeprefix("commerceSummary.")
        return lambda account: _summary_value(account.raw.get("commerceSummary"), key)
    return lambda account: scalar(account.raw.get(name))


def scalar(value: object) -> Reading:
    """Render one JSON value: text as it is, numbers without a needless .0, booleans as true and false."""
    if isinstance(value, str):
        return value, ""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return ("true" if value else "false"), ""
    if isinstance(value, int):
        # Card numbers pass; Python itself refuses to write out more than 4,300 digits.
        return (str(value), "") if abs(value) < 10**40 else _TOO_LARGE
    if isinstance(value, float):
        return _fraction(value)
    kind = "an object" if isinstance(value, dict) else "a list"
    return "", f"left out: {kind} where one value belongs"


def _fraction(value: float) -> Reading:
    if not abs(value) < 1e15:  # as NaN and the infinities are not
        return _TOO_LARGE
    # 15 digits are what a double holds for certain: a sum of 0.1 and 0.2 is sent as 0.3.
    text = f"{value:.15g}"
    if "e" in text:
        text = f"{value:.15f}".rstrip("0").rstrip(".")
    return ("0" if text == "-0" else text), ""


def _joined(values: object) -> Reading:
    """Render an attribute's `values`: an array of anything, empty more often than not."""
    if not isinstance(values, list):
        return scalar(values)
    if len(values) == 1:
        return scalar(values[0])
    readings = [scalar(value) for value in values]
    text = ", ".join(stripped for text, _ in readings if (stripped := text.strip()))
    trouble = next((trouble for _, trouble in readings if trouble), "")
    return text, (trouble.replace("left out", "left out in part", 1) if text else trouble)


def _segments(account: Account) -> Reading:
    """Join the codes, sorted: Kibo promises no order, and a mere change of order is no change."""
    segments = account.raw.get("segments")
    if segments is None:
        return _NOTHING
    if not isinstance(segments, list):
        return "", "left out: segments is no list"
    codes = {scalar(segment.get("code"))[0].strip() for segment in segments if isinstance(segment, dict)}
    return ", ".join(sorted(codes - {""})), ""


def _summary_value(summary: object, key: str) -> Reading:
    if summary is None:
        return _NOTHING
    if not isinstance(summary, dict):
        return "", "left out: commerceSummary is no object"
    value = summary.get(key)
    if key == "totalOrderAmount" and isinstance(value, dict):
        value = value.get("amount")
    return scalar(value)


def chosen_contact(raw: JsonObject) -> JsonObject:
    """Return the contact whose phones and address are sent; {} when there is none.

    Primary Billing, else primary Shipping, else the first; of two primaries the first in Kibo's order.
    """
    contacts = raw.get("contacts")
    if not isinstance(contacts, list):
        return {}
    usable = [contact for contact in contacts if isinstance(contact, dict)]
    if len(usable) > 1:
        for kind in ("billing", "shipping"):
            for contact in usable:
                if _is_primary(contact, kind):
                    return contact
    return usable[0] if usable else {}


def _is_primary(contact: JsonObject, kind: str) -> bool:
    types = contact.get("types")
    if not isinstance(types, list):
        return False
    return any(
        isinstance(each, dict)
        and each.get("isPrimary") is True
        and isinstance(name := each.get("name"), str)
        and name.lower() == kind
        for each in types
    )


def attributes_by_name(raw: JsonObject) -> Mapping[str, object]:
    """Return each attribute's values by its fully qualified name in lower case; the first of two wins."""
    attributes = raw.get("attributes")
    if not isinstance(attributes, list):
        return {}
    found: dict[str, object] = {}
    for attribute in attributes:
        if isinstance(attribute, dict) and isinstance(name := attribute.get("fullyQualifiedName"), str):
            found.setdefault(name.lower(), attribute.get("values"))
    return found
