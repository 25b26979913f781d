"""Listens to every exchange with every sandbox of this process, and checks it as it happens.

So no call can slip in unchecked, whichever test makes it. Requests are checked where ccsync or a vendor's own client
makes them; a test of the sandbox sends nonsense on purpose. An answer that a test has faked is the test's own.
"""

import weakref
from collections import Counter
from typing import Any

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.faults import Fault
from ccsync.sandbox.server import Servers
from ccsync.sandbox.wire import Reply, Request
from tests.exchanges.check import Mismatch, mismatches
from tests.exchanges.description import Exchange, find
from tests.sdk.programs import driven

CLIENTS = ("ccsync", "openapi-generator", "node")
"""How the User-Agents of programs begin that send nothing else than what is described."""
UNKNOWN_TO_THE_CLIENTS = {
    "GET /automations/workflows",  # the description has it since 3.0.178, the vendor's client is older
    "GET /automations/workflows/{automation_flow_id}",
}
DRIVEN = frozenset({*driven("cc"), *driven("kibo"), *UNKNOWN_TO_THE_CLIENTS})
"""The operations that the vendors' own clients drive: ccsync may make no others."""


class Watch:
    """What was seen so far, and what of it does not fit."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._found: list[Mismatch] = []  # without a lock: tests fork, and a copy would wait for it forever

    def look_at(self, request: Request, reply: Reply, *, is_real: bool) -> None:
        """Check one exchange; of an answer that is not the vendor's own, nothing.

        The authorization server is in no description: oauthlib tries it in tests/sdk.
        """
        vendor, _, host = request.vendor.partition("_")
        if host == "auth":
            return
        path = request.path.rstrip("/") if vendor == "kibo" else request.path  # older SDKs put a slash before the query
        exchange = Exchange(
            vendor=vendor,
            method=request.method,
            path=path,
            query=request.query,
            content_type=request.headers.get("content-type", ""),
            body=request.body,
            status=reply.status,
            answer_type=reply.content_type,
            answer=reply.body,
        )
        agent = request.headers.get("user-agent", "").lower()
        found = mismatches(exchange, of_request=agent.startswith(CLIENTS), of_answer=is_real)
        operation = find(vendor, request.method, path)
        if agent.startswith("ccsync") and operation is not None and operation.name not in DRIVEN:
            found.append(Mismatch(operation.name, "request", "", "no client in tests/sdk drives this operation"))
        self.seen[vendor] += 1
        self._found += found

    def take(self) -> list[str]:
        """What does not fit since the last time, as texts."""
        found, self._found = self._found, []
        return list(dict.fromkeys(map(str, found)))


WATCH = Watch()
_hostile: "weakref.WeakSet[Servers]" = weakref.WeakSet()
"""Their stores hold what no description allows: what they answer is not checked."""
_exchanged, _made = Servers.exchange, Sandbox.__init__


def _exchange(servers: Servers, request: Request) -> tuple[Reply, Fault | None]:
    reply, fault = _exchanged(servers, request)
    WATCH.look_at(request, reply, is_real=fault is None and servers not in _hostile)
    return reply, fault


def _make(box: Sandbox, *arguments: Any, **more: Any) -> None:
    _made(box, *arguments, **more)
    if box.settings.hostile:
        _hostile.add(box._servers)


Servers.exchange, Sandbox.__init__ = _exchange, _make  # type: ignore[method-assign]
