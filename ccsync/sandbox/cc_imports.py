"""Bulk imports: the queue of activities, their course over time, and what they do when they are done.

https://v3.developer.constantcontact.com/api_guide/import_contacts.html
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from ccsync.sandbox.cc_account import FIELD_IDS
from ccsync.sandbox.cc_errors import invalid, not_found, queue_full
from ccsync.sandbox.cc_import_body import ImportBody, read_import
from ccsync.sandbox.cc_import_effects import Effects
from ccsync.sandbox.cc_import_rows import Judged, Verdict, judge
from ccsync.sandbox.cc_lists import Lists
from ccsync.sandbox.cc_paging import next_links, open_cursor
from ccsync.sandbox.cc_presentation import fine_stamp
from ccsync.sandbox.cc_store import Store
from ccsync.sandbox.cc_validation import Parameter, read_query
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request

MOST_QUEUED = 1_000
KEPT_DAYS = 10
_MOST_MESSAGES = 50
_ROWS_AT_ONCE = 500
_LISTING = {
    "limit": Parameter("integer"),
    # The schema says timed_out; the text beside it and the guide say time_out.
    "state": Parameter("text", frozenset({"processing", "completed", "cancelled", "failed", "timed_out", "time_out"})),
}


@dataclass(slots=True)
class Activity:
    """One import. `body` is let go of once its effects are in."""

    number: int
    activity_id: str
    created_at: datetime
    started_at: datetime
    due_at: datetime
    body: ImportBody | None
    has_failed: bool = False
    messages: list[str] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)

    def state(self, now: datetime) -> str:
        """The vendor's word for how far it is."""
        if self.has_failed:
            return "failed"
        if self.is_over(now):
            return "completed"
        return "processing" if now >= self.started_at else "initialized"

    def is_over(self, now: datetime) -> bool:
        """Has its time come, and has it taken effect? Others may have kept the vendor busy at that moment."""
        return now >= self.due_at and self.body is None

    def percent_done(self, now: datetime) -> int:
        """100 when it is finished, not before."""
        if self.is_over(now):
            return 100
        share = (now - self.started_at) / (self.due_at - self.started_at) if now > self.started_at else 0.0
        return min(99, int(share * 100))


class Imports:
    """The account's activities. Time alone finishes them: `settle` applies what is due."""

    def __init__(
        self, settings: SandboxSettings, clock: Clock, store: Store, lists: Lists, new_id: Callable[[], str]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._lists = lists
        self._new_id = new_id
        self._all: list[Activity] = []
        self._open: list[Activity] = []
        self._by_id: dict[str, Activity] = {}

    def settle(self) -> None:
        """Apply the imports that are due, in the order in which they came to their end."""
        now = self._clock()
        due = sorted((one for one in self._open if one.due_at <= now), key=lambda one: one.due_at)
        for activity in due:
            self._open.remove(activity)
            self._apply(activity)

    def post_import(self, request: Request) -> Reply:
        """POST /activities/contacts_json_import."""
        read_query(request.query, {})
        body = read_import(request)
        unknown = [one for one in body.list_ids if self._lists.living(one) is None]
        if unknown:
            raise invalid(*(f"List {one} does not exist." for one in unknown))
        if len(self._open) >= MOST_QUEUED:
            raise queue_full()
        now = self._clock()
        seconds = self._settings.import_seconds + len(body.rows) / 10_000
        activity = Activity(
            number=len(self._all) + 1,
            activity_id=self._new_id(),
            created_at=now,
            started_at=now + timedelta(seconds=seconds / 5),
            due_at=now + timedelta(seconds=seconds),
            body=body,
        )
        self._all.append(activity)
        self._open.append(activity)
        self._by_id[activity.activity_id] = activity
        return Reply.json(201, _show_new(activity))

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

    def _apply(self, activity: Activity) -> None:
        body, activity.body = activity.body, None
        if body is None:
            return
        judged = [judge(row, FIELD_IDS, self._settings) for row in body.rows]
        total = len(judged) + self._settings.items_total_counts_header
        failures = [one.reason for one in judged if one.verdict == "fail"]
        if failures:
            activity.has_failed, activity.messages = True, failures[:1]
            activity.counts = {"items_total_count": total, "items_completed_count": 0}
            return
        lists = [one.seq for list_id in body.list_ids if (one := self._lists.living(list_id))]
        at = int(activity.due_at.timestamp())
        effects = Effects(self._settings, self._store, self._new_id, lists, at, body.sms_permission)
        faults = self._carry_out(effects, judged)
        verdicts = Counter(verdict for _, verdict, _ in faults)
        spoken = (f"Line {number + 2}: {reason}" for number, verdict, reason in faults if verdict != "drop")
        activity.messages = list(islice(spoken, _MOST_MESSAGES))  # line 1 is the header
        activity.counts = {
            "items_total_count": total,
            "items_completed_count": total,
            "person_count": len(judged) - len(faults),
            "error_count": verdicts["error"],
            "correctable_count": verdicts["correctable"],
            "cannot_add_to_list_count": effects.not_on_list,
            "list_count": len(lists),
        }

    def _carry_out(self, effects: Effects, judged: list[Judged]) -> list[tuple[int, Verdict, str]]:
        """Apply the good rows; return the others by number, with verdict and reason."""
        faults: list[tuple[int, Verdict, str]] = [
            (number, one.verdict, one.reason) for number, one in enumerate(judged) if not one.given
        ]
        good = [(number, one.given) for number, one in enumerate(judged) if one.given]
        for begin in range(0, len(good), _ROWS_AT_ONCE):
            refused = effects.apply(good[begin : begin + _ROWS_AT_ONCE])
            faults += [(number, "error", reason) for number, reason in refused]
        return sorted(faults)


def _show_new(activity: Activity) -> dict[str, object]:
    shown = _show(activity, activity.created_at)
    return shown | {"state": "initialized", "percent_done": 0, "status": {}}


def _show(activity: Activity, now: datetime) -> dict[str, object]:
    shown: dict[str, object] = {
        "activity_id": activity.activity_id,
        "state": activity.state(now),
        "created_at": fine_stamp(activity.created_at),
        "updated_at": fine_stamp(activity.created_at),
        "percent_done": activity.percent_done(now),
        "activity_errors": activity.messages,
        "status": activity.counts,
        "_links": {"self": {"href": f"/v3/activities/{activity.activity_id}"}},
    }
    if now >= activity.started_at:
        shown["started_at"] = shown["updated_at"] = fine_stamp(activity.started_at)
    if activity.is_over(now):
        shown["completed_at"] = shown["updated_at"] = fine_stamp(activity.due_at)
    return shown
