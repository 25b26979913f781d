"""Reads the CSV file of a contact export; its headings and encoding are documented nowhere."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

_ADDRESS = frozenset({"emailaddress", "email", "address", "contactemail"})
_LISTS = frozenset({"emaillists", "lists", "listmemberships", "listmembership", "contactlists"})
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class ExportedContact:
    """One row: the address, and the names or ids of its lists as one text; `None` where the file has no lists."""

    email: str
    lists: str | None

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
    address, lists = _place(headings, _ADDRESS), _place(headings, _LISTS)
    if address is None:
        text.detach()
        return None
    return _contacts(text, rows, address, lists)


def _contacts(
    text: io.TextIOWrapper, rows: Iterator[list[str]], address: int, lists: int | None
) -> Iterator[ExportedContact]:
    try:
        for row in rows:
            if len(row) > address and row[address].strip():
                has_lists = lists is not None and len(row) > lists
                yield ExportedContact(row[address].strip(), row[lists] if lists is not None and has_lists else None)
    finally:
        text.detach()  # the file is the caller's to close


def _place(headings: Sequence[str], names: frozenset[str]) -> int | None:
    plain = [re.sub(r"[^a-z]", "", one.lower()) for one in headings]
    return next((index for index, one in enumerate(plain) if one in names), None)
