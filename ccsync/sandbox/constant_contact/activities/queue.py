"""Bulk jobs: the account's queue of activities, their course over time, and how they are shown.

https://v3.developer.constantcontact.com/api_guide/import_contacts.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from ccsync.sandbox.constant_contact.activities.courses import Course, Courses
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
    """One bulk job. `work` carries it out, and is dropped once its effects are in or never will be."""

    number: int
    activity_id: str
    created_at: datetime
    started_at: datetime
    effect_at: datetime | None  # None: it will have none
    ends_at: datetime | None  # None: it hangs
    work: "Work | None"
    end_state: str = "completed"
    messages: list[str] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)
    results: str | None = None  # where a finished export is to be fetched

    def fail(self, message: str) -> None:
        """The work finds that it cannot be done."""
        self.end_state, self.messages = "failed", [message]

    def state(self, now: datetime) -> str:
        """The job's state in the vendor's words."""
        if self.is_over(now):
            return self.end_state
        return "processing" if now >= self.started_at else "initialized"

    def is_over(self, now: datetime) -> bool:
        """Whether the job is over and has taken effect. Other jobs may have delayed it."""
        return self.ends_at is not None and now >= self.ends_at and self.work is None

    def percent_done(self, now: datetime) -> int:
        """100 when it is finished, not before."""
        if self.is_over(now):
            return 100
        if self.ends_at is None or now <= self.started_at:
            return 0
        return min(99, int((now - self.started_at) / (self.ends_at - self.started_at) * 100))


Work: TypeAlias = Callable[[Activity, datetime], None]
"""What carries a job out, with the time at which it takes effect."""


class Activities:
    """The account's activities. Time alone finishes them: `catch_up` applies what is due."""

    def __init__(self, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id
        self._all: list[Activity] = []
        self._open: list[Activity] = []
        self._by_id: dict[str, Activity] = {}
        self.courses = Courses()

    def start(self, kind: str, body: bytes, seconds: float, work: Work) -> Reply:
        """Queue a job that usually takes so long; the 201 that says so."""
        if len(self._open) >= MOST_QUEUED:
            raise queue_full()
        now = self._clock()
        usual_end = now + timedelta(seconds=seconds)
        activity = Activity(
            number=len(self._all) + 1,
            activity_id=self._new_id(),
            created_at=now,
            started_at=now + timedelta(seconds=seconds / 5),
            effect_at=usual_end,
            ends_at=usual_end,
            work=work,
        )
        if course := self.courses.take(kind, body):
            _divert(activity, course)
        self._all.append(activity)
        self._open.append(activity)
        self._by_id[activity.activity_id] = activity
        return Reply.json(201, _show_new(activity))

    def catch_up(self) -> None:
        """Apply the jobs that are due, in the order of their end."""
        now = self._clock()
        due = [(one.effect_at, one.number, one) for one in self._open if one.work and one.effect_at]
        for effect_at, _, activity in sorted(due):
            if effect_at <= now and (work := activity.work):
                activity.work = None
                work(activity, effect_at)
        for activity in [one for one in self._open if one.ends_at and one.ends_at <= now]:
            self._open.remove(activity)
            activity.work = None

    def end_hanging(self) -> None:
        """End the jobs that hang, as they should have ended."""
        now = self._clock()
        for one in self._open:
            if one.ends_at is None or one.ends_at > now:
                one.ends_at, one.effect_at = now, min(one.effect_at or now, now)
        self.catch_up()

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


def _divert(activity: Activity, course: Course) -> None:
    """Change the course of a job as a test wants it."""
    activity.ends_at = None if course.seconds is None else activity.created_at + timedelta(seconds=course.seconds)
    activity.end_state = course.state
    activity.messages = [course.message] if course.message else []
    if not course.takes_effect:
        activity.effect_at = activity.ends_at if course.state == "completed" else None


def _show_new(activity: Activity) -> dict[str, object]:
    shown = _show(activity, activity.created_at)
    return shown | {"state": "initialized", "percent_done": 0, "status": {}}


def _show(activity: Activity, now: datetime) -> dict[str, object]:
    links = {"self": {"href": f"/v3/activities/{activity.activity_id}"}}
    if activity.results and activity.is_over(now):
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
    if activity.ends_at is not None and activity.is_over(now):
        shown["completed_at"] = shown["updated_at"] = fine_stamp(activity.ends_at)
    return shown
