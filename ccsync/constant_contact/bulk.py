"""Constant Contact's bulk jobs: imports, removals from lists, exports."""

from collections.abc import Sequence
from typing import BinaryIO

from ccsync import shapes
from ccsync.constant_contact.records import to_activity
from ccsync.constant_contact.wire import Wire
from ccsync.errors import VendorUnreachable
from ccsync.models import Activity, JsonObject
from ccsync.transport.calls import Call


class Bulk(Wire):
    """Starts bulk jobs and reports their state."""

    # imports

    def import_contacts(self, body: BinaryIO) -> Activity:
        """Start a bulk import; `body` is a file with the whole encoded JSON, below 4,000,000 bytes.

        Not repeated when the answer is lost (`AnswerLost`): the vendor has no idempotency key.
        """
        call = Call("POST", self._api_url + "/activities/contacts_json_import", body=body, is_repeatable=False)
        return self._activity(call, "an import")

    def get_activities(self) -> list[Activity]:
        """The newest 500 bulk jobs of the last ten days."""
        _, value = self._json(Call("GET", self._api_url + "/activities", params={"limit": "500"}))
        record = shapes.as_object(value) or {}
        return [one for item in shapes.as_objects(record.get("activities")) if (one := to_activity(item))]

    def get_activity(self, activity_id: str) -> Activity | None:
        """One bulk job; `None` when the vendor no longer knows it."""
        call = Call("GET", f"{self._api_url}/activities/{activity_id}", accepts=frozenset({404}))
        answer, value = self._json(call)
        return to_activity(shapes.as_object(value) or {}) if answer.status != 404 else None

    # memberships

    def remove_from_list(self, contact_ids: Sequence[str], list_id: str) -> Activity:
        """Start taking contacts (at most 500) off a list; doing it twice is harmless.

        https://developer.constantcontact.com/api_guide/remove_list_membership.html
        """
        return self._start("remove_list_memberships", {"source": {"contact_ids": contact_ids}, "list_ids": [list_id]})

    # exports

    def export_contacts(self, contact_ids: Sequence[str]) -> Activity:
        """Start an export of these contacts (at most 500): their addresses and lists.

        https://developer.constantcontact.com/api_guide/export_contacts.html
        """
        return self._start("contact_exports", {"contact_ids": contact_ids, "fields": ["email_address", "email_lists"]})

    def export_list(self, list_id: str, *, with_dates: bool = False) -> Activity:
        """Start an export of the addresses of a list's members, whatever their number, and of when each was made."""
        fields = ["email_address", "created_at"] if with_dates else ["email_address"]
        return self._start("contact_exports", {"list_ids": [list_id], "fields": fields})

    def fetch_export(self, activity: Activity, file: BinaryIO) -> bool:
        """Download what a completed export made; false when the vendor shows no file."""
        if activity.results_href is None:
            return False
        url = self._join(activity.results_href)
        call = Call("GET", url, headers={"Accept": "text/csv, */*"}, sink=file, accepts=frozenset({404}))
        return self.transport.send(call, self._token).status != 404

    def _start(self, name: str, body: JsonObject) -> Activity:
        return self._activity(Call("POST", f"{self._api_url}/activities/{name}", json=body), name)

    def _activity(self, call: Call, name: str) -> Activity:
        _, value = self._json(call)
        activity = to_activity(shapes.as_object(value) or {})
        if activity is None:
            raise VendorUnreachable(f"Constant Contact's answer to {name} has no activity_id.")
        return activity
