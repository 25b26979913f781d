"""Kibo's events as records. All fields of the vendor's `EventEvent` may be null."""

from dataclasses import dataclass
from datetime import datetime

from ccsync import shapes
from ccsync.errors import VendorUnreachable
from ccsync.models import Event, JsonObject

EVENTS_PATH = "/api/event/pull"
PAGE_SIZE = 200
"""The vendor's most, for events as for accounts; its default is 20."""
TOPICS = frozenset({"customeraccount.created", "customeraccount.updated", "customeraccount.deleted"})
"""What customers have: https://github.com/KiboSoftware/kibo-open-api-specs (`docs/webhooks.json`)."""
SEGMENT_TOPICS = frozenset({"customersegment.customeradded", "customersegment.customerremoved"})
"""The same page: they "may contain" a `customerAccountId` in their extended properties."""
PREFIX = "customer"
"""What all of these begin with. So does `customer.account.created`, as Kibo's prose has it."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page: the events about customers, how many `rows` it had at all, `total` as the vendor counts.

    `oldest` is the earliest date on the page, of any topic; `keys` tell one page from another.
    """

    events: tuple[Event, ...]
    rows: int
    total: int
    oldest: datetime | None
    keys: frozenset[str]
    has_other_topics: bool


NO_EVENTS = EventPage((), 0, 0, None, frozenset(), False)


def to_event_page(value: object) -> EventPage:
    """Make an `EventPage` of an `EventCollection`. Raises `VendorUnreachable` for anything else."""
    record = shapes.as_object(value)
    items = record.get("items") if record is not None else None
    total = shapes.integer(record, "totalCount") if record is not None else None
    if total is None or not isinstance(items, list | None):
        raise VendorUnreachable("Kibo's answer is no page of events.", "it lacks totalCount or items.")
    rows = shapes.as_objects(items)
    dates = [at for row in rows if (at := _created_at(row)) is not None]
    return EventPage(
        tuple(event for row in rows if (event := to_event(row)) is not None),
        len(items or []),
        total,
        min(dates, default=None),
        frozenset(_key(row) for row in rows),
        any(not _topic(row).startswith(PREFIX) for row in rows),
    )


def to_event(record: JsonObject) -> Event | None:
    """Make an `Event`; `None` for tests, other topics, and events about no account."""
    topic = _topic(record)
    if topic not in TOPICS | SEGMENT_TOPICS or shapes.boolean(record, "isTest"):
        return None
    account_id = _account_id(_entity(record))
    return None if account_id is None else Event(_key(record), topic, account_id, _created_at(record))


def _entity(record: JsonObject) -> object:
    """Whom an event is about. The `entityId` of a segment's event is the segment; a property names the account."""
    if _topic(record) not in SEGMENT_TOPICS:
        return record.get("entityId")
    properties = shapes.as_objects(record.get("extendedProperties"))
    return next((one.get("value") for one in properties if str(one.get("key")).lower() == "customeraccountid"), None)


def _account_id(entity: object) -> int | None:
    text = str(entity)
    is_number = text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0
    return int(text) if is_number else None


def _topic(record: JsonObject) -> str:
    # The prose writes customer.account.created, the enumeration customeraccount.created.
    return (shapes.text(record, "topic") or "").lower().replace("customer.account", "customeraccount")


def _created_at(record: JsonObject) -> datetime | None:
    audit = shapes.as_object(record.get("auditInfo")) or {}
    return shapes.time(audit, "createDate") or shapes.time(record, "createDate")


def _key(record: JsonObject) -> str:
    """The event's id; the vendor shows ids with and without dashes. Without one: what else tells it apart."""
    event_id = shapes.text(record, "id") or shapes.text(record, "eventId")
    if event_id:
        return event_id.lower().replace("-", "")
    site = shapes.integer(record, "siteId")
    return f"{_topic(record)}/{_entity(record)}/{site}/{_created_at(record) or ''}"
