"""The one place that says what an HTTP answer of either vendor means for the next step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from json import loads
from urllib.parse import urlsplit


class Kind(Enum):
    """What to do about an answer."""

    OK = auto()
    UNAUTHORIZED = auto()  # renew the token once
    THROTTLED = auto()  # per-second limit: wait a moment
    WAIT = auto()  # wait as long as the vendor says
    QUOTA = auto()  # nothing more today
    QUEUE_FULL = auto()  # too many bulk jobs are waiting
    TRANSIENT = auto()  # try again with backoff
    REFUSED = auto()  # waiting does not help


@dataclass(frozen=True, slots=True)
class Verdict:
    """`detail` is the vendor's error code or our own words, never its prose: that may hold addresses."""

    kind: Kind
    status: int = 0
    wait_seconds: float | None = None
    detail: str = ""


DEFAULT_WAIT_SECONDS = 60.0


def classify(method: str, url: str, status: int, headers: Mapping[str, str], body: bytes) -> Verdict:
    """Judge one answer by its status, headers and body.

    Constant Contact: https://developer.constantcontact.com/api_guide/glossary_responses.html and
    https://developer.constantcontact.com/api_guide/rate_limits.html (two 429 bodies, no Retry-After).
    Kibo: https://docs.kibocommerce.com/help/api-best-practices (an empty 429 with Retry-After).
    """
    if 200 <= status < 300:
        return Verdict(Kind.OK, status)
    code = error_code(body)
    if status == 401:
        return Verdict(Kind.UNAUTHORIZED, status, detail=code)
    if status == 429:
        return _judge_429(method, url, headers, code)
    if status in (408, 425) or status >= 500:
        asked = retry_after(headers.get("Retry-After"))
        if asked is not None and asked > 0:
            return Verdict(Kind.WAIT, status, asked, code)
        return Verdict(Kind.TRANSIENT, status, detail=f"answered {status}")
    if status == 403 and is_html(headers, body):
        # Cloudflare's page, not the API's answer.
        return Verdict(Kind.TRANSIENT, status, detail="answered 403 with a web page")
    if 300 <= status < 400:
        return Verdict(Kind.REFUSED, status, detail="a redirect, which is never followed")
    return Verdict(Kind.REFUSED, status, detail=code)


def _judge_429(method: str, url: str, headers: Mapping[str, str], code: str) -> Verdict:
    if code == "quota_exceeded":
        return Verdict(Kind.QUOTA, 429, detail=code)
    if "Retry-After" in headers:
        asked = retry_after(headers["Retry-After"])
        return Verdict(Kind.WAIT, 429, DEFAULT_WAIT_SECONDS if asked is None else max(asked, 1.0), code)
    if code == "throttled":
        return Verdict(Kind.THROTTLED, 429, 1.0, code)
    if method == "POST" and "/activities/" in urlsplit(url).path:
        return Verdict(Kind.QUEUE_FULL, 429, detail=code)
    return Verdict(Kind.WAIT, 429, DEFAULT_WAIT_SECONDS, code)


def error_code(body: bytes) -> str:
    """The vendor's machine-readable code in an error body: object, array, OAuth, Kibo, or none ("")."""
    try:
        value = loads(body) if body else None
    except (ValueError, RecursionError):
        return ""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return ""
    for key in ("error_key", "errorCode", "error"):
        code = value.get(key)
        if isinstance(code, str):
            return re.sub(r"[^A-Za-z0-9._-]", "", code)[:80]
    return ""


def is_html(headers: Mapping[str, str], body: bytes) -> bool:
    """Is this a web page where an API's answer should be (sign-in page, firewall, proxy)?"""
    kind = headers.get("Content-Type", "")
    return "html" in kind.lower() or body.lstrip()[:1] == b"<"


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds asked for by a Retry-After header (number or HTTP date); `None` when it says nothing usable."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
