"""A shop without sockets: ccsync's calls reach the sandbox inside the process, a thousand histories in a minute."""

import io
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from ccsync.cli.wiring import Clients
from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.wire import Request
from ccsync.state import Store
from tests.harness import Shop


class DirectAdapter(BaseAdapter):
    """Answers for every vendor; a reset or a cut answer is what `requests` makes of one."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__()
        urls = box.urls
        self._box = box
        self._vendors = {
            urlsplit(url).port: vendor
            for vendor, url in (
                ("kibo_home", urls.kibo_home),
                ("kibo_tenant", urls.kibo_tenant),
                ("cc_api", urls.cc_api),
                ("cc_auth", urls.cc_auth),
            )
        }

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        parts, body = urlsplit(request.url or ""), request.body or b""
        data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
        asked = Request(
            vendor=self._vendors[parts.port],
            method=request.method or "",
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=data,
        )
        reply, fault = self._box.exchange(asked)
        if fault is not None and fault.kind in ("reset-before", "reset-after"):
            raise requests.exceptions.ConnectionError("reset")
        if fault is not None and fault.kind == "truncated":
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


class DirectShop(Shop):
    """A shop whose vendors have no ports to listen on."""

    def _begin(self) -> None:
        """No server has to start."""

    def _clients(self, store: Store) -> Clients:
        tools = super()._clients(store)
        adapter = DirectAdapter(self.box)

        def session() -> requests.Session:
            made = requests.Session()
            made.mount("http://", adapter)
            return made

        for transport in (tools.kibo.transport, tools.constant_contact.transport, tools.sign_in):
            transport._new_session = session
        return tools
