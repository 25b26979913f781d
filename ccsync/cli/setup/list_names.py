"""Caches the names of the account's contact lists, for suggestions where a call would take too long.

The cache may be out of date: ask the vendor before choosing a list.
"""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from ccsync.constant_contact.client import ConstantContact
from ccsync.models import ContactList
from ccsync.state import Store, properties
from ccsync.state.database.times import from_text, to_text

FRESH = timedelta(hours=1)
LONGEST = 255
"""Characters of a list's name: https://developer.constantcontact.com/api_guide/lists_post.html"""
_KEY = "list_names"
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # Persian and Indic names need them, and emoji


@dataclass(frozen=True, slots=True)
class ListNames:
    """Every list by name, and when they were read."""

    lists: tuple[ContactList, ...]
    at: datetime

    def are_fresh(self, now: datetime) -> bool:
        """Were they read within the last hour? A time in the future came from a wrong clock."""
        return timedelta() <= now - self.at < FRESH


def remembered(store: Store) -> ListNames | None:
    """What was last read; `None` if nothing was, or if the saved text cannot be parsed."""
    try:
        record = json.loads(properties.get(store, _KEY) or "null")
        at = from_text(record["at"])
        lists = [_named(list_id, name) for list_id, name in record["lists"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return ListNames(tuple(lists), at) if at is not None and at.tzinfo is not None else None


def _named(list_id: object, name: object) -> ContactList:
    if not (isinstance(list_id, str) and isinstance(name, str) and list_id):
        raise TypeError("no list")
    return ContactList(list_id, name, None, None)


def refresh(store: Store, client: ConstantContact, at: datetime) -> ListNames:
    """Read the names from Constant Contact, and remember them."""
    return _remember(store, client.iter_lists(), at)


def add(store: Store, made: ContactList) -> None:
    """Remember a new list with the others, if there are any."""
    known = remembered(store)
    if known is not None:
        _remember(store, {one.list_id: one for one in (*known.lists, made)}.values(), known.at)


def _remember(store: Store, lists: Iterable[ContactList], at: datetime) -> ListNames:
    found = sorted((one for one in lists if one.name.strip()), key=lambda one: (one.name.casefold(), one.name))
    record = {"at": to_text(at), "lists": [[one.list_id, one.name] for one in found]}
    properties.put(store, _KEY, json.dumps(record))
    return ListNames(tuple(found), at)


def named(typed: str, lists: Sequence[ContactList]) -> ContactList | None:
    """The list with exactly this name."""
    return next((one for one in lists if one.name.strip() == typed), None)


def matching(typed: str, lists: Sequence[ContactList]) -> list[ContactList]:
    """The lists that match what was typed: exactly, else in any case of letters, else as a part of the name."""
    exact = named(typed, lists)
    if exact is not None:
        return [exact]
    folded = typed.casefold()
    return [one for one in lists if one.name.strip().casefold() == folded] or [
        one for one in lists if folded in one.name.casefold()
    ]


def nearest(typed: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names closest to what was typed, best match first."""
    by_folded = {name.casefold(): name for name in names}
    return [by_folded[one] for one in get_close_matches(typed.casefold(), by_folded, n=most, cutoff=0.5)]


def problem_of(name: str) -> str:
    """Why no list can be created under this name; "" if it can."""
    if not name.strip():
        return "it is empty."
    if len(name.strip()) > LONGEST:
        return f"it has {len(name.strip())} characters where Constant Contact takes {LONGEST}."
    if any(unicodedata.category(one) in _STEERING and one not in _JOINERS for one in name.strip()):
        return "it holds a control or invisible character."
    if "\ufffd" in name:
        return "it holds letters that this terminal did not pass on."
    return ""
