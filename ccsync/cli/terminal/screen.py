"""Prints data safely: text from a vendor cannot control the terminal."""

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import TextIO

import click

from ccsync import words
from ccsync.cli.terminal import named_config
from ccsync.state.database.times import to_text

_HARMLESS = re.compile(r"[\x20-\x7e]*\Z")
_HELD_BYTES = 4_000_000
_RECENT = timedelta(days=180)
NARROWEST = 20  # columns; ignores a terminal that claims fewer
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # Persian and Indic names need them between letters


def clean(text: object) -> str:
    """The text with invisible and control characters shown as escapes."""
    value = str(text)
    if _HARMLESS.match(value):
        return value
    return "".join(
        one if not _is_hidden(one) or _joins_letters(value, index) else _escaped(one) for index, one in enumerate(value)
    )


def _is_hidden(one: str) -> bool:
    return unicodedata.category(one) in _HIDDEN_CATEGORIES


def _joins_letters(value: str, index: int) -> bool:
    around = value[index - 1 : index] + value[index + 1 : index + 2]
    return (
        value[index] in _JOINERS and len(around) == 2 and all(unicodedata.category(one)[0] in "LMS" for one in around)
    )


def _escaped(one: str) -> str:
    number = ord(one)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def width_of(text: str) -> int:
    """How many columns a clean text takes on a terminal: wide characters take two, combining accents none."""
    if text.isascii():
        return len(text)
    # Imported on first use: most commands do not need it, and it takes 20 ms.
    from wcwidth import wcswidth

    return wcswidth(text)


def wrapped(text: str, room: int, *, breaks_words: bool = True) -> list[str]:
    """A clean text as lines that fit into `room` columns."""
    if text.isascii():
        from textwrap import wrap
    else:
        from wcwidth import wrap
    return wrap(text, room, break_on_hyphens=False, break_long_words=breaks_words) or [""]


class _Drawn:
    """Is there a line of progress on the terminal?"""

    is_there = False


def draw(text: str) -> None:
    """Show a line of progress at the bottom of the terminal's stderr, until something else is printed."""
    room = max(10, shutil.get_terminal_size().columns - 1)
    sys.stderr.write("\r\x1b[K" + text[:room])
    sys.stderr.flush()
    _Drawn.is_there = True


def _erase() -> None:
    if _Drawn.is_there:
        _Drawn.is_there = False
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def put(text: str = "", *, nl: bool = True, is_talk: bool = False) -> None:
    """Write to stdout or stderr, in place of a line of progress.

    After `| head` has gone away what is left is dropped and the command goes on: what it does is wanted, and a monitor
    wants its exit code.
    """
    _erase()
    stream = sys.stderr if is_talk else sys.stdout
    try:
        click.echo(text, nl=nl, err=is_talk)
    except BrokenPipeError:
        mute(stream)


def print_line(text: str = "") -> None:
    """Print an answer on stdout; `text` is clean already. On a terminal, long sentences wrap.

    What is laid out in columns or is there to be copied, a cron line or an address below its sentence, has two
    blanks somewhere and stays in one line.
    """
    text = named_config.repeat(text)
    put(fitted(text) if sys.stdout.isatty() else text)


def columns() -> int:
    """How many columns the terminal has, or 80 without one."""
    return max(shutil.get_terminal_size().columns, NARROWEST)


def fitted(text: str, indent: int = 0) -> str:
    """The text wrapped at the terminal's width; the lines that follow are indented by `indent`."""
    return "\n".join(part for line in text.split("\n") for part in _broken(line, columns(), indent))


def _broken(line: str, room: int, indent: int) -> list[str]:
    label, rest = line[:indent], line[indent:]
    if "  " in rest:
        return [line]
    first, *others = wrapped(rest, room - indent, breaks_words=False)
    return [label + first, *(" " * indent + one for one in others)]


def print_json(value: object) -> None:
    """Print the one document of `--json`: exact, escaped to ASCII."""
    put(json.dumps(value, indent=2))


@contextmanager
def long_json(name: str, items: Iterable[object], **others: object) -> Iterator[Callable[[], None]]:
    """One JSON document whose list `name` may be too long for memory: an item a line, in a file until it is printed.

    Nothing is printed of a document that cannot be finished, and a slow reader does not keep the state file open.
    """
    with SpooledTemporaryFile(max_size=_HELD_BYTES, mode="w+", encoding="ascii") as file:
        file.write("{\n" + "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in others.items()))
        file.write(f"  {json.dumps(name)}: [")
        separator = "\n"
        for item in items:
            file.write(f"{separator}    {json.dumps(item)}")
            separator = ",\n"
        file.write("]\n}\n" if separator == "\n" else "\n  ]\n}\n")
        file.seek(0)
        yield lambda: copyfileobj(file, sys.stdout)


def say(text: str, *, indent: int = 0) -> None:
    """Print a message to the operator on stderr; on a terminal, long sentences wrap and are indented."""
    text = named_config.repeat(text)
    put(fitted(text, indent) if sys.stderr.isatty() else text, is_talk=True)


def local_time(at: datetime | None) -> str:
    """A time as an operator reads it: `2026-11-23 14:05:09 +01:00`."""
    return "" if at is None else words.local_time(at)


def short_time(at: datetime | None, now: datetime) -> str:
    """A local time for a table: `11-23 14:05`, or only the date if it is not within half a year of `now`."""
    if at is None:
        return ""
    return f"{at.astimezone():%m-%d %H:%M}" if abs(now - at) < _RECENT else f"{at.astimezone():%Y-%m-%d}"


def table_time(now: datetime, *, is_wide: bool) -> Callable[[datetime | None], str]:
    """How a table shows its times: short, unless it may be wide."""
    return local_time if is_wide else lambda at: short_time(at, now)


def utc_time(at: datetime | None) -> str | None:
    """A time in JSON: ISO-8601 UTC."""
    return None if at is None else to_text(at)


def duration(seconds: float) -> str:
    """`4.2s`, `42s`, `3m 20s`, `2h 5m`; at least 0, even if the clock was set back meanwhile."""
    seconds = max(0.0, seconds)
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f}s" if seconds < 10 else f"{whole}s"
    return f"{whole // 60}m {whole % 60}s" if whole < 3600 else f"{whole // 3600}h {whole % 3600 // 60}m"


SET_CLOCK = "Set it, and keep it right by NTP: timedatectl set-ntp true"


def of_clock(whose: str, ahead: timedelta) -> str:
    """How wrong this machine's clock is, by whose clock."""
    how = "ahead of" if ahead > timedelta(0) else "behind"
    return f"This machine's clock is {duration(abs(ahead).total_seconds())} {how} {whose}."


def may_ask() -> bool:
    """Is there a terminal to ask on?"""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def wants_summary(verbosity: int, quiet: bool) -> bool:
    """Is someone watching? A successful cron run prints nothing."""
    return not quiet and (verbosity > 0 or sys.stderr.isatty() or sys.stdout.isatty())


def open_missing_streams() -> None:
    """If a standard stream is closed (`>&-`), the next file opened would get its number and receive the output."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - stays open as long as the program


def mute(stream: TextIO) -> None:
    """Discard what is still buffered for a reader that has gone, so that it does not raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
