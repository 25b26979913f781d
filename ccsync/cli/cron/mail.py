"""Decides what cron mails: which errors are new, which were reported before, and which are resolved.

This is remembered outside the state file, because a missing state file is one of those errors.
"""

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from ccsync.cli import logging_setup
from ccsync.cli.command_line import App
from ccsync.cli.terminal import error_lines, screen
from ccsync.errors import (
    CcsyncError,
    ConfigError,
    Declined,
    Interrupted,
    LockedError,
    LoginNeeded,
    NotAgreed,
    RefusedError,
    SafetyLimitError,
    StateError,
    TemporaryError,
)
from ccsync.run.job_names import CRON_JOBS, RECONCILE
from ccsync.state.database.times import from_text, to_text

PASSING = frozenset({LockedError.exit_code, TemporaryError.exit_code})
DAILY = frozenset(one.exit_code for one in (ConfigError, LoginNeeded, StateError, RefusedError, SafetyLimitError))
IN_A_ROW = 3
"""A temporary problem is reported after this many runs in a row."""


@dataclass(slots=True)
class Memory:
    """What was reported to cron about one job and one config.

    `passing` counts the runs in a row that ended with a passing trouble, `reported` has when each message went out,
    `what` is the latest of them that is not over.
    """

    passing: int = 0
    reported: dict[str, str] = field(default_factory=dict)
    what: str = ""


def takes_error(memory: Memory, error: CcsyncError, now: datetime, others: Sequence[Memory] = ()) -> bool:
    """Record an error; return whether to report it now, given what the `others` jobs have reported."""
    is_passing = error.exit_code in PASSING
    memory.passing = memory.passing + 1 if is_passing else 0
    if is_passing and memory.passing < IN_A_ROW:
        return False
    if is_passing or error.exit_code in DAILY:
        mark = "passing" if is_passing else mark_of(error.what, error.exit_code)
        if is_same_day(memory.reported.get(mark), now):
            return False
        if any(_has_reported(one, mark, error, now) for one in others):
            return False
        memory.reported = {key: at for key, at in memory.reported.items() if is_same_day(at, now)}
        memory.reported[mark] = to_text(now)
    memory.what = error.what
    return True


def _has_reported(other: Memory, mark: str, error: CcsyncError, now: datetime) -> bool:
    """Did another job report the same trouble today, and has it not worked since?"""
    is_same = other.what == error.what if error.exit_code in PASSING else other.what != ""
    return is_same and is_same_day(other.reported.get(mark), now)


def mark_of(text: str, exit_code: int = 0) -> str:
    """A hash of the exit code and of the message without its numbers, which change."""
    # The singular and the plural count as the same word.
    same = re.sub(r"[0-9.,]+|s\b", "", text.replace("people", "person"))
    return hashlib.sha256(f"{exit_code} {same}".encode("utf-8", "replace")).hexdigest()[:16]


def is_same_day(reported_at: str | None, now: datetime) -> bool:
    """Was this on the same local day?"""
    at = from_text(reported_at) if reported_at else None
    return at is not None and at.astimezone().date() == now.astimezone().date()


def show(app: App, error: CcsyncError) -> None:
    """Show an error. For a cron job, show only what has to be mailed now."""
    if is_watched(app) or isinstance(error, (Declined, Interrupted, NotAgreed)):
        error_lines.show(error)
        return
    memory, now = _read(app, app.cron_job), app.clock.now()
    others = [_read(app, job) for job in (*CRON_JOBS, RECONCILE) if job != app.cron_job]
    is_reported = takes_error(memory, error, now, others)
    _write(app, memory)
    if is_reported and error.exit_code == CcsyncError.exit_code:
        error_lines.show_in_one_line(error)
    elif is_reported:
        error_lines.show(error)


def say_recovery(app: App) -> None:
    """After a good run, say that a reported problem is resolved."""
    if is_watched(app):
        return
    memory = _read(app, app.cron_job)
    if memory == Memory():
        return
    _write(app, Memory())
    if memory.what and not app.is_quiet:
        screen.say(f"{app.cron_job} works again. Reported before: {screen.clean(logging_setup.redact(memory.what))}")


def is_watched(app: App) -> bool:
    """Does a person or a program read the output? Otherwise cron mails it."""
    return app.cron_job is None or app.wants_json or screen.wants_summary(app.verbosity, quiet=False)


def _read(app: App, job: str | None) -> Memory:
    for path in _paths(app, job):
        try:
            facts = json.loads(path.read_text())
            reported = {str(key): str(at) for key, at in facts["reported"].items()}
            return Memory(int(facts["passing"]), reported, str(facts["what"]))
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue
    return Memory()


def _write(app: App, memory: Memory) -> None:
    """Save it in the first writable folder. If there is none, every run reports its error."""
    is_kept = memory == Memory()
    for path in _paths(app, app.cron_job):
        with suppress(OSError):
            if is_kept:
                path.unlink(missing_ok=True)
                continue
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_suffix(".new")
            draft.write_text(json.dumps(asdict(memory)))
            draft.replace(path)
            is_kept = True


def _paths(app: App, job: str | None) -> list[Path]:
    """Folders to save it in: systemd's, the user's, a temporary one.

    https://specifications.freedesktop.org/basedir-spec/
    """
    named = app.config_option or os.environ.get("CCSYNC_CONFIG") or Path.cwd()
    key = hashlib.sha256(os.fsencode(Path.cwd() / named)).hexdigest()[:16]
    home = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not home.is_absolute():
        home = Path(os.environ.get("HOME", "")) / ".local" / "state"
    folders = [Path(os.environ.get("STATE_DIRECTORY", "")), home / "ccsync", _temporary()]
    return [one / f"{job}-{key}.json" for one in folders if one is not None and one.is_absolute()]


def _temporary() -> Path | None:
    """A folder that only this user can write to; otherwise other users could control what is mailed."""
    folder = Path(os.environ.get("TMPDIR") or tempfile.gettempdir()) / f"ccsync-{os.geteuid()}"
    try:
        facts = folder.lstat()
    except FileNotFoundError:
        return folder
    except OSError:
        return None
    is_ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o077
    return folder if is_ours else None
