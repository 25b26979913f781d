"""Measure a flush of M changed customers among N, and a day of flushes that find nothing."""

import argparse
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ccsync.sandbox.bench import CONTACT_PAGE, KIBO_PAGE, LIST, Measured, ccsync, measured, print_rows
from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.serve import write_config
from ccsync.sandbox.settings import SandboxSettings

RUNS_A_DAY = 48
SITES = 2
MOST_EXPORTED = 500


def run(arguments: argparse.Namespace) -> int:
    """Export everybody, change some, and measure what flush-events makes of it; print one table."""
    settings = SandboxSettings(
        customers=arguments.customers,
        seed=arguments.seed,
        latency_ms=arguments.latency_ms,
        opted_in_percent=100,
        device_interval_seconds=1,
    )
    with tempfile.TemporaryDirectory() as folder, Sandbox(settings, keeps_bodies=False) as box:
        box.cc.approve_automatically = True
        rate = arguments.kibo_requests_per_second
        write_config(Path(folder), box.config_text(kibo_requests_per_second=rate))
        ccsync(folder, "login --yes")
        ccsync(folder, f"configure --list {LIST} --create-list")
        ccsync(folder, "export --yes")
        # Before anything changes: later, each run's overlap shows the same events once more.
        idle = measured(box, folder, *(["flush-events"] * RUNS_A_DAY))
        changed = box.kibo.account_ids()[: arguments.events]
        for account_id in changed:
            box.kibo.update_account(account_id, lastName="Newname")
        flush = measured(box, folder, "flush-events")
        floor = _floor(box, rate, len(changed))
    _print(arguments, flush, idle, floor)
    return 0


def _floor(box: Sandbox, rate: float, changed: int) -> float:
    """The seconds that page sizes and limits leave to the fastest program that keeps the promises.

    Kibo: the events of every site and the changed customers, page by page, at the set rate. Constant Contact: the
    opt-outs, who is still on the list by whatever is cheaper, pages of it or exports of 500, one import and one look.
    """
    reads = math.ceil(changed * SITES / KIBO_PAGE) + math.ceil(changed / KIBO_PAGE)
    pages = math.ceil(box.cc.member_count(LIST) / CONTACT_PAGE)
    exports = math.ceil(changed / MOST_EXPORTED) * 3  # start, one look, download
    calls = 1 + min(pages, exports) + 1 + 1
    per_second = box.settings.cc_requests_per_second or 1_000
    return reads / rate + box.settings.latency_ms / 1_000 + calls / per_second + box.settings.import_seconds


def _print(arguments: argparse.Namespace, flush: Measured, idle: Measured, floor: float) -> None:
    print(
        f"{arguments.events:,} changed customers of {arguments.customers:,}, Kibo latency {arguments.latency_ms} ms,"
        f" kibo_requests_per_second = {arguments.kibo_requests_per_second:g}\n"
    )
    both: Sequence[Measured] = (flush, idle)
    print_rows(
        [
            ("", "flush", f"{RUNS_A_DAY} idle flushes"),
            ("seconds", *(f"{one.seconds:.1f}" for one in both)),
            ("changed customers/s", f"{arguments.events / flush.seconds:,.0f}", ""),
            ("calls to Kibo", *(f"{one.kibo_calls:,}" for one in both)),
            ("  of these, for tokens", *(f"{one.token_calls:,}" for one in both)),
            ("calls to Constant Contact", *(f"{one.cc_calls:,}" for one in both)),
            ("megabytes over the wire", *(f"{one.megabytes:.1f}" for one in both)),
            ("peak memory of ccsync, MB", *(f"{one.peak_megabytes:.1f}" for one in both)),
            ("floor, seconds", f"{floor:.1f}", ""),
            ("ratio to the floor", f"{flush.seconds / floor:.2f}", ""),
        ]
    )
