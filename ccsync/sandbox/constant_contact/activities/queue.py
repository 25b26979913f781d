"""Bulk jobs: the account's queue of activities, their course over time, and how they are shown.

https://v3.developer.constantcontact.com/api_guide/import_contacts.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ccsync.sandbox.constant_contact.contacts.presentation import fine_stamp
from ccsync.sandbox.constant_contact.errors import not_found, queue_full
from ccsync.sandbox.constant_contact.paging import next_links, open_cursor
from ccsync.sandbox.constant_contact.validation import Parameter, read_query
from ccsync.sandbox.wire import Clock, Reply, Request

MOST_QUEUED = 1_000
KEPT_DAYS = 10
_LISTING = {
    "limit": Parameter("integer"),
    # The schema says timed_out; the text beside it and the guide say time_out.
    "state": Parameter("text", frozenset({"processing", "completed", "cancelled", "failed", "timed_out", "time_out"})),
}


@dataclass(slots=True)
class Activity:
    """One bulk job. `work` carries it out; it is let go of once its effects are in."""

    number: int
    activity_id: str
    created_at: datetime
    started_at: datetime
    due_at: datetime
    work: "Callable[[Activity], None] | None"
    has_failed: bool = False
    messages: list[str] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)
    results: str | None = None  # where a finished export is to be fetched

    def state(self, now: datetime) -> str:
        """The vendor's word for how far it is."""
        if self.has_failed:
            return "failed"
        if self.is_over(now):
            return "completed"
        return "processing" if now >= self.started_at else "initialized"

    def is_over(self, now: datetime) -> bool:
        """Has its time come, and has it taken effect? Others may have kept the vendor busy at that moment."""
        return now >= self.due_at and self.work is None

    def percent_done(self, now: datetime) -> int:
        """100 when it is finished, not before."""
        if self.is_over(now):
            return 100
        share = (now - self.started_at) / (self.due_at - self.started_at) if now > self.started_at else 0.0
        return min(99, int(share * 100))


class Activities:
    """The account's activities. Time alone finishes them: `settle` applies what is due."""

    def __init__(self, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id
        self._all: list[Activity] = []
        self._open: list[Activity] = []
        self._by_id: dict[str, Activity] = {}

    def start(self, seconds: float, work: Callable[[Activity], None]) -> Reply:
        """Queue a job that is to take so long; the 201 that says so."""
        if len(self._open) >= MOST_QUEUED:
            raise queue_full()
        now = self._clock()
        activity = Activity(
            number=len(self._all) + 1,
            activity_id=self._new_id(),
            created_at=now,
            started_at=now + timedelta(seconds=seconds / 5),
            due_at=now + timedelta(seconds=seconds),
            work=work,
        )
        self._all.append(activity)
        self._open.append(activity)
        self._by_id[activity.activity_id] = activity
        return Reply.json(201, _show_new(activity))

    def settle(self) -> None:
        """Apply the jobs that are due, in the order in which they came to their end."""
        now = self._clock()
        due = sorted((one for one in self._open if one.due_at <= now), key=lambda one: one.due_at)
        for activity in due:
            self._open.remove(activity)
            work, activity.work = activity.work, None
            if work is not None:
                work(activity)

    def get_activities(self, request: Request) -> Reply:
        """GET /activities: the last ten days, newest first."""
        pairs, after = open_cursor(request.query)
        query = read_query(pairs, _LISTING)
        now = self._clock()
        oldest, state = now - timedelta(days=KEPT_DAYS), query.text("state")
        found = [
            one
            for one in reversed(self._all)
            if one.created_at >= oldest
            and (after is None or one.number < after)
            and (state is None or one.state(now) == state)
        ]
        limit = query.integer("limit", 50)
        body: dict[str, object] = {"activities": [_show(one, now) for one in found[:limit]]}
        if len(found) > limit:
            body["_links"] = next_links("/v3/activities", pairs, found[limit - 1].number)
        return Reply.json(200, body)

    def get_activity(self, request: Request, activity_id: str) -> Reply:
        """GET /activities/{activity_id}."""
        read_query(request.query, {})
        found = self._by_id.get(activity_id.lower())
        if found is None:
            raise not_found(f"Activity {activity_id} was not found.")
        return Reply.json(200, _show(found, self._clock()))


def _show_new(activity: Activity) -> dict[str, object]:
    shown = _show(activity, activity.created_at)
    return shown | {"state": "initialized", "percent_done": 0, "status": {}}


def _show(activity: Activity, now: datetime) -> dict[str, object]:
    links = {"self": {"href": f"/v3/activities/{activity.activity_id}"}}
    if activity.results:
        links["results"] = {"href": activity.results}
    shown: dict[str, object] = {
        "activity_id": activity.activity_id,
        "state": activity.state(now),
        "created_at": fine_stamp(activity.created_at),
        "updated_at": fine_stamp(activity.created_at),
        "percent_done": activity.percent_done(now),
        "activity_errors": activity.messages,
        "status": activity.counts,
        "_links": links,
    }
    if now >= activity.started_at:
        shown["started_at"] = shown["updated_at"] = fine_stamp(activity.started_at)
    if activity.is_over(now):
        shown["completed_at"] = shown["updated_at"] = fine_stamp(activity.due_at)
    return shown
