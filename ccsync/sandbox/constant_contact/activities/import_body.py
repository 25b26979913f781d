"""The body of a bulk import, cut silently as the vendor does.

"If the request body exceeds 4 MB, this method only imports the first 4 MB":
https://v3.developer.constantcontact.com/api_guide/import_contacts.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from ccsync.sandbox.constant_contact.activities.import_rows import type_problems
from ccsync.sandbox.constant_contact.errors import invalid
from ccsync.sandbox.constant_contact.validation import check_properties, is_uuid, read_json
from ccsync.sandbox.wire import Request

MOST_BYTES = 4_000_000
MOST_ROWS = 40_000
_MOST_LISTS = 50
_MOST_PROBLEMS = 20
_BLANK = " \t\n\r"

Row = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class ImportBody:
    """The part that will be imported, with its types checked."""

    rows: tuple[Row, ...]
    list_ids: tuple[str, ...]
    sms_permission: str


def read_import(request: Request) -> ImportBody:
    """Check the request and cut it as the vendor does."""
    body = read_json(request)
    check_properties(body, ("import_data", "list_ids", "sms_permission_to_send"), ("import_data", "list_ids"))
    list_ids, sms = body["list_ids"], body.get("sms_permission_to_send", "not_set")
    if not isinstance(list_ids, list) or not 1 <= len(list_ids) <= _MOST_LISTS:
        raise invalid(f"list_ids must be an array of 1 to {_MOST_LISTS} list ids.")
    if not all(isinstance(one, str) and is_uuid(one) for one in list_ids):
        raise invalid("list_ids must hold UUIDs.")
    if sms not in ("explicit", "not_set"):
        raise invalid("sms_permission_to_send must be explicit or not_set.")
    return ImportBody(_rows(body["import_data"], request.body), tuple(dict.fromkeys(list_ids)), str(sms))


def _rows(import_data: object, body: bytes) -> tuple[Row, ...]:
    if not isinstance(import_data, list):
        raise invalid("import_data must be an array.")
    if not import_data:
        raise invalid("import_data is empty.")
    if len(body) > MOST_BYTES:
        import_data = list(_whole_rows(body[:MOST_BYTES].decode(errors="ignore")))
    rows = import_data[:MOST_ROWS]
    problems = []
    for number, row in enumerate(rows):
        problems += [f"import_data[{number}]: {text}" for text in type_problems(row)]
        if len(problems) >= _MOST_PROBLEMS:
            break
    if problems:
        raise invalid(*problems)
    return cast("tuple[Row, ...]", tuple(rows))  # `type_problems` has seen every value


def _whole_rows(text: str) -> Iterator[object]:
    """The contacts that are complete in a cut body."""
    decoder = json.JSONDecoder()
    try:
        position = _import_data(text, decoder)
        while True:
            row, position = decoder.raw_decode(text, _skip(text, position, ","))
            yield row
    except (ValueError, IndexError):
        return


def _import_data(text: str, decoder: json.JSONDecoder) -> int:
    """Where the first contact begins."""
    position = _skip(text, 0, "{")
    while True:
        name, position = decoder.raw_decode(text, _skip(text, position, ","))
        position = _skip(text, position, ":")
        if name == "import_data":
            return _skip(text, position, "[")
        _, position = decoder.raw_decode(text, position)


def _skip(text: str, position: int, mark: str) -> int:
    """Step over blanks, and over `mark` where it is."""
    for one in (mark, ""):
        while text[position] in _BLANK:
            position += 1
        if one and text[position] == one:
            position += 1
    return position
