"""A single exchange over the network, with limits on time and size that hold whatever the other side does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import quote, urlencode

from ccsync.transport.calls import Answer, Call, Clock
from ccsync.transport.late import requests

CONNECT_SECONDS = 10
READ_SECONDS = 30
CALL_SECONDS = 60
"""For a whole call, even if its answer trickles in: a socket timeout only limits each single wait."""
GRACE_SECONDS = 5
"""How long a call in flight may still take once the run was asked to stop."""
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


class Flight:
    """One call on its way: it waits for its slot, goes out, and is answered.

    It has a thread of its own: names that do not resolve and headers that drip are bounded by no socket timeout.
    `news` is set whenever it gets further. Its session belongs to it until `wait` has returned its answer.
    """

    def __init__(
        self, session: requests.Session, call: Call, bearer: str | None, clock: Clock, news: threading.Event
    ) -> None:
        self.session, self.call, self.bearer = session, call, bearer
        self._clock, self._news = clock, news
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self._went_out_at = 0.0
        self._outcome: Answer | BaseException | None = None
        self.is_out = False
        """Has it been sent? Until then it can be canceled without a trace."""
        self.is_free = False
        """Once it was called off: is its session in use no longer? Otherwise its thread closes the session."""
        self.answered_at = 0.0
        """When its answer came, by the run's clock: somebody else's turn may have been first."""
        self.seconds = 0.0
        """How long it took."""

    @property
    def is_over(self) -> bool:
        return self._outcome is not None

    @property
    def went_wrong(self) -> bool:
        """Has it ended without success?"""
        answer = self._outcome
        if isinstance(answer, Answer):
            return answer.status >= 400 and answer.status not in self.call.accepts
        return answer is not None

    def start(self, seconds: float) -> None:
        """Let it go out after so many seconds."""
        threading.Thread(target=self._run, args=(seconds,), name="ccsync-call", daemon=True).start()

    def call_off(self) -> bool:
        """Cancel it; return whether it was never sent."""
        with self._lock:
            self._given_up.set()
            self.is_free = not self.is_out or self.is_over
            return not self.is_out

    def _run(self, seconds: float) -> None:
        self._given_up.wait(seconds)
        with self._lock:
            if self._given_up.is_set():
                return
            self.is_out, self._went_out_at = True, self._clock.monotonic()
        self._news.set()
        outcome: Answer | BaseException
        try:
            outcome = _exchange(self.session, self.call, self.bearer, self._given_up)
        except BaseException as error:
            outcome = error
        self.answered_at = self._clock.monotonic()
        self.seconds = self.answered_at - self._went_out_at
        with self._lock:  # whoever calls it off meanwhile knows who has the session
            self._outcome = outcome
            is_nobodys = self._given_up.is_set()
        self._news.set()
        if is_nobodys:
            self.session.close()

    def wait(self, meanwhile: Callable[[], None]) -> Answer:
        """Return its answer; `meanwhile` is called again and again until it is there.

        Raises what `requests` raises, or `TimeoutError`; after that the session may still be in use.
        """
        waited, limit = 0.0, float(FILE_SECONDS if self.call.sink else CALL_SECONDS)
        while self._outcome is None:
            self._news.clear()  # first: what happens while we look must not be missed
            meanwhile()
            if self._outcome is not None:
                break
            if self._clock.is_stopping():
                limit = min(limit, waited + GRACE_SECONDS)
            if waited >= limit:
                self.call_off()
                raise TimeoutError(f"no whole answer within {waited:.0f} s")
            waited += 0.0 if self._news.wait(0.5) else 0.5
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


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
        for chunk in response.iter_content(131_072):
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
