"""Kibo's audit log of one account as records: which field changed, when, by whom and through which application.

`CustomerAuditEntry` of https://github.com/KiboSoftware/kibo-open-api-specs (`docs/openapi_customer.json`). Which values
its fields hold is not documented; the one example of a path is /Customer/Contacts/1/FirstName.
"""

from dataclasses import dataclass
from datetime import datetime

from ccsync import shapes
from ccsync.errors import VendorUnreachable
from ccsync.kibo.writes import CONSENT
from ccsync.models import JsonObject

AUDIT_LOG_PATH = "AuditLog/Entries"
_VALUES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """An entry that shows a change of `acceptsMarketing`; `was` is `None` where it does not show the old value."""

    entry_id: int
    at: datetime
    was: bool | None
    became: bool
    user: str | None
    application: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page: its entries about consent. The whole log has `total` entries, about whatever field."""

    entries: tuple[ConsentEntry, ...]
    total: int


def to_audit_page(value: object) -> AuditPage:
    """Make an `AuditPage` of a `CustomerAuditEntryCollection`. Raises `VendorUnreachable` for anything else."""
    record = shapes.as_object(value)
    total = shapes.integer(record, "totalCount") if record is not None else None
    if record is None or total is None:
        raise VendorUnreachable("Kibo's answer is no page of an audit log.", "it lacks totalCount.")
    rows = shapes.as_objects(record.get("items"))
    return AuditPage(tuple(entry for row in rows if (entry := _to_entry(row)) is not None), total)


def _to_entry(record: JsonObject) -> ConsentEntry | None:
    """`None` for an entry about another field, or one that lacks its number, its date or the new value."""
    field = (shapes.text(record, "fieldPath") or "").rpartition("/")[2]
    number, at = shapes.integer(record, "customerAuditEntryId"), shapes.time(record, "entryDate")
    became = _VALUES.get((shapes.text(record, "newValue") or "").lower())
    if field.lower() != CONSENT.lower() or number is None or at is None or became is None:
        return None
    was = _VALUES.get((shapes.text(record, "oldValue") or "").lower())
    return ConsentEntry(number, at, was, became, shapes.text(record, "entryUser"), shapes.text(record, "application"))
