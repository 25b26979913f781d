"""What the cron jobs have in common: a time limit, silence on success, and notices once a day."""

from datetime import datetime, timedelta

import click

from ccsync.cli import logging_setup
from ccsync.cli.command_line import App
from ccsync.cli.cron import monitor
from ccsync.cli.cron.mail import is_same_day, mark_of
from ccsync.cli.terminal import screen
from ccsync.cli.terminal.run_json import run_to_json
from ccsync.cli.terminal.since import as_seconds
from ccsync.config.schema import Config
from ccsync.run.context import Context
from ccsync.run.job_names import DIRECTIONS
from ccsync.state import Store, properties
from ccsync.state.database.times import to_text
from ccsync.state.log.runs import Run

RUN_SECONDS = 25 * 60.0
"""A job ends before cron starts its next run."""
LOCK_WAIT_SECONDS = 120.0
_SAID = "said_"


def is_switched_off(app: App, config: Config, command: str) -> bool:
    """Is the sync disabled? Then the job does nothing; it says so only on a terminal or with --json."""
    if config.sync.enabled:
        return False
    app.cron_job = None  # it does no work, so no reported problem is resolved
    if app.wants_json:
        at, message = app.clock.now(), "The sync is disabled; nothing was done."
        screen.print_json(run_to_json(Run(None, command, DIRECTIONS[command], "COMPLETE", at, at, 0, 0, {}, message)))
    elif screen.wants_summary(app.verbosity, app.is_quiet):
        screen.say(f"The sync is disabled: {command} did nothing. To enable it: ccsync configure --enable")
    return True


CLOCK = "clock"
MOST_SKEW = timedelta(minutes=10)


def say_notices(app: App, context: Context) -> None:
    """Print what a person should do: always on a terminal, once a day under cron."""
    store = context.store
    for key, text in {**context.notices, **_of_clock(context)}.items():
        is_watched = screen.wants_summary(app.verbosity, app.is_quiet)
        if not app.is_quiet and (is_watched or _is_news(store, key, key if key == CLOCK else text, app.clock.now())):
            screen.say(screen.clean(logging_setup.redact(text)))


def _of_clock(context: Context) -> dict[str, str]:
    """A wrong clock harms neither runs nor consent, but times in the log and due times are off."""
    asked = (context.kibo.transport.dates, context.constant_contact.transport.dates)
    skews = [one.ahead(context.clock.monotonic(), context.now()) for one in asked if one.answers]
    ahead = max(skews, key=abs, default=timedelta(0))
    text = screen.of_clock("the vendors'", ahead)
    return {CLOCK: f"{text} {screen.SET_CLOCK}"} if abs(ahead) > MOST_SKEW else {}


def _is_news(store: Store, key: str, text: str, now: datetime) -> bool:
    """Has this not been printed today? Marks it as printed."""
    mark = mark_of(text)
    said, _, when = (properties.get(store, _SAID + key) or "").partition(" ")
    if said == mark and is_same_day(when, now):
        return False
    properties.put(store, _SAID + key, f"{mark} {to_text(now)}")
    return True


wait_option = click.option(
    "--wait",
    "wait_seconds",
    metavar="SPAN",
    callback=as_seconds,
    help="Wait so long for another run to end (90s, 5m).  [without a terminal: 2m]",
)


def load(app: App, job: str) -> Config:
    """The config for a job that cron may have started. Sets the rules for mails and starts the monitor."""
    app.cron_job = job
    config = app.load()
    monitor.begin(app, config)
    return config


def patience(app: App, wait_seconds: float | None) -> float:
    """How long to wait for the lock: as asked, else two minutes without a terminal."""
    if wait_seconds is not None:
        return wait_seconds
    return 0.0 if screen.wants_summary(app.verbosity, quiet=False) else LOCK_WAIT_SECONDS
