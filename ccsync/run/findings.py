"""What was found out about a vendor's undocumented ways. It is good for a week: vendors change without notice."""

from datetime import timedelta

from ccsync.run.context import Context
from ccsync.state import properties
from ccsync.state.database.times import from_text, to_text

LASTS = timedelta(days=7)
EVENT_QUERY = "event-query"
UPDATE_DATE = "update-date"
LACKING_SECTIONS = "lacking-sections"


def recall(context: Context, subject: str) -> str | None:
    """What is known of a subject; `None` also when that is too long ago, or was noted by a clock that was ahead."""
    noted, _, value = (properties.get(context.store, _key(subject)) or "").partition(" ")
    at = from_text(noted or None)
    return value if at is not None and abs(context.now() - at) < LASTS else None


def note(context: Context, subject: str, value: str) -> None:
    """Remember what was found out, unless it is known already: then it is looked into again when the week is over."""
    if recall(context, subject) != value:
        properties.put(context.store, _key(subject), f"{to_text(context.now())} {value}")


def _key(subject: str) -> str:
    return f"finding:{subject}"
