"""`sortBy` of accounts: the fields that https://github.com/Mozu/mozu-dotnet (`CustomerTests.cs`) shows to work, and id.

Accounts of one value stay in the order of creation, whichever way the value is sorted.
"""

from collections.abc import Callable, Sequence

from ccsync.sandbox.kibo.accounts import Account, Accounts
from ccsync.sandbox.kibo.query import BadQuery

SORTABLE = frozenset({"createdate", "id", "commercesummary.totalorderamount", "commercesummary.wishlistcount"})
_IN_ORDER = ("createdate", "id")  # ids are given in the order of creation


def sorted_ids(accounts: Accounts, ids: Sequence[int], text: str) -> Sequence[int]:
    """`ids`, which come oldest first, as `sortBy` wants them. Raises `BadQuery`."""
    keys = parse_sort(text, SORTABLE)
    if keys[0][0] in _IN_ORDER:  # without ties: what follows changes nothing
        return ids[::-1] if keys[0][1] else ids
    for field, is_descending in reversed(keys):
        ids = sorted(ids, key=_value_of(accounts, field), reverse=is_descending)
    return ids


def parse_sort(text: str, sortable: frozenset[str]) -> list[tuple[str, bool]]:
    """The fields in lower case, and whether each is descending. Raises `BadQuery`."""
    keys = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or words[0].lower() not in sortable:
            raise BadQuery(f"cannot sort by {text[:60]}")
        order = words[1].lower() if len(words) == 2 else "asc"
        if order not in ("asc", "desc"):
            raise BadQuery(f"unknown order {order[:20]}")
        keys.append((words[0].lower(), order == "desc"))
    return keys


def _value_of(accounts: Accounts, field: str) -> Callable[[int], float]:
    if field in _IN_ORDER:
        return float
    name = {"totalorderamount": "totalOrderAmount", "wishlistcount": "wishlistCount"}[field.partition(".")[2]]

    def value(account_id: int) -> float:
        summary: Account = accounts.get(account_id)["commerceSummary"] or {}  # type: ignore[assignment]
        found = summary.get(name)
        amount = found.get("amount") if isinstance(found, dict) else found
        return float(amount) if isinstance(amount, int | float) else 0.0

    return value
