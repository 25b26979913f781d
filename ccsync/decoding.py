"""Decodes the vendors' JSON: long texts by a faster library, where it is installed, with the same values.

That library refuses some of what the standard one reads (lone surrogates, numbers out of range). Whatever it refuses is
given to the standard one, whose word is final.
"""

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, TypedDict

_LONG = 20_000
"""Bytes of a text that is worth loading the library for (18 ms). Once it is there, it decodes the short ones, too."""


def decode(text: bytes) -> object:
    """Decode JSON. Raises `ValueError` or `RecursionError` for anything else; `NaN` is not JSON."""
    found = _fast(text, Any) if _is_worth_it(text) else _REFUSED
    return json.loads(text, parse_constant=_refuse_constant) if found is _REFUSED else found


def decode_page(text: bytes) -> object:
    """The same, but the `items` of a page may still be texts, which `decode_item` takes."""
    page = _fast(text, _page_type()) if _is_worth_it(text) and _library() else _REFUSED
    if isinstance(page, dict) and _is_utf8(text):  # the library does not look into what it skips
        return {**page, "items": [bytes(one) for one in page.get("items", ())]}
    return decode(text)


def decode_item(text: bytes, kind: Hashable = Any) -> object:
    """Decode an item of a page; of an object the keys that are wanted at least, where `kind` is a `TypedDict` of these.

    Raises nothing. A whole number of more digits than Python takes is read as infinite, like any other that is too
    large.
    """
    found = _fast(text, kind)
    if found is not _REFUSED:
        return found
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(text, parse_int=float)
    except RecursionError:  # who asks for it is too deep: a thread begins at the ground
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(json.loads, text).result()


_REFUSED = object()


def _fast(text: bytes, kind: Hashable) -> object:
    library = _library()
    if library is None:
        return _REFUSED
    try:
        found: object = _decoder(kind)(text)
    except (ValueError, RecursionError, library.MsgspecError):
        return _REFUSED
    return found


def _is_worth_it(text: bytes) -> bool:
    return len(text) >= _LONG or _library.cache_info().currsize > 0


@cache
def _library() -> Any:
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec


@cache
def _decoder(kind: Hashable) -> Any:
    return _library().json.Decoder(kind).decode


@cache
def _page_type() -> Any:
    # Spelled as values: a type checker takes no type that is known only once the library is there.
    make: Any = TypedDict
    many: Any = list
    return make("Page", {"totalCount": Any, "items": many[_library().Raw]}, total=False)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
