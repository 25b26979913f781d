"""Converts Python values to what SQLite stores, and rows to dataclasses.

The tables are STRICT, so types are not checked again here.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ccsync.state.database.times import from_text, storable, to_text

T = TypeVar("T")
Value = str | int | float | bytes | datetime | None
Row = tuple[Any, ...]

sqlite3.register_adapter(datetime, to_text)


_READERS: dict[type[Any], list[tuple[int, Callable[[Any], Any]]]] = {}


def record_of(kind: type[T], row: Sequence[Any]) -> T:
    """The dataclass of a row: its fields in the order of the columns. Fields without a column keep their default."""
    if kind not in _READERS:
        hints = get_type_hints(kind)
        places = enumerate(reader_of(hints[one.name]) for one in fields(kind))  # type: ignore[arg-type]
        _READERS[kind] = [(place, read) for place, read in places if read is not None]
    values = list(row)
    for place, read in _READERS[kind]:
        if place < len(values) and values[place] is not None:
            values[place] = read(values[place])
    return kind(*values)


def reader_of(hint: Any) -> Callable[[Any], Any] | None:
    """How a column becomes a value of this type; `None`: it is one already."""
    return _reader_of(hint)


@cache
def _reader_of(hint: Any) -> Callable[[Any], Any] | None:
    wanted = next(one for one in get_args(hint) if one is not NoneType) if NoneType in get_args(hint) else hint
    if wanted in (datetime, bool):
        return from_text if wanted is datetime else bool
    if get_origin(wanted) is tuple:
        return lambda text: tuple(json.loads(text))
    return json.loads if get_origin(wanted) is Mapping else None


def values_of(record: Any) -> list[Value]:
    """The columns of a dataclass, one for each field; dictionaries and tuples as JSON."""
    kind: Any = type(record)
    return [_value_of(getattr(record, name)) for name in _names_of(kind)]


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def _value_of(value: Any) -> Value:
    if isinstance(value, str):
        return storable(value)
    return storable(json.dumps(value)) if isinstance(value, (dict, tuple)) else value


def marks(some: Sequence[object]) -> str:
    """The placeholders of an `IN (…)` for these values."""
    return ",".join("?" * len(some))
