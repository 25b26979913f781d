"""One HTTP call, done safely, against a raw socket that answers whatever it is told."""

import gzip
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccsync.errors import AnswerLost, LoginNeeded, QuotaSpent, RefusedError, VendorThrottling, VendorUnreachable
from ccsync.transport import exchange
from ccsync.transport.calls import Call, origin
from ccsync.transport.http import Transport, backoff_seconds
from tests.doubles import FakeClock, FixedToken, OpenGate

Answerer = Callable[[socket.socket], None]


class RawServer:
    """Answers each connection with the next script; the last one repeats. Keeps what it was sent."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.scripts: list[Answerer] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_read_request(connection))
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                try:
                    script(connection)
                except OSError:
                    pass

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(rest) < int(line.split(b":")[1]):
                rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest


def whole(status: str, body: bytes = b"", *headers: str) -> Answerer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda connection: connection.sendall(data)


def raw(data: bytes) -> Answerer:
    return lambda connection: connection.sendall(data)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def server() -> Iterator[RawServer]:
    made = RawServer()
    yield made
    made.close()


@pytest.fixture
def transport(server: RawServer) -> Iterator[Transport]:
    made = Transport(
        vendor="Kibo", origins=[origin(server.url)], clock=FakeClock(), gate=OpenGate(), chance=random.Random(1)
    )
    yield made
    made.close()


BROKEN = {
    "reset": reset,
    "closed": lambda connection: None,
    "cut length": raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":'),
    "cut chunk": raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"a":'),
    "cut without length": raw(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"a":'),
    "garbage": raw(b"\x00\x01\x02 not http\r\n\r\n"),
    "huge header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"),
    "endless headers": raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"),
    "web page": whole("200 OK", b"<html>log in</html>", "Content-Type: text/html"),
    "empty": whole("200 OK"),
    "nan": whole("200 OK", b'{"a": NaN}'),
    "deep": whole("200 OK", b"[" * 100_000),
    "huge number": whole("200 OK", b"1" * 5_000),
    "500": whole("500 Oops"),
    "503": whole("503 Busy"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_tried_again(server: RawServer, transport: Transport, name: str) -> None:
    """Whatever breaks an answer, a call that may be repeated is repeated, and succeeds once the vendor is well."""
    server.scripts = [BROKEN[name], BROKEN[name], whole("200 OK", b'{"a": 1}')]
    assert transport.json(Call("GET", server.url + "/x"))[1] == {"a": 1}
    assert len(server.requests) == 3


@pytest.mark.parametrize("name", BROKEN)
def test_a_vendor_that_stays_broken_ends_the_call(server: RawServer, transport: Transport, name: str) -> None:
    """After five attempts the call ends as unreachable, with nothing of the answer in its words."""
    server.scripts = [BROKEN[name]]
    with pytest.raises(VendorUnreachable) as caught:
        transport.json(Call("GET", server.url + "/x", params={"email": "pat@example.com"}))
    assert len(server.requests) == 5
    assert "pat" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"


@pytest.mark.parametrize("name", BROKEN)
def test_a_call_that_must_not_be_repeated_is_not(server: RawServer, transport: Transport, name: str) -> None:
    """A lost answer to such a call is said to be lost, and nothing goes out a second time."""
    server.scripts = [BROKEN[name]]
    with pytest.raises(AnswerLost):
        transport.json(Call("POST", server.url + "/x", body=b"{}", is_repeatable=False))
    assert len(server.requests) == 1


def test_an_unreachable_host_is_no_traceback(transport: Transport, server: RawServer) -> None:
    """A closed port is five attempts and an error that names the host."""
    server.close()
    with pytest.raises(VendorUnreachable) as caught:
        transport.json(Call("GET", server.url + "/x"))
    assert "127.0.0.1" in caught.value.why


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("place", ["/other", "//evil.example/", "http://169.254.169.254/", "file:///etc/passwd", ""])
def test_a_redirect_is_never_followed(server: RawServer, transport: Transport, status: int, place: str) -> None:
    """The token stays home: a redirect, wherever to, ends the call."""
    server.scripts = [whole(f"{status} Elsewhere", b"", f"Location: {place}")]
    with pytest.raises(RefusedError):
        transport.json(Call("GET", server.url + "/x"), FixedToken())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://evil.example/x",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1@evil.example/x",
        "http://127.0.0.1.evil.example/x",
    ],
)
def test_no_other_host_is_called(server: RawServer, transport: Transport, url: str) -> None:
    """Only the vendor's own hosts are ever called, port and scheme included."""
    server.scripts = [whole("200 OK", b"{}")]
    with pytest.raises(RefusedError):
        transport.json(Call("GET", url), FixedToken())
    assert not server.requests


def test_netrc_does_not_replace_the_token(
    server: RawServer, transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """~/.netrc of the operator is not sent, with or without a token of our own."""
    home = tmp_path
    (home / ".netrc").write_text("machine 127.0.0.1 login eve password stolen\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    server.scripts = [whole("200 OK", b"{}")]
    transport.json(Call("GET", server.url + "/x"), FixedToken())
    transport.json(Call("GET", server.url + "/x"))
    assert b"Authorization: Bearer first-token" in server.requests[0]
    assert b"Authorization" not in server.requests[1]


def test_a_401_renews_the_token_once(server: RawServer, transport: Transport) -> None:
    """One 401 renews the token and repeats the call; the second means that a person must log in."""
    token = FixedToken()
    server.scripts = [whole("401 No"), whole("200 OK", b"{}")]
    transport.json(Call("GET", server.url + "/x"), token)
    assert b"second-token" in server.requests[1]
    server.scripts = [whole("401 No")]
    with pytest.raises(LoginNeeded):
        transport.json(Call("GET", server.url + "/x"), token)
    assert token.renewals == 2


def test_throttling_waits_and_goes_on(server: RawServer, transport: Transport) -> None:
    """`throttled` holds every process back for a second, and the call is made again."""
    server.scripts = [whole("429 Slow", b'{"error_key": "throttled"}'), whole("200 OK", b"{}")]
    transport.json(Call("GET", server.url + "/x"))
    assert transport._gate.holds == [1.0]  # type: ignore[attr-defined]


def test_a_spent_quota_stops_at_once(server: RawServer, transport: Transport) -> None:
    """`quota_exceeded` closes the vendor for the day, without another call."""
    server.scripts = [whole("429 Enough", b'{"error_key": "quota_exceeded"}')]
    with pytest.raises(QuotaSpent):
        transport.json(Call("GET", server.url + "/x"))
    assert len(server.requests) == 1
    assert transport._gate.is_closed  # type: ignore[attr-defined]


def test_a_wait_longer_than_the_run_ends_it(server: RawServer) -> None:
    """Kibo's Retry-After is obeyed; where the run may not take so long, the next run goes on."""
    clock, gate = FakeClock(), OpenGate()
    clock.left = 600.0
    transport = Transport(vendor="Kibo", origins=[origin(server.url)], clock=clock, gate=gate)
    server.scripts = [whole("429 Later", b"", "Retry-After: 1800")]
    with pytest.raises(VendorThrottling):
        transport.json(Call("GET", server.url + "/x"))
    assert gate.holds == [1800.0]
    transport.close()


def test_a_dripping_answer_is_cut_off(server: RawServer, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then holds the run no longer than one call may take, whatever the socket's own timeout says."""
    monkeypatch.setattr(exchange, "CALL_SECONDS", 1)

    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 60:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    server.scripts = [drip]
    started = time.monotonic()
    with pytest.raises(AnswerLost):
        transport.json(Call("POST", server.url + "/x", is_repeatable=False))
    assert time.monotonic() - started < 3


def test_a_bomb_is_not_unpacked(server: RawServer, transport: Transport) -> None:
    """An answer that grows beyond the cap is dropped on the way, not taken into memory."""
    bomb = gzip.compress(b"0" * 60_000_000, 9)
    server.scripts = [whole("200 OK", bomb, "Content-Encoding: gzip")]
    with pytest.raises(AnswerLost):
        transport.json(Call("POST", server.url + "/x", is_repeatable=False))


def test_a_filter_is_percent_encoded(server: RawServer, transport: Transport) -> None:
    """Blanks go as %20 and a plus sign as %2B: as "+" Kibo would read a blank."""
    server.scripts = [whole("200 OK", b"{}")]
    transport.json(Call("GET", server.url + "/x", params={"filter": "emailAddress eq a+b@example.com"}))
    assert b"GET /x?filter=emailAddress%20eq%20a%2Bb%40example.com HTTP" in server.requests[0]


def test_we_say_who_we_are(server: RawServer, transport: Transport) -> None:
    """Cloudflare refuses Python's default user agent."""
    server.scripts = [whole("200 OK", b"{}")]
    transport.json(Call("GET", server.url + "/x"))
    assert b"User-Agent: ccsync/" in server.requests[0]


def test_backoff_is_random_and_bounded() -> None:
    """Full jitter: anything up to 1, 2, 4 … 30 seconds."""
    chance = random.Random(3)
    for tries, most in enumerate([1, 2, 4, 8, 16, 30, 30], start=1):
        waits = [backoff_seconds(tries, chance) for _ in range(200)]
        assert 0 <= min(waits) < most * 0.2
        assert most * 0.8 < max(waits) <= most
