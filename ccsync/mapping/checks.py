"""Checks a configured mapping and reports all problems at once, with what is allowed and the closest valid name."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from ccsync.mapping.fields import ATTRIBUTE_PREFIX, SOURCES, Source, source_of
from ccsync.mapping.targets import (
    CUSTOM_FIELD_PREFIX,
    LONGEST_CUSTOM_FIELD_NAME,
    MOST_CUSTOM_FIELDS,
    TARGETS,
    Target,
    target_of,
)

_TARGETS_MEANT = {
    "phone": "phones", "home_phone": "phones", "work_phone": "phones", "mobile_phone": "phones",
    "street": "address", "city": "address", "state": "address", "zip": "address", "country": "address",
    "home_street": "address", "home_city": "address", "home_state": "address", "home_zip": "address",
    "home_country": "address", "birthday_month": "birthday", "birthday_day": "birthday",
    "company": "company_name", "surname": "last_name",
}  # fmt: skip
_SOURCES_MEANT = {
    "lastnameorsurname": "lastName", "surname": "lastName", "company": "companyOrOrganization",
    "email": "emailAddress", "accountid": "id", "customerid": "id", "createdate": "customerSinceDate",
    "phones": "phoneNumbers", "phone": "phoneNumbers", "contacts.phonenumbers": "phoneNumbers",
    "addresses": "address", "contacts.address": "address", "segments.code": "segments",
    "commercesummary.totalorderamount.amount": "commerceSummary.totalOrderAmount",
}  # fmt: skip


def mapping_problems(mapping: Mapping[str, str], custom_field_names: Collection[str] | None) -> list[str]:
    """Return what is wrong with the mapping, one line for each fault, in order; [] when it is right.

    `custom_field_names` are the `name`s of the account's custom fields; `None` when nobody asked for them:
    then custom fields are not looked up.
    """
    problems = []
    for key, name in mapping.items():
        target, source = target_of(key), source_of(name)
        if target is None:
            problems.append(_unknown_target(key, custom_field_names or ()))
        elif key.startswith(CUSTOM_FIELD_PREFIX):
            problems += _custom_field_problems(key, custom_field_names)
        if source is None:
            problems.append(_unknown_source(key, name))
        elif target is not None and target.kind not in source.kinds:
            problems.append(_unfit(key, name, target))
    custom_fields = sum(key.startswith(CUSTOM_FIELD_PREFIX) for key in mapping)
    if custom_fields > MOST_CUSTOM_FIELDS:
        problems.append(
            f"[mapping] has {custom_fields} custom fields where Constant Contact takes {MOST_CUSTOM_FIELDS}"
            f" in a contact: remove {custom_fields - MOST_CUSTOM_FIELDS} of the cf: lines."
        )
    return problems


def _unknown_target(key: str, custom_field_names: Collection[str]) -> str:
    if key == "email":
        return "[mapping] email: the address is always the account's emailAddress: remove the line."
    nearest = _TARGETS_MEANT.get(key.lower()) or _nearest(key, TARGETS)
    if _folded(key) in map(_folded, custom_field_names):
        nearest = CUSTOM_FIELD_PREFIX + (_nearest(key, custom_field_names) or key)
    return f"[mapping] {key}: Constant Contact has no such property.{_hint(nearest)} Allowed: {', '.join(TARGETS)}."


def _custom_field_problems(key: str, custom_field_names: Collection[str] | None) -> list[str]:
    name = key.removeprefix(CUSTOM_FIELD_PREFIX)
    if len(name) > LONGEST_CUSTOM_FIELD_NAME:
        return [f"[mapping] {key}: a custom field's name has at most {LONGEST_CUSTOM_FIELD_NAME} characters."]
    if custom_field_names is None or name in custom_field_names:
        return []
    nearest = _nearest(name, custom_field_names)
    allowed = ", ".join(sorted(custom_field_names)) or "none yet"
    return [
        f"[mapping] {key}: the account has no custom field named {name}."
        f"{_hint(nearest and CUSTOM_FIELD_PREFIX + nearest)} Its custom fields: {allowed}."
    ]


def _unknown_source(key: str, name: str) -> str:
    start = f'[mapping] {key} = "{name}": '
    is_prefixed = name.lower().startswith(ATTRIBUTE_PREFIX)
    if is_prefixed or "~" in name:
        attribute = (name[len(ATTRIBUTE_PREFIX) :] if is_prefixed else name).strip("~ ") or "loyalty-tier"
        nearest = ATTRIBUTE_PREFIX + (attribute if "~" in attribute else f"tenant~{attribute}")
        return (
            f"{start}an attribute is written attributes.<fully qualified name>, as in"
            f" attributes.tenant~loyalty-tier.{_hint(nearest)}"
        )
    nearest = _SOURCES_MEANT.get(name.lower()) or _nearest(name, SOURCES)
    return f"{start}Kibo has no such field.{_hint(nearest)} Allowed: {', '.join(SOURCES)}."


def _unfit(key: str, name: str, target: Target) -> str:
    fitting = [source.name for source in SOURCES.values() if target.kind in source.kinds]
    source = source_of(name)
    nearest = _target_for(source) if source else ""
    if len(fitting) == 1:
        nearest = f'{key} = "{fitting[0]}"'
    return f'[mapping] {key} = "{name}": {key} takes no such field.{_hint(nearest)} Allowed: {", ".join(fitting)}.'


def _target_for(source: Source) -> str:
    """A target that takes just this source, as phones takes phoneNumbers."""
    fitting = [target.name for target in TARGETS.values() if target.kind in source.kinds]
    return f'{fitting[0]} = "{source.name}"' if len(fitting) == 1 else ""


def _nearest(name: str, allowed: Collection[str]) -> str:
    by_folded = {_folded(each): each for each in allowed}
    found = get_close_matches(_folded(name), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else ""


def _folded(name: str) -> str:
    """Fold what people confuse: case, and a label's blanks with the underscores of its name."""
    return name.casefold().replace(" ", "").replace("_", "").replace("-", "")


def _hint(nearest: str) -> str:
    return f" Did you mean {nearest}?" if nearest else ""
