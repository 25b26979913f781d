"""The bodies of POST /contacts and PUT /contacts/{contact_id}, read as their schemas declare them.

ContactPostRequest, ContactPutRequest, EmailAddressPost and EmailAddressPut of
https://developer.constantcontact.com/api_reference/index.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ccsync.sandbox.constant_contact.activities.import_rows import EMAIL, to_date
from ccsync.sandbox.constant_contact.errors import invalid
from ccsync.sandbox.constant_contact.validation import check_properties, read_uuids

_SCALARS = ("first_name", "last_name", "job_title", "company_name")
_NUMBERS = {"birthday_month": 12, "birthday_day": 31}
_SECTIONS = ("custom_fields", "phone_numbers", "street_addresses", "list_memberships")
_NOT_SIMULATED = ("taggings", "notes", "sms_channel")
_READ_ONLY = ("created_at", "updated_at", "opt_in_date", "opt_out_source", "opt_out_date", "confirm_status")
_PERMISSIONS = ("explicit", "implicit", "not_set", "pending_confirmation", "temp_hold", "unsubscribed")
_KINDS = ("home", "work", "mobile", "other")
_ADDRESS = {"street": 255, "city": 50, "state": 50, "postal_code": 50, "country": 50}
_MOST_PHONES = _MOST_ADDRESSES = 3
_MOST_FIELDS = 25
_MOST_LISTS = 50


@dataclass(frozen=True, slots=True)
class GivenAddress:
    """The `email_address` of a body; `None`: not said."""

    address: str
    permission: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ContactBody:
    """A contact as a body says it; parts that are `None` were left out."""

    source: str
    scalars: Mapping[str, str | int | None]  # every one: what a body leaves out is null
    email: GivenAddress | None
    custom_fields: Mapping[str, str] | None
    phones: Mapping[str, str] | None
    addresses: Mapping[str, Mapping[str, str]] | None
    lists: tuple[str, ...] | None


def read_contact(body: dict[str, object], source: str, field_names: Mapping[str, str]) -> ContactBody:
    """Check a body; `source` is the name of its source property, `field_names` gives custom fields by id."""
    check_properties(
        body, (source, "email_address", *_SCALARS, *_NUMBERS, "anniversary", *_SECTIONS, *_NOT_SIMULATED), ()
    )
    if source not in body:
        raise invalid(f"{source} is missing.")
    if body[source] not in ("Contact", "Account"):
        raise invalid(f"{source} must be Contact or Account.")
    if used := [name for name in _NOT_SIMULATED if body.get(name)]:
        raise invalid(f"The sandbox does not simulate {used[0]}.")
    return ContactBody(
        str(body[source]),
        _scalars(body),
        _email(body.get("email_address"), is_update=source == "update_source"),
        _custom_fields(body.get("custom_fields"), field_names),
        _phones(body.get("phone_numbers")),
        _addresses(body.get("street_addresses")),
        _list_ids(body.get("list_memberships")),
    )


def _scalars(body: Mapping[str, object]) -> dict[str, str | int | None]:
    read: dict[str, str | int | None] = {name: _text(body.get(name), name, 50) for name in _SCALARS}
    for name, most in _NUMBERS.items():
        value = body.get(name)
        if value is not None and (type(value) is not int or not 1 <= value <= most):
            raise invalid(f"{name} must be an integer from 1 to {most}.")
        read[name] = value if isinstance(value, int) else None
    if (read["birthday_month"] is None) != (read["birthday_day"] is None):
        raise invalid("birthday_month and birthday_day must be used together.")
    anniversary = _text(body.get("anniversary"), "anniversary", 10)
    read["anniversary"] = to_date(anniversary) if anniversary else None
    if anniversary and read["anniversary"] is None:
        raise invalid("anniversary is not a date.")
    return read


def _email(value: object, *, is_update: bool) -> GivenAddress | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid("email_address must be an object.")
    # A PUT may echo what is read-only; it is ignored.
    declared = ("address", "permission_to_send", *(("opt_out_reason", *_READ_ONLY) if is_update else ()))
    check_properties(value, declared, ("address",))
    address, permission = _text(value["address"], "address", 80), value.get("permission_to_send")
    if address is None or not EMAIL.fullmatch(address):
        raise invalid("email_address.address is not a valid email address.")
    if permission is not None and permission not in _PERMISSIONS:
        raise invalid(f"permission_to_send must be of {', '.join(_PERMISSIONS)}.")
    reason = _text(value.get("opt_out_reason"), "opt_out_reason", 255)
    return GivenAddress(address, None if permission is None else str(permission), reason)


def _custom_fields(value: object, names: Mapping[str, str]) -> dict[str, str] | None:
    if value is None:
        return None
    found = {}
    for one in _objects(value, "custom_fields", _MOST_FIELDS):
        check_properties(one, ("custom_field_id", "value"), ("custom_field_id",))
        name = names.get(str(one["custom_field_id"]).lower())
        if name is None:
            raise invalid("custom_fields: there is no custom field of this id.")
        if text := _text(one.get("value"), "custom_fields", 255):
            found[name] = text
    return found


def _phones(value: object) -> dict[str, str] | None:
    if value is None:
        return None
    found = {}
    for one in _objects(value, "phone_numbers", _MOST_PHONES):
        check_properties(one, ("phone_number", "kind"), ("phone_number",))
        number = _text(one["phone_number"], "phone_number", 25)
        if number:
            found[_kind(one.get("kind", "other"), _KINDS)] = number
    return found


def _addresses(value: object) -> dict[str, dict[str, str]] | None:
    if value is None:
        return None
    found = {}
    for one in _objects(value, "street_addresses", _MOST_ADDRESSES):
        check_properties(one, ("kind", *_ADDRESS), ("kind",))
        parts = {name: _text(one.get(name), name, most) for name, most in _ADDRESS.items()}
        kind = _kind(one["kind"], ("home", "work", "other"))
        found[kind] = {name: text for name, text in parts.items() if text}
    return found


def _list_ids(value: object) -> tuple[str, ...] | None:
    return None if value is None else read_uuids(value, "list_memberships", _MOST_LISTS, least=0)


def _kind(value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise invalid(f"kind must be of {', '.join(allowed)}.")
    return str(value)


def _objects(value: object, name: str, most: int) -> list[dict[str, object]]:
    if not isinstance(value, list) or len(value) > most or not all(isinstance(one, dict) for one in value):
        raise invalid(f"{name} must be an array of at most {most} objects.")
    return value


def _text(value: object, name: str, longest: int) -> str | None:
    """A text; blank is as good as null."""
    if value is not None and (not isinstance(value, str) or len(value) > longest):
        raise invalid(f"{name} must be a string of at most {longest} characters.")
    return value or None
