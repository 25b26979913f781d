"""Kibo's event pull: what happened to the accounts, one event per site, without the data.

Paths, parameters and shape: https://github.com/KiboSoftware/kibo-open-api-specs (`docs/openapi_event.json`); topics:
`docs/webhooks.json` there; one event per site: https://docs.kibocommerce.com/help/event-subscription.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ccsync.sandbox.kibo import query as language
from ccsync.sandbox.kibo.accounts import Account, iso
from ccsync.sandbox.kibo.query import BadQuery, Clause, Value
from ccsync.sandbox.kibo.sorting import parse_sort
from ccsync.sandbox.kibo.wire import PAGE_FIELDS, Refused, page_bounds, parameters, selected, want
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request

SITES = (20_001, 20_002)
"""Every sandbox tenant has two."""
EVENT_FIELDS = frozenset(
    {"id", "tenantId", "masterCatalogId", "catalogId", "siteId", "topic", "entityId", "isTest", "correlationId",
     "extendedProperties", "auditInfo"}
)  # fmt: skip
"""`EventEvent`; every one may be null."""
_LIST_PARAMETERS = {"startIndex", "pageSize", "sortBy", "filter", "responseFields"}
_PATH = re.compile(r"/api/event/pull(?:/([^/]*))?")  # the Java and .NET SDKs put a slash before the query


@dataclass(frozen=True, slots=True)
class _Entry:
    """One event of the stream: shown from `visible_at` on, dropped some days after `made_at`."""

    number: int
    made_at: datetime
    visible_at: datetime
    created_at: datetime | None  # as its auditInfo says, which a test may have made up
    event: Account


class EventStore:
    """The events of one tenant. `lag_seconds` and `pages_repeat` begin as the settings say; a test may change them."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = random.Random(f"kibo events {settings.seed}")
        self._waiting: list[_Entry] = []
        self._shown: list[_Entry] = []
        self._made = 0
        self._found: dict[object, list[_Entry]] = {}
        self.lag_seconds = settings.event_lag_seconds
        self.pages_repeat = settings.event_pages_repeat

    # what happens in the store, and what a test makes happen

    def record(self, topic: str, entity_id: int, **fields: object) -> None:
        """Something happened to an account: one event for each site, if the application subscribes to the topic."""
        if topic not in self._settings.event_topics:
            return
        correlation = self._new_id()
        for site in SITES:
            self.add(topic, entity_id, siteId=site, correlationId=correlation, **fields)

    def record_segments(self, account_id: int, before: object, after: object) -> None:
        """Add an event for each segment that an account joined or left."""
        names = [{"key": "customerAccountId", "value": account_id}]
        fields = {"extendedProperties": names if self._settings.segment_events_name_account else []}
        was, now = _segment_ids(before), _segment_ids(after)
        for segment in sorted(was ^ now):
            what = "customeradded" if segment in now else "customerremoved"
            self.record(f"customersegment.{what}", segment, **fields)

    def add(self, topic: str | None, entity_id: int | str | None, **fields: object) -> str:
        """Add one event, as odd as `fields`; its id."""
        if unknown := fields.keys() - EVENT_FIELDS:
            raise ValueError(f"an event has no {min(unknown)}")
        now = self._clock()
        audit = {"createDate": iso(now), "createBy": "shopper", "updateDate": iso(now), "updateBy": "shopper"}
        event: Account = {
            "id": self._new_id(),
            "tenantId": self._settings.tenant_id,
            "masterCatalogId": 1,
            "catalogId": 1,
            "siteId": SITES[0],
            "topic": topic,
            "entityId": None if entity_id is None else str(entity_id),
            "isTest": False,
            "correlationId": self._new_id(),
            "extendedProperties": [],
            "auditInfo": audit,
        }
        self._append(event | fields)
        return str((event | fields)["id"])

    def repeat(self, event_id: str) -> None:
        """Show the event again, under the same id, after all others."""
        entry = next((one for one in (*self._shown, *self._waiting) if one.event["id"] == event_id), None)
        if entry is None:
            raise LookupError(f"no event {event_id}")
        self._append(dict(entry.event))

    def all(self) -> list[Account]:
        """Every event that a pull could show now, in the order in which they became visible."""
        self._catch_up()
        return [dict(one.event) for one in self._shown]

    def forget(self) -> None:
        """Forget all events."""
        self._waiting.clear()
        self._shown.clear()
        self._found.clear()

    # over the wire

    def answers(self, request: Request, host: str) -> Callable[[Request], Reply] | None:
        """What answers this path at this host ("home" or "tenant"); `None` when nothing does."""
        found = _PATH.fullmatch(request.path)
        if found is None or self._settings.event_host not in (host, "both"):
            return None
        event_id = found[1]
        return (lambda one: self._one(one, event_id)) if event_id else self._list

    def _list(self, request: Request) -> Reply:
        """GET /api/event/pull."""
        want(request, "GET")
        asked = parameters(request, _LIST_PARAMETERS)
        start, size = page_bounds(asked, self._settings.page_over_200)
        entries = self._matching(asked)
        total = min(len(entries), self._settings.total_cap or len(entries))
        first = start
        if self.pages_repeat and entries:
            first, total = 0, start + size + 1  # there is always one more page, and it is always this one
        items = [one.event for one in entries[first : first + size]]
        page = {"startIndex": start, "pageSize": size, "pageCount": -(-total // size), "totalCount": total}
        return Reply.json(200, selected({**page, "items": items}, asked, PAGE_FIELDS, items=EVENT_FIELDS))

    def _one(self, request: Request, event_id: str) -> Reply:
        """GET /api/event/pull/{eventId}; a nonsense id gives 400 (mozu-java, `GeneralTests.java`)."""
        want(request, "GET")
        asked = parameters(request, {"responseFields"})
        wanted = _plain(event_id)
        if wanted is None:
            raise Refused(400, "VALIDATION_ERROR", "eventId is not an event's id")
        self._catch_up()
        found = next((one.event for one in self._shown if _plain(str(one.event["id"])) == wanted), None)
        if found is None:
            raise Refused(404, "ITEM_NOT_FOUND", f"Item not found: event {wanted}")
        return Reply.json(200, selected(found, asked, EVENT_FIELDS))

    # inside

    def _matching(self, asked: dict[str, str]) -> list[_Entry]:
        """The events that are asked for, in order; found again only after a change."""
        clauses, order = self._clauses(asked), self._order(asked)
        self._catch_up()
        key = (tuple(clauses), order)
        if key not in self._found:
            found = [one for one in self._shown if all(_holds(one, clause) for clause in clauses)]
            if order == "asc":
                found.sort(key=_by_date)
            elif order == "desc":
                found.sort(key=_by_date, reverse=True)
            self._found[key] = found
        return self._found[key]

    def _clauses(self, asked: dict[str, str]) -> list[Clause]:
        # That a pull can be filtered is declared, by which fields is not. "topic" and "createDate" are by analogy
        # with accounts, whose audit dates are flattened.
        if not asked.get("filter") or self._settings.event_filter == "ignore":
            return []
        if self._settings.event_filter == "refuse":
            raise BadQuery("events cannot be filtered by this")
        return language.parse_filter(asked["filter"], _typed)

    def _order(self, asked: dict[str, str]) -> str:
        """How the page is sorted: asc or desc by createDate, or as the store has the events."""
        if asked.get("sortBy") and self._settings.event_sort == "refuse":
            raise BadQuery("events cannot be sorted by this")
        if not asked.get("sortBy") or self._settings.event_sort == "ignore":
            return {"oldest": "asc", "newest": "desc"}.get(self._settings.event_default_order, "stored")
        return "desc" if parse_sort(asked["sortBy"], frozenset({"createdate"}))[0][1] else "asc"

    def _catch_up(self) -> None:
        """Show what has become visible, drop what is too old."""
        now = self._clock()
        due = [one for one in self._waiting if one.visible_at <= now]
        oldest = now - timedelta(days=self._settings.event_kept_days)
        if due:
            self._waiting = [one for one in self._waiting if one.visible_at > now]
            self._shown += sorted(due, key=lambda one: (one.visible_at, one.number))
        is_kept = [one for one in self._shown if one.made_at >= oldest] if self._is_stale(oldest) else self._shown
        if due or is_kept is not self._shown:
            self._shown = is_kept
            self._found.clear()

    def _is_stale(self, oldest: datetime) -> bool:
        return bool(self._shown) and min(self._shown[0].made_at, self._shown[-1].made_at) < oldest

    def _append(self, event: Account) -> None:
        self._made += 1
        now = self._clock()
        visible_at = now + timedelta(seconds=self.lag_seconds)
        self._waiting.append(_Entry(self._made, now, visible_at, _created_at(event), event))

    def _new_id(self) -> str:
        """GUIDs: summaries write them without dashes, webhooks with."""
        made = UUID(int=self._chance.getrandbits(128))
        return str(made) if self._settings.event_ids_dashed else made.hex


def _by_date(entry: _Entry) -> tuple[bool, float]:
    """Undated ones come first."""
    return (entry.created_at is not None, entry.created_at.timestamp() if entry.created_at else 0.0)


def _holds(entry: _Entry, clause: Clause) -> bool:
    have: object = entry.created_at if clause.field == "createdate" else entry.event[clause.field]
    return language.compare(have, clause.operator, clause.value)


def _typed(field: str, raw: str) -> Value:
    if field == "createdate":
        return language.to_date(field, raw)
    if field == "topic":
        return raw
    raise BadQuery(f"unknown field {field}")


def _created_at(event: Account) -> datetime | None:
    audit = event["auditInfo"]
    try:
        return datetime.fromisoformat(str(audit.get("createDate"))) if isinstance(audit, dict) else None
    except ValueError:
        return None


def _segment_ids(segments: object) -> set[int]:
    rows = segments if isinstance(segments, list) else []
    return {one["id"] for one in rows if isinstance(one, dict) and isinstance(one.get("id"), int)}


def _plain(event_id: str) -> str | None:
    """An id without dashes; `None` when it is none."""
    try:
        return UUID(event_id).hex
    except ValueError:
        return None
