"""Times in the state file: ISO-8601 UTC texts of one width, so that they sort."""

from datetime import UTC, datetime


def to_text(at: datetime) -> str:
    """An aware time as `2026-11-23T14:05:09.120Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def day_of(at: datetime) -> str:
    """The UTC day of an aware time as `2026-11-23`."""
    return at.astimezone(UTC).date().isoformat()


def from_text(text: object) -> datetime | None:
    """The aware time that `to_text` wrote; `None` for NULL."""
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


def storable(text: str) -> str:
    """The text as SQLite can bind it: a lone surrogate from hostile JSON becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
