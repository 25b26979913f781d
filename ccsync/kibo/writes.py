"""What is written to a customer account: one flag in the whole account as Kibo showed it, and the answer compared.

There is no PATCH, and a PUT blanks what it leaves out: https://github.com/Mozu/mozu-storefront-sdk
(`src/types/customer.js`). So only an account that was read whole can be written.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ccsync.models import Customer, JsonObject

CONSENT = "acceptsMarketing"
# Kibo works these out itself: a PUT cannot set them, and they may move meanwhile.
_KIBOS_OWN = frozenset({"auditInfo", "commerceSummary"})


@dataclass(frozen=True, slots=True)
class WholeAccount:
    """An account by its single reading, without any selection of fields. Only the client makes one.

    `text` is the JSON as it came: what is written back is this text, for numbers do not survive being read.
    """

    customer: Customer
    raw: JsonObject = field(repr=False)
    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """Kibo's answer to a PUT: the account as it is now, and the names of fields that are not as they were written."""

    customer: Customer
    differing: tuple[str, ...]


def with_consent(text: bytes, accepts: bool) -> bytes:
    """The same account with another consent, as UTF-8. All else of it stays as it came, to the digit.

    `text` is a JSON object that has been read well. Raises `ValueError` for anything else.
    """
    account, value = text.decode(json.detect_encoding(text), "surrogatepass"), "true" if accepts else "false"
    spans = [(start, end) for key, start, end in _members(account) if key == CONSENT]
    for start, end in reversed(spans):
        account = account[:start] + value + account[end:]
    if not spans:
        before, _, after = account.partition("{")
        account = f'{before}{{"{CONSENT}":{value}{"" if after.lstrip().startswith("}") else ","}{after}'
    return account.encode(errors="backslashreplace")  # a lone surrogate as its escape, as JSON has it


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """The keys of a JSON object, each with where its value begins and ends."""
    decoder, at = json.JSONDecoder(), _skip(text, 0, "{")
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        start = _skip(text, at, ":")
        _, end = decoder.raw_decode(text, start)
        yield key, start, end
        at = _skip(text, end, ",")


def _skip(text: str, at: int, mark: str) -> int:
    """Where what follows the mark begins; a comma may be missing before the end."""
    at = _after_blanks(text, at)
    return _after_blanks(text, at + 1) if text[at] == mark else at


def _after_blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def differing_fields(sent: JsonObject, shown: JsonObject) -> tuple[str, ...]:
    """The names of the fields in which an answer differs from what was written."""
    names = (sent.keys() | shown.keys()) - _KIBOS_OWN
    return tuple(sorted(name for name in names if _plain(sent.get(name)) != _plain(shown.get(name))))


def _plain(value: object) -> object:
    """The value without Kibo's own parts; what is empty is the same as what is absent."""
    if isinstance(value, Mapping):
        found = {key: _plain(one) for key, one in value.items() if key not in _KIBOS_OWN}
        return {key: one for key, one in found.items() if one is not None} or None
    if isinstance(value, list):
        return [_plain(one) for one in value] or None
    if isinstance(value, bool):
        return str(value)  # else true equals 1
    return None if value == "" else value
