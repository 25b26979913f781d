"""How Kibo reads and refuses requests: parameters as strictly as they are declared, errors in its own shape.

Error body: https://github.com/Mozu/mozu-java (`ApiError.java`).
"""

import json
import secrets
from collections.abc import Set
from decimal import Decimal

from ccsync.sandbox.kibo import query as language
from ccsync.sandbox.kibo.accounts import Account
from ccsync.sandbox.kibo.put import BadBody
from ccsync.sandbox.wire import Reply, Request

DEFAULT_PAGE_SIZE = 20
MOST_PAGE_SIZE = 200
PAGE_FIELDS = frozenset({"startIndex", "pageSize", "pageCount", "totalCount", "items"})
_NOT_SIMULATED = {"fields", "userId"}  # declared, but nothing is known of what they do


class Turned(Exception):
    """A rule of the sandbox refuses the request with this answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Refused(Exception):
    """The request is refused with a status and a code."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status
        self.code = code

    def reply(self, application: str) -> Reply:
        """The answer, in the name of the application that the path belongs to."""
        correlation = secrets.token_hex(16)
        body: Account = {
            "applicationName": application,
            "errorCode": self.code,
            "message": str(self),
            "correlationId": correlation,
        }
        body |= {"items": [], "additionalErrorData": []}
        wait = {} if self.retry_after is None else {"Retry_After": str(self.retry_after)}
        return Reply.json(self.status, body, x_vol_correlation=correlation, **wait)


def application_of(path: str) -> str:
    """The application behind a path; the names are those of the vendor's own descriptions."""
    for begins, name in _APPLICATIONS:
        if path.startswith(begins):
            return name
    return "Platform"


_APPLICATIONS = (
    ("/api/commerce/customer", "Customer"),
    ("/api/event", "Event"),
    ("/api/platform/tenants", "Tenant"),
    ("/api/platform/applications", "AppDev"),
)


def want(request: Request, *methods: str) -> None:
    """Refuse every other method."""
    if request.method not in methods:
        raise Refused(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here")


def selected(value: object, asked: dict[str, str], known: Set[str], **inner: Set[str]) -> object:
    """The part of an answer that `responseFields` asks for."""
    if "responseFields" not in asked:
        return value
    return language.select(value, language.parse_selection(asked["responseFields"], known, **inner))


def json_body(request: Request) -> Account:
    """The body as a JSON object; numbers with a point keep every digit."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json")
    try:
        body = json.loads(request.body, parse_float=Decimal)
    except ValueError:
        raise BadBody("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadBody("the body is not an object")
    return body


def parameters(request: Request, allowed: Set[str]) -> dict[str, str]:
    """The query; undeclared and repeated parameters are refused, empty ones are absent.

    Published clients send `startIndex=&isAnonymous=&filter=` (https://github.com/Mozu/mozu-node-sdk).
    """
    names = [name for name, _ in request.query]
    for name, value in request.query:
        if name in _NOT_SIMULATED and value:
            raise Refused(400, "VALIDATION_ERROR", f"the sandbox does not simulate {name}")
        if name not in allowed | _NOT_SIMULATED:
            raise Refused(400, "VALIDATION_ERROR", f"unknown parameter {name[:40]}")
    if len(set(names)) < len(names):
        raise Refused(400, "VALIDATION_ERROR", "a parameter is given twice")
    return {name: value for name, value in request.query if value}


def number(asked: dict[str, str], name: str, default: int) -> int:
    """A whole number of the query."""
    text = asked.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or int(text) > 2**31 - 1:
        raise Refused(400, "VALIDATION_ERROR", f"{name} is a whole number")
    return int(text)


def flag(asked: dict[str, str], name: str) -> bool | None:
    """A boolean of the query; `None` when it is absent."""
    text = asked.get(name)
    if text is None:
        return None
    if text.lower() not in ("true", "false"):
        raise Refused(400, "VALIDATION_ERROR", f"{name} is true or false")
    return text.lower() == "true"


def page_bounds(asked: dict[str, str], page_over_200: str) -> tuple[int, int]:
    """Where the page begins, a record's number, and how many it may hold."""
    start, size = number(asked, "startIndex", 0), number(asked, "pageSize", 0) or DEFAULT_PAGE_SIZE
    if size > MOST_PAGE_SIZE:
        if page_over_200 == "refuse":
            raise Refused(400, "VALIDATION_ERROR", f"pageSize is at most {MOST_PAGE_SIZE}")
        size = MOST_PAGE_SIZE
    return start, size
