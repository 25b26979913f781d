"""Contact exports: a bulk job that makes a CSV file of contacts.

Body: schema ContactsExport of https://developer.constantcontact.com/api_reference/index.html; fields:
https://developer.constantcontact.com/api_guide/export_contacts.html. Headings, encoding, formats of dates, whether a
row shows lists or the contact's id, and how long the file stays are in no description: see the settings.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ccsync.sandbox.constant_contact.activities.memberships import Memberships
from ccsync.sandbox.constant_contact.activities.queue import Activities, Activity
from ccsync.sandbox.constant_contact.contacts.presentation import format_moment
from ccsync.sandbox.constant_contact.contacts.selection import Selection
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact
from ccsync.sandbox.constant_contact.custom_fields import CustomFields
from ccsync.sandbox.constant_contact.errors import invalid, not_found
from ccsync.sandbox.constant_contact.lists import Lists
from ccsync.sandbox.constant_contact.validation import check_properties, read_json, read_query, read_uuids
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.troubles import PageFaults
from ccsync.sandbox.wire import Clock, Reply, Request

_PLAIN = {"first_name": "first_name", "last_name": "last_name", "email_address": "address", "job_title": "job_title",
          "company_name": "company_name", "email_optin_source": "opt_in_source",
          "email_optout_source": "opt_out_source", "email_optout_reason": "opt_out_reason"}  # fmt: skip
_MOMENTS = {"created_at": "created_at", "updated_at": "updated_at", "email_optin_date": "opt_in_at",
            "email_optout_date": "opt_out_at"}  # fmt: skip
_ADDRESS = {"street": "street", "city": "city", "state": "state", "zip": "postal_code", "country": "country"}
FIELDS = (*_PLAIN, "email_lists", "phone_number", *_ADDRESS, *_MOMENTS)
"""The fields that the guide names, by where a contact has them."""
_MOST_CONTACTS = 500
_MOST_LISTS = _MOST_EXCLUDED = 50
_STATUSES = {
    "active": ("active",),
    "unsubscribed": ("unsubscribed",),
    "removed": ("deleted",),
}
_NOT_DELETED = ("active", "not_set", "pending_confirmation", "temp_hold", "unsubscribed")
_NOT_SIMULATED = ("tag_ids", "segment_id", "new_subscriber")
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class _Wish:
    """What to export; neither contacts nor lists: the whole account."""

    contact_ids: tuple[str, ...]
    list_ids: tuple[str, ...]
    excluded: frozenset[str]
    statuses: tuple[str, ...] | None
    fields: tuple[str, ...]


class Exports:
    """The account's exports and the files they made."""

    def __init__(
        self,
        settings: SandboxSettings,
        clock: Clock,
        store: Store,
        lists: Lists,
        memberships: Memberships,
        fields: CustomFields,
        activities: Activities,
        new_id: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._lists = lists
        self._memberships = memberships
        self._custom = fields
        self._activities = activities
        self._new_id = new_id
        self.faults = PageFaults()  # files that are not whole
        self._files: dict[str, tuple[datetime, bytes]] = {}

    def post_export(self, request: Request) -> Reply:
        """POST /activities/contact_exports."""
        read_query(request.query, {})
        wish = self._read(read_json(request))
        self._memberships.living(wish.list_ids)
        expected = len(wish.contact_ids) or self._store.count(self._selection(wish))
        seconds = self._settings.export_seconds + expected / 10_000
        return self._activities.start("export", request.body, seconds, partial(self._write, wish))

    def get_file(self, request: Request, file_id: str) -> Reply:
        """GET /contact_exports/{file_export_id}."""
        read_query(request.query, {})
        made_at, content = self._files.get(file_id.lower(), (None, b""))
        if made_at is None or self._clock() - made_at >= timedelta(hours=self._settings.export_kept_hours):
            raise not_found(f"File {file_id} was not found.")
        return Reply(200, content, "text/csv")

    # inside

    def _read(self, body: dict[str, object]) -> _Wish:
        check_properties(body, ("contact_ids", "list_ids", "exclude", "fields", "status", *_NOT_SIMULATED), ())
        if used := [name for name in _NOT_SIMULATED if body.get(name)]:
            raise invalid(f"The sandbox does not simulate {used[0]}.")
        if "contact_ids" in body and ("list_ids" in body or "exclude" in body):
            raise invalid("contact_ids can only be combined with status.")
        status, exclude = body.get("status"), body.get("exclude", {})
        if status is not None and status not in _STATUSES:
            raise invalid(f"status must be of {', '.join(_STATUSES)}.")
        if not isinstance(exclude, dict) or (exclude and "list_ids" not in body):
            raise invalid("exclude must be an object beside list_ids.")
        check_properties(exclude, ("contact_ids",), ())
        given = exclude.get("contact_ids", [])
        everybody = None if self._settings.export_holds_deleted else _NOT_DELETED
        return _Wish(
            read_uuids(body["contact_ids"], "contact_ids", _MOST_CONTACTS) if "contact_ids" in body else (),
            read_uuids(body["list_ids"], "list_ids", _MOST_LISTS) if "list_ids" in body else (),
            frozenset(read_uuids(given, "exclude.contact_ids", _MOST_EXCLUDED, least=0)),
            everybody if status is None else _STATUSES[str(status)],
            self._read_fields(body.get("fields")),
        )

    def _read_fields(self, value: object) -> tuple[str, ...]:
        refused = "created_at" if self._settings.export_created_at == "refuse" else ""
        known = tuple(one for one in (*FIELDS, *self._custom.ids) if one != refused)
        if value is None or value == []:
            return known
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise invalid("fields must be an array of strings.")
        if unknown := [one for one in value if one not in known]:
            raise invalid(f"fields: there is no field {unknown[0][:50]}.")
        if "email_address" not in value and any(one.startswith("email_opt") for one in value):
            raise invalid("email_address must be exported, too.")
        return tuple(dict.fromkeys(value))

    def _write(self, wish: _Wish, activity: Activity, at: datetime) -> None:
        shown = {"email_lists": self._settings.export_lists, "created_at": self._settings.export_created_at}
        fields = [one for one in wish.fields if shown.get(one) != "absent"]
        text, count = io.StringIO(), 0
        table = csv.writer(text)
        table.writerow(self._headings(fields))
        is_short = self.faults.next() is not None
        for page in self._pages(wish):
            on = self._store.lists_of([one.seq for one in page]) if "email_lists" in fields else {}
            if is_short:
                page, is_short = page[: len(page) // 2], False
            table.writerows(self._row(fields, one, on.get(one.seq, [])) for one in page)
            count += len(page)
        file_id = self._new_id()
        self._files[file_id] = (at, text.getvalue().encode(self._settings.export_encoding))
        activity.results = f"/v3/contact_exports/{file_id}"
        activity.counts = {"items_total_count": count, "items_completed_count": count}

    def _headings(self, fields: list[str]) -> list[str]:
        names = (["contact_id"] if self._settings.export_has_contact_id else []) + fields
        if self._settings.export_headings == "names":
            return names
        if self._settings.export_headings == "unknown":
            return [f"Spalte {number}" for number in range(1, len(names) + 1)]
        return [name.replace("_", " ").capitalize() for name in names]

    def _row(self, fields: list[str], contact: StoredContact, list_seqs: list[int]) -> list[str]:
        details: dict[str, dict[str, Any]] = json.loads(contact.details) if contact.details != "{}" else {}
        row = [contact.contact_id] if self._settings.export_has_contact_id else []
        for name in fields:
            if name in _PLAIN:
                value = getattr(contact, _PLAIN[name])
            elif name in _MOMENTS:
                value = format_moment(getattr(contact, _MOMENTS[name]), self._settings.export_dates, contact.seq)
            elif name == "email_lists":
                value = ", ".join(self._list_words(list_seqs))
            elif name == "phone_number":
                value = next(iter(details.get("phones", {}).values()), None)
            elif name in _ADDRESS:
                address: dict[str, str] = next(iter(details.get("addresses", {}).values()), {})
                value = address.get(_ADDRESS[name])
            else:
                value = details.get("cf", {}).get(name)
            row.append(value or "")
        return row

    def _list_words(self, seqs: list[int]) -> list[str]:
        ids = self._lists.ids(seqs)
        if self._settings.export_lists == "ids":
            return ids
        return [one.name for list_id in ids if (one := self._lists.living(list_id))]

    def _pages(self, wish: _Wish) -> Iterator[list[StoredContact]]:
        if wish.contact_ids:
            found = self._store.by_ids(wish.contact_ids).values()
            yield [one for one in found if wish.statuses is None or one.status in wish.statuses]
            return
        after, selection = 0, self._selection(wish)
        while page := self._store.page(selection, after, _AT_ONCE):
            yield [one for one in page if one.contact_id not in wish.excluded]
            after = page[-1].seq

    def _selection(self, wish: _Wish) -> Selection:
        lists = [one.seq for list_id in wish.list_ids if (one := self._lists.living(list_id))]
        return Selection(lists=tuple(lists) if wish.list_ids else None, statuses=wish.statuses)
