"""The vendors' HTTP servers: they start and stop at once, keep the time of the sandbox, and log what came."""

import socket
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
import requests

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.server import RequestLog
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request
from tests.doubles import FakeClock

NOBODY = SandboxSettings(customers=0)


def exchange(url: str, text: bytes) -> bytes:
    """Send raw bytes and read until the server ends the connection."""
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_fifty_sandboxes_start_and_stop_at_once() -> None:
    """A test can afford its own sandbox: fifty of them take less than five seconds, and leave no thread behind."""
    threads, started = threading.active_count(), time.monotonic()
    for _ in range(50):
        with Sandbox(NOBODY) as box:
            requests.get(box.urls.kibo_home + "/", timeout=5).close()
    assert time.monotonic() - started < 5
    assert threading.active_count() <= threads + 10


def test_a_sandbox_that_never_started_can_be_stopped() -> None:
    """Its ports are open from the beginning, so that they can be told, and are closed without a hang."""
    box = Sandbox(NOBODY)
    box.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(box.urls.control + "/state", timeout=5)


def test_a_taken_port_leaves_none_open() -> None:
    """When one of the five ports is taken, the others are closed again and the error is told."""
    with Sandbox(NOBODY) as box:
        taken = int(box.urls.cc_api.rpartition(":")[2].partition("/")[0])
        with pytest.raises(OSError, match="in use"):
            Sandbox(NOBODY, port_base=taken)


def test_the_date_is_the_sandbox_s() -> None:
    """The Date header tells the sandbox's own time, fake or advanced."""
    clock = FakeClock(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    with Sandbox(NOBODY, clock=clock.now) as box:
        answer = requests.get(box.urls.kibo_home + "/", timeout=5)
    assert parsedate_to_datetime(answer.headers["Date"]) == clock.now()


def test_a_connection_serves_many_requests() -> None:
    """HTTP/1.1: the connection stays open between requests, without delay."""
    with Sandbox(NOBODY) as box, requests.Session() as session:
        started = time.monotonic()
        for _ in range(50):
            assert session.get(box.urls.kibo_home + "/", timeout=5).status_code == 404
        assert time.monotonic() - started < 1
        assert box.requests.calls == {"kibo_home": 50}


def test_a_request_cut_short_has_no_effect() -> None:
    """Half a body, because the client died, is not handled at all."""
    with Sandbox(NOBODY) as box:
        answer = exchange(
            box.urls.kibo_home,
            b"POST /api/platform/applications/authtickets/oauth HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{}",
        )
    assert answer == b""
    assert not box.requests.records


@pytest.mark.parametrize("header", [b"Transfer-Encoding: chunked", b"Content-Length: -5", b"Content-Length: many"])
def test_a_body_without_a_length_is_refused(header: bytes) -> None:
    """A body whose end cannot be known gets 411 and has no effect."""
    with Sandbox(NOBODY) as box:
        answer = exchange(box.urls.kibo_home, b"POST /x HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert not box.requests.records


def test_latency_is_kibo_s_alone() -> None:
    """`latency_ms` holds up Kibo's answers, not Constant Contact's."""
    with Sandbox(SandboxSettings(customers=0, latency_ms=40)) as box, requests.Session() as session:
        seconds = []
        for url in (box.urls.kibo_tenant, box.urls.cc_api):
            started = time.monotonic()
            session.get(url + "/", timeout=5)
            seconds.append(time.monotonic() - started)
    assert seconds[0] >= 0.04 > seconds[1]


def test_the_log_counts_from_many_threads() -> None:
    """Both vendors write the log at the same time: every call gets its own number."""
    log = RequestLog(keeps_bodies=False)
    request = Request("kibo_home", "PUT", "/x", (), {}, b"body")

    def write() -> None:
        for _ in range(500):
            log.add(request, Reply(200, b"answer"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(one.number for one in log.records) == list(range(1, 2_001))
    assert log.bytes["kibo_home"] == 2_000 * len(b"bodyanswer")
    assert {one.body for one in log.records} == {b""}
    assert all(one.is_mutating for one in log.records)
