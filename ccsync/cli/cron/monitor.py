"""Reports the cron jobs to a monitor: a ping before and after each run, and metrics. It never affects a run."""

import logging
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from ccsync.cli import logging_setup
from ccsync.cli.command_line import App
from ccsync.config.schema import Config

log = logging.getLogger(__name__)


def begin(app: App, config: Config) -> None:
    """A cron job begins. `end` reports how it ended."""
    app.monitored = config
    url = config.monitor.ping_url
    if url:
        logging_setup.protect([url])  # anyone who knows the URL can pretend to be this job
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
    """Imported only when a monitor is configured: the import doubles the start-up time of a cron job."""
    return import_module("ccsync.cli.cron.monitor_ways")
