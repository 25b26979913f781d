"""Holds and bodies that age: a vendor's wait is obeyed for an hour at most, and nothing old is written after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.errors import TooLate, VendorThrottling
from ccsync.sandbox.settings import SandboxSettings
from ccsync.transport.calls import Call, origin
from ccsync.transport.http import Transport
from tests.doubles import FakeClock, FixedToken, OpenGate
from tests.inside import InsideShop
from tests.transport.test_http import RawServer, whole

YEARS = 315_360_000


@pytest.fixture
def server() -> Iterator[RawServer]:
    made = RawServer()
    yield made
    made.close()


def transport_to(server: RawServer, gate: OpenGate | None = None) -> Transport:
    return Transport(vendor="Kibo", origins=[origin(server.url)], clock=FakeClock(), gate=gate or OpenGate())


@pytest.mark.parametrize("asked", [str(YEARS), "9" * 400, "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_wait_of_years_holds_an_hour(server: RawServer, asked: str) -> None:
    """It is not waited out even by a run without limit; the vendor is asked again an hour later."""
    gate = OpenGate()
    server.scripts = [whole("429 Later", b"", f"Retry-After: {asked}", "Date: Mon, 23 Nov 2026 12:00:00 GMT")]
    with pytest.raises(VendorThrottling, match="more than a day"):
        transport_to(server, gate).json(Call("GET", server.url + "/x"))
    assert gate.holds == [3_600.0]


@pytest.mark.parametrize("asked", ["-5", "", "soon", "0"])
def test_a_wait_that_is_none_is_a_short_one(server: RawServer, asked: str) -> None:
    """A negative number, nothing, or a word is a minute; the call goes out again after it."""
    gate = OpenGate()
    server.scripts = [whole("429 Later", b"", f"Retry-After: {asked}"), whole("200 OK", b"{}")]
    transport_to(server, gate).json(Call("GET", server.url + "/x"))
    assert gate.holds[0] in (1.0, 60.0)


REFUSALS = {
    "429": whole("429 Later", b"", "Retry-After: 600"),
    "throttled": whole("429 Slow", b'{"error_key": "throttled"}'),
    "503": whole("503 Later", b"", "Retry-After: 5"),
    "401": whole("401 No"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_body_that_is_right_only_now_is_not_sent_later(server: RawServer, name: str) -> None:
    """After any wait, or with another token, such a request is not repeated: the caller has to make it anew."""
    server.scripts = [REFUSALS[name], whole("200 OK", b"{}")]
    call = Call("PUT", server.url + "/x", json={}, is_repeatable=False, may_wait=False)
    with pytest.raises(TooLate):
        transport_to(server).json(call, FixedToken())
    assert len(server.requests) == 1


def test_a_hold_begun_by_another_process_ages_the_body_too(server: RawServer) -> None:
    """Where the gate lets the request wait for minutes, it is not sent after that."""

    class SlowGate(OpenGate):
        def admit(self) -> float:
            return 600.0

    server.scripts = [whole("200 OK", b"{}")]
    call = Call("PUT", server.url + "/x", json={}, is_repeatable=False, may_wait=False)
    with pytest.raises(TooLate):
        transport_to(server, SlowGate()).json(call)
    assert server.requests == []


def test_a_vendor_closed_for_ten_years_is_asked_again_after_an_hour(tmp_path: Path) -> None:
    """The run under cron ends with 8, and so does one within the hour without a call; then all is as before."""
    with InsideShop(tmp_path, SandboxSettings(customers=6, seed=3)) as shop:
        assert shop.ccsync("export", "--yes").returncode in (0, 3)
        shop.later(minutes=30)
        shop.box.kibo.refuse(None, 429, retry_after=YEARS)
        assert shop.ccsync("flush-events").returncode == 8
        shop.box.kibo.relent()
        shop.later(minutes=30)
        calls = len(shop.box.requests.records)
        assert shop.ccsync("flush-events").returncode == 8
        kibo_calls = [one for one in list(shop.box.requests.records)[calls:] if one.vendor.startswith("kibo")]
        assert kibo_calls == []
        shop.later(minutes=31)
        assert shop.ccsync("flush-events").returncode == 0
