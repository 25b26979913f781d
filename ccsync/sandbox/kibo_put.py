"""What a PUT of a customer account does: the whole is replaced, and what is left out is lost.

Blanked names and address: https://github.com/Mozu/mozu-storefront-sdk (`src/types/customer.js`); kept contacts:
https://github.com/Mozu/mozu-dotnet (`CustomerTests.cs`); booleans that cannot be null: the account's schema.
"""

from collections.abc import Callable

from ccsync.sandbox.accounts import Account

_TEXTS = ("emailAddress", "userName", "firstName", "lastName", "companyOrOrganization", "localeCode", "externalId",
          "taxId", "customerSet", "accountType", "userId", "customerSinceDate")  # fmt: skip
_BLANKED = ("emailAddress", "firstName", "lastName")
_BOOLEANS = ("acceptsMarketing", "isLocked", "isAnonymous", "taxExempt", "hasExternalPassword", "migrationRequired")
_KEPT = ("contacts", "attributes", "segments", "notes", "commerceSummary", "auditInfo", "id", "isActive")
"""Managed through sub-resources, or read-only: what the body says of them is ignored."""


class BadBody(ValueError):
    """The body is not an account."""


def replaced(account: Account, body: Account) -> Account:
    """The account's fields after a PUT of `body`. Raises `BadBody` for undeclared or wrongly typed properties."""
    checks: dict[str, Callable[[object], bool]] = {
        **{name: lambda value: isinstance(value, str | None) for name in _TEXTS},
        **{name: lambda value: isinstance(value, bool) for name in _BOOLEANS},
        **{name: lambda _: True for name in _KEPT},
    }
    for name, value in body.items():
        if name not in checks:
            raise BadBody(f"undeclared property {name[:40]}")
        if not checks[name](value):
            raise BadBody(f"{name} has the wrong type")
    if "id" in body and body["id"] != account["id"]:
        raise BadBody("id is another account's")
    fields: Account = {name: body[name] for name in _TEXTS if name in body}
    fields |= {name: None for name in _BLANKED if name not in body}
    return fields | {name: body.get(name, False) for name in _BOOLEANS}
