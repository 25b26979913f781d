"""One row of a bulk import: what it may hold, and whether the vendor takes it.

Limits and formats: schema JsonImportContact of
https://developer.constantcontact.com/api_reference/index.html.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from ccsync.sandbox.settings import SandboxSettings

Verdict = Literal["import", "error", "correctable", "drop", "fail"]

_SCALARS = ("first_name", "last_name", "job_title", "company_name")
_PHONES = {
    "phone": "other",
    "home_phone": "home",
    "work_phone": "work",
    "mobile_phone": "mobile",
    "other_phone": "other",
}
_ADDRESS_PARTS = {
    "street": "street",
    "street2": "street2",
    "city": "city",
    "state": "state",
    "zip": "postal_code",
    "country": "country",
}
_ADDRESSES = {
    prefix + name: (kind, part)
    for prefix, kind in (("", "home"), ("home_", "home"), ("work_", "work"), ("other_", "other"))
    for name, part in _ADDRESS_PARTS.items()
}
_ADDRESSES["home country"] = ("home", "country")  # as the schema spells it; home_country must be meant, too
_TEXTS = {
    "email": 80,  # 50 in this schema, 80 in all others; see `_judge_email`
    "anniversary": 10,
    "sms_number": 16,
    "sms_consent_date": 16,
    **dict.fromkeys(_SCALARS, 50),
    **dict.fromkeys(_PHONES, 50),
    **{name: 255 if part.startswith("street") else 50 for name, (_, part) in _ADDRESSES.items()},
}
_NUMBERS = {"birthday_month": 12, "birthday_day": 31}
_CUSTOM = "cf:"
_MOST_CUSTOM_FIELDS = 25
_MOST_PHONES = 3

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]+")
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
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    phones: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sms_number: str | None = None
    has_sms_consent: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """The fate of a row: with `import` comes what it gives, with any other verdict the reason."""

    verdict: Verdict
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
    given = {name: value for name, value in row.items() if value != ""}
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    custom = {name[len(_CUSTOM) :]: value for name, value in texts.items() if name.startswith(_CUSTOM)}
    fault = (
        _judge_email(texts, settings)
        or _judge_lengths(texts)
        or _judge_dates(given, texts)
        or _judge_custom_fields(custom, known, settings)
        or _judge_numbers(texts)
    )
    if fault:
        return fault
    return Judged("import", given=_to_given(given, texts, {n: v for n, v in custom.items() if n in known}))


def _judge_email(texts: Mapping[str, str], settings: SandboxSettings) -> Judged | None:
    email = texts.get("email")
    if email is None:
        return None if "sms_number" in texts else Judged("correctable", "No email address")
    if len(email) > 80:
        return Judged("error", "Email address is too long")
    if not _EMAIL.fullmatch(email):
        return Judged("correctable", "Invalid email address")
    if len(email) > 50 and settings.long_address_import != "accept":
        verdict: Verdict = "drop" if settings.long_address_import == "drop" else "correctable"
        return Judged(verdict, "Invalid email address")
    return None


def _judge_lengths(texts: Mapping[str, str]) -> Judged | None:
    for name, value in texts.items():
        if len(value) > _TEXTS.get(name, 255) and name != "anniversary":
            return Judged("error", f"{name} is too long")
    return None


def _judge_dates(given: Mapping[str, str | int], texts: Mapping[str, str]) -> Judged | None:
    birthday = [given[name] for name in _NUMBERS if name in given]
    if len(birthday) == 1:
        return Judged("correctable", "Invalid birthday")
    for name, most in _NUMBERS.items():
        if name in given and not 1 <= int(given[name]) <= most:
            return Judged("correctable", "Invalid birthday")
    if "anniversary" in texts and to_date(texts["anniversary"]) is None:
        return Judged("correctable", "Invalid anniversary")
    return None


def _judge_custom_fields(
    custom: Mapping[str, str], known: Collection[str], settings: SandboxSettings
) -> Judged | None:
    if len(custom) > _MOST_CUSTOM_FIELDS:
        return Judged("error", f"More than {_MOST_CUSTOM_FIELDS} custom fields")
    unknown = [name for name in custom if name not in known]
    if not unknown or settings.unknown_custom_field == "ignore":
        return None
    verdict: Verdict = "fail" if settings.unknown_custom_field == "fail" else "error"
    return Judged(verdict, f"Unknown custom field {unknown[0]}")


def _judge_numbers(texts: Mapping[str, str]) -> Judged | None:
    if sum(name in texts for name in _PHONES) > _MOST_PHONES:
        return Judged("error", f"More than {_MOST_PHONES} phone numbers")
    if "sms_number" in texts and not _SMS_NUMBER.fullmatch(texts["sms_number"]):
        return Judged("error", "Invalid SMS number")
    return None


def _to_given(
    given: Mapping[str, str | int], texts: Mapping[str, str], custom: Mapping[str, str]
) -> Given:
    scalars: dict[str, str | int] = {name: texts[name] for name in _SCALARS if name in texts}
    scalars |= {name: given[name] for name in _NUMBERS if name in given}
    if "anniversary" in texts:
        scalars["anniversary"] = to_date(texts["anniversary"]) or ""
    email, sms = texts.get("email"), texts.get("sms_number")
    return Given(
        key=email.lower() if email else sms_key(sms or ""),
        address=email,
        scalars=scalars,
        custom_fields=custom,
        phones={kind: texts[name] for name, kind in _PHONES.items() if name in texts},
        addresses=_addresses(texts),
        sms_number=sms.replace("-", "") if sms else None,
        has_sms_consent=to_date(texts.get("sms_consent_date", "")) is not None,
    )


def _addresses(texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, value in texts.items():
        if name in _ADDRESSES:
            kind, part = _ADDRESSES[name]
            found.setdefault(kind, {})[part] = value
    for address in found.values():
        if second := address.pop("street2", None):
            address["street"] = f"{address.get('street', '')} {second}".strip()[:255]
    return found


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
