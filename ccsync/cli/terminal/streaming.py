"""Prints long results row by row as CSV or JSON, so that a million rows need little memory."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence

from ccsync.cli.terminal.screen import clean

_STARTS_A_FORMULA = tuple("=+-@\t\r") + tuple("＝＋－＠")


def csv_cell(value: object) -> str:
    """A value that is safe in a spreadsheet: never a formula, never a line break."""
    text = "" if value is None else str(value)
    return clean("'" + text if text.startswith(_STARTS_A_FORMULA) else text)


def print_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as CSV in UTF-8, regardless of the terminal's encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)


def print_json_array(items: Iterable[object]) -> None:
    """Print one JSON array, an item a line."""
    before = "["
    for item in items:
        sys.stdout.write(f"{before}\n  {json.dumps(item)}")
        before = ","
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")
