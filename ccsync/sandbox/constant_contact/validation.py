"""Reading queries and bodies as strictly as the vendor's description declares them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from ccsync.sandbox.constant_contact.errors import invalid, unsupported_media_type
from ccsync.sandbox.wire import Request

Pairs = tuple[tuple[str, str], ...]

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared query parameter. `allowed` empty: any value; `most`: how many comma-separated ones."""

    kind: Literal["text", "integer", "boolean", "date-time", "csv"] = "text"
    allowed: frozenset[str] = frozenset()
    minimum: int = 1
    maximum: int = 500
    most: int = 1000
    is_uuid: bool = False

    def problem(self, value: str) -> str | None:
        """What is wrong with `value`; `None` when nothing is."""
        if self.kind == "integer":
            is_number = value.isascii() and value.isdigit()
            if not is_number or not self.minimum <= int(value) <= self.maximum:
                return f"must be an integer from {self.minimum} to {self.maximum}"
        elif self.kind == "boolean" and value not in ("true", "false"):
            return "must be true or false"
        elif self.kind == "date-time" and to_moment(value) is None:
            return "must be an ISO-8601 date-time with an offset"
        elif self.kind in ("text", "csv"):
            return self._word_problem(value)
        return None

    def _word_problem(self, value: str) -> str | None:
        words = value.split(",") if self.kind == "csv" else [value]
        if not all(words):
            return "must not be empty"
        if len(words) > self.most:
            return f"takes at most {self.most} values"
        if self.allowed and not self.allowed.issuperset(words):
            return f"must be of {', '.join(sorted(self.allowed))}"
        if self.is_uuid and not all(map(is_uuid, words)):
            return "must be a UUID"
        return None


@dataclass(frozen=True, slots=True)
class Query:
    """Query parameters that have been checked."""

    pairs: Pairs
    values: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """The value as it came."""
        return self.values.get(name)

    def integer(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.values.get(name)
        return default if value is None else int(value)

    def flag(self, name: str) -> bool:
        """Whether it is `true`."""
        return self.values.get(name) == "true"

    def words(self, name: str) -> frozenset[str] | None:
        """The comma-separated values; `None` when the parameter is absent."""
        value = self.values.get(name)
        return None if value is None else frozenset(value.split(","))

    def moment(self, name: str) -> datetime | None:
        """A point in time, in UTC."""
        value = self.values.get(name)
        return None if value is None else to_moment(value)


def read_query(pairs: Pairs, declared: Mapping[str, Parameter]) -> Query:
    """Check `pairs` against what the operation declares."""
    problems, values = [], {}
    for name, value in pairs:
        if name not in declared:
            problems.append(f"Unknown query parameter '{name}'.")
        elif name in values:
            problems.append(f"Query parameter '{name}' is repeated.")
        elif problem := declared[name].problem(value):
            problems.append(f"Query parameter '{name}' {problem}.")
        values[name] = value
    if problems:
        raise invalid(*problems)
    return Query(pairs, values)


def read_json(request: Request) -> dict[str, object]:
    """The body as a JSON object."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise unsupported_media_type()
    try:
        value = json.loads(request.body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise invalid("The request body must be a JSON object.")
    return value


def check_properties(body: Mapping[str, object], declared: Iterable[str], required: Iterable[str]) -> None:
    """Refuse a body with undeclared or missing properties."""
    known = frozenset(declared)
    undeclared = [f"Unrecognized property '{name}'." for name in body if name not in known]
    missing = [f"{name} is missing." for name in required if name not in body]
    if undeclared or missing:
        raise invalid(*undeclared, *missing)


def read_uuids(value: object, name: str, most: int, least: int = 1) -> tuple[str, ...]:
    """An array of UUIDs, each named once, in lower case."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise invalid(f"{name} must be an array of {least} to {most} ids.")
    if not all(isinstance(one, str) and is_uuid(one) for one in value):
        raise invalid(f"{name} must hold UUIDs.")
    return tuple(dict.fromkeys(one.lower() for one in value))


def to_moment(value: str) -> datetime | None:
    """An ISO-8601 date-time with an offset, in UTC; `None` when it is none."""
    if not _DATE_TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_uuid(value: str) -> bool:
    """Whether `value` is a UUID in its usual spelling."""
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _no_constant(name: str) -> object:
    raise ValueError(name)
