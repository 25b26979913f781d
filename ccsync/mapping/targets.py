"""Constant Contact targets: what a contact in an import may carry, within which limits, in which form.

The properties are those of `JsonImportContact`: https://developer.constantcontact.com/api_reference/index.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from ccsync.mapping.fields import Account, Reading, scalar
from ccsync.mapping.text import clean, cut, is_plain

CUSTOM_FIELD_PREFIX = "cf:"
ANY_CUSTOM_FIELD = "cf:<name>"
MOST_CUSTOM_FIELDS = 25  # in one contact of an import
LONGEST_CUSTOM_FIELD_NAME = 50
LONGEST_PHONE = 25
"""The import's schema takes 50, a contact's 25. What becomes of 26-50 is not said, so the smaller holds."""

_PHONES = (("home", "home_phone"), ("work", "work_phone"), ("mobile", "mobile_phone"))
# The schema writes "home country", with a blank, between home_zip and work_country: taken for a slip.
_PLACES = (
    ("cityOrTown", "home_city"),
    ("stateOrProvince", "home_state"),
    ("postalOrZipCode", "home_zip"),
    ("countryCode", "home_country"),
)
_STREET_LINES = ("address1", "address2", "address3", "address4")
_LONGEST_STREET = 255
_LONGEST_PLACE = 50

Row = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Note:
    """A value that was cut or left out. It is reported; the contact is sent anyway."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field} {self.text}"


@dataclass(frozen=True, slots=True)
class Target:
    """A property that may stand on a mapping's left side.

    `kind` is what it takes (see `Source.kinds`), `limit` the most characters of each property.
    """

    name: str
    kind: str
    limit: int
    meaning: str


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("first_name", "text", 50, "first name"),
        Target("last_name", "text", 50, "last name"),
        Target("job_title", "text", 50, "job title"),
        Target("company_name", "text", 50, "company"),
        Target("phones", "phones", LONGEST_PHONE, "home, work and mobile phone"),
        Target("address", "address", _LONGEST_STREET, "home address"),
        Target("birthday", "date", 2, "birthday without its year"),
        Target("anniversary", "date", 10, "a date, sent as YYYY-MM-DD"),
        Target(ANY_CUSTOM_FIELD, "text", 255, "a custom field, by its name"),
    )
}
"""Every property that can be mapped; the last entry is for all custom fields."""


def target_of(name: str) -> Target | None:
    """Return the target of that name, which is exact; `cf:` with any name behind it is a custom field."""
    if name.startswith(CUSTOM_FIELD_PREFIX):
        return TARGETS[ANY_CUSTOM_FIELD] if name.removeprefix(CUSTOM_FIELD_PREFIX).strip() else None
    return TARGETS.get(name)


Step = Callable[[Account, Row, list[Note]], None]
"""Fills in one target's properties of a row; an empty value fills in none.

Whether an import clears a field sent empty is not documented, so nothing empty is ever sent."""


def text_step(field: str, limit: int, read: Callable[[Account], Reading]) -> Step:
    def step(account: Account, row: Row, notes: list[Note]) -> None:
        _put(row, notes, field, _tidy(read(account), field, notes), limit)

    return step


def anniversary_step(read: Callable[[Account], Reading]) -> Step:
    def step(account: Account, row: Row, notes: list[Note]) -> None:
        if day := _date(read(account), "anniversary", notes):
            row["anniversary"] = day.isoformat()

    return step


def birthday_step(read: Callable[[Account], Reading]) -> Step:
    """Sends month and day as integers: "required if you use" the other, says the import's schema of each."""

    def step(account: Account, row: Row, notes: list[Note]) -> None:
        if day := _date(read(account), "birthday", notes):
            row["birthday_month"] = day.month
            row["birthday_day"] = day.day

    return step


def phones_step(account: Account, row: Row, notes: list[Note]) -> None:
    """A number that is too long is left out, because one that was cut is somebody else's."""
    numbers = _object(account.contact.get("phoneNumbers"), "phones", notes)
    for key, field in _PHONES:
        if (value := numbers.get(key)) is None:
            continue
        text = _tidy(scalar(value), field, notes)
        if len(text) > LONGEST_PHONE:
            notes.append(Note(field, f"left out: {len(text)} characters where {LONGEST_PHONE} are allowed"))
        elif text:
            row[field] = text


def address_step(account: Account, row: Row, notes: list[Note]) -> None:
    """All lines go into home_street: the vendor appends home_street2 to it, and does not say how."""
    address = _object(account.contact.get("address"), "address", notes)
    if not address:
        return
    values = [value for key in _STREET_LINES if (value := address.get(key))]
    lines = [_tidy(scalar(value), "home_street", notes) for value in values]
    _put(row, notes, "home_street", ", ".join(filter(None, lines)), _LONGEST_STREET)
    for key, field in _PLACES:
        if value := address.get(key):
            _put(row, notes, field, _tidy(scalar(value), field, notes), _LONGEST_PLACE)


def _object(value: object, field: str, notes: list[Note]) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    if value is not None:
        notes.append(Note(field, "left out: one value where an object belongs"))
    return {}


def _tidy(reading: Reading, field: str, notes: list[Note]) -> str:
    text, trouble = reading
    if trouble:
        notes.append(Note(field, trouble))
    if not text or is_plain(text):
        return text
    text, was_stripped = clean(text)
    if was_stripped:
        notes.append(Note(field, "sent without its control, broken or direction characters"))
    return text


def _put(row: Row, notes: list[Note], field: str, text: str, limit: int) -> None:
    if len(text) > limit:
        shorter = cut(text, limit)
        notes.append(Note(field, f"cut from {len(text)} to {len(shorter)} characters"))
        text = shorter
    if text:
        row[field] = text


_TIME = r"(?:[Tt ]\s?\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\s?(?:[AaPp][Mm]|[Zz]|[+-]\d\d:?(?:\d\d)?)?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/]?)(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}){_TIME}", re.ASCII)


def date_of(text: str) -> date | None:
    """Return the calendar date as written, whatever the time and zone behind it: a birthday has no zone.

    Read are 1990-05-01, 1990-05-01T00:00:00.000Z, 1990/5/1, 19900501 and 5/1/1990, which is the first of May
    as it is at Constant Contact. `None` for anything else.
    """
    if found := _YEAR_FIRST.fullmatch(text):
        year, dash, month, day = found.groups()
        if not dash and len(month + day) < 4:
            return None
    elif found := _YEAR_LAST.fullmatch(text):
        month, day, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _date(reading: Reading, field: str, notes: list[Note]) -> date | None:
    text = _tidy(reading, field, notes)
    if not text:
        return None
    day = date_of(text)
    if day is None:
        notes.append(Note(field, "left out: no date, such as 1990-05-01"))
    elif day.year == 1:  # 0001-01-01 is how Kibo's .NET writes "no date"
        return None
    return day
