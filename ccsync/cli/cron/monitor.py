"""What a monitor hears of the cron jobs: a ping before and after each, and numbers in a file. It changes no run."""

import logging
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from ccsync.cli import logging_setup
from ccsync.cli.command_line import App
from ccsync.config import Config

log = logging.getLogger(__name__)


def begin(app: App, config: Config) -> None:
    """A cron job begins. `end` reports how it ended."""
    app.monitored = config
    url = config.monitor.ping_url
    if url:
        logging_setup.protect([url])  # anybody who knows it can pretend to be this job
        _harmless(lambda: _ways().ping(f"{url}/start"))


def end(app: App, code: int) -> None:
    """It ends with this exit code."""
    config = app.monitored
    if config is None:
        return
    url, file = config.monitor.ping_url, config.monitor.metrics_file
    if url:
        _harmless(lambda: _ways().ping(f"{url}/{code}"))
    if file:
        _harmless(lambda: _ways().write_metrics(file, app, config))


def _harmless(act: Callable[[], None]) -> None:
    try:
        act()
    except Exception as error:
        log.warning("the monitor was not reached: %s", type(error).__name__)


def _ways() -> ModuleType:
    """Imported where there is a monitor: it takes as long as everything else of a cron job's start."""
    return import_module("ccsync.cli.cron.monitor_ways")
