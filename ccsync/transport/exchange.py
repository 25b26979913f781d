"""One exchange over the network, bounded in time and size whatever the other side does."""

from __future__ import annotations

import threading
from typing import BinaryIO
from urllib.parse import quote, urlencode

from ccsync.transport.calls import Answer, Call, Clock
from ccsync.transport.late import requests

CONNECT_SECONDS = 10
READ_SECONDS = 30
CALL_SECONDS = 60
"""A whole call, however slowly its answer drips: a socket's timeout bounds only each wait."""
GRACE_SECONDS = 5
"""What a call under way still gets once the run was asked to stop."""
MAX_ANSWER_BYTES = 20_000_000
MAX_FILE_BYTES = 2_000_000_000
FILE_SECONDS = 600
"""A file of a million addresses takes longer than an ordinary answer."""


class _Unsigned:
    """No authorization at all; being set keeps `requests` from looking into ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Signed(_Unsigned):
    """The authorization header, from us alone: `requests` would let ~/.netrc replace a plain header."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


def exchange(session: requests.Session, call: Call, bearer: str | None, clock: Clock) -> Answer:
    """Send `call` and read the whole answer.

    It runs in a thread of its own: names that do not resolve and headers that drip are bounded by no socket
    timeout. Raises what `requests` raises, or `TimeoutError`; after that the session may still be in use.
    """
    outcome: list[Answer | BaseException] = []
    done, given_up = threading.Event(), threading.Event()

    def run() -> None:
        try:
            outcome.append(_exchange(session, call, bearer, given_up))
        except BaseException as error:
            outcome.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="ccsync-call", daemon=True).start()
    waited, limit = 0.0, float(FILE_SECONDS if call.sink else CALL_SECONDS)
    while not done.wait(min(0.5, limit)):
        waited += 0.5
        if clock.is_stopping():
            limit = min(limit, waited + GRACE_SECONDS)
        if waited >= limit:
            given_up.set()
            raise TimeoutError(f"no whole answer within {waited:.0f} s")
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


def _exchange(session: requests.Session, call: Call, bearer: str | None, given_up: threading.Event) -> Answer:
    value = call.basic or (f"Bearer {bearer}" if bearer else None)
    if call.body is not None and not isinstance(call.body, bytes):
        call.body.seek(0)  # it may be the second try
    data = call.body if call.body is not None else call.form
    # Blanks as %20: Kibo's SDKs encode a filter so, and "+" there means a plus sign.
    query = "?" + urlencode(call.params, quote_via=quote, safe="") if call.params else ""
    headers = dict(call.headers or {})
    headers.setdefault("Accept", "application/json")
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    with session.request(
        call.method,
        call.url + query,
        json=call.json,
        data=data,
        headers=headers,
        auth=_Signed(value) if value else _Unsigned(),
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        allow_redirects=False,
        stream=True,
    ) as response:
        if call.sink is not None and 200 <= response.status_code < 300:
            _pour(response, call.sink, given_up)
            return Answer(response.status_code, response.headers, b"")
        body = bytearray()
        for chunk in response.iter_content(16_384):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise requests.exceptions.ContentDecodingError("the answer is too large")
        return Answer(response.status_code, response.headers, bytes(body))


def _pour(response: requests.Response, sink: BinaryIO, given_up: threading.Event) -> None:
    """Write the body into a file, which belongs to the next try once this one was given up."""
    sink.seek(0)
    sink.truncate()
    size = 0
    for chunk in response.iter_content(65_536):
        if given_up.is_set():
            raise TimeoutError
        size += sink.write(chunk)
        if size > MAX_FILE_BYTES:
            raise requests.exceptions.ContentDecodingError("the answer is too large")


def trouble(error: BaseException) -> str:
    """A short reason without URL or query, which may hold addresses and codes."""
    if isinstance(error, (requests.exceptions.Timeout, TimeoutError)):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "an answer that is too large or damaged"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer broke off"
    return "the connection failed"
