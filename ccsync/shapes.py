"""Typed values from decoded JSON, where a value of an unexpected type counts as absent; and times for a query."""

from collections.abc import Mapping
from datetime import UTC, datetime

from ccsync.models import JsonObject


def as_object(value: object) -> JsonObject | None:
    """The value if it is a JSON object."""
    return value if isinstance(value, Mapping) else None


def as_objects(value: object) -> list[JsonObject]:
    """The objects in a JSON array; anything else in it is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(record: JsonObject, key: str) -> str | None:
    """A string that is not empty."""
    value = record.get(key)
    return value if isinstance(value, str) and value else None


def word(record: JsonObject, key: str) -> str | None:
    """A string of printable ASCII without blanks, as tokens and host names are: it goes into requests as it is."""
    value = record.get(key)
    is_one = isinstance(value, str) and value.isascii() and value.isprintable() and value and " " not in value
    return str(value) if is_one else None


def integer(record: JsonObject, key: str) -> int | None:
    """A whole number; true and false do not count."""
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def boolean(record: JsonObject, key: str) -> bool | None:
    """True or false, and nothing that only resembles them."""
    value = record.get(key)
    return value if isinstance(value, bool) else None


def time(record: JsonObject, key: str) -> datetime | None:
    """A time in any of the forms the vendors use, as aware UTC; a bare date is its midnight."""
    value = record.get(key)
    return parse_time(value) if isinstance(value, str) else None


def query_time(at: datetime) -> str:
    """A UTC time as a query of either vendor has it: `2022-11-16T16:20:59Z`."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def parse_time(value: str) -> datetime | None:
    """Parse `2022-11-16T16:20:59.091Z`, `…-05:00`, `…+0000`, second precision, or a date alone."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None
