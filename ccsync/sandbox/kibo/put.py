"""What a PUT of a customer account does: the whole is replaced, and what is left out is lost.

Blanked names and address: https://github.com/Mozu/mozu-storefront-sdk (`src/types/customer.js`); kept contacts:
https://github.com/Mozu/mozu-dotnet (`CustomerTests.cs`); booleans that cannot be null: the account's schema.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from ccsync.sandbox.kibo.accounts import Account

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"
"""What a value must be: a kind of `_KINDS`, an array (or null) of one shape, or an object of declared properties."""

_AUDIT: Shape = {"createDate": "date?", "updateDate": "date?", "createBy": "text?", "updateBy": "text?"}
_CONTACT: Shape = {
    "id": "int?", "accountId": "int", "email": "text?", "firstName": "text?", "middleNameOrInitial": "text?",
    "lastNameOrSurname": "text?", "companyOrOrganization": "text?", "label": "text?", "faxNumber": "text?",
    "phoneNumbers": {"home": "text?", "mobile": "text?", "work": "text?"},
    "address": {
        "address1": "text?", "address2": "text?", "address3": "text?", "address4": "text?", "cityOrTown": "text?",
        "stateOrProvince": "text?", "postalOrZipCode": "text?", "countryCode": "text?", "addressType": "text?",
        "isValidated": "bool?",
    },
    "types": [{"name": "text?", "isPrimary": "bool"}], "auditInfo": _AUDIT,
}  # fmt: skip
_ACCOUNT: Shape = {
    "id": "int", "customerSet": "text?", "accountType": "text?", "emailAddress": "text?", "userName": "text?",
    "firstName": "text?", "lastName": "text?", "companyOrOrganization": "text?", "localeCode": "text?",
    "userId": "text?", "externalId": "text?", "taxId": "text?", "customerSinceDate": "date?",
    "acceptsMarketing": "bool", "isActive": "bool", "isAnonymous": "bool", "isLocked": "bool", "taxExempt": "bool",
    "hasExternalPassword": "bool", "migrationRequired": "bool",
    "commerceSummary": {
        "totalOrderAmount": {"currencyCode": "text?", "amount": "number"}, "orderCount": "int",
        "lastOrderDate": "date?", "wishlistCount": "int", "visitsCount": "int",
    },
    "contacts": [_CONTACT],
    "attributes": [
        {"fullyQualifiedName": "text?", "attributeDefinitionId": "int?", "values": ["any"], "auditInfo": _AUDIT}
    ],
    "segments": [{"id": "int", "code": "text?", "name": "text?", "description": "text?", "auditInfo": _AUDIT}],
    "notes": [{"id": "int", "content": "text?", "auditInfo": _AUDIT}],
    "auditInfo": _AUDIT,
}  # fmt: skip
"""`CustomerAccount` of the vendor's description."""

_BLANKED = ("emailAddress", "firstName", "lastName")
_BOOLEANS = ("acceptsMarketing", "isLocked", "isAnonymous", "taxExempt", "hasExternalPassword", "migrationRequired")
_IGNORED = {"contacts", "attributes", "segments", "notes", "commerceSummary", "auditInfo", "id", "isActive"}
"""Managed through sub-resources, or read-only: what the body says of them changes nothing."""


class BadBody(ValueError):
    """The body is not an account."""


def replaced(account: Account, body: Account) -> Account:
    """The account's fields after a PUT of `body`. Raises `BadBody` for wrongly typed properties.

    Properties that nobody declared are kept, too: `last2FaDate` is in newer SDKs than the description.
    """
    _check(body, _ACCOUNT, "")
    if "id" in body and body["id"] != account["id"]:
        raise BadBody("id is another account's")
    fields = {name: value for name, value in body.items() if name not in _IGNORED}
    fields |= {name: None for name in _BLANKED if name not in body}
    return fields | {name: body.get(name, False) for name in _BOOLEANS}


def _check(value: object, shape: Shape, name: str) -> None:
    if isinstance(shape, str):
        kind = shape.rstrip("?")
        if not (value is None and shape != kind) and not _KINDS[kind](value):
            raise BadBody(f"{name} has the wrong type")
    elif isinstance(shape, list):
        if not isinstance(value, list | None):
            raise BadBody(f"{name} is an array")
        for one in value or []:
            _check(one, shape[0], name)
    elif not isinstance(value, dict):
        raise BadBody(f"{name or 'the body'} is an object")
    else:
        _check_properties(value, shape, name)


def _check_properties(value: Mapping[str, object], shape: Mapping[str, Shape], name: str) -> None:
    for key, one in value.items():
        inner = f"{name}.{key}" if name else key
        if key in shape:  # what is not declared is taken as it is: newer programs send newer fields
            _check(one, shape[key], inner)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


_KINDS: dict[str, Callable[[object], bool]] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": _is_whole,
    "number": lambda value: isinstance(value, int | float | Decimal) and not isinstance(value, bool),
    "date": _is_date,
}
