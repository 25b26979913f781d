"""The vendors' HTTP servers on loopback: one port each, HTTP/1.1, each vendor handles one request at a time."""

import contextlib
import socket
import struct
import sys
import threading
import time
import traceback
import weakref
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from ccsync.sandbox.faults import Fault, Faults
from ccsync.sandbox.wire import Handler, Reply, Request

MOST_RECORDS = 100_000


@dataclass(frozen=True, slots=True)
class Record:
    """One handled request."""

    number: int
    vendor: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int
    body: bytes

    @property
    def is_mutating(self) -> bool:
        """Whether the call could change anything at the vendor."""
        return self.method not in ("GET", "HEAD")


class RequestLog:
    """What came over the wire: counters for all requests, and the newest requests in full."""

    def __init__(self, keeps_bodies: bool = True) -> None:
        self.records: deque[Record] = deque(maxlen=MOST_RECORDS)
        self.calls: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self._keeps_bodies = keeps_bodies
        self._lock = threading.Lock()  # both vendors write at the same time

    def add(self, request: Request, reply: Reply) -> None:
        """Note one request and its answer."""
        body = request.body if self._keeps_bodies else b""
        with self._lock:
            self.calls[request.vendor] += 1
            self.bytes[request.vendor] += len(request.body) + len(reply.body)
            number = self.calls.total()
            record = Record(number, request.vendor, request.method, request.path, request.query, reply.status, body)
            self.records.append(record)


def _close_all(servers: "tuple[_Server, ...]") -> None:
    for one in servers:
        one.close_all()


class Servers:
    """Listens for every vendor; a vendor's `handlers` are called under its lock."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        faults: Faults,
        log: RequestLog,
        next_date: Callable[[str], datetime],
        latency_seconds: Callable[[str], float] = lambda _: 0.0,
        port_base: int = 0,
    ) -> None:
        self._handlers = handlers
        self._faults = faults
        self._log = log
        self._next_date = next_date
        self._latency_seconds = latency_seconds
        # Each vendor is one machine: an import under way at one does not hold up the other.
        self._locks = {"kibo": threading.RLock(), "cc": threading.RLock()}
        self._servers: dict[str, _Server] = {}
        self._threads: list[threading.Thread] = []
        self._at_exit: weakref.finalize[..., Servers] | None = None
        try:
            for place, vendor in enumerate(handlers):
                port = port_base + place if port_base else 0
                self._servers[vendor] = _Server(("127.0.0.1", port), self._handler_for(vendor))
        except OSError:
            self.stop()
            raise
        # A server that is never stopped closes its ports when the program ends; garbage collection would only warn.
        self._at_exit = weakref.finalize(self, _close_all, tuple(self._servers.values()))

    def port(self, vendor: str) -> int:
        """The port on which `vendor` listens."""
        return int(self._servers[vendor].server_address[1])

    def start(self) -> None:
        """Start answering."""
        for server in self._servers.values():
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Close every port and connection, begun or not."""
        if self._threads:
            stopping = [threading.Thread(target=server.shutdown) for server in self._servers.values()]
            for one in stopping:
                one.start()
            for one in (*stopping, *self._threads):
                one.join()
            self._threads.clear()
        _close_all(tuple(self._servers.values()))
        if self._at_exit is not None:
            self._at_exit.detach()

    def _handler_for(self, vendor: str) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Connection(_Connection):
            def answer(self) -> None:
                owner.answer(vendor, self)

        return Connection

    def answer(self, vendor: str, connection: "_Connection") -> None:
        """Handle one request of a connection."""
        request = connection.read_request(vendor)
        if request is None:
            return
        if vendor == "control":
            with self._locks["kibo"], self._locks["cc"]:
                connection.send_reply(self._handlers[vendor](request))
            return
        wait = self._latency_seconds(vendor)
        # Half of it before handling, so that concurrent calls are handled in another order than they were sent.
        time.sleep(wait / 2)
        reply, fault = self.exchange(request)
        time.sleep(wait / 2)
        connection.send_faulty(reply, fault)

    def exchange(self, request: Request) -> tuple[Reply, Fault | None]:
        """The vendor's answer to one request, and the fault to send it with; without a wire."""
        vendor = request.vendor
        with self._locks[vendor.partition("_")[0]]:
            self._faults.run_hooks(request)
            fault = self._faults.of(request)
            does_it = fault is None or fault.has_effect
            reply = self._handlers[vendor](request) if does_it else Reply(0)
            if fault is not None:
                reply = fault.reply(reply)
            self._log.add(request, reply)
        if "Date" in reply.headers:  # a fault's own
            return reply, fault
        dated = {**reply.headers, "Date": format_datetime(self._next_date(vendor).astimezone(UTC), usegmt=True)}
        return Reply(reply.status, reply.body, reply.content_type, dated), fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()
        self._resetting: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            with self._open_lock:
                self._open.add(request)
        super().process_request(request, client_address)

    def reset(self, connection: socket.socket) -> None:
        """Let this connection end with a reset."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._open_lock:
            self._resetting.add(connection)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """End a connection. One that is to be reset gets no orderly end first."""
        if not isinstance(request, socket.socket):
            return
        with self._open_lock:
            self._open.discard(request)
            is_reset = request in self._resetting
            self._resetting.discard(request)
        if is_reset:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that went away; show an error of the sandbox itself."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()

    def close_all(self) -> None:
        self.server_close()
        with self._open_lock:
            left = list(self._open)
        for one in left:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Connection(BaseHTTPRequestHandler, ABC):
    """One client's connection; keeps it open between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # two small packets would otherwise wait 40 ms for each other
    timeout = 120

    @abstractmethod
    def answer(self) -> None:
        """Handle the request whose head was read."""

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = lambda self: self.answer()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the log of requests is elsewhere."""

    def read_request(self, vendor: str) -> Request | None:
        """The request with its whole body; `None` if it was refused or the client went away."""
        parts = urlsplit(self.path)
        length = self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self.close_connection = True
            self.send_reply(Reply(411, b"the body needs a Content-Length", "text/plain"))
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return Request(
            vendor=vendor,
            method=self.command,
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def send_faulty(self, reply: Reply, fault: Fault | None) -> None:
        """Send `reply` as the fault wants it."""
        kind = fault.kind if fault else ""
        if kind in ("reset-before", "reset-after"):
            self._reset()
        elif kind == "truncated":
            head, body = self._encode(reply, promised=max(len(reply.body), 1))
            self._write(head + body[: len(body) // 2])
            self.close_connection = True
        elif fault is not None and kind == "delay":
            time.sleep(fault.seconds)
            self.send_reply(reply)
        elif fault is not None and kind == "drip":
            for byte in b"".join(self._encode(reply)):
                self._write(bytes([byte]))
                time.sleep(fault.seconds)
        else:
            self.send_reply(reply)

    def send_reply(self, reply: Reply) -> None:
        """Send the whole answer in one write."""
        self._write(b"".join(self._encode(reply)))

    def _encode(self, reply: Reply, promised: int | None = None) -> tuple[bytes, bytes]:
        reason = self.responses.get(reply.status, ("",))[0]
        length = len(reply.body) if promised is None else promised
        headers = {"Content-Length": str(length), **reply.headers}
        if reply.body:
            headers["Content-Type"] = reply.content_type
        lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), reply.body

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(data)
            self.wfile.flush()

    def _reset(self) -> None:
        """Close with a reset instead of an end."""
        if isinstance(self.server, _Server):
            self.server.reset(self.connection)
        self.close_connection = True
