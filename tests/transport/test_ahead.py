"""Calls made ahead of their turn: several under way at once, their answers in order, one failure told once."""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from ccsync.cli.clock import RealClock
from ccsync.errors import AnswerLost, Interrupted, RefusedError, VendorUnreachable
from ccsync.transport.ahead import MOST
from ccsync.transport.calls import Call, origin
from ccsync.transport.http import Transport
from tests.doubles import FixedToken, OpenGate

Reply = tuple[int, dict[str, str], bytes]


class SlowVendor:
    """Answers `/n` with n after `latency(n)` seconds; `replies` are what it says first to some of them."""

    def __init__(self) -> None:
        self.latency: Callable[[int], float] = lambda _: 0.1
        self.replies: dict[int, list[Reply]] = {}
        self.arrived: list[tuple[str, int]] = []
        self.now = self.most = 0
        self.slowest = 0.0
        """The longest that an answer took, on this machine and with all that it does besides."""
        self._lock = threading.Lock()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                vendor.answer(self)

            do_GET = do_PUT = answer

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        number = int(handler.path[1:])
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            self.arrived.append((handler.command, number))
            self.now += 1
            self.most = max(self.most, self.now)
            queue = self.replies.get(number)
            status, headers, body = queue.pop(0) if queue else (200, {}, str(number).encode())
        arrived_at = time.monotonic()
        time.sleep(self.latency(number))
        with self._lock:
            self.now -= 1
            self.slowest = max(self.slowest, time.monotonic() - arrived_at)
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class PacedGate(OpenGate):
    """So many calls a second, as the ledger's gate reserves them."""

    def __init__(self, per_second: float) -> None:
        super().__init__()
        self._apart, self._next = 1 / per_second, 0.0
        self.threads: set[int] = set()

    def admit(self) -> float:
        self.threads.add(threading.get_ident())
        super().admit()
        now = time.monotonic()
        slot = max(now, self._next)
        self._next = slot + self._apart
        return slot - now


@pytest.fixture
def vendor() -> Iterator[SlowVendor]:
    made = SlowVendor()
    yield made
    made.close()


class Reading:
    """A transport at that vendor, and the way to read numbers ahead."""

    def __init__(self, vendor: SlowVendor, per_second: float = 200.0) -> None:
        self.clock, self.gate, self.token = RealClock(), PacedGate(per_second), FixedToken()
        self.vendor = vendor
        self.transport = Transport(vendor="Kibo", origins=[origin(vendor.url)], clock=self.clock, gate=self.gate)

    def call(self, number: int, method: str = "GET") -> Call:
        is_write = method == "PUT"
        body = b"{}" if is_write else None
        return Call(method, f"{self.vendor.url}/{number}", body=body, is_repeatable=not is_write, may_wait=not is_write)

    def read(self, number: int) -> object:
        return self.transport.json(self.call(number), self.token)[1]

    def ahead(self, numbers: Iterator[int] | range, most: int = MOST) -> Iterator[int]:
        return self.transport.ahead(numbers, lambda one: [self.call(one)], self.token, most)

    def all(self, count: int) -> list[object]:
        return [self.read(one) for one in self.ahead(range(count))]


@pytest.fixture
def reading(vendor: SlowVendor) -> Iterator[Reading]:
    made = Reading(vendor)
    yield made
    made.transport.close()


def test_answers_come_in_order_whatever_their_latency(reading: Reading) -> None:
    """Later calls that are answered first wait for their turn; each is made once and counted once."""
    reading.vendor.latency = lambda number: 0.2 if number % 7 == 0 else 0.01
    assert reading.all(40) == list(range(40))
    assert sorted(number for _, number in reading.vendor.arrived) == list(range(40))
    assert reading.gate.admitted == reading.transport.calls == 40


def test_as_many_are_under_way_as_rate_and_latency_ask_for(reading: Reading) -> None:
    """20 calls a second of 0.3 seconds each are six under way; the rate is what it takes, not the latency."""
    reading.gate = PacedGate(20)
    reading.transport._gate = reading.gate
    reading.vendor.latency = lambda _: 0.3
    started = time.monotonic()
    assert reading.all(30) == list(range(30))
    assert 30 / 20 <= time.monotonic() - started < 30 * 0.3 / 2
    # A busy machine answers later, and more are under way then; one slot at each end, and one that comes late.
    assert 4 <= reading.vendor.most <= min(MOST - 1, 20 * reading.vendor.slowest + 3)


def test_never_more_than_the_most(reading: Reading) -> None:
    """However slow the vendor is."""
    reading.vendor.latency = lambda _: 0.3
    assert reading.all(40) == list(range(40))
    assert reading.vendor.most <= MOST + 1


def test_counting_stays_on_the_callers_thread(reading: Reading) -> None:
    """The state file is open on one thread only."""
    reading.all(10)
    assert reading.gate.threads == {threading.get_ident()}


def test_the_vendor_works_while_the_caller_does(reading: Reading) -> None:
    """Work of the caller's and the latency of the next call take their time at once."""
    reading.vendor.latency = lambda _: 0.1
    started = time.monotonic()
    for number in reading.ahead(range(10)):
        reading.read(number)
        time.sleep(0.1)
    assert time.monotonic() - started < 10 * 0.2 * 0.8


@pytest.mark.parametrize(
    "bad",
    [(500, {}, b""), (429, {"Retry-After": "1"}, b""), (200, {}, b"<html>"), (401, {}, b"")],
    ids=lambda it: str(it[0]),
)
def test_a_call_that_fails_once_costs_its_wait_and_no_more(reading: Reading, bad: Reply) -> None:
    """Its answer is tried again in its turn; all answers are as they would have been."""
    reading.vendor.replies[5] = [bad]
    assert reading.all(20) == list(range(20))
    assert [number for _, number in reading.vendor.arrived].count(5) == 2
    assert len(reading.vendor.arrived) <= 20 + MOST


def test_nothing_goes_out_while_the_vendor_asks_for_a_wait(reading: Reading) -> None:
    """Once the 429 is there, what has not gone out waits for its end; the hold counts from the answer."""
    gate = PacedGate(10)
    reading.gate = reading.transport._gate = gate  # type: ignore[assignment]
    reading.vendor.latency = lambda _: 0.01
    reading.vendor.replies[3] = [(429, {"Retry-After": "1"}, b"")]
    assert reading.all(8) == list(range(8))
    assert len(gate.holds) == 1
    assert 0.5 < gate.holds[0] <= 1.0


def test_one_failure_is_told_once(reading: Reading) -> None:
    """A vendor that is down for every call ends the reading with one error, and nothing is left under way."""
    reading.vendor.replies = {number: [(403, {}, b"{}")] * 9 for number in range(3, 20)}
    seen = list[object]()
    with pytest.raises(RefusedError):
        for number in reading.ahead(range(20)):
            seen.append(reading.read(number))
    assert seen == [0, 1, 2]
    admitted = reading.gate.admitted
    time.sleep(0.3)
    # What had gone out by then may arrive a moment later.
    assert reading.gate.admitted == admitted
    assert len(reading.vendor.arrived) <= admitted
    assert reading.gate.admitted == reading.transport.calls


def test_a_caller_may_go_on_after_a_record_that_fails(reading: Reading) -> None:
    """A refusal is one record's: the others are read all the same."""
    reading.vendor.replies[4] = [(404, {}, b"{}")]
    seen = list[object]()
    for number in reading.ahead(range(8)):
        try:
            seen.append(reading.read(number))
        except RefusedError:
            seen.append(None)
    assert seen == [0, 1, 2, 3, None, 5, 6, 7]


def test_who_stops_early_counts_nothing_that_was_not_made(reading: Reading) -> None:
    """What was reserved and never went out is given back."""
    reading.gate = reading.transport._gate = PacedGate(5)  # type: ignore[assignment]
    ahead = reading.ahead(range(50))
    assert reading.read(next(ahead)) == 0
    ahead.close()  # type: ignore[attr-defined]
    time.sleep(0.3)
    assert reading.gate.admitted == len(reading.vendor.arrived)


def test_no_connection_stays_open_when_what_is_done_meanwhile_fails(vendor: SlowVendor) -> None:
    """A disk that is full is found while an answer is awaited: the run ends, and so do all of its connections."""
    sessions, closed = list[requests.Session](), list[requests.Session]()

    class Session(requests.Session):
        def close(self) -> None:
            closed.append(self)
            super().close()

    def made() -> requests.Session:
        sessions.append(Session())
        return sessions[-1]

    class FullDisk(PacedGate):
        def admit(self) -> float:
            if self.admitted == 2:
                raise sqlite3.OperationalError("database or disk is full")
            return super().admit()

    reading = Reading(vendor)
    reading.transport = Transport(
        vendor="Kibo", origins=[origin(vendor.url)], clock=reading.clock, gate=FullDisk(200), session=made
    )
    with pytest.raises(sqlite3.OperationalError):
        for number in reading.ahead(range(9)):
            reading.read(number)
    reading.transport.close()
    for one in threading.enumerate():
        if one.name == "ccsync-call":
            one.join()
    assert sessions
    assert set(map(id, closed)) == set(map(id, sessions))


def test_ctrl_c_stops_all_of_them(reading: Reading) -> None:
    """The wish to stop waits for no later answer than the one that is due."""
    reading.vendor.latency = lambda number: 0.2
    started = time.monotonic()
    with pytest.raises(Interrupted), ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: (time.sleep(0.1), setattr(reading.clock, "_signal", 2)))
        reading.all(1_000)
    assert time.monotonic() - started < 2
    admitted = reading.gate.admitted
    time.sleep(0.3)
    assert reading.gate.admitted == admitted
    assert len(reading.vendor.arrived) <= admitted


def test_an_answer_serves_once(reading: Reading) -> None:
    """Whoever reads again reads anew."""
    for number in reading.ahead(range(3)):
        assert reading.read(number) == reading.read(number) == number
    assert len(reading.vendor.arrived) == 6


def test_a_write_makes_older_reads_worthless(reading: Reading) -> None:
    """What was read of a record before it was written is read again."""
    ahead = reading.ahead(iter([1, 2]))
    assert reading.read(next(ahead)) == 1
    time.sleep(0.2)  # the second is under way by now, or over
    reading.transport.json(reading.call(2, "PUT"), reading.token)
    assert reading.read(next(ahead)) == 2
    assert [one for one in reading.vendor.arrived if one[1] == 2][-1] == ("GET", 2)
    writes = reading.vendor.arrived.index(("PUT", 2))
    assert ("GET", 2) in reading.vendor.arrived[writes:]


def test_writes_are_under_way_at_once_and_never_repeated(reading: Reading) -> None:
    """Each answer is asked for later; one that is lost is said to be lost."""
    reading.vendor.latency = lambda _: 0.3
    reading.vendor.replies[2] = [(500, {}, b"")]
    started = time.monotonic()
    assert all(reading.transport.begin(reading.call(number, "PUT"), reading.token) for number in range(5))
    assert not reading.transport.begin(reading.call(1, "PUT"), reading.token)
    for number in range(5):
        if number == 2:
            with pytest.raises(AnswerLost):
                reading.transport.json(reading.call(2, "PUT"), reading.token)
        else:
            assert reading.transport.json(reading.call(number, "PUT"), reading.token)[1] == number
    assert time.monotonic() - started < 5 * 0.3
    assert len(reading.vendor.arrived) == 5


def test_reads_ahead_leave_room_for_writes(reading: Reading) -> None:
    """However slow the vendor is: with half of the room for reads, every write can go out beside them."""
    reading.vendor.latency = lambda _: 0.1
    began, writes = list[bool](), deque[Call]()
    for number in reading.ahead(range(30), MOST // 2):
        reading.read(number)
        if len(writes) == MOST // 2:
            reading.transport.json(writes.popleft(), reading.token)
        writes.append(reading.call(1_000 + number, "PUT"))
        began.append(reading.transport.begin(writes[-1], reading.token))
    assert all(began)


def test_a_vendor_that_is_gone_is_one_error(reading: Reading) -> None:
    """Connections that fail are tried as often as ever, and no more by those that were under way."""
    reading.vendor.close()
    reading.transport._chance.uniform = lambda _low, _high: 0.0  # type: ignore[method-assign]
    with pytest.raises(VendorUnreachable):
        reading.all(30)
    assert reading.transport.calls <= 5 + MOST
