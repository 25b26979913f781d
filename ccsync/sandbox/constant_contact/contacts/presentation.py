"""A contact as the vendor shows it: its properties, its formats of dates, its optional sections."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zlib import crc32

from ccsync.sandbox.constant_contact.contacts.store import StoredContact
from ccsync.sandbox.settings import SandboxSettings

SECTIONS = frozenset({"custom_fields", "list_memberships", "phone_numbers", "street_addresses", "taggings", "notes"})
_EASTERN = timezone(timedelta(hours=-5))


@lru_cache(maxsize=10_000)
def stamp(seconds: int) -> str:
    """The usual format: 2026-04-28T21:46:22Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def fine_stamp(moment: datetime) -> str:
    """The format with milliseconds: 2016-01-23T13:48:44.108Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_moment(seconds: int | None, how: str, seq: int) -> str | None:
    """A time in one of the formats of `settings.DATE_FORMATS`; with "mixed" the contact's number chooses."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    if how == "mixed":
        how = ("zulu", "milliseconds", "offset", "compact-offset", "date")[seq % 5]
    if how == "milliseconds":
        return fine_stamp(moment.replace(microsecond=91_000))
    if how == "offset":
        return moment.astimezone(_EASTERN).isoformat()
    if how == "compact-offset":
        return moment.strftime("%Y-%m-%dT%H:%M:%S.766+0000")
    return moment.date().isoformat() if how == "date" else stamp(seconds)


def to_resource(
    contact: StoredContact,
    sections: Iterable[str],
    list_ids: Iterable[str],
    tag_ids: Iterable[str],
    field_ids: Mapping[str, str],
    settings: SandboxSettings,
) -> dict[str, object]:
    """The vendor's ContactResource with those of its `sections` that were asked for."""
    resource: dict[str, object | None] = {"contact_id": contact.contact_id}
    if contact.address is not None:
        resource["email_address"] = _email_address(contact, settings)
    for name in ("first_name", "last_name", "job_title", "company_name"):
        resource[name] = getattr(contact, name)
    resource["birthday_month"] = contact.birthday_month
    resource["birthday_day"] = contact.birthday_day
    resource["anniversary"] = contact.anniversary
    resource["update_source"] = contact.update_source
    resource["create_source"] = contact.create_source
    resource["created_at"] = stamp(contact.created_at)
    resource["updated_at"] = stamp(contact.updated_at)
    resource["deleted_at"] = contact.deleted_on  # a date, not a timestamp
    resource["sms_channel"] = _sms_channel(contact)
    if sections:
        resource |= _sections(contact, frozenset(sections), list_ids, tag_ids, field_ids)
    return _without_nulls(resource)


def _email_address(contact: StoredContact, settings: SandboxSettings) -> dict[str, object]:
    # With an offset here and Z elsewhere: both are in the description's own examples.
    created = datetime.fromtimestamp(contact.email_created_at, _EASTERN).isoformat()
    opt_out_at = contact.opt_out_at if settings.opt_out_dates_shown else None
    how, seq = settings.json_dates, contact.seq
    return _without_nulls(
        {
            "address": contact.address,
            "permission_to_send": contact.permission,
            "created_at": created,
            "updated_at": format_moment(contact.email_updated_at, how, seq),
            "opt_in_source": contact.opt_in_source,
            "opt_in_date": format_moment(contact.opt_in_at, how, seq),
            "opt_out_source": contact.opt_out_source,
            "opt_out_date": format_moment(opt_out_at, how, seq),
            "opt_out_reason": contact.opt_out_reason,
            "confirm_status": _confirm_status(contact),
        }
    )


def _confirm_status(contact: StoredContact) -> str:
    if contact.permission == "pending_confirmation":
        return "pending"
    return "confirmed" if '"confirmed":true' in contact.details else "off"


def _sms_channel(contact: StoredContact) -> dict[str, object] | None:
    if contact.sms_number is None:
        return None
    return {
        "sms_channel_id": _part_id(contact, "sms"),
        "sms_address": contact.sms_number,
        "dial_code": "1",
        "country_code": "US",
        "sms_channel_consents": [{"sms_consent_permission": contact.sms_permission, "consent_type": "promotional_sms"}],
    }


def _sections(
    contact: StoredContact,
    sections: frozenset[str],
    list_ids: Iterable[str],
    tag_ids: Iterable[str],
    field_ids: Mapping[str, str],
) -> dict[str, object | None]:
    details = json.loads(contact.details)
    changed = {"created_at": stamp(contact.created_at), "updated_at": stamp(contact.updated_at)}
    shown: dict[str, object | None] = {}
    if "custom_fields" in sections:
        shown["custom_fields"] = [
            {"custom_field_id": field_ids[name], "value": value} for name, value in details.get("cf", {}).items()
        ]
    if "phone_numbers" in sections:
        shown["phone_numbers"] = [
            {
                "phone_number_id": _part_id(contact, f"phone {kind}"),
                "phone_number": number,
                "kind": kind,
                **changed,
                "update_source": "Account",
                "create_source": "Account",
            }
            for kind, number in details.get("phones", {}).items()
        ]
    if "street_addresses" in sections:
        shown["street_addresses"] = [
            {"street_address_id": _part_id(contact, f"address {kind}"), "kind": kind, **address, **changed}
            for kind, address in details.get("addresses", {}).items()
        ]
    if "list_memberships" in sections:
        shown["list_memberships"] = list(list_ids)
    if "taggings" in sections:
        shown["taggings"] = list(tag_ids)
    if "notes" in sections:
        shown["notes"] = []
    return shown


def _part_id(contact: StoredContact, what: str) -> str:
    return f"{crc32(what.encode()):08x}{contact.contact_id[8:]}"


def _without_nulls(record: Mapping[str, object | None]) -> dict[str, object]:
    return {name: value for name, value in record.items() if value is not None}
