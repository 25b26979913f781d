"""Bulk imports: their effects, and what their activity reports.

https://v3.developer.constantcontact.com/api_guide/import_contacts.html
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import islice

from ccsync.sandbox.constant_contact.activities.import_body import ImportBody, read_import
from ccsync.sandbox.constant_contact.activities.import_effects import Effects
from ccsync.sandbox.constant_contact.activities.import_rows import Judged, Outcome, judge
from ccsync.sandbox.constant_contact.activities.memberships import Memberships
from ccsync.sandbox.constant_contact.activities.queue import Activities, Activity
from ccsync.sandbox.constant_contact.campaigns.automations import Automations
from ccsync.sandbox.constant_contact.contacts.store import Store
from ccsync.sandbox.constant_contact.custom_fields import CustomFields
from ccsync.sandbox.constant_contact.errors import invalid
from ccsync.sandbox.constant_contact.lists import Lists
from ccsync.sandbox.constant_contact.noting import Notes
from ccsync.sandbox.constant_contact.plan import Plan
from ccsync.sandbox.constant_contact.validation import read_query
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request

_MOST_MESSAGES = 50
_ROWS_AT_ONCE = 500


class Imports:
    """The account's imports."""

    def __init__(
        self,
        settings: SandboxSettings,
        store: Store,
        lists: Lists,
        fields: CustomFields,
        memberships: Memberships,
        activities: Activities,
        plan: Plan,
        automations: Automations,
        notes: Notes,
        new_id: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._store = store
        self._lists = lists
        self._fields = fields
        self._memberships = memberships
        self._activities = activities
        self._plan = plan
        self._automations = automations
        self._notes = notes
        self._new_id = new_id

    def post_import(self, request: Request) -> Reply:
        """POST /activities/contacts_json_import."""
        read_query(request.query, {})
        body = read_import(request)
        unknown = [one for one in body.list_ids if self._lists.living(one) is None]
        if unknown:
            raise invalid(*(f"List {one} does not exist." for one in unknown))
        self._plan.check_import()
        self._send(body)
        seconds = self._settings.import_seconds + len(body.rows) / 10_000
        return self._activities.start("import", request.body, seconds, partial(self._apply, body))

    def _send(self, body: ImportBody) -> None:
        if self._notes.keeps_bulk:
            for row in body.rows:
                for list_id in body.list_ids:
                    self._notes.send(str(row.get("email", "")), list_id)

    def _apply(self, body: ImportBody, activity: Activity, at: datetime) -> None:
        known = self._fields.ids
        judged = [judge(row, known, self._settings) for row in body.rows]
        total = len(judged) + self._settings.items_total_counts_header
        failures = [one.reason for one in judged if one.outcome == "fail"]
        if failures:
            activity.fail(failures[0])
            activity.counts = {"items_total_count": total, "items_completed_count": 0}
            return
        lists = [one.seq for list_id in body.list_ids if (one := self._lists.living(list_id))]
        effects = Effects(
            self._settings, self._store, self._memberships, self._notes, self._new_id, lists, at, body.sms_permission
        )
        effects.room = self._plan.room()
        faults = self._carry_out(effects, judged)
        if self._settings.imports_start_automations:
            self._automations.start(body.list_ids, effects.new_members)
        outcomes = Counter(outcome for _, outcome, _ in faults)
        spoken = (
            f"Line {number + 2}: {reason}" for number, outcome, reason in faults if outcome not in ("drop", "lose")
        )
        activity.messages = list(islice(spoken, _MOST_MESSAGES))  # line 1 is the header
        activity.counts = {
            "items_total_count": total,
            "items_completed_count": total,
            "person_count": len(judged) - len(faults) + outcomes["lose"] - effects.not_taken,
            "error_count": outcomes["error"],
            "correctable_count": outcomes["correctable"],
            "cannot_add_to_list_count": effects.not_on_list,
            "list_count": len(lists),
        }

    def _carry_out(self, effects: Effects, judged: list[Judged]) -> list[tuple[int, Outcome, str]]:
        """Apply the good rows; return the others by number, with outcome and reason."""
        faults: list[tuple[int, Outcome, str]] = [
            (number, one.outcome, one.reason) for number, one in enumerate(judged) if not one.given
        ]
        good = [(number, one.given) for number, one in enumerate(judged) if one.given]
        for begin in range(0, len(good), _ROWS_AT_ONCE):
            refused = effects.apply(good[begin : begin + _ROWS_AT_ONCE])
            faults += [(number, "error", reason) for number, reason in refused]
        return sorted(faults)
