"""One row of a bulk import: what it may hold, and whether the vendor takes it.

Limits and formats: schema JsonImportContact of
https://developer.constantcontact.com/api_reference/index.html.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal, NamedTuple

from ccsync.sandbox.settings import SandboxSettings

Outcome = Literal["import", "error", "correctable", "drop", "lose", "fail"]


class _Place(NamedTuple):
    """Where a property of a row belongs: `part` of `group`; addresses are the groups named after kinds."""

    group: str
    part: str
    longest: int


_SCALARS = ("first_name", "last_name", "job_title", "company_name")
_PHONES = {
    "phone": "other",
    "home_phone": "home",
    "work_phone": "work",
    "mobile_phone": "mobile",
    "other_phone": "other",
}
_ADDRESS_PLACES = {
    "street": _Place("", "street", 255),
    "street2": _Place("", "street2", 255),
    "city": _Place("", "city", 50),
    "state": _Place("", "state", 50),
    "zip": _Place("", "postal_code", 50),
    "country": _Place("", "country", 50),
}
_ADDRESS_KINDS = {"": "home", "home_": "home", "work_": "work", "other_": "other"}
_TEXTS = {
    "email": _Place("own", "email", 80),  # 50 in this schema, 80 in all others; see `_judge_email`
    "anniversary": _Place("own", "anniversary", 255),  # what is no date is correctable, however long
    "sms_number": _Place("own", "sms_number", 16),
    "sms_consent_date": _Place("own", "sms_consent_date", 16),
    **{name: _Place("scalars", name, 50) for name in _SCALARS},
    **{name: _Place("phones", kind, 50) for name, kind in _PHONES.items()},
    **{
        prefix + name: place._replace(group=kind)
        for prefix, kind in _ADDRESS_KINDS.items()
        for name, place in _ADDRESS_PLACES.items()
    },
    # As the schema spells it; home_country must be meant, too.
    "home country": _Place("home", "country", 50),
}
_NUMBERS = {"birthday_month": 12, "birthday_day": 31}
_CUSTOM = "cf:"
_MOST_CUSTOM_FIELDS = 25
_MOST_PHONES = 3
_NOTHING: Mapping[str, str] = MappingProxyType({})

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]+")
"""An address as the vendor may check it; its rules are unpublished."""
_SMS_NUMBER = re.compile(r"(\d{3})-?(\d{3})-?(\d{4})")
_DATES = (
    re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})"),
    re.compile(r"(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})"),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"),
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a good row says about a contact; blank properties are as good as absent."""

    key: str
    address: str | None
    scalars: Mapping[str, str | int]
    custom_fields: Mapping[str, str]
    phones: Mapping[str, str]
    addresses: Mapping[str, Mapping[str, str]]
    sms_number: str | None
    has_sms_consent: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome on a row: `import` comes with what the row gives, any other outcome with the reason."""

    outcome: Outcome
    reason: str = ""
    given: Given | None = None


def type_problems(row: object) -> list[str]:
    """Undeclared properties and wrong types: they have the whole request refused."""
    if not isinstance(row, dict):
        return ["import_data must hold objects."]
    problems = []
    for name, value in row.items():
        if name in _NUMBERS:
            if type(value) is not int:
                problems.append(f"{name} must be an integer.")
        elif name not in _TEXTS and not (name.startswith(_CUSTOM) and len(name) > len(_CUSTOM)):
            problems.append(f"Unrecognized property '{name}'.")
        elif type(value) is not str:
            problems.append(f"{name} must be a string.")
    return problems


def judge(row: Mapping[str, str | int], known: Collection[str], settings: SandboxSettings) -> Judged:
    """Decide what becomes of a row whose types are right."""
    groups, too_long = _sort(row, settings.longest_first_name)
    own, custom = groups.get("own", _NOTHING), groups.get("custom", _NOTHING)
    fault = (
        _judge_identity(own, settings)
        or (Judged("error", f"{too_long} is too long") if too_long else None)
        or _judge_dates(row, own)
        or (_judge_custom_fields(custom, known, settings) if custom else None)
    )
    if fault:
        return fault
    if len(groups.get("phones", _NOTHING)) >= _MOST_PHONES and len(row.keys() & _PHONES) > _MOST_PHONES:
        return Judged("error", f"More than {_MOST_PHONES} phone numbers")
    return Judged("import", given=_to_given(row, groups, known))


def _sort(row: Mapping[str, str | int], longest_first_name: int) -> tuple[dict[str, dict[str, str]], str | None]:
    """The texts of a row by group, and the name of one that is too long."""
    groups: dict[str, dict[str, str]] = {}
    too_long = None
    for name, value in row.items():
        if value == "" or not isinstance(value, str):
            continue
        group, part, longest = _TEXTS.get(name) or ("custom", name.removeprefix(_CUSTOM), 255)
        if len(value) > (longest_first_name if name == "first_name" else longest):
            too_long = name
        groups.setdefault(group, {})[part] = value
    return groups, too_long


def _judge_identity(own: Mapping[str, str], settings: SandboxSettings) -> Judged | None:
    if "sms_number" in own and not _SMS_NUMBER.fullmatch(own["sms_number"]):
        return Judged("error", "Invalid SMS number")
    email = own.get("email")
    if email is None:
        return None if "sms_number" in own else Judged("correctable", "No email address")
    if len(email) > 80:
        return Judged("error", "Email address is too long")
    if not EMAIL.fullmatch(email):
        return Judged("correctable", "Invalid email address")
    if len(email) > 50 and settings.long_address_import != "accept":
        outcomes: dict[str, Outcome] = {"drop": "drop", "lose": "lose"}
        return Judged(outcomes.get(settings.long_address_import, "correctable"), "Invalid email address")
    return None


def _judge_dates(row: Mapping[str, str | int], own: Mapping[str, str]) -> Judged | None:
    if ("birthday_month" in row) != ("birthday_day" in row):
        return Judged("correctable", "Invalid birthday")
    for name, most in _NUMBERS.items():
        if name in row and not 1 <= int(row[name]) <= most:
            return Judged("correctable", "Invalid birthday")
    if "anniversary" in own and to_date(own["anniversary"]) is None:
        return Judged("correctable", "Invalid anniversary")
    return None


def _judge_custom_fields(custom: Mapping[str, str], known: Collection[str], settings: SandboxSettings) -> Judged | None:
    if len(custom) > _MOST_CUSTOM_FIELDS:
        return Judged("error", f"More than {_MOST_CUSTOM_FIELDS} custom fields")
    unknown = [name for name in custom if name not in known]
    if not unknown or settings.unknown_custom_field == "ignore":
        return None
    outcome: Outcome = "fail" if settings.unknown_custom_field == "fail" else "error"
    return Judged(outcome, f"Unknown custom field {unknown[0]}")


def _to_given(row: Mapping[str, str | int], groups: Mapping[str, dict[str, str]], known: Collection[str]) -> Given:
    own = groups["own"]
    scalars: dict[str, str | int] = dict(groups.get("scalars", _NOTHING))
    if "birthday_month" in row:
        scalars |= {name: row[name] for name in _NUMBERS}
    if "anniversary" in own:
        scalars["anniversary"] = to_date(own["anniversary"]) or ""
    email, sms = own.get("email"), own.get("sms_number", "")
    return Given(
        key=email.lower() if email else sms_key(sms),
        address=email,
        scalars=scalars,
        custom_fields={n: v for n, v in groups.get("custom", _NOTHING).items() if n in known},
        phones=groups.get("phones", _NOTHING),
        addresses={kind: _address(groups[kind]) for kind in ("home", "work", "other") if kind in groups},
        sms_number=sms.replace("-", "") or None,
        has_sms_consent="sms_consent_date" in own and to_date(own["sms_consent_date"]) is not None,
    )


def _address(address: dict[str, str]) -> dict[str, str]:
    # street2 "is automatically appended to the street value".
    if second := address.pop("street2", None):
        address["street"] = f"{address.get('street', '')} {second}".strip()[:255]
    return address


def sms_key(number: str) -> str:
    """What identifies a contact that has no address."""
    return f"sms:{number.replace('-', '')}"


def to_date(text: str) -> str | None:
    """One of the vendor's eight date formats as YYYY-MM-DD; `None` when it is none."""
    for pattern in _DATES:
        if found := pattern.fullmatch(text):
            try:
                return date(*(int(found[part]) for part in "ymd")).isoformat()
            except ValueError:
                return None
    return None
