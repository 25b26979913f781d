"""Shows data on a terminal harmlessly: whatever a name or a vendor's text holds, it cannot drive the screen."""

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from types import SimpleNamespace

import click


def width_of(text: str) -> int:
    """The columns that a terminal needs for a clean text: wide letters take two, accents and joiners none."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(one: str) -> int:
    if unicodedata.category(one) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(one) in ("W", "F") else 1


_HARMLESS = re.compile(r"[\x20-\x7e]*\Z")
_HELD_BYTES = 4_000_000
_NARROWEST = 20  # columns; a terminal that says it has fewer is not believed
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


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[object]], *, unbroken: Collection[str] = (), is_talk: bool = False
) -> None:
    """Print a table on stdout, or on stderr when it is part of a conversation.

    On a terminal long cells wrap so that it fits, or each row becomes a block of lines. The words of the `unbroken`
    columns are there to be copied: rather than break one, a table becomes blocks.
    """
    stream = sys.stderr if is_talk else sys.stdout
    cells = [[clean(cell) for cell in row] for row in rows]
    columns = shutil.get_terminal_size().columns
    room = columns - 2 * (len(headers) - 1)
    widths = column_widths(headers, cells, room, unbroken) if stream.isatty() else None
    if widths == []:
        for row in cells:
            click.echo(_block(headers, row, columns), err=is_talk)
        return
    titles = list(headers)
    if widths:
        titles, *cells = [
            ["\n".join(wrapped(cell, width)) for cell, width in zip(row, widths, strict=True)]
            for row in (titles, *cells)
        ]
    click.echo(_laid_out(cells, titles), err=is_talk)


def _laid_out(cells: Sequence[Sequence[str]], titles: Sequence[str]) -> str:
    # Imported at the first table: a fifth of the time in which a TAB or a `--help` should answer.
    import tabulate

    tabulate.MIN_PADDING = 0  # else each header is two columns wider than its text
    # Else a column is padded by letters, and a wide one pushes the rest out of its line.
    vars(tabulate).update(wcwidth=SimpleNamespace(wcswidth=width_of), WIDE_CHARS_MODE=True)
    return tabulate.tabulate(cells, headers=titles, disable_numparse=True)  # ids and numbers stay as they are


def column_widths(
    headers: Sequence[str], cells: Sequence[Sequence[str]], room: int, unbroken: Collection[str] = ()
) -> list[int] | None:
    """The widths that make a table fit into `room`: `None` where it fits as it is, `[]` where it cannot.

    The widest column gives way first: as far as its words stay whole, and if need be down to its header's longest
    word or 10.
    """
    columns = [[header, *(row[index] for row in cells)] for index, header in enumerate(headers)]
    widths = [max(map(width_of, column)) for column in columns]
    least = [max(min(10, width), _longest_word(column[0])) for column, width in zip(columns, widths, strict=True)]
    if sum(widths) <= room:
        return None
    whole = [max(low, *map(_longest_word, column)) for column, low in zip(columns, least, strict=True)]
    least = [words if header in unbroken else low for header, words, low in zip(headers, whole, least, strict=True)]
    if sum(least) > room:
        return []
    for bounds in (whole, least):
        _narrow(widths, bounds, sum(widths) - room)
    return widths


def _narrow(widths: list[int], bounds: Sequence[int], excess: int) -> None:
    """Take columns from the widths that are farthest above their bounds."""
    for _ in range(excess):
        slack, widest = max((width - low, index) for index, (width, low) in enumerate(zip(widths, bounds, strict=True)))
        if slack <= 0:
            return
        widths[widest] -= 1


def _longest_word(text: str) -> int:
    return max(map(width_of, text.split()), default=0)


def _block(headers: Sequence[str], row: Sequence[str], columns: int) -> str:
    """One row as lines `Header  value`, and an empty line."""
    margin = max(map(len, headers)) + 2
    lines: list[str] = []
    for header, cell in zip(headers, row, strict=True):
        first, *others = wrapped(cell, max(columns - margin, 10))
        lines += [f"{header:<{margin}}{first}".rstrip(), *(" " * margin + one for one in others)]
    return "\n".join([*lines, ""])


def wrapped(text: str, room: int, *, breaks_words: bool = True) -> list[str]:
    """A clean text as lines that fit into `room` columns; `textwrap` counts letters, of which some are wide."""
    lines, line = [], ""
    for word in re.findall(r" *[^ ]+", text):
        if width_of(line + word) <= room:
            line += word
            continue
        *full, rest = _pieces(word.lstrip(" "), room) if breaks_words else [word.lstrip(" ")]
        lines += [*([line] if line else []), *full]
        line = rest
    return [*lines, line]


def _pieces(word: str, room: int) -> Iterator[str]:
    begin = used = 0
    for place, one in enumerate(word):
        columns = _columns_of(one)
        if used + columns > room and place > begin:
            yield word[begin:place]
            begin, used = place, 0
        used += columns
    yield word[begin:]


def print_line(text: str = "") -> None:
    """Print an answer on stdout; `text` is clean already. On a terminal a sentence goes on in the next line.

    What is laid out in columns or is there to be copied, a cron line or an address below its sentence, has two
    blanks somewhere and stays in one line.
    """
    click.echo(fitted(text) if sys.stdout.isatty() else text)


def fitted(text: str) -> str:
    """The text with its sentences broken at the terminal's width."""
    room = max(shutil.get_terminal_size().columns, _NARROWEST)
    lines = [[line] if "  " in line else wrapped(line, room, breaks_words=False) for line in text.split("\n")]
    return "\n".join(part for line in lines for part in line)


def print_json(value: object) -> None:
    """Print the one document of `--json`: exact, escaped to ASCII."""
    click.echo(json.dumps(value, indent=2))


@contextmanager
def long_json(name: str, items: Iterable[object], **others: object) -> Iterator[Callable[[], None]]:
    """One JSON document whose list `name` may be too long for memory: an item a line, in a file until it is printed.

    So nothing is printed of a document that cannot be finished, and no slow reader keeps what is read from open.
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


def say(text: str) -> None:
    """Talk to the operator, on stderr; on a terminal a sentence goes on in the next line."""
    click.echo(fitted(text) if sys.stderr.isatty() else text, err=True)


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
    """`42 s`, `3 min 20 s`, `2 h 5 min`; a clock that was set back meanwhile makes it no less than nothing."""
    seconds = max(0.0, seconds)
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


SET_CLOCK = "Set it, and keep it right by NTP: timedatectl set-ntp true"


def of_clock(whose: str, ahead: timedelta) -> str:
    """How wrong this machine's clock is, by whose clock."""
    how = "ahead of" if ahead > timedelta(0) else "behind"
    return f"This machine's clock is {duration(abs(ahead).total_seconds())} {how} {whose}."


def may_ask() -> bool:
    """Is there a person to answer a question?"""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def wants_summary(verbosity: int, quiet: bool) -> bool:
    """Does somebody watch? A cron run that did its work prints nothing."""
    return not quiet and (verbosity > 0 or sys.stderr.isatty() or sys.stdout.isatty())


def print_facts(facts: Mapping[str, object], margin: int = 0) -> None:
    """Print names and values on stdout, one a line; the values in one column, at `margin` at least."""
    margin = max(margin, max((len(name) for name in facts), default=0) + 2)
    room = max(shutil.get_terminal_size().columns - margin, _NARROWEST) if sys.stdout.isatty() else sys.maxsize
    for name, value in facts.items():
        first, *others = wrapped(clean(value), room, breaks_words=False)
        click.echo("\n".join([f"{name:<{margin}}{first}", *(" " * margin + one for one in others)]))


def open_missing_streams() -> None:
    """Without a standard stream (`>&-`) the next file opened would get its number, and with it what is printed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - stays open as long as the program


def mute_broken_stdout() -> None:
    """After `| head`: what is still buffered must not raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
