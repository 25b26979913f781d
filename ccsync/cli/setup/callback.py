"""The loopback listener for a login by redirect: one port, one path, one answer.

RFC 8252, sections 7.3 and 8.3. Any other request is refused, and the login goes on waiting.
"""

import threading
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

from ccsync.cli.clock import RealClock
from ccsync.errors import ConfigError, LoginNeeded
from ccsync.oauth import CODE_SECONDS, Attempt, NotTheAnswer, read_answer

LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1"}
_MOST_PATH = 4_096
_SOCKET_SECONDS = 5
_FINISH_SECONDS = 60
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ccsync</title></head>
<body><h1>ccsync</h1><p>{}</p></body></html>
"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


def can_listen(redirect_uri: str) -> bool:
    """Can the browser be redirected to a listener here? Not with https, and not on another machine."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


class Callback:
    """Listens while it is entered. The browser's page stays open until `finish` says how the login ended."""

    def __init__(self, attempt: Attempt) -> None:
        parts = urlsplit(attempt.redirect_uri)
        self.attempt = attempt
        self.host = parts.netloc.lower()
        self.path = parts.path or "/"
        self.lock = threading.Lock()
        self.code: str | None = None
        self.refusal: LoginNeeded | None = None
        self.is_answered = threading.Event()
        self.is_finished = threading.Event()
        self.ending = "The login failed; the terminal says why."
        address = (LOOPBACK[parts.hostname or ""], parts.port or 80)
        try:
            self._server = _Server(address, self)
        except OSError as error:
            raise ConfigError(
                f"The port of redirect_uri, {address[1]}, is in use or not allowed.",
                f"{error.strerror or error}.",
                "Stop the program that uses the port, or paste the address by hand: ccsync login --no-browser",
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "Callback":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_finished.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, clock: RealClock) -> str:
        """The code of the browser's answer. Raises `LoginNeeded` for a no, and after five minutes."""
        ends_at = clock.monotonic() + CODE_SECONDS
        while not self.is_answered.wait(0.1):
            clock.check()
            if clock.monotonic() > ends_at:
                raise LoginNeeded(
                    "The login was not approved in time.",
                    f"no browser came back within {CODE_SECONDS // 60} minutes.",
                    "ccsync login, or on a machine without a browser: ccsync login --no-browser",
                )
        if self.refusal is not None:
            raise self.refusal
        return self.code or ""

    def finish(self, ending: str) -> None:
        """Show in the browser how the login ended."""
        self.ending = ending
        self.is_finished.set()

    def take(self, query: str) -> None:
        """Accept the one answer. Raises `NotTheAnswer`."""
        with self.lock:
            if self.is_answered.is_set():
                raise NotTheAnswer("the login has already been answered")
            try:
                self.code = read_answer(query, self.attempt)
            except LoginNeeded as refusal:
                self.refusal = refusal
                self.finish(f"{refusal.what} You may close this page.")
            self.is_answered.set()


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True  # the port may still be in TIME_WAIT from the last login
    daemon_threads = False  # the last page goes out before the program ends

    def __init__(self, address: tuple[str, int], callback: Callback) -> None:
        self.callback = callback
        super().__init__(address, _Request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a browser that went away."""


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SOCKET_SECONDS
    server_version = "ccsync"
    sys_version = ""

    def do_GET(self) -> None:
        """The browser comes back."""
        callback = self.server.callback
        path, _, query = self.path.partition("?")
        if len(self.path) > _MOST_PATH:
            self._answer(HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long.")
        elif self.headers.get("Host", "").lower() != callback.host:
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "This is not the host of the login.")
        elif path != callback.path:
            self._answer(HTTPStatus.NOT_FOUND, "There is nothing here.")
        else:
            self._take(callback, query)

    def _take(self, callback: Callback, query: str) -> None:
        try:
            callback.take(query)
        except NotTheAnswer:
            self._answer(HTTPStatus.BAD_REQUEST, "This does not belong to the login that is waiting here.")
            return
        callback.is_finished.wait(_FINISH_SECONDS)
        self._answer(HTTPStatus.OK, callback.ending)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The library's own error pages, without any text from the request."""
        self._answer(HTTPStatus(code), "ccsync does not take this request.")

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = _PAGE.format(escape(text)).encode()
        self.close_connection = True
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the request line holds the code."""
