"""Remembers a vendor's quirks, which no description mentions, for a week: vendors change without notice."""

from datetime import datetime, timedelta
from typing import Protocol

from ccsync.state import Store, properties
from ccsync.state.database.times import from_text, to_text

LASTS = timedelta(days=7)
EVENT_QUERY = "event-query"
UPDATE_DATE = "update-date"
LACKING_SECTIONS = "lacking-sections"
DEEPEST_ROW = "deepest-row"
EXPORT_DATES = "export-dates"
AUDIT_LOG = "audit-log"


class Keeper(Protocol):
    """A run, or anything else that remembers quirks."""

    @property
    def store(self) -> Store:
        """Where it is remembered."""
        ...

    def now(self) -> datetime:
        """When it is found out."""
        ...


def recall(keeper: Keeper, subject: str) -> str | None:
    """What is known about a subject; `None` if it is too old, or was noted by a clock that was ahead."""
    noted, _, value = (properties.get(keeper.store, _key(subject)) or "").partition(" ")
    at = from_text(noted or None)
    return value if at is not None and abs(keeper.now() - at) < LASTS else None


def note(keeper: Keeper, subject: str, value: str) -> None:
    """Remember what was found out, unless it is known already: then it is looked into again when the week is over."""
    if recall(keeper, subject) != value:
        properties.put(keeper.store, _key(subject), f"{to_text(keeper.now())} {value}")


def _key(subject: str) -> str:
    return f"finding:{subject}"
