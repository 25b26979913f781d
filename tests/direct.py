"""The way to the sandbox without sockets: ccsync's calls are answered inside the process, on the caller's thread."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.wire import Request
from ccsync.transport.calls import Answer, Call, Clock
from ccsync.transport.exchange import Flight
from ccsync.transport.http import USER_AGENT, Transport

ON_THE_WIRE_ONLY = ("delay", "drip")


class Direct:
    """Answers for every vendor of a sandbox; a reset or a cut answer is what `requests` makes of one."""

    def __init__(self, box: Sandbox) -> None:
        urls = box.urls
        self._box = box
        self._vendors = {
            urlsplit(url).netloc: vendor
            for vendor, url in (
                ("kibo_home", urls.kibo_home),
                ("kibo_tenant", urls.kibo_tenant),
                ("cc_api", urls.cc_api),
                ("cc_auth", urls.cc_auth),
            )
        }

    def serves(self, url: str) -> bool:
        """Is it a vendor's? A test's own servers are spoken to over the wire."""
        return urlsplit(url).netloc in self._vendors

    def answer(self, call: Call, bearer: str | None) -> Answer:
        """What the vendor answers, or what `requests` raises."""
        reply, fault = self._box.exchange(self._request(call, bearer))
        if fault is not None:
            assert fault.kind not in ON_THE_WIRE_ONLY, f"{fault.kind} needs a shop with a wire"
            if fault.kind in ("reset-before", "reset-after"):
                raise requests.exceptions.ConnectionError("reset")
            if fault.kind == "truncated":
                raise requests.exceptions.ChunkedEncodingError("cut")
        headers = CaseInsensitiveDict({**reply.headers, "Content-Length": str(len(reply.body))})
        if reply.body:
            headers["Content-Type"] = reply.content_type
        if call.sink is not None and 200 <= reply.status < 300:
            call.sink.seek(0)
            call.sink.truncate()
            call.sink.write(reply.body)
            return Answer(reply.status, headers, b"")
        return Answer(reply.status, headers, reply.body)

    def _request(self, call: Call, bearer: str | None) -> Request:
        parts = urlsplit(call.url)
        headers = {"user-agent": USER_AGENT, "accept": "application/json"}
        headers |= {name.lower(): value for name, value in (call.headers or {}).items()}
        if value := call.basic or (f"Bearer {bearer}" if bearer else None):
            headers["authorization"] = value
        body = b""
        if call.body is not None:
            if not isinstance(call.body, bytes):
                call.body.seek(0)  # it may be the second try
            body = call.body if isinstance(call.body, bytes) else call.body.read()
        elif call.json is not None:
            body = json.dumps(call.json, allow_nan=False).encode()
        if call.body is not None or call.json is not None:
            headers["content-type"] = "application/json"
        elif call.form is not None:
            body = urlencode(call.form).encode()
            headers["content-type"] = "application/x-www-form-urlencoded"
        query = [*parse_qsl(parts.query, keep_blank_values=True), *(call.params or {}).items()]
        vendor = self._vendors[parts.netloc]
        return Request(vendor, call.method, parts.path, tuple(query), headers, body)


_open: list[Direct] = []
"""Those of the shops that are open and have no wire."""
_over_the_wire = Transport._fly
_session = requests.Session()
"""Nothing goes over it, and making one takes longer than an answer."""


class DirectFlight(Flight):
    """A call that is answered at once; the answer is not seen before somebody waits for it, as over the wire."""

    def __init__(self, direct: Direct, call: Call, bearer: str | None, clock: Clock) -> None:
        super().__init__(_session, call, bearer, clock, threading.Event())
        self.is_out, self._is_seen = True, False
        try:
            self._outcome = direct.answer(call, bearer)
        except requests.exceptions.RequestException as error:
            self._outcome = error
        self.answered_at = clock.monotonic()

    @property
    def is_over(self) -> bool:
        return self._is_seen

    @property
    def went_wrong(self) -> bool:
        return self._is_seen and super().went_wrong

    def wait(self, meanwhile: Callable[[], None]) -> Answer:
        meanwhile()
        self._is_seen = True
        return super().wait(meanwhile)


def _fly(transport: Transport, call: Call, bearer: str | None, seconds: float) -> Flight:
    """Stands in for `Transport._fly`, without its thread, its connection and its bounds."""
    for one in _open:
        if one.serves(call.url):
            transport._clock.sleep(seconds)
            return DirectFlight(one, call, bearer, transport._clock)
    return _over_the_wire(transport, call, bearer, seconds)


Transport._fly = _fly  # type: ignore[method-assign]


@contextlib.contextmanager
def without_wire(box: Sandbox) -> Iterator[None]:
    """What is asked of this sandbox meanwhile reaches it directly."""
    direct = Direct(box)
    _open.append(direct)
    try:
        yield
    finally:
        _open.remove(direct)
