"""What passes between the HTTP server and a simulated vendor: one request in, one reply out."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

Clock = Callable[[], datetime]
"""The sandbox's only source of time: aware UTC. Tests share a fake one with ccsync."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came over the wire; `query` keeps repeated parameters and their order."""

    vendor: str  # "kibo_home", "kibo_tenant", "cc_api", "cc_auth"
    method: str
    path: str  # without the query, percent-decoding not yet done
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `headers` come on top of Content-Type and Content-Length."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: int, value: object, **headers: str) -> "Reply":
        """Encode `value` compactly; a header's underscores become hyphens."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_marked)
        if _MARK in text:
            text = _MARKED.sub(r"\1", text)
        # A lone surrogate, which JSON may hold, goes out as its escape.
        return cls(
            status, text.encode(errors="backslashreplace"), headers={k.replace("_", "-"): v for k, v in headers.items()}
        )


_MARK = r'"\u0000number '
_MARKED = re.compile(re.escape(_MARK) + r'([-+.0-9E]+)"')


def _marked(value: object) -> str:
    """A decimal as a marked text: `json` writes floats, which lose digits."""
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return f"\0number {value}"


Handler = Callable[[Request], Reply]
"""A simulated vendor: called under one lock, so it needs none of its own."""
