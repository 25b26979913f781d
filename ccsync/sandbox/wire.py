"""What passes between the HTTP server and a simulated vendor: one request in, one reply out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

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
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, headers={k.replace("_", "-"): v for k, v in headers.items()})


Handler = Callable[[Request], Reply]
"""A simulated vendor: called under one lock, so it needs none of its own."""
