"""Values of Python as SQLite keeps them, and rows as the dataclasses that they are kept for.

The tables are STRICT: a column holds what it was declared to hold, and nothing here checks that again.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ccsync.state.database.times import from_text, storable, to_text

T = TypeVar("T")
Value = str | int | float | bytes | datetime | None
Row = tuple[Any, ...]

sqlite3.register_adapter(datetime, to_text)


_READERS: dict[type[Any], tuple[Callable[[Any], Any] | None, ...]] = {}


def record_of(kind: type[T], row: Sequence[Any]) -> T:
    """The dataclass of a row: its fields in the order of the columns. Fields without a column keep their default."""
    if kind not in _READERS:
        hints = get_type_hints(kind)
        _READERS[kind] = tuple(reader_of(hints[one.name]) for one in fields(kind))  # type: ignore[arg-type]
    pairs = zip(_READERS[kind], row, strict=False)
    return kind(*[value if read is None or value is None else read(value) for read, value in pairs])


def reader_of(hint: Any) -> Callable[[Any], Any] | None:
    """How a column becomes a value of this type; `None`: it is one already."""
    wanted = next(one for one in get_args(hint) if one is not NoneType) if NoneType in get_args(hint) else hint
    if wanted is datetime:
        return from_text
    if wanted is bool:
        return bool
    if get_origin(wanted) is tuple:
        return lambda text: tuple(json.loads(text))
    return json.loads if get_origin(wanted) is Mapping else None


def values_of(record: Any) -> list[Value]:
    """The columns of a dataclass, one for each field; mappings and tuples as JSON."""
    return [_value_of(getattr(record, one.name)) for one in fields(record)]


def _value_of(value: Any) -> Value:
    if isinstance(value, str):
        return storable(value)
    return storable(json.dumps(value)) if isinstance(value, (Mapping, tuple)) else value


def marks(some: Sequence[object]) -> str:
    """The placeholders of an `IN (…)` for these values."""
    return ",".join("?" * len(some))
