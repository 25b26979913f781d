"""The lines for cron: when each job runs, and the command with absolute paths."""

import os
import shlex
import sys
from pathlib import Path

from ccsync.cli.terminal import screen
from ccsync.config.schema import Config
from ccsync.run.job_names import FLUSH_EVENTS, POLL_UNSUBSCRIBES, RECONCILE

FIRST_MINUTE = 12
"""Not on the hour, when everyone else's jobs run."""
WEEKLY = "7 4 * * 1"
JOBS = (FLUSH_EVENTS, POLL_UNSUBSCRIBES, RECONCILE)
_NEEDED = ("CCSYNC_STATE", "CCSYNC_KIBO_CLIENT_SECRET", "CCSYNC_CC_CLIENT_SECRET")
_MOST_LISTED = 4  # minutes; more are written as a step


def schedules(interval_minutes: int) -> tuple[str, str]:
    """When `flush-events` and `poll-unsubscribes` run: at least as often as the interval says, never together.

    Cron starts again each hour and each day, so an interval that does not fit becomes the next shorter one that does.
    """
    if interval_minutes < 60:
        step = _fitting(interval_minutes, 60)
        first, second = FIRST_MINUTE % step, (FIRST_MINUTE + max(1, step // 3)) % step
        return f"{_minutes(first, step)} * * * *", f"{_minutes(second, step)} * * * *"
    hours = _fitting(interval_minutes // 60, 24)
    when = {1: "*", 24: "3"}.get(hours, f"*/{hours}")
    return f"{FIRST_MINUTE} {when} * * *", f"{FIRST_MINUTE + 20} {when} * * *"


def _fitting(wanted: int, whole: int) -> int:
    return max(step for step in range(1, wanted + 1) if whole % step == 0)


def _minutes(first: int, step: int) -> str:
    if step == 1:
        return "*"
    if 60 // step <= _MOST_LISTED:
        return ",".join(str(minute) for minute in range(first, 60, step))
    return f"{first}-59/{step}"


def command_line(config_path: Path) -> list[str]:
    """The command that cron and systemd start, with absolute paths: their PATH is short."""
    program = Path(sys.argv[0]).absolute()
    is_script = program.name != "__main__.py" and os.access(program, os.X_OK)
    words = [str(program)] if is_script else [sys.executable, "-m", "ccsync"]
    return [*words, "--config", str(config_path.absolute())]


def lines(config_path: Path, interval_minutes: int) -> list[str]:
    """A line of the crontab for each job."""
    # Cron treats a bare % as the end of the line.
    command = screen.clean(shlex.join(command_line(config_path)).replace("%", "\\%"))
    whens = (*schedules(interval_minutes), WEEKLY)
    return [f"{when}  {command} {job}" for when, job in zip(whens, JOBS, strict=True)]


def missing_variables() -> list[str]:
    """Variables of this shell that ccsync uses and that cron and systemd do not have."""
    return [name for name in _NEEDED if os.environ.get(name)]


def print_lines(config: Config) -> None:
    """Print the lines for `crontab -e`, and mention the variables that cron lacks."""
    screen.print_line("For cron (crontab -e):")
    for line in lines(config.path, config.sync.interval_minutes):
        screen.print_line(line)
    needed = missing_variables()
    if needed:
        screen.say(f"Cron does not know your {' and '.join(needed)}: set it above these lines.")
