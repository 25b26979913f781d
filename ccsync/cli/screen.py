"""Shows data on a terminal harmlessly: whatever a name or a vendor's text holds, it cannot drive the screen."""

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click
from tabulate import tabulate

_HARMLESS = re.compile(r"[\x20-\x7e]*\Z")
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # Persian and Indic names need them between letters


def clean(text: object) -> str:
    """The text with everything invisible or steering shown as an escape."""
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


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on stdout; long cells wrap so that it fits a terminal."""
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = _column_widths(headers, cells) if sys.stdout.isatty() else None
    print_line(
        tabulate(
            cells,
            headers=list(headers),
            disable_numparse=True,  # ids and numbers stay as they are
            maxcolwidths=widths,
            maxheadercolwidths=[width or 0 for width in widths] if widths else None,
        )
    )


def _column_widths(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int | None] | None:
    """Widths that make the table fit: the widest column gives way first, down to its longest word or 12."""
    room = shutil.get_terminal_size().columns - 2 * (len(headers) - 1)
    widths = [max([len(header), *(len(row[index]) for row in cells)]) for index, header in enumerate(headers)]
    least = [min(width, 10) for width in widths]
    if sum(widths) <= room:
        return None
    while sum(widths) > room and any(width > low for width, low in zip(widths, least, strict=True)):
        _, widest = max((width - low, index) for index, (width, low) in enumerate(zip(widths, least, strict=True)))
        widths[widest] -= 1
    return list[int | None](widths)


def print_line(text: str = "") -> None:
    """Print an answer on stdout; `text` is clean already."""
    click.echo(text)


def print_json(value: object) -> None:
    """Print the one document of `--json`: exact, escaped to ASCII."""
    click.echo(json.dumps(value, indent=2))


def say(text: str) -> None:
    """Talk to the operator, on stderr."""
    click.echo(text, err=True)


def local_time(at: datetime | None) -> str:
    """A time as an operator reads it: `2026-11-23 14:05:09 +01:00`."""
    if at is None:
        return ""
    local = at.astimezone()
    offset = local.strftime("%z")
    return local.strftime("%Y-%m-%d %H:%M:%S ") + f"{offset[:3]}:{offset[3:]}"


def utc_time(at: datetime | None) -> str | None:
    """A time in JSON: ISO-8601 UTC."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def may_ask() -> bool:
    """Is there a person to answer a question?"""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def wants_summary(verbosity: int, quiet: bool) -> bool:
    """Does somebody watch? A cron run that did its work prints nothing."""
    return not quiet and (verbosity > 0 or sys.stderr.isatty() or sys.stdout.isatty())


def confirm(question: str) -> bool:
    """Ask on stderr; only a typed yes counts."""
    click.echo(f"{question} Type yes to go on: ", err=True, nl=False)
    answer = sys.stdin.readline()
    return answer.strip().lower() == "yes"


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values on stdout, one a line."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print_line(f"{name:<{width}}  {clean(value)}")


def mute_broken_stdout() -> None:
    """After `| head`: what is still buffered must not raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
