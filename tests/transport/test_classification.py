"""What each answer means for the next step."""

import json
from datetime import UTC, datetime

import pytest

from ccsync.transport.classification import Kind, classify, error_code, retry_after

IMPORT = "https://api.cc.email/v3/activities/contacts_json_import"
CONTACTS = "https://api.cc.email/v3/contacts"
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


def body(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("method", "url", "status", "headers", "content", "kind", "wait"),
    [
        ("GET", CONTACTS, 200, JSON, b"{}", Kind.OK, None),
        ("POST", IMPORT, 201, JSON, b"{}", Kind.OK, None),
        ("GET", CONTACTS, 202, JSON, b"{}", Kind.OK, None),
        ("GET", CONTACTS, 301, {}, b"", Kind.REFUSED, None),
        ("GET", CONTACTS, 400, JSON, body([{"error_key": "contacts.api.validation.error"}]), Kind.REFUSED, None),
        ("GET", CONTACTS, 401, JSON, body({"error_key": "unauthorized"}), Kind.UNAUTHORIZED, None),
        ("GET", CONTACTS, 403, JSON, body({"error_key": "access_denied"}), Kind.REFUSED, None),
        ("GET", CONTACTS, 403, HTML, b"<html>", Kind.TRANSIENT, None),
        ("GET", CONTACTS, 403, {}, b"  <!doctype html>", Kind.TRANSIENT, None),
        ("GET", CONTACTS, 404, JSON, body([{"error_key": "contacts.api.not_found"}]), Kind.REFUSED, None),
        ("GET", CONTACTS, 408, {}, b"", Kind.TRANSIENT, None),
        ("GET", CONTACTS, 409, JSON, body([{"error_key": "contacts.api.conflict"}]), Kind.REFUSED, None),
        ("GET", CONTACTS, 429, JSON, body({"error_key": "throttled"}), Kind.THROTTLED, 1.0),
        ("GET", CONTACTS, 429, JSON, body({"error_key": "quota_exceeded"}), Kind.QUOTA, None),
        ("POST", IMPORT, 429, JSON, body({"error_key": "throttled"}), Kind.THROTTLED, 1.0),
        ("POST", IMPORT, 429, JSON, body([{"error_key": "activities.api.too_many"}]), Kind.QUEUE_FULL, None),
        ("GET", CONTACTS, 429, {"Retry-After": "900"}, b"", Kind.WAIT, 900.0),
        ("GET", CONTACTS, 429, {"Retry-After": "0"}, b"", Kind.WAIT, 1.0),
        ("GET", CONTACTS, 429, {"Retry-After": "soon"}, b"", Kind.WAIT, 60.0),
        ("GET", CONTACTS, 429, {"Retry-After": "-1"}, b"", Kind.WAIT, 60.0),
        ("GET", CONTACTS, 429, {}, b"", Kind.WAIT, 60.0),
        ("GET", CONTACTS, 500, JSON, b"", Kind.TRANSIENT, None),
        ("GET", CONTACTS, 502, HTML, b"<html>", Kind.TRANSIENT, None),
        ("GET", CONTACTS, 503, {"Retry-After": "7"}, b"", Kind.WAIT, 7.0),
        ("GET", CONTACTS, 504, {}, b"", Kind.TRANSIENT, None),
    ],
)
def test_every_answer_has_one_meaning(
    method: str, url: str, status: int, headers: dict[str, str], content: bytes, kind: Kind, wait: float | None
) -> None:
    """Each status and body of either vendor leads to exactly one next step."""
    verdict = classify(method, url, status, headers, content)
    assert (verdict.kind, verdict.wait_seconds) == (kind, wait)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", ""),
        (b"<html>", ""),
        (b"null", ""),
        (b"[]", ""),
        (b'"text"', ""),
        (body({"error_key": "throttled"}), "throttled"),
        (body([{"error_key": "contacts.api.conflict"}]), "contacts.api.conflict"),
        (body({"error": "invalid_grant", "error_description": "pat@example.com"}), "invalid_grant"),
        (body({"errorCode": "ITEM_NOT_FOUND", "message": "pat@example.com"}), "ITEM_NOT_FOUND"),
        (body({"error_key": "pat@example.com \x1b[2J"}), "patexample.com2J"),
        (b"[" * 200_000, ""),
    ],
)
def test_only_the_machine_readable_code_is_taken(content: bytes, code: str) -> None:
    """Error bodies come as objects, arrays, OAuth errors, Kibo errors, web pages or nothing; prose is never used."""
    assert error_code(content) == code


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 2300815680.0),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("9" * 5_000, 999_999_999_999.0),
        ("-30", None),
        ("1e9", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_by_the_vendor_s_clock(value: str | None, seconds: float | None) -> None:
    """A date is compared with the answer's own Date, whatever our clock says; nonsense is nothing, and never less."""
    assert retry_after(value, datetime(2026, 11, 23, 12, tzinfo=UTC)) == seconds


def test_a_date_without_the_vendor_s_clock_says_nothing() -> None:
    """Where the answer has no Date, a Retry-After that is a date cannot be read."""
    verdict = classify("GET", CONTACTS, 429, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, b"")
    assert verdict.wait_seconds == 60.0
