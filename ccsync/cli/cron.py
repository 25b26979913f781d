"""What the jobs that cron runs have in common: their time, their silence, and what they say once a day."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from ccsync.cli.commands.reporting.logs import run_to_json
from ccsync.cli.terminal import screen
from ccsync.cli.wiring import App
from ccsync.config import Config
from ccsync.errors import CcsyncError, Interrupted, NotAgreed
from ccsync.run.job_names import DIRECTIONS
from ccsync.state import Store, properties
from ccsync.state.database.times import from_text, to_text
from ccsync.state.log.runs import Run

RUN_SECONDS = 25 * 60.0
"""A job ends before cron starts its next run."""
_SAID = "said_"


def is_switched_off(app: App, config: Config, command: str) -> bool:
    """Is the sync disabled? Then the job does nothing, and says so only to a person or, with --json, to a program."""
    if config.sync.enabled:
        return False
    if app.wants_json:
        at, message = app.clock.now(), "The sync is disabled; nothing was done."
        screen.print_json(run_to_json(Run(None, command, DIRECTIONS[command], "COMPLETE", at, at, 0, 0, {}, message)))
    elif screen.wants_summary(app.verbosity, app.is_quiet):
        screen.say(f"The sync is disabled: {command} did nothing. To enable it: ccsync configure --enable")
    return True


def say_notices(app: App, store: Store, notices: dict[str, str]) -> None:
    """Say what a person should do: at a terminal always, under cron once a day."""
    for key, text in notices.items():
        is_watched = screen.wants_summary(app.verbosity, app.is_quiet)
        if not app.is_quiet and (is_watched or _is_news(store, key, text, app.clock.now())):
            screen.say(screen.clean(text))


def _is_news(store: Store, key: str, text: str, now: datetime) -> bool:
    """Was this not said yet today? It is said now. Numbers change from run to run, and it is still the same."""
    same = re.sub(r"[0-9.,]+", "", text)
    mark = hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()[:16]
    said, _, when = (properties.get(store, _SAID + key) or "").partition(" ")
    at = from_text(when) if when else None
    if said == mark and at is not None and _is_same_day(at, now):
        return False
    properties.put(store, _SAID + key, f"{mark} {to_text(now)}")
    return True


def _is_same_day(one: datetime, other: datetime) -> bool:
    return one.astimezone().date() == other.astimezone().date()


@contextmanager
def reported_once(app: App, store: Store, job: str) -> Iterator[None]:
    """Around a job: under cron, an error that stays the same is told once a day. Its exit code stays the same."""
    try:
        yield
    except (Interrupted, NotAgreed):
        raise
    except CcsyncError as error:
        is_watched = app.wants_json or screen.wants_summary(app.verbosity, quiet=False)
        app.was_reported = not (_is_news(store, f"{job}_error", error.what, app.clock.now()) or is_watched)
        raise
