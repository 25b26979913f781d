"""The lines for cron: when each job runs, and the command with absolute paths."""

import os
import shlex
import sys
from pathlib import Path

from ccsync.cli.terminal import screen
from ccsync.config import Config

FIRST_MINUTE = 12
"""Not on the hour, when everybody else's jobs run."""
_NEEDED = ("CCSYNC_STATE", "CCSYNC_KIBO_CLIENT_SECRET", "CCSYNC_CC_CLIENT_SECRET")
_MOST_LISTED = 4  # minutes; more are written as a step


def schedules(interval_minutes: int) -> tuple[str, str]:
    """When `flush-events` and `poll-unsubscribes` run: at least as often as the interval says, never together.

    Cron counts anew each hour and each day, so an interval that does not fit becomes the next shorter one that does.
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


def print_lines(config: Config) -> None:
    """Print the two lines for `crontab -e`, and say what else cron would need."""
    program = Path(sys.argv[0]).absolute()
    words = [sys.executable, "-m", "ccsync"] if program.name == "__main__.py" else [str(program)]
    # Cron takes a bare % for the end of the line.
    command = shlex.join([*words, "--config", str(config.path.absolute())]).replace("%", "\\%")
    screen.print_line("For cron (crontab -e):")
    for when, job in zip(schedules(config.sync.interval_minutes), ("flush-events", "poll-unsubscribes"), strict=True):
        screen.print_line(f"{when}  {screen.clean(command)} {job}")
    needed = [name for name in _NEEDED if os.environ.get(name)]
    if needed:
        screen.say(f"Cron does not know your {' and '.join(needed)}: set the same above these lines.")
