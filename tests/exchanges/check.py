"""What the descriptions say against one exchange, without what is known of them to be wrong."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass

from jsonschema_rs import Draft202012Validator

from tests.exchanges.description import Exchange, Operation, find
from tests.exchanges.errata import ERRATA
from tests.exchanges.schemas import Schema

_KIBO_ITEM = {
    "type": "object",
    "properties": {
        "applicationName": {"type": "string"},
        "errorCode": {"type": "string"},
        "message": {"type": "string"},
        "additionalErrorData": {"type": "array"},
    },
    "required": ["errorCode", "message"],
}
_ERROR = {"type": "object", "required": ["error_key", "error_message"], "additionalProperties": False,
          "properties": {"error_key": {"type": "string"}, "error_message": {"type": "string"}}}  # fmt: skip
ERRORS = {
    # `ApiError` of the vendor's SDKs; https://github.com/Mozu/mozu-java (`ApiError.java`).
    "kibo": Draft202012Validator(
        {
            **_KIBO_ITEM,
            "properties": {
                **_KIBO_ITEM["properties"],  # type: ignore[dict-item]
                "correlationId": {"type": "string"},
                "items": {"type": "array", "items": _KIBO_ITEM},
                "exceptionDetail": {"type": "object"},
            },
            "additionalProperties": False,
        }
    ),
    # https://developer.constantcontact.com/api_guide/glossary_responses.html
    "cc": Draft202012Validator({"anyOf": [_ERROR, {"type": "array", "minItems": 1, "items": _ERROR}]}),
}
"""The descriptions give no schema for a refusal."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing in an exchange that no description allows."""

    operation: str
    side: str
    """`request` or `answer`."""
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.operation}, {self.side}, {self.where or 'as a whole'}: {self.what}"

    @property
    def erratum(self) -> str | None:
        """Why the description, not the exchange, is wrong."""
        return next(
            (one.reason for one in ERRATA if one.covers(self.operation, self.side, self.where, self.what)), None
        )


def mismatches(exchange: Exchange, *, of_request: bool = True, of_answer: bool = True) -> list[Mismatch]:
    """Everything that is neither described nor a known erratum."""
    operation = find(exchange.vendor, exchange.method, exchange.path)
    if operation is None:
        if not of_request and exchange.status >= 400:
            return []
        return [Mismatch(f"{exchange.method} {exchange.path}", "request", "", "no description has this operation")]
    found: list[Mismatch] = []
    if of_request:
        found += [Mismatch(operation.name, "request", *one) for one in _of_request(operation, exchange)]
    if of_answer:
        found += [Mismatch(operation.name, "answer", *one) for one in _of_answer(operation, exchange)]
    return [one for one in found if one.erratum is None]


def _of_request(operation: Operation, exchange: Exchange) -> Iterator[tuple[str, str]]:
    places = operation.path.fullmatch(exchange.path)
    assert places is not None
    yield from _of_parameters(operation, "path", list(places.groupdict().items()))
    yield from _of_parameters(operation, "query", list(exchange.query))
    names = {("query", name) for name, _ in exchange.query}
    for place, name in sorted(operation.required - names):
        if place == "query":
            yield f"?{name}", "is required"
    if operation.request is None:
        if exchange.body:
            yield "body", "is not declared"
        return
    if not exchange.body:
        if operation.is_body_required:
            yield "body", "is required"
        return
    if exchange.content_type.partition(";")[0] not in (
        *operation.request_types,
        *(("",) if not operation.request_types else ()),
    ):
        yield "content-type", f"{exchange.content_type or 'none'} is not declared"
    yield from _of_body(operation.request, exchange.body)


def _of_parameters(operation: Operation, place: str, given: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, text in given:
        schema = operation.parameters.get((place, name))
        if schema is None:
            yield f"{'?' if place == 'query' else '/'}{name}", "is not declared"
        elif not _fits(operation, place, name, text):
            yield (
                f"{'?' if place == 'query' else '/'}{name}",
                f"{text[:60]} is not {schema.get('format') or schema['type']}",
            )


@functools.lru_cache(20_000)
def _fits(operation: Operation, place: str, name: str, text: str) -> bool:
    """Is this text a value that the parameter can have?"""
    schema = operation.parameters[place, name]
    valid = _parameter(json.dumps(_plain(schema), sort_keys=True)).is_valid
    return all(map(valid, _values(schema, text)))


def _plain(schema: Schema) -> Schema:
    if schema["type"] == "array":
        return _plain(schema["items"])
    return {key: schema[key] for key in ("type", "enum", "minimum", "maximum", "maxLength", "format") if key in schema}


@functools.cache
def _parameter(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema), validate_formats=True)


def _values(schema: Schema, text: str) -> Iterator[object]:
    """What the text of a parameter means."""
    if schema["type"] == "array" or schema.get("format") == "csv":
        inner = schema.get("items", {"type": "string"})
        for one in text.split(","):
            yield from _values(inner, one)
    elif schema["type"] == "integer" and text.lstrip("-").isdecimal():
        yield int(text)
    elif schema["type"] == "boolean" and text in ("true", "false"):
        yield text == "true"
    else:
        yield text


def _of_answer(operation: Operation, exchange: Exchange) -> Iterator[tuple[str, str]]:
    if str(exchange.status) not in operation.answers:
        yield "status", f"{exchange.status} is not declared"
    if exchange.status >= 400:
        if exchange.answer:
            yield from _of_body(ERRORS[exchange.vendor], exchange.answer)
        return
    schema = operation.answers.get(str(exchange.status))
    if schema is not None and exchange.answer_type.startswith("application/json"):
        yield from _of_body(schema, exchange.answer)
    elif schema is not None and not exchange.answer:
        yield "body", "is missing"


@functools.lru_cache(5_000)  # many answers are the same word for word
def _of_body(schema: Draft202012Validator, body: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(_misfits(schema, body))


def _misfits(schema: Draft202012Validator, body: bytes) -> Iterator[tuple[str, str]]:
    try:
        value = json.loads(body)
    except ValueError:
        yield "body", "is no JSON"
        return
    if schema.is_valid(value):
        return
    errors = list(schema.iter_errors(value))
    # What stands beside a wrong value counts as unevaluated, too: that tells nothing.
    telling = [one for one in errors if not one.message.startswith("Unevaluated")] or errors
    for error in telling:
        where = "".join("[]" if isinstance(one, int) else f".{one}" for one in error.instance_path)
        yield where, error.message.replace("\n", " ")
