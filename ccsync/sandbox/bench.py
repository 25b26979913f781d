"""Measure an export of N opted-in customers: seconds, calls, bytes, memory, and the floor that the limits allow."""

import argparse
import math
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.serve import environ_for, write_config
from ccsync.sandbox.settings import ROW_PARTS, SandboxSettings

KIBO_PAGE = 200
CONTACT_PAGE = 500
BATCH_BYTES = 3_500_000
LIST = "Bench"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `bench` can be told."""
    parser.add_argument("--customers", type=int, default=10_000, metavar="N", help="customers, all opted in (10000)")
    parser.add_argument("--latency-ms", type=int, default=100, metavar="L", help="before each answer of Kibo (100)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which people (1)")
    parser.add_argument("--kibo-requests-per-second", type=float, default=5, metavar="R", help="the setting (5)")
    parser.add_argument(
        "--single-reads", action="store_true", help="Kibo's list shows no contacts, so that each customer is read alone"
    )


@dataclass(frozen=True, slots=True)
class Result:
    """One measured export."""

    name: str
    seconds: float
    kibo_calls: int
    cc_calls: int
    pass_calls: int
    megabytes: float
    peak_megabytes: float
    floor: float


def run(arguments: argparse.Namespace) -> int:
    """Measure a first export and a second one that finds nothing to do; print one table."""
    settings = SandboxSettings(
        customers=arguments.customers,
        seed=arguments.seed,
        latency_ms=arguments.latency_ms,
        opted_in_percent=100,
        rows_carry=ROW_PARTS - ({"contacts"} if arguments.single_reads else set()),
        device_interval_seconds=1,
    )
    with tempfile.TemporaryDirectory() as folder, Sandbox(settings, keeps_bodies=False) as box:
        box.cc.approve_automatically = True
        rate = arguments.kibo_requests_per_second
        write_config(Path(folder), box.config_text(kibo_requests_per_second=rate))
        _ccsync(folder, "login --yes")
        _ccsync(folder, f"configure --list {LIST} --create-list")
        results = [_measure(box, folder, name, rate) for name in ("first export", "nothing changed")]
    _print(arguments, results)
    return 0


def _measure(box: Sandbox, folder: str, name: str, rate: float) -> Result:
    before, bytes_before = dict(box.requests.calls), sum(box.requests.bytes.values())
    reads_before, imports_before = _pass_calls(box), _imports(box)
    contacts = box.cc.contact_count()
    started = time.monotonic()
    peak = _ccsync(folder, "export --yes")
    seconds = time.monotonic() - started
    imports = _imports(box) - imports_before
    passes = _pass_calls(box) - reads_before
    return Result(
        name=name,
        seconds=seconds,
        kibo_calls=box.requests.calls["kibo_tenant"] - before.get("kibo_tenant", 0),
        cc_calls=box.requests.calls["cc_api"] - before.get("cc_api", 0),
        pass_calls=passes,
        megabytes=(sum(box.requests.bytes.values()) - bytes_before) / 1e6,
        peak_megabytes=peak / 1024,
        floor=_floor(box, rate, contacts if imports else 0, imports),
    )


def _floor(box: Sandbox, rate: float, contacts: int, imports: int) -> float:
    """The seconds that page size, batch size and limits leave to the fastest program that reads before it sends.

    Kibo's pages, and each customer where the pages lack something, at the set rate (any number of them under way at
    once, one latency at the end), one pass over the contacts there already, the imports, one look at them, and the
    time Constant Contact takes for the last, were it empty.
    """
    customers = box.kibo.opted_in_count()
    reads = math.ceil(customers / KIBO_PAGE) + (0 if box.settings.rows_carry == ROW_PARTS else customers)
    per_second = box.settings.cc_requests_per_second or 1_000
    calls = math.ceil(contacts / CONTACT_PAGE) + imports + 2
    importing = box.settings.import_seconds if imports else 0.0
    return reads / rate + box.settings.latency_ms / 1_000 + calls / per_second + importing


def _imports(box: Sandbox) -> int:
    return sum(one.path.endswith("contacts_json_import") for one in box.requests.records)


def _pass_calls(box: Sandbox) -> int:
    return sum(one.path == "/v3/contacts" for one in box.requests.records)


def _ccsync(folder: str, words: str) -> int:
    """Run one real command; return its peak resident memory in kB (0 where /proc does not tell)."""
    command = [sys.executable, "-m", "ccsync", *shlex.split(words)]
    with tempfile.TemporaryFile() as errors:
        environ = environ_for(Path(folder))
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=errors)
        peak = 0
        # Not from the resource usage of the ended child: that begins with the size of this very process.
        while process.poll() is None:
            peak = max(peak, _peak_of(process.pid))
            time.sleep(0.02)
        if process.returncode not in (0, 3):
            errors.seek(0)
            text = errors.read().decode(errors="replace")
            raise SystemExit(f"ccsync {words} ended with {process.returncode}:\n{text}")
    return peak


def _peak_of(number: int) -> int:
    try:
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _print(arguments: argparse.Namespace, results: list[Result]) -> None:
    print(
        f"{arguments.customers:,} customers, Kibo latency {arguments.latency_ms} ms,"
        f" kibo_requests_per_second = {arguments.kibo_requests_per_second:g}"
        f"{', each customer read alone' if arguments.single_reads else ''}\n"
    )
    rows = [
        ("", *(one.name for one in results)),
        ("seconds", *(f"{one.seconds:.1f}" for one in results)),
        ("customers/s", *(f"{arguments.customers / one.seconds:,.0f}" for one in results)),
        ("calls to Kibo", *(f"{one.kibo_calls:,}" for one in results)),
        ("calls to Constant Contact", *(f"{one.cc_calls:,}" for one in results)),
        ("  of these, passes over contacts", *(f"{one.pass_calls:,}" for one in results)),
        ("megabytes over the wire", *(f"{one.megabytes:.1f}" for one in results)),
        ("peak memory of ccsync, MB", *(f"{one.peak_megabytes:.1f}" for one in results)),
        ("floor, seconds", *(f"{one.floor:.1f}" for one in results)),
        ("ratio to the floor", *(f"{one.seconds / one.floor:.2f}" for one in results)),
    ]
    for row in rows:
        print(f"{row[0]:<34}" + "".join(f"{cell:>18}" for cell in row[1:]))
