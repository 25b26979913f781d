"""Axis A6: what is wrong on this machine is named for what it is, within seconds, and before a vendor is touched."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.cli.faults import check_error
from tests.cli.test_faults_network import move_vendors, tls_server
from tests.inside import InsideShop
from tests.live import LiveShop

SETTINGS = SandboxSettings(customers=5, seed=7)
PASSWORD = "pa55-word"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS, has_wire=True) as made:
        yield made


@contextmanager
def proxy(answer: str) -> Iterator[int]:
    """A proxy that gives this answer to everybody; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def check_named(shop: InsideShop, environ: dict[str, str], code: int, *words: str) -> None:
    """Both jobs and a login name it, after seconds, and never say that a vendor could not be reached."""
    for command in ("flush-events", "poll-unsubscribes", "login --check"):
        shop.clock.slept.clear()
        done = shop.ccsync(*command.split(), "--json", environ=environ)
        check_error(done, {code, 5} if "login" in command else {code}, *words)
        assert "could not be reached" not in done.stderr
        assert PASSWORD not in done.stderr
        assert sum(shop.clock.slept) < 10
        shop.later(hours=1)


@pytest.mark.parametrize(
    ("environ", "code", "words"),
    [
        ({"HTTP_PROXY": "http://127.0.0.1:1"}, 8, ["The proxy 127.0.0.1:1 cannot be reached", "$HTTP_PROXY"]),
        ({"http_proxy": f"http://me:{PASSWORD}@127.0.0.1:1"}, 8, ["The proxy 127.0.0.1:1 cannot", "$http_proxy"]),
        ({"ALL_PROXY": "http://127.0.0.1:1"}, 8, ["The proxy 127.0.0.1:1 cannot be reached", "$ALL_PROXY"]),
        ({"HTTP_PROXY": "http://"}, 4, ["$HTTP_PROXY is not the URL of a proxy"]),
        ({"HTTP_PROXY": " "}, 4, ["$HTTP_PROXY is not the URL of a proxy"]),
        ({"HTTP_PROXY": "gopher://127.0.0.1:1"}, 4, ["$HTTP_PROXY is not the URL of a proxy"]),
    ],
)
def test_a_proxy_variable(shop: InsideShop, environ: dict[str, str], code: int, words: list[str]) -> None:
    """For a dead proxy or an invalid value, the message names the variable and hides its password."""
    check_named(shop, environ, code, *words)


def test_an_empty_proxy_variable_is_none(shop: InsideShop) -> None:
    """Empty counts as not set, and an empty one in small letters takes the other one back."""
    done = shop.ccsync("flush-events", environ={"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "", "ALL_PROXY": ""})
    assert done.returncode == 0, done.stderr


def test_a_proxy_that_wants_a_password(shop: InsideShop) -> None:
    """A 407 is the proxy's: for plain calls, and for the tunnel that https takes through it."""
    with proxy("407 Proxy Authentication Required") as port:
        words = [f"The proxy 127.0.0.1:{port} wants a user name and a password", "407"]
        check_named(shop, {"HTTP_PROXY": f"http://127.0.0.1:{port}"}, 4, *words, "$HTTP_PROXY")
        move_vendors(shop, "https://127.0.0.1:9")
        check_named(shop, {"HTTPS_PROXY": f"http://me:{PASSWORD}@127.0.0.1:{port}"}, 4, *words, "$HTTPS_PROXY")


def test_a_proxy_that_does_not_let_through(shop: InsideShop) -> None:
    """A tunnel that the proxy refuses is the proxy's doing, one that it cannot make may pass."""
    move_vendors(shop, "https://127.0.0.1:9")
    with proxy("403 Forbidden") as port:
        words = f"The proxy 127.0.0.1:{port} does not let ccsync reach 127.0.0.1"
        check_named(shop, {"HTTPS_PROXY": f"http://127.0.0.1:{port}"}, 4, words)
    with proxy("502 Bad Gateway") as port:
        words = f"The proxy 127.0.0.1:{port} cannot reach 127.0.0.1"
        check_named(shop, {"HTTPS_PROXY": f"http://127.0.0.1:{port}"}, 8, words)


def test_a_socks_proxy_without_support(tmp_path: Path) -> None:
    """SOCKS is an optional part of the HTTP library: without it the variable is named, and how to add the part."""
    code = "import sys; sys.modules['socks'] = None; from ccsync.__main__ import main; main()"
    with LiveShop(tmp_path, SETTINGS) as shop:
        done = subprocess.run(
            [sys.executable, "-c", code, "--config", str(shop.config_path), "flush-events"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ALL_PROXY": "socks5h://127.0.0.1:1"},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    check_error(done, {4}, "$ALL_PROXY names a SOCKS proxy, and SOCKS support is not installed", 'requests[socks]"')


def test_a_dead_socks_proxy(shop: InsideShop) -> None:
    """With the part installed, a SOCKS proxy that does not answer is named as any other."""
    pytest.importorskip("socks")
    check_named(shop, {"all_proxy": "socks5://127.0.0.1:1"}, 8, "The proxy 127.0.0.1:1 cannot be reached", "$all_proxy")


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file or directory"), ("no certificate", "it holds no certificate")]
)
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_bundle_that_cannot_be_used(
    shop: InsideShop, tmp_path: Path, name: str, content: str | None, why: str
) -> None:
    """The file and the variable that names it; the vendor's certificate is not blamed."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with tls_server("good") as (port, heard):
        move_vendors(shop, f"https://127.0.0.1:{port}")
        words = (f"The CA certificates in {path} cannot be used", f"{why}; ${name} names the file")
        check_named(shop, {name: str(path)}, 4, *words)
        assert not heard


def test_a_clock_by_which_a_certificate_has_expired(shop: InsideShop) -> None:
    """A clock that is years ahead makes every certificate look expired: the clock is named first."""
    bundle = str(Path(__file__).parent.parent / "certificates" / "ca.pem")
    with tls_server("expired") as (port, _):
        move_vendors(shop, f"https://127.0.0.1:{port}")
        done = shop.ccsync("flush-events", environ={"REQUESTS_CA_BUNDLE": bundle})
    check_error(done, {9}, "certificate has expired, by this machine's clock", "Check this machine's clock")


def test_no_dns_later_in_a_run_is_sat_out(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once calls have gone out, a name that does not resolve for a moment ends nothing."""
    real, calls = socket.getaddrinfo, list[int]()

    def fail(*words: object, **options: object) -> object:
        calls.append(1)
        if 4 <= len(calls) <= 6:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return real(*words, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    shop.box._servers.closes_connections = True
    for _ in range(4):
        assert shop.ccsync("flush-events").returncode in (0, 8)
        shop.later(minutes=30)


def mounted_alone(shop: LiveShop, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command where the config file, and not its folder, is mounted, as a container may have it."""
    path = str(shop.config_path)
    script = f'mount --bind "{path}" "{path}" && exec "$0" -m ccsync --config "{path}" "$@"'
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "/bin/sh", "-c", script, sys.executable, *words],
        env={"PATH": os.environ["PATH"], "HOME": str(shop.folder)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def can_mount() -> bool:
    """Does this system let a test mount something that only the test sees?"""
    words = ["unshare", "--map-root-user", "--mount", "true"]
    return shutil.which("unshare") is not None and subprocess.run(words, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this system lets nobody mount")
def test_a_config_file_that_is_mounted_alone(tmp_path: Path) -> None:
    """It cannot be replaced, which is found before a list is created at the vendor."""
    with LiveShop(tmp_path, SETTINGS) as shop:
        before = shop.config_path.read_text()
        done = mounted_alone(shop, ["configure", "--list", "New customers", "--create-list"])
        check_error(done, {4}, "is a mount of its own", f"Mount its folder {tmp_path}")
        assert not shop.requests("POST", "/contact_lists")
        assert shop.config_path.read_text() == before
        assert {one.name for one in tmp_path.glob(".ccsync.toml*")} == set()


def test_a_disk_that_cannot_share_memory(tmp_path: Path) -> None:
    """SQLite's index of the write-ahead log is shared memory; where a disk has none, it is not called full."""
    if shutil.which("strace") is None:
        assert not os.environ.get("CCSYNC_TESTS_NEED_BROWSER"), "CI has strace; it is missing"
        pytest.skip("no strace here to make the disk refuse (Debian: apt-get install strace)")
    with LiveShop(tmp_path, SETTINGS) as shop:
        state = shop.config.state.path
        trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", f"{state}-shm", "-e", "inject=mmap:error=ENODEV"]
        done = subprocess.run(
            [*trace, sys.executable, "-m", "ccsync", "--config", str(shop.config_path), "logs"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    check_error(done, {6}, "cannot share memory between programs", "local disk")
    assert "full" not in done.stderr


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_a_secret_with_a_line_end(shop: InsideShop, end: str) -> None:
    """A variable that was read from a file with its line end: named, before a call that could only be refused."""
    before = len(shop.requests())
    done = shop.ccsync("flush-events", environ={"CCSYNC_KIBO_CLIENT_SECRET": f"{PASSWORD}{end}"})
    check_error(done, {4}, "$CCSYNC_KIBO_CLIENT_SECRET has a line end or a blank")
    assert PASSWORD not in done.stderr
    assert len(shop.requests()) == before


def test_the_system_s_own_authorities_can_be_loaded() -> None:
    """The file that is named when no variable is set is one that works."""
    import requests

    ssl.create_default_context(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)
