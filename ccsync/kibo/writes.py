"""What is written to a customer account: one flag in the whole account as Kibo showed it, and the answer compared.

There is no PATCH, and a PUT blanks what it leaves out: https://github.com/Mozu/mozu-storefront-sdk
(`src/types/customer.js`). So only an account that was read whole can be written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ccsync.models import Customer, JsonObject

CONSENT = "acceptsMarketing"
# Kibo works these out itself: a PUT cannot set them, and they may move meanwhile.
_KIBOS_OWN = frozenset({"auditInfo", "commerceSummary"})


@dataclass(frozen=True, slots=True)
class WholeAccount:
    """An account by its single reading, without any selection of fields. Only the client makes one."""

    customer: Customer
    raw: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """Kibo's answer to a PUT: the account as it is now, and the names of fields that are not as they were written."""

    customer: Customer
    differing: tuple[str, ...]


def with_consent(raw: JsonObject, accepts: bool) -> JsonObject:
    """The same account with another consent; unknown fields stay."""
    return {**raw, CONSENT: accepts}


def differing_fields(sent: JsonObject, shown: JsonObject) -> tuple[str, ...]:
    """The names of the fields in which an answer differs from what was written."""
    names = (sent.keys() | shown.keys()) - _KIBOS_OWN
    return tuple(sorted(name for name in names if _plain(sent.get(name)) != _plain(shown.get(name))))


def _plain(value: object) -> object:
    """The value without Kibo's own parts; what is empty is the same as what is absent."""
    if isinstance(value, Mapping):
        found = {key: _plain(one) for key, one in value.items() if key not in _KIBOS_OWN}
        return {key: one for key, one in found.items() if one is not None} or None
    if isinstance(value, list):
        return [_plain(one) for one in value] or None
    if isinstance(value, bool):
        return str(value)  # else true equals 1
    return None if value == "" else value
