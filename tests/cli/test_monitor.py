"""What a monitor gets: pings around the cron jobs, metrics for Prometheus, a line for Nagios."""

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock
from tests.inside import InsideShop

JOBS = ["flush-events", "poll-unsubscribes", "reconcile"]


@dataclass
class Heard:
    """A monitor: what it was told, and what it answers."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def monitor() -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.paths.append(self.path)
            self.send_response(heard.statuses.pop(0) if heard.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_port}/check"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=3, seed=7), has_wire=True) as made:
        made.ccsync("export", "--yes")
        made.box.kibo.add_account(emailAddress="kim@example.com", firstName="Kim", acceptsMarketing=True)
        made.ccsync("flush-events")
        yield made


def set_up(shop: InsideShop, key: str, value: str) -> None:
    shop.config_path.write_text(f'{shop.config_path.read_text()}\n[monitor]\n{key} = "{value}"\n')


@pytest.mark.parametrize("job", JOBS)
def test_a_ping_before_and_after(shop: InsideShop, job: str) -> None:
    """/start, then the exit code; cron mails nothing about it, and the URL is in no log."""
    with monitor() as heard:
        set_up(shop, "ping_url", heard.url)
        done = shop.ccsync("--log-file", str(shop.folder / "log"), job)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert heard.paths == ["/check/start", "/check/0"]
    assert heard.url not in (shop.folder / "log").read_text()


def test_the_exit_code_is_told(shop: InsideShop) -> None:
    """Whatever ends the job."""
    with monitor() as heard:
        set_up(shop, "ping_url", heard.url)
        with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
            assert shop.ccsync("flush-events", "--wait", "0s").returncode == 7
        shop.box.cc.delete_list(shop.list_id)
        assert shop.ccsync("poll-unsubscribes").returncode == 9
    assert heard.paths == ["/check/start", "/check/7", "/check/start", "/check/9"]


def test_a_ping_is_tried_twice(shop: InsideShop) -> None:
    """A ping that fails once is repeated; a monitor that is down is left alone."""
    with monitor() as heard:
        set_up(shop, "ping_url", heard.url)
        heard.statuses = [500, 200, 500, 500]
        done = shop.ccsync("flush-events")
    assert (done.returncode, done.stderr) == (0, "")
    assert heard.paths == ["/check/start", "/check/start", "/check/0", "/check/0"]


def test_a_monitor_that_is_gone_changes_nothing(shop: InsideShop) -> None:
    """Neither the exit code nor what cron mails."""
    set_up(shop, "ping_url", "http://127.0.0.1:1/check")
    done = shop.ccsync("flush-events")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [run.status for run in shop.latest()] == ["COMPLETE"] * 3


def test_nobody_else_is_monitored(shop: InsideShop) -> None:
    """An export, a dry run or a look is no cron job."""
    with monitor() as heard:
        set_up(shop, "ping_url", heard.url)
        for words in (["export"], ["flush-events", "--dry-run"], ["status"], ["reconcile", "--fix", "--yes"]):
            shop.ccsync(*words)
    assert heard.paths == []


def test_numbers_for_prometheus(shop: InsideShop) -> None:
    """A text file that the exporter, another user, may read; it is there after each job, and whole."""
    file = shop.folder / "ccsync.prom"
    set_up(shop, "metrics_file", "ccsync.prom")
    shop.box.kibo.add_account(emailAddress="two@@example.com", acceptsMarketing=True)
    assert shop.ccsync("flush-events").returncode == 3
    numbers = dict(line.rsplit(" ", 1) for line in file.read_text().splitlines() if not line.startswith("#"))
    assert float(numbers["ccsync_rejected"]) == 1
    assert float(numbers["ccsync_calls_today"]) > 1
    assert float(numbers['ccsync_failures{job="flush-events"}']) == 0
    at = shop.clock.now().timestamp()
    assert at - 60 < float(numbers['ccsync_last_success_timestamp_seconds{job="flush-events"}']) <= at
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [one.name for one in shop.folder.iterdir() if "prom" in one.name] == ["ccsync.prom"]


def test_a_metrics_file_that_cannot_be_written_changes_nothing(shop: InsideShop) -> None:
    """The run counts, and cron is silent."""
    set_up(shop, "metrics_file", "/nowhere/ccsync.prom")
    done = shop.ccsync("flush-events")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_library_is_loaded_only_where_it_is_wanted() -> None:
    """A command's start does not pay for it."""
    for module in ("ccsync.cli.app", "ccsync.cli.cron.monitor_ways"):  # the second one pings as well
        code = f"import sys, {module}; sys.exit('prometheus_client' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_line_for_nagios(shop: InsideShop) -> None:
    """OK and exit 0, or what needs a person and exit 1; one line with numbers, and nobody's address."""
    shop.ccsync("flush-events")
    shop.ccsync("poll-unsubscribes")
    done = shop.ccsync("status", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("CCSYNC OK - nothing needs a person | queue=0 rejected=0 ")
    shop.box.kibo.add_account(emailAddress="two@@example.com", acceptsMarketing=True)
    shop.ccsync("flush-events")
    shop.later(hours=9)
    done = shop.ccsync("status", "--check", "--stale-after", "2h")
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("CCSYNC WARNING - flush-events has not run for 9 hours")
    assert "more: ccsync status)" in done.stdout
    assert " | queue=1 rejected=1 " in done.stdout
    assert shop.ccsync("status", "--check", "--json").returncode == 2


def test_a_line_for_nagios_when_nothing_can_be_read(shop: InsideShop) -> None:
    """A monitor shows stdout alone: what is wrong stands there as well. The exit code says it as anywhere."""
    shop.edit("[sync]", "[sync]\nlist_departurse = true")
    done = shop.ccsync("status", "--check")
    assert (done.returncode, done.stdout.count("\n")) == (4, 1)
    assert done.stdout.startswith("CCSYNC UNKNOWN - ")
    assert "did you mean 'list_departures'?" in done.stdout
    assert done.stderr.startswith("Error: ")
