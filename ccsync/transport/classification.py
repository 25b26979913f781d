"""The one place that says what an HTTP answer of either vendor means for the next step."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from json import loads
from urllib.parse import urlsplit

from ccsync.transport.calls import Answer


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
class Meaning:
    """`detail` is the vendor's error code or our own words, never its prose: that may hold addresses.

    `wait_seconds` is what the vendor asks for, however long: who waits decides how long.
    """

    kind: Kind
    status: int = 0
    wait_seconds: float | None = None
    detail: str = ""


DEFAULT_WAIT_SECONDS = 60.0
LONGEST_NUMBER = 12
"""Digits of a number of seconds that are read: 30,000 years are enough."""


def classify(method: str, url: str, status: int, headers: Mapping[str, str], body: bytes) -> Meaning:
    """Judge one answer by its status, headers and body.

    Constant Contact: https://developer.constantcontact.com/api_guide/glossary_responses.html and
    https://developer.constantcontact.com/api_guide/rate_limits.html (two 429 bodies, no Retry-After).
    Kibo: https://docs.kibocommerce.com/help/api-best-practices (an empty 429 with Retry-After).
    """
    if 200 <= status < 300:
        return Meaning(Kind.OK, status)
    code = error_code(body)
    if status == 401:
        return Meaning(Kind.UNAUTHORIZED, status, detail=code)
    if status == 429:
        return _judge_429(method, url, headers, code)
    if status in (408, 425) or status >= 500:
        asked = _asked(headers)
        if asked is not None and asked > 0:
            return Meaning(Kind.WAIT, status, asked, code)
        return Meaning(Kind.TRANSIENT, status, detail=f"answered {status}")
    if status == 403 and _is_html(headers, body):
        # Cloudflare's page, not the API's answer.
        return Meaning(Kind.TRANSIENT, status, detail="answered 403 with a web page")
    if 300 <= status < 400:
        return Meaning(Kind.REFUSED, status, detail="a redirect, which is never followed")
    return Meaning(Kind.REFUSED, status, detail=code)


def _judge_429(method: str, url: str, headers: Mapping[str, str], code: str) -> Meaning:
    if code == "quota_exceeded":
        return Meaning(Kind.QUOTA, 429, detail=code)
    if "Retry-After" in headers:
        asked = _asked(headers)
        return Meaning(Kind.WAIT, 429, DEFAULT_WAIT_SECONDS if asked is None else max(asked, 1.0), code)
    if code == "throttled":
        return Meaning(Kind.THROTTLED, 429, 1.0, code)
    if method == "POST" and "/activities/" in urlsplit(url).path:
        return Meaning(Kind.QUEUE_FULL, 429, detail=code)
    return Meaning(Kind.WAIT, 429, DEFAULT_WAIT_SECONDS, code)


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


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    """Is this a web page where an API's answer should be (sign-in page, firewall, proxy)?"""
    kind = headers.get("Content-Type", "")
    return "html" in kind.lower() or body.lstrip()[:1] == b"<"


def decoded(answer: Answer, decode: Callable[[bytes], object]) -> tuple[object, Meaning]:
    """The JSON of an answer that is well; one that should be JSON and is not counts as one that did not arrive."""
    if answer.status >= 400 and not answer.body.strip():
        return None, Meaning(Kind.OK)  # Kibo's 404 may have an empty body
    try:
        return decode(answer.body), Meaning(Kind.OK)
    except (ValueError, RecursionError):
        what = "HTML" if _is_html(answer.headers, answer.body) else "something that is not JSON"
        return None, Meaning(Kind.TRANSIENT, detail=f"answered {what}")


def _asked(headers: Mapping[str, str]) -> float | None:
    return retry_after(headers.get("Retry-After"), http_date(headers.get("Date")))


def retry_after(value: str | None, sent_at: datetime | None) -> float | None:
    """Seconds asked for by a Retry-After header; `None` when it says nothing usable.

    A number, or an HTTP date: that is by the vendor's clock, and compared with when the answer was `sent_at`.
    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:LONGEST_NUMBER])
    at = http_date(text)
    return None if at is None or sent_at is None else max(0.0, (at - sent_at).total_seconds())


def http_date(text: str | None) -> datetime | None:
    """The time in an HTTP header such as `Date`; `None` where it is none."""
    try:
        at = parsedate_to_datetime(text or "")
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
