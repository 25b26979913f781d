"""A time as an operator types it: a date, an ISO-8601 time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

import click

from ccsync.cli.clock import now
from ccsync.cli.terminal.screen import clean, local_time

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def as_time(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """The aware time an option means, for its `callback`: a date or time, or `2h`, `3d`; without an offset it is local.

    Raises `click.BadParameter`.
    """
    if value is None:
        return None
    try:
        found = read_since(value.strip(), now())
    except _Unclear as error:
        raise click.BadParameter(str(error)) from None
    except (ValueError, OverflowError):
        raise click.BadParameter(_HELP.format(clean(value))) from None
    if found > now():
        raise click.BadParameter(f"{value} lies in the future.")
    return found


_HELP = '"{}" is no time: give a date (2026-11-01), a time (2026-11-01T08:00), or how long ago (2h, 3d).'


class _Unclear(ValueError):
    pass


def read_since(text: str, at: datetime) -> datetime:
    """The aware time that `text` means when it is `at`. Raises `ValueError` or `OverflowError` for anything else."""
    ago = _AGO.fullmatch(text)
    if ago:
        return at - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    typed = datetime.fromisoformat(text)
    if typed.tzinfo is not None:
        return typed.astimezone(UTC)
    first, second = typed.replace(fold=0).astimezone(), typed.replace(fold=1).astimezone()
    # In the night when clocks go back an hour comes twice; when they go forward one is missing, and either will do.
    if first.utcoffset() != second.utcoffset() and first < second:
        raise _Unclear(f"{text} came twice: {local_time(first)} and {local_time(second)}; add the offset.")
    return first.astimezone(UTC)
