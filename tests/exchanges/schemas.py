"""The schemas of OpenAPI 3 and Swagger 2 as JSON Schema, read strictly: what is not declared is not allowed."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

Schema = Any
"""A JSON Schema: a mapping, or a bool."""
_KEPT = (
    "type", "enum", "format", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"
)  # fmt: skip
_OPEN = "~open"


class Schemas:
    """The named schemas of one description. A request may not send what is `readOnly`."""

    def __init__(self, named: Mapping[str, Schema]) -> None:
        self._named = named

    def validator(self, schema: Schema, *, is_request: bool) -> Draft202012Validator:
        """Checks one body."""
        made = _translated(schema, is_request=is_request)
        wanted, defs = [*_refs(made)], dict[str, Schema]()
        while wanted:
            name = wanted.pop()
            if name not in defs:
                plain = name.removesuffix(_OPEN)
                defs[name] = _translated(self._named[plain], is_request=is_request, is_open=plain != name)
                wanted += _refs(defs[name])
        return Draft202012Validator({**made, "$defs": defs}, validate_formats=True)


def _translated(schema: Schema, *, is_request: bool, is_open: bool = False) -> Schema:
    if is_request and schema.get("readOnly"):
        return False
    if reference := schema.get("$ref"):
        made: Schema = {"$ref": f"#/$defs/{reference.rpartition('/')[2]}{_OPEN if is_open else ''}"}
        return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made
    made = {key: schema[key] for key in _KEPT if key in schema}
    if schema.get("type") == "file":
        return {"type": "string"}
    if schema.get("nullable"):
        made |= {"type": [schema["type"], "null"]} if "type" in schema else {}
        made |= {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    if "items" in schema:
        made["items"] = _translated(schema["items"], is_request=is_request)
    if "allOf" in schema:
        made["allOf"] = [_translated(one, is_request=is_request, is_open=True) for one in schema["allOf"]]
    if "properties" in schema:
        made["properties"] = {
            name: _translated(one, is_request=is_request) for name, one in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = _translated(schema["additionalProperties"], is_request=is_request)
    elif "allOf" in made and not is_open:
        made["unevaluatedProperties"] = False
    elif "properties" in made and not is_open:
        made["additionalProperties"] = False
    return made


def _refs(schema: Schema) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for one in schema.values():
            yield from _refs(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from _refs(one)
