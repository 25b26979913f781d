"""Constant Contact's JSON as `ccsync.models` records."""

from ccsync import shapes
from ccsync.models import Activity, Contact, ContactList, CustomField, JsonObject


def to_contact(record: JsonObject) -> Contact | None:
    """Make a `Contact` of a `ContactResource`; `None` without an id."""
    contact_id = shapes.text(record, "contact_id")
    if contact_id is None:
        return None
    email = shapes.as_object(record.get("email_address")) or {}  # absent on SMS-only contacts
    lists = record.get("list_memberships")
    return Contact(
        contact_id=contact_id,
        email=shapes.text(email, "address"),
        permission_to_send=shapes.text(email, "permission_to_send") or "",
        opt_in_date=shapes.time(email, "opt_in_date"),
        opt_in_source=shapes.text(email, "opt_in_source"),
        opt_out_date=shapes.time(email, "opt_out_date"),
        opt_out_source=shapes.text(email, "opt_out_source"),
        update_source=shapes.text(record, "update_source"),
        created_at=shapes.time(record, "created_at"),
        updated_at=shapes.time(record, "updated_at"),
        deleted_at=shapes.time(record, "deleted_at"),
        list_ids=frozenset(str(one) for one in lists) if isinstance(lists, list) else None,
        opt_out_reason=shapes.text(email, "opt_out_reason"),
    )


def to_list(record: JsonObject) -> ContactList | None:
    """Make a `ContactList`; `None` without id or name."""
    list_id, name = shapes.text(record, "list_id"), shapes.text(record, "name")
    if list_id is None or name is None:
        return None
    return ContactList(list_id, name, shapes.integer(record, "membership_count"), shapes.time(record, "deleted_at"))


def to_custom_field(record: JsonObject) -> CustomField | None:
    """Make a `CustomField`; `None` without a name to address it by."""
    name = shapes.text(record, "name")
    if name is None:
        return None
    return CustomField(
        shapes.text(record, "custom_field_id") or "",
        name,
        shapes.text(record, "label") or name,
        shapes.text(record, "type") or "",
    )


def to_activity(record: JsonObject) -> Activity | None:
    """Make an `Activity`; `None` without an id."""
    activity_id = shapes.text(record, "activity_id")
    if activity_id is None:
        return None
    status = shapes.as_object(record.get("status")) or {}
    errors = record.get("activity_errors")
    return Activity(
        activity_id=activity_id,
        state=shapes.text(record, "state") or "",
        created_at=shapes.time(record, "created_at"),
        person_count=shapes.integer(status, "person_count"),
        items_total_count=shapes.integer(status, "items_total_count"),
        error_count=shapes.integer(status, "error_count"),
        correctable_count=shapes.integer(status, "correctable_count"),
        cannot_add_to_list_count=shapes.integer(status, "cannot_add_to_list_count"),
        errors=tuple(str(one) for one in errors) if isinstance(errors, list) else (),
        results_href=link(record, "results"),
        source_file_name=shapes.text(record, "source_file_name"),
        completed_at=shapes.time(record, "completed_at"),
    )


def link(record: JsonObject, name: str) -> str | None:
    """Where one of the record's `_links` leads."""
    links = shapes.as_object(record.get("_links")) or {}
    return shapes.text(shapes.as_object(links.get(name)) or {}, "href")
