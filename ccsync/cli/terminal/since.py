"""A time as an operator types it: a date, an ISO-8601 time, or how long ago; and a length of time."""

import re
from datetime import UTC, date, datetime, timedelta

import click

from ccsync.cli.clock import now
from ccsync.cli.terminal.screen import clean, local_time

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_SPAN = re.compile(r"(\d{1,5})([smhd])", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_STEP = timedelta(minutes=15)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def as_span(_context: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    """A length of time as `90s`, `90m`, `2h` or `1d`, for an option's `callback`. Raises `click.BadParameter`."""
    if text is None:
        return None
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise click.BadParameter(f'"{clean(text)}" is not a length of time: use 90s, 90m, 2h or 1d.')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def as_seconds(context: click.Context, option: click.Parameter, text: str | None) -> float | None:
    """The same in seconds."""
    span = as_span(context, option, text)
    return None if span is None else span.total_seconds()


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
        raise click.BadParameter(f"{value} is in the future.")
    return found


_HELP = '"{}" is not a time: use a date (2026-11-01), a time (2026-11-01T08:00), or how long ago (2h, 3d).'


class _Unclear(ValueError):
    pass


def read_since(text: str, at: datetime) -> datetime:
    """The aware time that `text` means when it is `at`. Raises `ValueError` or `OverflowError` for anything else."""
    ago = _AGO.fullmatch(text)
    if ago:
        return at - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if _DATE.fullmatch(text):
        return _first_instant(date.fromisoformat(text))
    typed = datetime.fromisoformat(text)
    if typed.tzinfo is not None:
        return typed.astimezone(UTC)
    first, second = typed.replace(fold=0).astimezone(), typed.replace(fold=1).astimezone()
    # When clocks go back an hour occurs twice; when they go forward one is skipped.
    if typed not in (first.replace(tzinfo=None), second.replace(tzinfo=None)):
        raise _Unclear(f"{text} was skipped: clocks went forward over it. Give an earlier or a later time.")
    if first.utcoffset() != second.utcoffset() and first < second:
        raise _Unclear(f"{text} came twice: {local_time(first)} and {local_time(second)}; add the offset.")
    return first.astimezone(UTC)


def _first_instant(day: date) -> datetime:
    """When a local day began. That need not be midnight, which clocks may skip; some zones skipped a whole day."""
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    steps = (middle + number * _STEP for number in range(-26 * 4, 26 * 4 + 1))
    after = next((at for at in steps if at.astimezone().date() == day), None)
    if after is None:
        raise _Unclear(f"{day} was skipped: there was no such day in this time zone.")
    before = after - _STEP
    while after - before > timedelta(seconds=1):
        between = before + (after - before) / 2
        before, after = (before, between) if between.astimezone().date() == day else (between, after)
    return after.replace(microsecond=0)
