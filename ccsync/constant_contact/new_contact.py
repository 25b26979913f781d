"""The body that creates one contact, made of a contact's import row.

`ContactPostRequest`: https://developer.constantcontact.com/api_reference/index.html
"""

from collections.abc import Mapping

from ccsync.mapping.targets import CUSTOM_FIELD_PREFIX
from ccsync.models import JsonObject

SCALARS = (
    "first_name", "last_name", "job_title", "company_name", "birthday_month", "birthday_day", "anniversary"
)  # fmt: skip
_PHONES = {"home_phone": "home", "work_phone": "work", "mobile_phone": "mobile"}
_ADDRESS = {
    "home_street": "street",
    "home_city": "city",
    "home_state": "state",
    "home_zip": "postal_code",
    "home_country": "country",
}


def needs_custom_fields(row: JsonObject) -> bool:
    """Does the row hold values of custom fields? A single write names those by their ids."""
    return any(key.startswith(CUSTOM_FIELD_PREFIX) for key in row)


def new_contact(row: JsonObject, list_id: str, field_ids: Mapping[str, str]) -> JsonObject:
    """The body for somebody who signed up; `field_ids` gives custom fields by name.

    It names no permission: that is the vendor's to give. `create_source` is Contact because the person made the
    account and opted in by their own act; the classic welcome e-mail depends on it
    (https://developer.constantcontact.com/api_guide/contacts_autoresponder.html).
    """
    body: dict[str, object] = {
        "email_address": {"address": row["email"]},
        "create_source": "Contact",
        "list_memberships": [list_id],
    }
    body |= {key: row[key] for key in SCALARS if key in row}
    phones = [{"phone_number": row[key], "kind": kind} for key, kind in _PHONES.items() if key in row]
    address = {name: row[key] for key, name in _ADDRESS.items() if key in row}
    fields = [
        {"custom_field_id": field_ids[name], "value": value}
        for key, value in row.items()
        if key.startswith(CUSTOM_FIELD_PREFIX) and (name := key.removeprefix(CUSTOM_FIELD_PREFIX)) in field_ids
    ]
    if phones:
        body["phone_numbers"] = phones
    if address:
        body["street_addresses"] = [{"kind": "home", **address}]
    if fields:
        body["custom_fields"] = fields
    return body
