"""Reads the CSV file of a contact export; its headings and encoding are documented nowhere."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

_ADDRESS = frozenset({"emailaddress", "email", "address", "contactemail"})
_LISTS = frozenset({"emaillists", "lists", "listmemberships", "listmembership", "contactlists"})
_MADE = frozenset({"createdat", "created", "createddate", "createdon", "datecreated"})
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class ExportedContact:
    """One row: the address, the names or ids of its lists as one text, and when the contact was made.

    `None` where the file does not show it, or shows a time without its zone.
    """

    email: str
    lists: str | None
    created_at: datetime | None = None

    def is_on(self, list_id: str, name: str) -> bool:
        """Is the contact on this list, by id or by name? Names are unambiguous only if none contains another."""
        words = f", {self.lists or ''}, ".lower()
        return list_id.lower() in words or f", {name.lower()}, " in words


def read_export(file: BinaryIO) -> Iterator[ExportedContact] | None:
    """The rows of an export, one by one; `None` if no column is recognized as the address.

    Headings are matched whatever their case, blanks and underscores.
    """
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    encoding = next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")
    text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    rows = csv.reader(text)
    headings = next(rows, [])
    address, lists, made = (_place(headings, names) for names in (_ADDRESS, _LISTS, _MADE))
    if address is None:
        text.detach()
        return None
    return _contacts(text, rows, address, lists, made)


def _contacts(
    text: io.TextIOWrapper, rows: Iterator[list[str]], address: int, lists: int | None, made: int | None
) -> Iterator[ExportedContact]:
    try:
        for row in rows:
            if len(row) > address and row[address].strip():
                made_at = _cell(row, made)
                yield ExportedContact(
                    row[address].strip(), _cell(row, lists), None if made_at is None else _time(made_at)
                )
    finally:
        text.detach()  # the file is the caller's to close


def _cell(row: Sequence[str], place: int | None) -> str | None:
    return row[place] if place is not None and len(row) > place else None


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def _place(headings: Sequence[str], names: frozenset[str]) -> int | None:
    plain = [re.sub(r"[^a-z]", "", one.lower()) for one in headings]
    return next((index for index, one in enumerate(plain) if one in names), None)
