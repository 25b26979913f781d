"""The way to the sandbox without sockets: ccsync's calls are answered inside the process, on the caller's thread."""

import contextlib
import io
import threading
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.wire import Request
from ccsync.transport import Answer, Call, Transport
from ccsync.transport import exchange as wire
from ccsync.transport.http import USER_AGENT

ON_THE_WIRE_ONLY = ("delay", "drip")


class DirectAdapter(BaseAdapter):
    """Answers for every vendor; a reset or a cut answer is what `requests` makes of one."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__()
        urls = box.urls
        self._box = box
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["User-Agent"] = USER_AGENT
        self.session.mount("http://", self)
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

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        parts, body = urlsplit(request.url or ""), request.body or b""
        data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
        asked = Request(
            vendor=self._vendors[parts.netloc],
            method=request.method or "",
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=data,
        )
        reply, fault = self._box.exchange(asked)
        if fault is not None:
            assert fault.kind not in ON_THE_WIRE_ONLY, f"{fault.kind} needs a shop with a wire"
            if fault.kind in ("reset-before", "reset-after"):
                raise requests.exceptions.ConnectionError("reset")
            if fault.kind == "truncated":
                raise requests.exceptions.ChunkedEncodingError("cut")
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        headers |= {"Content-Type": reply.content_type} if reply.body else {}
        response = requests.Response()
        response.status_code, response.url, response.request = reply.status, request.url or "", request
        response.headers.update(headers)
        response.raw = HTTPResponse(io.BytesIO(reply.body), headers=headers, status=reply.status, preload_content=False)
        return response

    def close(self) -> None:
        """There is nothing to close."""


_open: list[DirectAdapter] = []
"""Those of the shops that are open and have no wire."""
_over_the_wire = Transport._exchange


def _exchange(transport: Transport, call: Call, bearer: str | None) -> Answer:
    """Stands in for `Transport._exchange`: the same building and reading of a call, without its thread."""
    for adapter in _open:
        if adapter.serves(call.url):
            return wire._exchange(adapter.session, call, bearer, threading.Event())
    return _over_the_wire(transport, call, bearer)


Transport._exchange = _exchange  # type: ignore[method-assign]


@contextlib.contextmanager
def without_wire(box: Sandbox) -> Iterator[None]:
    """What is asked of this sandbox meanwhile reaches it directly."""
    adapter = DirectAdapter(box)
    _open.append(adapter)
    try:
        yield
    finally:
        _open.remove(adapter)
