"""The vendors' own descriptions, whole, and what they say against one exchange.

`descriptions/` holds them as published (`constant-contact-v3` as JSON instead of YAML), compressed:
https://api.constantcontact.com/v3 (3.0.178) and https://github.com/KiboSoftware/kibo-open-api-specs.
"""

import functools
import json
import lzma
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

from tests.exchanges.schemas import Schema, Schemas

FOLDER = Path(__file__).parent / "descriptions"
KIBO = ("kibo-appdevelopment", "kibo-customer", "kibo-event", "kibo-tenant")
CONSTANT_CONTACT = ("constant-contact-v3",)
_METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer. `vendor` is `kibo` or `cc`."""

    vendor: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    content_type: str
    body: bytes
    status: int
    answer_type: str
    answer: bytes


@dataclass(frozen=True, slots=True, eq=False)  # each is itself, and a key of caches
class Operation:
    """One operation of a description."""

    name: str
    path: re.Pattern[str]
    method: str
    parameters: Mapping[tuple[str, str], Schema]
    """By place (`query` or `path`) and name."""
    required: frozenset[tuple[str, str]]
    request: Draft202012Validator | None
    request_types: tuple[str, ...]
    is_body_required: bool
    answers: Mapping[str, Draft202012Validator | None]


def read(name: str) -> dict[str, Any]:
    """One description as JSON."""
    return json.loads(lzma.decompress((FOLDER / f"{name}.json.xz").read_bytes()))  # type: ignore[no-any-return]


@functools.cache
def operations(vendor: str) -> tuple[Operation, ...]:
    """Every operation of a vendor, those with fewer parameters in the path first."""
    names = KIBO if vendor == "kibo" else CONSTANT_CONTACT
    found = [one for name in names for one in _operations(read(name))]
    return tuple(sorted(found, key=lambda one: one.path.pattern.count("(")))


@functools.lru_cache(20_000)
def find(vendor: str, method: str, path: str) -> Operation | None:
    """The operation that a request means."""
    return next((one for one in operations(vendor) if one.method == method.lower() and one.path.fullmatch(path)), None)


def _operations(description: dict[str, Any]) -> Iterator[Operation]:
    base = description.get("basePath", "/api")
    schemas = Schemas(description.get("definitions") or description["components"]["schemas"])
    for template, item in description["paths"].items():
        pattern = re.sub(r"\\{([^}]+)\\}", r"(?P<\1>[^/]+)", re.escape(base + template))
        for method in _METHODS:
            if method in item:
                yield _operation(f"{method.upper()} {template}", pattern, method, item, schemas)


def _operation(name: str, pattern: str, method: str, item: dict[str, Any], schemas: Schemas) -> Operation:
    told = item[method]
    given = {(one["in"], one["name"]): one for one in (*item.get("parameters", ()), *told.get("parameters", ()))}
    body = next((one for (place, _), one in given.items() if place == "body"), None)
    content = told.get("requestBody", {}).get("content", {})
    schema = body["schema"] if body else next((one.get("schema") for one in content.values()), None)
    return Operation(
        name=name,
        path=re.compile(pattern, re.IGNORECASE if "/api" in pattern else 0),
        method=method,
        parameters={key: one.get("schema", one) for key, one in given.items() if key[0] in ("query", "path")},
        required=frozenset(key for key, one in given.items() if one.get("required") and key[0] in ("query", "path")),
        request=schemas.validator(schema, is_request=True) if schema else None,
        request_types=tuple(content or told.get("consumes", ())),
        is_body_required=bool(body and body.get("required")),
        answers={str(status): _answer(one, schemas) for status, one in told["responses"].items()},
    )


def _answer(told: dict[str, Any], schemas: Schemas) -> Draft202012Validator | None:
    schema = told.get("schema") or next((one.get("schema") for one in told.get("content", {}).values()), None)
    return schemas.validator(schema, is_request=False) if schema else None
