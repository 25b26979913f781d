"""Measure ccsync against a store of N opted-in customers: seconds, CPU, calls, memory, locks, and the floor."""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ccsync.sandbox import bench_floors as floors
from ccsync.sandbox.bench_runs import Measured, Measuring, decoding_seconds
from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.population.people import former_contacts
from ccsync.sandbox.serve import write_config
from ccsync.sandbox.settings import ROW_SECTIONS, SandboxSettings

LIST = "Bench"
IDLE_RUNS = 48
"""Flushes of a day in which nothing happens."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the options of `bench`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = floors.__doc__
    number = parser.add_argument
    number("--customers", type=int, default=10_000, metavar="N", help="customers, all opted in (10000)")
    number("--latency-ms", type=_span, default=(100, 100), metavar="L", help="of Kibo's answers: 100, or 100..3000")
    number("--seed", type=int, default=1, metavar="S", help="which people (1)")
    number("--kibo-requests-per-second", type=float, default=5, metavar="R", help="the setting (5)")
    number("--single-reads", action="store_true", help="Kibo's list shows no contacts: each customer is read alone")
    number("--events", type=int, default=0, metavar="M", help="a flush of M changed customers")
    number("--opt-outs", type=int, default=0, metavar="M", help="a poll of M customers who unsubscribed")
    number(
        "--people",
        type=int,
        default=0,
        metavar="P",
        help="P contacts unsubscribed in former years; every command is run on that state",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")


def _span(text: str) -> tuple[int, int]:
    least, _, most = text.partition("..")
    return int(least), int(most or least)


def run(arguments: argparse.Namespace) -> int:
    """Measure what was asked for; print one table."""
    with _shop(arguments) as (box, folder):
        measuring = Measuring(box, folder, arguments.kibo_requests_per_second)
        results = list(_measure(arguments, box, measuring))
        per_row = decoding_seconds(box)
    _print(arguments, results, per_row * 1e6)
    return 0


@contextmanager
def _shop(arguments: argparse.Namespace) -> Iterator[tuple[Sandbox, Path]]:
    """A sandbox with a ccsync that is logged in and configured beside it."""
    least, most = arguments.latency_ms
    settings = SandboxSettings(
        customers=arguments.customers,
        seed=arguments.seed,
        latency_ms=least,
        latency_most_ms=most,
        opted_in_percent=100,
        rows_carry=ROW_SECTIONS - ({"contacts"} if arguments.single_reads else set()),
        device_interval_seconds=1,
    )
    with tempfile.TemporaryDirectory() as name, Sandbox(settings, keeps_bodies=False) as box:
        box.cc.approve_automatically = True
        box.cc.add_contacts(former_contacts(arguments.people))
        write_config(Path(name), box.config_text(kibo_requests_per_second=arguments.kibo_requests_per_second))
        yield box, Path(name)


def _measure(arguments: argparse.Namespace, box: Sandbox, measuring: Measuring) -> Iterator[Measured]:
    for words in ("login --yes", f"configure --list {LIST} --create-list"):
        measuring.run("", words)
    first = measuring.run("first export", "export --yes", floors.export, arguments.customers)
    if not (arguments.events or arguments.opt_outs or arguments.people):
        yield first
        yield measuring.run("nothing changed", "export --yes", floors.export, arguments.customers)
    if arguments.people:
        yield first
        yield measuring.run("poll of old opt-outs", "poll-unsubscribes --full")
    if arguments.events:
        if not arguments.people:
            # Before anything changes: later, each run's overlap shows the same events once more.
            yield measuring.run(f"{IDLE_RUNS} idle flushes", *["flush-events"] * IDLE_RUNS)
        for account_id in box.kibo.account_ids()[: arguments.events]:
            box.kibo.update_account(account_id, lastName="Newname")
        yield measuring.run("flush", "flush-events", floors.flush, arguments.events)
    if arguments.opt_outs:
        for address in box.cc.members(LIST)[: arguments.opt_outs]:
            box.cc.unsubscribe(address)
        yield measuring.run("poll, held back", "poll-unsubscribes")
        accept = f"poll-unsubscribes --accept {arguments.opt_outs}"
        yield measuring.run("poll", accept, floors.poll, arguments.opt_outs)
    for words in ("reconcile", "consent --since 2020-01-01 --csv", "status", "logs") if arguments.people else ():
        yield measuring.run(words.split()[0], words)


def _print(arguments: argparse.Namespace, results: Sequence[Measured], decoding: float) -> None:
    """Print the table, or with --json everything that it is made of."""
    if arguments.json:
        given = {name: value for name, value in vars(arguments).items() if name not in ("json", "command")}
        document = {**given, "decoding_us_per_customer": round(decoding, 2), "results": list(map(asdict, results))}
        print(json.dumps(document, indent=2))
        return
    customers, (least, most) = arguments.customers, arguments.latency_ms
    print(
        f"{customers:,} customers, Kibo latency {least}{f'..{most}' if most > least else ''} ms,"
        f" kibo_requests_per_second = {arguments.kibo_requests_per_second:g}"
        f"{', each customer read alone' if arguments.single_reads else ''};"
        f" decoding their pages takes {decoding:.1f} µs each\n"
    )
    _print_row("", [one.name for one in results])
    _print_row("seconds", [f"{one.seconds:.1f}" for one in results])
    _print_row("floor, seconds", [f"{one.floor:.1f}" if one.floor else "" for one in results])
    _print_row("ratio to the floor", [f"{one.seconds / one.floor:.2f}" if one.floor else "" for one in results])
    _print_row("CPU seconds", [f"{one.cpu_seconds:.1f}" for one in results])
    # Starting Python and reading the config count as well: a small store shows mostly that.
    times = [one.cpu_seconds * 1e6 / customers / decoding for one in results] if decoding else []
    _print_row("CPU, times decoding", [f"{one:.1f}" for one in times])
    _print_row("calls to Kibo", [f"{one.kibo_calls:,}" for one in results])
    _print_row("calls to Constant Contact", [f"{one.cc_calls:,}" for one in results])
    _print_row("megabytes over the wire", [f"{one.megabytes:.1f}" for one in results])
    _print_row("peak memory of ccsync, MB", [f"{one.peak_megabytes:.1f}" for one in results])
    _print_row("longest lock of the state, s", [f"{one.longest_lock_seconds:.2f}" for one in results])
    _print_row("state file, bytes a customer", [f"{one.state_bytes / customers:,.0f}" for one in results])


def _print_row(name: str, cells: Sequence[str]) -> None:
    print(f"{name:<30}" + "".join(f"{cell:>22}" for cell in cells))
