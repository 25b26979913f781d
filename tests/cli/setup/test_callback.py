"""The loopback listener against everything that can reach an open port: only the one answer ends the wait."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from ccsync.cli.clock import RealClock
from ccsync.cli.setup.callback import Callback, can_listen
from ccsync.errors import ConfigError, LoginNeeded
from ccsync.oauth import Attempt

GOOD = "?code=the-code&state=the-state"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def uri() -> str:
    return f"http://localhost:{free_port()}/callback"


@pytest.fixture
def callback(uri: str) -> Iterator[Callback]:
    with Callback(Attempt(uri, "the-state", "v")) as made:
        yield made


def get(uri: str, **options: object) -> requests.Response:
    return requests.get(uri.replace("localhost", "127.0.0.1"), timeout=5, headers={"Host": host(uri)}, **options)  # type: ignore[arg-type]


def host(uri: str) -> str:
    return uri.split("/")[2]


def come_back(uri: str, pages: list[requests.Response]) -> threading.Thread:
    """A browser that comes back with the right answer, in its own thread: its page waits for the ending."""
    thread = threading.Thread(target=lambda: pages.append(get(uri + GOOD)))
    thread.start()
    return thread


def test_the_answer(callback: Callback, uri: str) -> None:
    """The code is handed over, and the page says how the login ended."""
    pages: list[requests.Response] = []
    browser = come_back(uri, pages)
    assert callback.wait(RealClock()) == "the-code"
    callback.finish("Approved <&>.")
    browser.join(5)
    (page,) = pages
    assert page.status_code == 200
    assert "Approved &lt;&amp;&gt;." in page.text
    assert "the-code" not in page.text
    assert "the-state" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("tail", "status"),
    [
        ("?code=x&state=wrong", 400),
        ("?code=x", 400),
        ("?code=x&state=the-state&state=the-state", 400),
        ("?code=x&state=wrong&error=access_denied", 400),
        ("?state=the-state", 400),
        ("/favicon.ico", 404),
        ("/deeper" + GOOD, 404),
        ("?code=" + "x" * 8_000 + "&state=the-state", 414),
    ],
    ids=[
        "wrong state",
        "no state",
        "state twice",
        "an error with a wrong state",
        "no code",
        "favicon",
        "another path",
        "8 kB of path",
    ],
)
def test_other_requests_are_turned_away(callback: Callback, uri: str, tail: str, status: int) -> None:
    """Wrong, missing or doubled state, other paths, 8 kB of path: refused, and the login waits on."""
    answer = get(uri + tail)
    assert answer.status_code == status
    assert not callback.is_answered.is_set()
    assert "the-state" not in answer.text


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods(callback: Callback, uri: str, method: str) -> None:
    """Only GET brings an answer."""
    url = uri.replace("localhost", "127.0.0.1") + GOOD
    assert requests.request(method, url, timeout=5, headers={"Host": host(uri)}).status_code == 501
    assert not callback.is_answered.is_set()


@pytest.mark.parametrize("name", ["evil.example.com", "evil.example.com:80", "", "127.0.0.1:1"])
def test_another_host(callback: Callback, uri: str, name: str) -> None:
    """A Host that is not the registered one (DNS rebinding) is refused."""
    url = uri.replace("localhost", "127.0.0.1") + GOOD
    assert requests.get(url, timeout=5, headers={"Host": name}).status_code == 421
    assert not callback.is_answered.is_set()


def test_a_denial(callback: Callback, uri: str) -> None:
    """`access_denied` with the right state ends the login; what the vendor described is not reflected."""
    page = get(uri + "?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state=the-state")
    assert "denied" in page.text
    assert "script" not in page.text
    with pytest.raises(LoginNeeded, match="denied"):
        callback.wait(RealClock())


def test_a_second_answer(callback: Callback, uri: str) -> None:
    """After the first nothing more is taken."""
    browser = come_back(uri, [])
    assert callback.wait(RealClock()) == "the-code"
    assert get(uri + "?code=other&state=the-state").status_code == 400
    assert callback.wait(RealClock()) == "the-code"
    callback.finish("Done.")
    browser.join(5)


def test_the_port_is_open_only_while_a_login_waits(uri: str) -> None:
    """Nothing listens before and after the login, so an unsolicited code reaches nothing."""
    with pytest.raises(requests.ConnectionError):
        get(uri + GOOD)
    with Callback(Attempt(uri, "the-state", None)):
        assert get(uri).status_code == 400
    with pytest.raises(requests.ConnectionError):
        get(uri + GOOD)


def test_a_slow_visitor_holds_nobody_up(callback: Callback, uri: str) -> None:
    """A connection that sends nothing, or a byte at a time, does not keep the browser waiting."""
    address = ("127.0.0.1", int(host(uri).split(":")[1]))
    with socket.create_connection(address) as silent, socket.create_connection(address) as slow:
        slow.sendall(b"GET /call")
        pages: list[requests.Response] = []
        browser = come_back(uri, pages)
        assert callback.wait(RealClock()) == "the-code"
        callback.finish("Done.")
        browser.join(5)
        assert pages
        assert silent


def test_a_port_that_is_taken(uri: str) -> None:
    """The config is at fault (exit 4), and pasting by hand is offered: the vendor matches the port exactly."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(host(uri).split(":")[1])))
        other.listen()
        with pytest.raises(ConfigError, match="is in use or not allowed") as caught:
            Callback(Attempt(uri, "s", None))
    assert "--no-browser" in caught.value.fix


def test_only_this_machine_is_listened_to(callback: Callback, uri: str) -> None:
    """The port is bound to 127.0.0.1 alone: by any other address of the machine nobody gets in."""
    assert callback._server.server_address[0] == "127.0.0.1"
    port = int(host(uri).split(":")[1])
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
    with pytest.raises(OSError):  # noqa: PT011 - refused on Linux; elsewhere there is no such address
        socket.create_connection(("127.0.0.2", port), timeout=2)


class LateClock(RealClock):
    """A clock that jumps two minutes at each look."""

    seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 120
        return self.seconds


def test_nobody_comes(callback: Callback) -> None:
    """After five minutes the login ends, and says what to do."""
    began = time.monotonic()
    with pytest.raises(LoginNeeded, match="not approved in time") as caught:
        callback.wait(LateClock())
    assert "--no-browser" in caught.value.fix
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://localhost:8484/callback", True),
        ("http://127.0.0.1:8484", True),
        ("https://localhost:8484/callback", False),
        ("http://192.0.2.1:8484/callback", False),
        ("https://shop.example.com/callback", False),
    ],
)
def test_where_a_listener_can_be(uri: str, expected: bool) -> None:
    """Only plain http on this machine; everything else is pasted by hand."""
    assert can_listen(uri) is expected
