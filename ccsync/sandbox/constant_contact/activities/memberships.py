"""Putting contacts on lists and taking them off, as bulk jobs.

https://developer.constantcontact.com/api_guide/remove_list_membership.html; what these jobs do to somebody who opted
out, and whether they touch the contact, is in no description: see the settings.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import TypeAlias

from ccsync.sandbox.constant_contact.activities.queue import Activities, Activity
from ccsync.sandbox.constant_contact.activities.sources import LISTS_TARGET, Job, chosen, read_job
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact
from ccsync.sandbox.constant_contact.errors import Refused, invalid, not_found
from ccsync.sandbox.constant_contact.lists import Lists, StoredList
from ccsync.sandbox.constant_contact.noting import Notes
from ccsync.sandbox.constant_contact.tags import Tags
from ccsync.sandbox.constant_contact.validation import read_json, read_query
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request

_SOURCES = ("contact_ids", "list_ids", "all_active_contacts", "engagement_level", "tag_ids", "segment_id")
_Work: TypeAlias = Callable[[StoredContact, list[StoredList], int], None]


class Memberships:
    """Who is on which list: the two jobs, and the single changes by people, staff and a PUT."""

    def __init__(
        self,
        settings: SandboxSettings,
        store: Store,
        lists: Lists,
        tags: Tags,
        activities: Activities,
        notes: Notes,
    ) -> None:
        self._settings = settings
        self._store = store
        self._lists = lists
        self._tags = tags
        self._activities = activities
        self._notes = notes
        self._waiting: dict[int, set[int]] = {}

    def post_remove(self, request: Request) -> Reply:
        """POST /activities/remove_list_memberships."""
        return self._start("removal", request, self._remove, _SOURCES[:-1])

    def post_add(self, request: Request) -> Reply:
        """POST /activities/add_list_memberships."""
        return self._start("addition", request, self._add, _SOURCES)

    def leave(self, contact: StoredContact, lists: list[StoredList], source: str, at: int) -> None:
        """Take a contact off lists; `source` is who did it."""
        for one in lists:
            self._store.leave(contact.seq, one.seq)
        self._trace(contact, source, at)

    def join(self, contact: StoredContact, lists: list[StoredList], source: str, at: int) -> None:
        """Put a contact on lists. A deleted contact comes back.

        https://developer.constantcontact.com/api_guide/contacts_delete.html
        """
        if contact.deleted_on:
            contact = contact._replace(deleted_on=None, updated_at=at, update_source=source)
            self._store.save([contact])
        self._store.join((one.seq, contact.seq) for one in lists)
        self._trace(contact, source, at)

    def must_wait(self, contact: StoredContact) -> bool:
        """Under Confirmed Opt-in a contact is on no list before it has confirmed, unless an import may put it there.

        https://knowledgebase.constantcontact.com/articles/KnowledgeBase/5533
        """
        is_waiting = self._settings.confirmed_opt_in and contact.permission == "pending_confirmation"
        return is_waiting and self._settings.bulk_adds_pending == "wait"

    def wait(self, contact: StoredContact, list_seqs: Iterable[int]) -> None:
        """The contact will be on these lists as soon as it has confirmed."""
        self._waiting.setdefault(contact.seq, set()).update(list_seqs)

    def waiting(self, contact: StoredContact) -> list[int]:
        """Forget the lists that a contact waits for."""
        return sorted(self._waiting.pop(contact.seq, ()))

    def living(self, list_ids: tuple[str, ...]) -> list[StoredList]:
        """The lists of these ids. Raises `Refused` when one does not exist."""
        missing = [one for one in list_ids if self._lists.living(one) is None]
        if missing:
            raise self._missing(missing[0])
        return self.still(list_ids)

    def _missing(self, list_id: str) -> Refused:
        text = f"List {list_id} does not exist."
        return not_found(text) if self._settings.missing_list_status == 404 else invalid(text)

    def still(self, list_ids: tuple[str, ...]) -> list[StoredList]:
        """Those of these lists that are not deleted."""
        return [one for list_id in list_ids if (one := self._lists.living(list_id))]

    def _start(self, kind: str, request: Request, work: _Work, sources: tuple[str, ...]) -> Reply:
        read_query(request.query, {})
        job = read_job(read_json(request), sources, LISTS_TARGET)
        self.living((*job.targets, *job.list_ids))
        self._tags.require(job.tag_ids)
        if self._settings.unknown_contact_ids == "refuse":
            known = self._store.by_ids(job.contact_ids)
            if unknown := [one for one in job.contact_ids if one not in known]:
                raise invalid(*(f"Contact {one} was not found." for one in unknown[:20]))
        seconds, doing = self._settings.membership_seconds, partial(self._apply, job, work)
        return self._activities.start(kind, request.body, seconds, doing)

    def _apply(self, job: Job, work: _Work, activity: Activity, at: datetime) -> None:
        targets, total = self.still(job.targets), 0
        groups = tuple(one.seq for one in self.still(job.list_ids)) + self._tags.numbers(job.tag_ids)
        for contact in list(chosen(self._store, job, groups)):
            total += 1
            work(contact, targets, int(at.timestamp()))
        total = len(job.contact_ids) or total
        activity.counts = {
            "items_total_count": total,
            "items_completed_count": total,
            "list_count": len(targets),
        }

    def _remove(self, contact: StoredContact, targets: list[StoredList], at: int) -> None:
        on = self._on(contact)
        if found := [one for one in targets if one.seq in on]:
            self.leave(contact, found, "Account", at)
            for one in found:
                self._notes.add("app", "leave-list", contact, one.seq)

    def _add(self, contact: StoredContact, targets: list[StoredList], at: int) -> None:
        if contact.permission == "unsubscribed" and self._settings.add_unsubscribed_to_list != "join":
            return
        if self.must_wait(contact):
            self.wait(contact, [one.seq for one in targets])
            return
        on = self._on(contact)
        self.join(contact, targets, "Account", at)
        for one in targets:
            if one.seq not in on:
                self._notes.add("app", "join-list", contact, one.seq)

    def _on(self, contact: StoredContact) -> set[int]:
        return set(self._store.lists_of([contact.seq])[contact.seq])

    def _trace(self, contact: StoredContact, source: str, at: int) -> None:
        """What a contact shows of a change of lists."""
        if self._settings.list_change_trace == "none":
            return
        after = contact._replace(update_source=source)
        if self._settings.list_change_trace == "both":
            after = after._replace(updated_at=at)
        self._store.save([after])
