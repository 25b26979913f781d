"""The units for systemd: a oneshot service and a timer for each job, and what mails a failure."""

import getpass
import shlex
from pathlib import Path

from ccsync.cli.setup.crontab import JOBS, WEEKLY, command_line, schedules
from ccsync.cli.setup.starting_config import EXAMPLES


def units(config_path: Path, state_path: Path, interval_minutes: int, *, also_writable: Path | None = None) -> str:
    """All units as one text, each below a line with its file name. `also_writable` is a second writable folder."""
    unit = (EXAMPLES / "systemd.example").read_text("utf-8")
    writable = [state_path.parent, *([also_writable] if also_writable else [])]
    whens = (*schedules(interval_minutes), WEEKLY)
    found = [
        unit.format(
            job=job,
            user=getpass.getuser(),
            command=shlex.join(command_line(config_path)).replace("%", "%%"),
            writable=" ".join(_quoted(path) for path in writable),
            when=calendar(when),
        )
        for job, when in zip(JOBS, whens, strict=True)
    ]
    return "".join(found) + (EXAMPLES / "systemd-failure.example").read_text("utf-8")


def calendar(schedule: str) -> str:
    """A schedule of cron as systemd writes it: `12,42 * * * *` is `*-*-* *:12,42:00`.

    https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html#Calendar%20Events
    """
    minute, hour, _, _, weekday = schedule.split()
    day = "Mon " if weekday == "1" else ""
    return f"{day}*-*-* {_field(hour)}:{_field(minute)}:00"


def _field(text: str) -> str:
    """`2-59/10` and `*/2` are `2/10` and `0/2` there."""
    first, _, step = text.partition("/")
    if step:
        return f"{'0' if first == '*' else first.partition('-')[0]}/{step}"
    return ",".join(f"{int(one):02}" if one.isdigit() else one for one in text.split(","))


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"' if " " in text else text
