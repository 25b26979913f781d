"""Faults of groups N, H and Q: the network, the vendors' answers and their limits, met by each command that calls."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccsync.constant_contact import wire
from ccsync.sandbox.settings import SandboxSettings
from ccsync.transport import exchange
from tests.cli.faults import COMMANDS, check_error, check_nothing_is_lost
from tests.inside import InsideShop
from tests.sweeps.test_faults import FAULTS

SETTINGS = SandboxSettings(customers=20, seed=7)
CERTIFICATES = Path(__file__).parent.parent / "certificates"
"""Made for these tests and good for nothing else: an authority, and servers that are right, elsewhere, and expired."""
COMMAND = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS) as made:
        yield made


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[InsideShop]:
    """A shop whose vendors are reached over the wire, for what is wrong with that."""
    with InsideShop(tmp_path, SETTINGS, has_wire=True) as made:
        yield made


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def move_vendors(shop: InsideShop, url: str) -> dict[str, str]:
    """Let the config name another address for every vendor; what it named before."""
    before = {"text": shop.config_path.read_text()}
    urls = shop.box.urls
    text = before["text"].replace(urls.kibo_home, url)
    text = text.replace(urls.cc_api, f"{url}/v3").replace(urls.cc_auth, f"{url}/oauth2/default/v1")
    shop.config_path.write_text(text.replace("[kibo]", f'[kibo]\ntenant_url = "{url}"', 1))
    return before


# N: the network


@COMMAND
def test_n1_nobody_listens(shop: InsideShop, name: str) -> None:
    """A closed port: five attempts with waits between them, exit 8; nothing is lost."""
    before = move_vendors(shop, f"http://127.0.0.1:{closed_port()}")
    shop.clock.slept.clear()
    done = shop.ccsync(*COMMANDS[name])
    check_error(done, {8}, "could not be reached", "127.0.0.1: the connection failed, 5 attempts")
    waits = [seconds for seconds in shop.clock.slept if seconds > 0]
    assert 4 <= len(waits) <= 12
    assert all(seconds <= 30 for seconds in waits)
    shop.config_path.write_text(before["text"])
    check_nothing_is_lost(shop, name)


@COMMAND
@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), OSError(101, "unreachable")])
def test_n1_a_name_that_does_not_resolve(
    wired: InsideShop, name: str, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No DNS, no route: exit 8 within seconds; this machine is named and not the vendor."""

    def fail(*_: object, **__: object) -> object:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", fail)
        wired.clock.slept.clear()
        words = "This machine cannot look up 127.0.0.1" if isinstance(error, socket.gaierror) else "no network route"
        done = wired.ccsync(*COMMANDS[name])
        check_error(done, {8}, words)
        assert "could not be reached" not in done.stderr
        assert sum(wired.clock.slept) < 10
    check_nothing_is_lost(wired, name)


@contextmanager
def tls_server(certificate: str) -> Iterator[tuple[int, list[bytes]]]:
    """A server with this certificate that answers 404; its port, and what it was sent in clear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []
    attempts: list[int] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            attempts.append(1)
            with connection:
                try:
                    with context.wrap_socket(connection, server_side=True) as safe:
                        heard.append(safe.recv(65_536))
                        safe.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1]), heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@COMMAND
@pytest.mark.parametrize(
    ("certificate", "trusts"),
    [("good", False), ("other_host", True), ("expired", True)],
    ids=["self-signed", "another host", "expired"],
)
def test_n2_a_certificate_that_is_not_valid(shop: InsideShop, name: str, certificate: str, trusts: bool) -> None:
    """Exit 9 at the first attempt, before anything is sent; no advice to look away."""
    environ = {"REQUESTS_CA_BUNDLE": str(CERTIFICATES / "ca.pem")} if trusts else {}
    with tls_server(certificate) as (port, heard):
        before = move_vendors(shop, f"https://127.0.0.1:{port}")
        done = shop.ccsync(*COMMANDS[name], environ=environ)
        assert not heard
    check_error(done, {9}, "certificate is not valid; nothing was sent", "clock and CA certificates")
    assert "verify=" not in done.stderr
    assert done.stderr.count("Error: ") == (2 if name == "check" else 1)
    shop.config_path.write_text(before["text"])
    check_nothing_is_lost(shop, name)


def test_c4_an_authority_of_one_s_own(shop: InsideShop) -> None:
    """REQUESTS_CA_BUNDLE is honoured: the company's own authority is trusted, and the call goes out."""
    with tls_server("good") as (port, heard):
        move_vendors(shop, f"https://127.0.0.1:{port}")
        done = shop.ccsync("login", "--kibo-only", environ={"REQUESTS_CA_BUNDLE": str(CERTIFICATES / "ca.pem")})
        assert heard
    assert "certificate" not in done.stderr


BROKEN: dict[str, tuple[dict[str, object], set[int]]] = {
    "N3 reset before": ({"kind": "reset-before"}, {8}),
    "N3 reset after": ({"kind": "reset-after"}, {5, 8}),
    "N3 truncated": ({"kind": "truncated"}, {5, 8}),
    "N4 cut JSON": ({"kind": "wrong-body", "body": '{"contacts": ['}, {5, 8}),
    "H1 web page": ({"kind": "wrong-body", "body": "<html>log in</html>", "content_type": "text/html"}, {5, 8}),
    "H1 empty": ({"kind": "wrong-body", "body": ""}, {5, 8}),
    "H1 no content": ({"kind": "status", "status": 204}, {8}),
    "H1 null": ({"kind": "wrong-body", "body": "null"}, {5, 8, 9}),
    "H1 list": ({"kind": "wrong-body", "body": "[]"}, {5, 8, 9}),
    "H1 text": ({"kind": "wrong-body", "body": '"pat@example.com"'}, {5, 8, 9}),
    "H2 deep": ({"kind": "wrong-body", "body": "[" * 100_000}, {5, 8}),
    "H2 endless number": ({"kind": "wrong-body", "body": "1" * 5_000}, {5, 8}),
    "H2 NaN": ({"kind": "wrong-body", "body": '{"a": NaN}'}, {5, 8}),
    "H6 redirect": ({"kind": "status", "status": 302, "headers": {"Location": "http://169.254.169.254/"}}, {9}),
    "H6 redirect for good": ({"kind": "status", "status": 308, "headers": {"Location": "/elsewhere"}}, {9}),
    "H6 redirect without a place": ({"kind": "status", "status": 301}, {9}),
    "Q2 quota": ({"kind": "status", "status": 429, "body": '{"error_key": "quota_exceeded"}'}, {8}),
    "Q3 come back much later": ({"kind": "status", "status": 429, "headers": {"Retry-After": "7200"}}, {8}),
    "Q1 throttled for ever": ({"kind": "status", "status": 429, "body": '{"error_key": "throttled"}'}, {8}),
    "Q5 500": ({"kind": "status", "status": 500}, {8}),
    "Q5 502": ({"kind": "status", "status": 502, "body": "<html>", "content_type": "text/html"}, {8}),
    "Q5 503": ({"kind": "status", "status": 503}, {8}),
    "Q5 504": ({"kind": "status", "status": 504}, {8}),
    "T1 401 for ever": ({"kind": "status", "status": 401, "body": '{"error_key": "unauthorized"}'}, {4, 5}),
    "T5 403": ({"kind": "status", "status": 403, "body": '{"error_key": "access_denied"}'}, {4, 5, 9}),
    "H1 400": ({"kind": "status", "status": 400, "body": '[{"error_key": "pat@example.com"}]'}, {4, 5, 8, 9}),
    "H1 404": ({"kind": "status", "status": 404}, {4, 5, 8, 9}),
    "Q6 415": ({"kind": "status", "status": 415}, {9}),
}
"""Faults that do not end, and the codes a run may end with: 5 where a used-up token or code is all that is left."""


@COMMAND
@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_that_does_not_end(shop: InsideShop, name: str, fault: str) -> None:
    """Every call of every vendor fails in the same way, for ever: an error one can act on, and nothing is lost."""
    kind, codes = BROKEN[fault]
    asked = len(shop.box.requests.records)
    shop.box.faults.add(nth=None, **kind)
    check_error(shop.ccsync(*COMMANDS[name]), codes | ({5} if name == "check" else set()))
    assert len(shop.box.requests.records) - asked <= 30
    check_nothing_is_lost(shop, name)


@COMMAND
@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("kind", ["reset-before", 500, 503])
def test_q5_a_burst_is_sat_out(shop: InsideShop, name: str, times: int, kind: str | int) -> None:
    """Up to four failures in a row of one call are repeated away."""
    fault = {"kind": "status", "status": kind} if isinstance(kind, int) else {"kind": kind}
    shop.box.faults.add(nth=2, times=times, **fault)
    done = shop.ccsync(*COMMANDS[name])
    assert done.returncode in ({0, 3} if name == "export" else {0}), done.stderr


@COMMAND
def test_n6_an_answer_that_drips(wired: InsideShop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is cut off by the deadline of the whole call (exit 8)."""
    monkeypatch.setattr(exchange, "CALL_SECONDS", 0.1)
    wired.box.faults.add("drip", nth=None, seconds=0.05)
    check_error(wired.ccsync(*COMMANDS[name]), {8}, "no answer in time")


def test_n5_a_store_that_shows_fewer_than_it_counts(shop: InsideShop) -> None:
    """A page that is valid JSON and empty, though there are customers: nobody counts as gone, and the log says so."""
    shop.ccsync("export", "--yes")
    before = shop.members()
    body = json.dumps({"startIndex": 0, "pageSize": 200, "totalCount": 40, "items": []})
    shop.box.faults.add("wrong-body", vendor="kibo_tenant", nth=None, body=body)
    run = json.loads(shop.ccsync("export", "--json").stdout)
    assert "40 customers more" in run["message"]
    assert shop.members() == before
    check_nothing_is_lost(shop, "export")


def test_n5_opt_outs_that_are_not_shown(shop: InsideShop) -> None:
    """An empty answer where the unsubscribed should be lifts nobody's suppression: they are not sent."""
    shop.ccsync("export", "--yes")
    gone = sorted(shop.members())[0]
    shop.box.cc.unsubscribe(gone)
    shop.later(minutes=5)
    shop.ccsync("export")
    for account_id in shop.box.kibo.find_by_email(gone):
        shop.box.kibo.update_account(account_id, firstName="Changed")
    shop.box.faults.add("wrong-body", vendor="cc_api", path="/v3/contacts$", nth=None, body='{"contacts": []}')
    shop.later(minutes=5)
    shop.ccsync("export")
    assert gone not in shop.members()
    assert not any(gone in record.body.decode().lower() for record in imports(shop)[1:])


def imports(shop: InsideShop) -> list[object]:
    return [one for one in shop.box.requests.records if one.path.endswith("contacts_json_import")]


SWEPT: dict[str, list[str]] = {
    "login": COMMANDS["login"],  # the export has its own sweep
    "check": COMMANDS["check"],
    "create": ["configure", "--list", "A new one", "--create-list"],
    "address": ["configure", "--from-email", "info@example.com"],
    "map": ["configure", "--map", "cf:kibo_id=id"],
}


DEEP = pytest.mark.deep  # faults of one meaning are told apart in tests/transport; one of each is enough here


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=kind, marks=DEEP if number else ())
        for faults in FAULTS.values()
        for number, (kind, fault) in enumerate(faults.items())
    ],
)
@pytest.mark.parametrize("name", SWEPT)
def test_the_nth_call_fails(shop: InsideShop, name: str, fault: dict[str, object]) -> None:
    """For each call of a command, once each: it ends well or with an error, and the same command then does its work."""
    number = 0
    while True:
        number += 1
        asked = len(shop.box.requests.records)
        shop.forget_kibo_token()
        shop.box.faults.add(nth=number, **fault)
        done = shop.ccsync(*SWEPT[name])
        was_met = len(shop.box.requests.records) - asked >= number
        if done.returncode != 0:
            check_error(done, {4, 5, 8, 9})
        shop.box.faults.clear()
        shop.later(hours=25)
        again = shop.ccsync(*SWEPT[name])
        assert again.returncode == 0, again.stderr
        if not was_met:
            break
    assert number > {"login": 5, "check": 3}.get(name, 1)
    assert shop.ccsync("login", "--check").returncode == 0
    if name == "create":
        assert shop.config.sync.list_id == shop.box.cc.list_id("A new one")


# H: pages


@pytest.mark.parametrize("way", ["loop", "endless"])
def test_h4_pages_that_do_not_end(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that comes again, a listing without an end: exit 8, and nothing is concluded from it."""
    monkeypatch.setattr(wire, "MOST_PAGES", 50)
    with InsideShop(tmp_path, SandboxSettings(customers=20, seed=7, contact_pages=way)) as shop:
        check_error(shop.ccsync("export", "--yes"), {8}, "go round in circles")
        assert not shop.members()


@COMMAND
def test_h6_nobody_is_sent_elsewhere(shop: InsideShop, name: str) -> None:
    """Whatever kind of redirect, to whatever host: the other one hears nothing (exit 9)."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        place = f"http://127.0.0.1:{other.getsockname()[1]}/"
        for status in (301, 302, 303, 307, 308):
            shop.box.faults.clear()
            shop.box.faults.add("status", status=status, nth=None, headers={"Location": place})
            done = shop.ccsync(*COMMANDS[name])
            assert done.returncode == 9
            if name != "flush" or status == 301:  # under cron the same error is told once
                check_error(done, {9})
        with pytest.raises(BlockingIOError):
            other.accept()


# Q: limits


def test_q3_a_wait_that_the_vendor_asks_for(shop: InsideShop) -> None:
    """Kibo's Retry-After of half an hour: an export, which has time, waits so long and goes on; nobody calls before."""
    shop.box.faults.add("status", vendor="kibo_tenant", status=429, headers={"Retry-After": "1800"})
    began = shop.clock.monotonic()
    assert shop.ccsync("export", "--yes").returncode == 3
    assert shop.clock.monotonic() - began >= 1_800


@pytest.mark.parametrize("value", ["soon", "-1", "", "0"])
def test_q3_a_wait_that_says_nothing(shop: InsideShop, value: str) -> None:
    """A Retry-After without sense, or in the past, is a minute at most; the run goes on."""
    shop.box.faults.add("status", vendor="kibo_tenant", status=429, headers={"Retry-After": value})
    began = shop.clock.monotonic()
    assert shop.ccsync("export", "--yes").returncode == 3
    assert shop.clock.monotonic() - began < 200


def test_q4_too_many_bulk_jobs(shop: InsideShop) -> None:
    """1,000 jobs are waiting there: the import is not sent now (exit 8), and is by the next run, once."""
    path = ".*/contacts_json_import"
    shop.box.faults.add("status", vendor="cc_api", path=path, status=429, body='[{"error_key": "activities.api.many"}]')
    check_error(shop.ccsync("export", "--yes"), {8}, "too many bulk jobs")
    assert not shop.members()
    check_nothing_is_lost(shop, "export")


def test_q7_an_import_that_stands_still(tmp_path: Path) -> None:
    """After half an hour without news the run ends (exit 8); the next one finds the import done, and sends nothing."""
    with InsideShop(tmp_path, SandboxSettings(customers=20, seed=7, import_seconds=4_000.0)) as shop:
        check_error(shop.ccsync("export", "--yes"), {8}, "not finished imports of")
        shop.later(hours=2)
        assert shop.ccsync("export", "--yes").returncode in (0, 3)
        assert len(imports(shop)) == 1
        assert shop.members()
