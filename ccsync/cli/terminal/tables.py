"""Prints tables and lists of facts so that they fit the terminal, or 80 columns without one.

A table gives way in this order: its headers go over several lines, the last column wraps at its words, then the
others do; then columns that can be missed are left out, then words are broken. When all of that is not enough, or
leaves the last column too narrow to read, each row becomes a block of lines.
"""

import os
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence

import click

from ccsync.cli.terminal import named_config, screen
from ccsync.cli.terminal.screen import clean, put, width_of, wrapped

GAP = "  "
_LAST = 24  # the last column is at least this wide before others shrink
_LEAST_LAST = 16  # a narrower one, beside a long address, has a word or two on a line
_LONGEST_ID = 36  # longer words, such as addresses, are broken before the last column gets narrower than that
_LEAST = 10  # columns that a broken word keeps
_LONGEST_NAME = 28
_COLORS = {
    "red": ("FAILED", "failed", "does not work", "no"),
    "yellow": ("RUNNING", "INTERRUPTED", "retrying", "could not be tried", "overdue"),
    "green": ("COMPLETE", "done", "works", "yes", "ok"),
}
_COLOR_OF = {word: color for color, words in _COLORS.items() for word in words}
_STATUS_COLUMNS = ("Status", "Last Result")

wide = click.option("--wide", "is_wide", is_flag=True, help="Show every column, and wrap nothing.")
"""The option of each command that prints a table."""


def print_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    is_wide: bool = False,
    spare: Collection[str] = (),
    is_talk: bool = False,
) -> None:
    """Print a table on stdout, or on stderr when it is part of a conversation.

    `spare` columns can be missed where the screen is narrow, the last one first. With `is_wide` nothing wraps.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    columns = sys.maxsize if is_wide else screen.columns()
    kept = list(headers)
    widths = column_widths(kept, cells, columns)
    left_out = list(spare)
    while left_out and not (widths and _holds_words(kept, cells, widths)):
        place = kept.index(left_out.pop())
        kept, cells = _without(kept, place), [_without(row, place) for row in cells]
        widths = column_widths(kept, cells, columns)
    if widths is None or _squeezes_sentences(cells, widths[-1]):
        lines = [line for row in cells for line in (*_block(kept, row, columns), "")]
    else:
        lines = [*_row(kept, widths, is_header=True), GAP.join("-" * width for width in widths)]
        paints = [_painted if name in _STATUS_COLUMNS and not is_talk else None for name in kept]
        lines += [line for row in cells for line in _row(row, widths, paints)]
    put("\n".join(lines), is_talk=is_talk)


def _without(row: list[str], place: int) -> list[str]:
    return row[:place] + row[place + 1 :]


def column_widths(headers: Sequence[str], cells: Sequence[Sequence[str]], columns: int) -> list[int] | None:
    """The widths that make a table fit into so many columns; `None` where it cannot."""
    room = columns - len(GAP) * (len(headers) - 1)
    texts = [[row[index] for row in cells] for index in range(len(headers))]
    natural = [max(map(width_of, column), default=0) for column in texts]
    titles = [max(map(width_of, header.split())) for header in headers]
    widths = [max(width, width_of(header)) for width, header in zip(natural, headers, strict=True)]
    if sum(widths) <= room:
        return widths
    widths = [max(pair) for pair in zip(natural, titles, strict=True)]
    least = [max(title, min(_LEAST, width)) for title, width in zip(titles, natural, strict=True)]
    if sum(least) > room:
        return None
    words = [max(low, *map(_longest_word, column)) for column, low in zip(texts, least, strict=True)]
    last = max(titles[-1], min(natural[-1], _LAST))
    ids = [min(word, max(low, _LONGEST_ID)) for word, low in zip(words, least, strict=True)]
    for bounds in ([*widths[:-1], last], [*words[:-1], last], [*ids[:-1], last], words, least):
        _narrow(widths, bounds, sum(widths) - room)
    return widths


def _holds_words(headers: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int]) -> bool:
    """Are words broken only in the last column, and is that one wide enough to read?"""
    last = max((width_of(row[-1]) for row in cells), default=0)
    return widths[-1] >= min(last, _LAST) and all(
        _longest_word(cell) <= width for row in cells for cell, width in zip(row[:-1], widths, strict=False)
    )


def _squeezes_sentences(cells: Sequence[Sequence[str]], last: int) -> bool:
    return last < _LEAST_LAST and any(width_of(row[-1]) > _LAST for row in cells)


def _narrow(widths: list[int], bounds: Sequence[int], excess: int) -> None:
    """Shrink the widths that are farthest above their bounds."""
    for _ in range(excess):
        slack, widest = max((width - low, index) for index, (width, low) in enumerate(zip(widths, bounds, strict=True)))
        if slack <= 0:
            return
        widths[widest] -= 1


def _longest_word(text: str) -> int:
    return max(map(width_of, text.split()), default=0)


Paint = Callable[[str], str]


def _row(
    cells: Sequence[str], widths: Sequence[int], paints: Sequence[Paint | None] = (), *, is_header: bool = False
) -> list[str]:
    """The lines of one row. A header is aligned at the bottom."""
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, parts))
    lines = []
    for number in range(height):
        line = []
        for index, (part, width) in enumerate(zip(parts, widths, strict=True)):
            place = number - (height - len(part)) if is_header else number
            text = part[place] if 0 <= place < len(part) else ""
            paint = paints[index] if paints else None
            line.append((paint(text) if paint else text) + " " * (width - width_of(text)))
        lines.append(GAP.join(line).rstrip())
    return lines


def _painted(text: str) -> str:
    """The text with its first words in their color, when they are a status."""
    words = re.split(r"[,;]", text)[0]
    return paint(words, _COLOR_OF.get(words)) + text[len(words) :]


def paint(text: str, color: str | None) -> str:
    """The text in a color, if stdout is a terminal that shows it and NO_COLOR is not set."""
    if not color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return click.style(text, fg=color)


def _block(headers: Sequence[str], row: Sequence[str], columns: int) -> list[str]:
    """One row as lines `Header  value`."""
    margin = max(map(len, headers)) + len(GAP)
    lines: list[str] = []
    for header, cell in zip(headers, row, strict=True):
        first, *others = wrapped(cell, max(columns - margin, _LEAST))
        lines += [f"{header:<{margin}}{first}".rstrip(), *(" " * margin + one for one in others)]
    return lines


def print_facts(facts: Mapping[str, object], *, margin: int = 0, is_wide: bool = False) -> None:
    """Print names and values on stdout, one per line; long values wrap at words.

    Values stand in one column, at `margin` at least. A name too long for its column has a line of its own.
    """
    columns = sys.maxsize if is_wide else screen.columns()
    longest = columns if is_wide else max(min(_LONGEST_NAME, columns * 2 // 5), margin - len(GAP))
    margin = max(margin, max((len(name) for name in facts if len(name) <= longest), default=2) + len(GAP))
    for name, value in facts.items():
        text = clean(named_config.repeat(str(value)))
        first, *others = wrapped(text, max(columns - margin, screen.NARROWEST), breaks_words=False)
        if len(name) > longest:
            first, others = "", [first, *others]
        lines = [f"{name:<{margin}}{_painted(first)}".rstrip(), *(" " * margin + one for one in others)]
        put("\n".join(lines))
