"""The two ways to report to a monitor: a ping, and a metrics file for the Prometheus node exporter."""

import os
from contextlib import closing
from pathlib import Path

from ccsync.cli.command_line import App
from ccsync.config.schema import Config
from ccsync.reports.status import Status, gather
from ccsync.state import open_store
from ccsync.transport.late import requests

PING_SECONDS = 5.0
TRIES = 2


def ping(url: str) -> None:
    """https://healthchecks.io/docs/http_api/"""
    for number in range(TRIES):
        try:
            requests.get(url, timeout=PING_SECONDS).raise_for_status()
            return
        except requests.exceptions.RequestException:
            if number == TRIES - 1:
                raise


def write_metrics(file: Path, app: App, config: Config) -> None:
    """Write the current metrics, readable by everyone: the exporter runs as another user."""
    # Imported only for the file, so that a ping alone does not pay for it.
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    with closing(open_store(config.state.path, is_reader=True)) as store:
        status = gather(store, config, app.clock.now())
    registry = CollectorRegistry()
    for name, (meaning, values) in _numbers(status).items():
        label = {"ccsync_queue": "status", "ccsync_suppressed": "kind"}.get(name, "job")
        gauge = Gauge(name, meaning, [label] if "" not in values else [], registry=registry)
        for value_of, value in values.items():
            (gauge.labels(value_of) if value_of else gauge).set(value)
    mask = os.umask(0o022)
    try:
        write_to_textfile(str(file), registry)
    finally:
        os.umask(mask)


def _numbers(status: Status) -> dict[str, tuple[str, dict[str, float]]]:
    """Each metric's meaning and its values by label; "" for one without."""
    jobs = status.jobs
    return {
        "ccsync_last_success_timestamp_seconds": (
            "When the job last did its work.",
            {one.job: one.last_success_at.timestamp() for one in jobs if one.last_success_at},
        ),
        "ccsync_last_start_timestamp_seconds": (
            "When the job last started.",
            {one.job: one.last.started_at.timestamp() for one in jobs if one.last},
        ),
        "ccsync_failures": ("How often the job has failed since.", {one.job: one.failures for one in jobs}),
        "ccsync_queue": ("Accounts that wait to be read.", dict(status.queue)),
        "ccsync_write_backs": ("Consent changes that wait to be written to Kibo.", {"": status.write_backs}),
        "ccsync_tags": ("Contacts whose tags wait to be changed.", {"": sum(status.tags.values())}),
        "ccsync_removals": ("People who wait to leave the list.", {"": status.leaving}),
        "ccsync_rejected": ("Records that are rejected now.", {"": status.rejected}),
        "ccsync_placed": ("People whom ccsync has put on the list.", {"": status.placed}),
        "ccsync_suppressed": ("People who may not be sent.", dict(status.suppressed)),
        "ccsync_calls_today": ("Calls to Constant Contact on this UTC day.", {"": status.calls.used}),
        "ccsync_login_lapses_timestamp_seconds": (
            "When the login at Constant Contact lapses without use.",
            {"": status.login_lapses_at.timestamp()} if status.login_lapses_at else {},
        ),
        "ccsync_state_bytes": ("Size of the state file.", {"": status.state_bytes}),
    }
