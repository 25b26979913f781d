"""Tagging contacts and taking tags off, as bulk jobs.

https://developer.constantcontact.com/api_guide/add_tagging_activity.html; the body is TagAddRemoveContacts of
https://developer.constantcontact.com/api_reference/index.html.
"""

from datetime import datetime
from functools import partial

from ccsync.sandbox.constant_contact.activities.memberships import Memberships
from ccsync.sandbox.constant_contact.activities.queue import Activities, Activity
from ccsync.sandbox.constant_contact.activities.sources import TAGS_TARGET, Job, chosen, read_job
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact
from ccsync.sandbox.constant_contact.noting import Notes
from ccsync.sandbox.constant_contact.tags import Tags
from ccsync.sandbox.constant_contact.validation import read_json, read_query
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request

MOST_TAGS = 50
_SOURCES = ("contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber")


class Taggings:
    """Who has which tag."""

    def __init__(
        self,
        settings: SandboxSettings,
        store: Store,
        tags: Tags,
        memberships: Memberships,
        activities: Activities,
        notes: Notes,
    ) -> None:
        self._settings = settings
        self._store = store
        self._tags = tags
        self._memberships = memberships
        self._activities = activities
        self._notes = notes

    def post_add_tags(self, request: Request) -> Reply:
        """POST /activities/contacts_taggings_add."""
        return self._start(request, is_adding=True)

    def post_remove_tags(self, request: Request) -> Reply:
        """POST /activities/contacts_taggings_remove."""
        return self._start(request, is_adding=False)

    def _start(self, request: Request, *, is_adding: bool) -> Reply:
        read_query(request.query, {})
        job = read_job(read_json(request), _SOURCES, TAGS_TARGET)
        self._memberships.living(job.list_ids)
        self._tags.require((*job.targets, *job.tag_ids))
        if self._notes.keeps_bulk:
            self._note(job, is_adding=is_adding)
        work = partial(self._apply, job, is_adding=is_adding)
        return self._activities.start("tagging", request.body, self._settings.membership_seconds, work)

    def _note(self, job: Job, *, is_adding: bool) -> None:
        names = [one.name for one in self._tags.all() if one.tag_id in job.targets]
        for contact in self._chosen(job):
            for name in names:
                self._notes.add("app", "tag" if is_adding else "untag", contact, value=name)

    def _chosen(self, job: Job) -> list[StoredContact]:
        lists = tuple(one.seq for one in self._memberships.still(job.list_ids))
        return list(chosen(self._store, job, lists + self._tags.numbers(job.tag_ids)))

    def _apply(self, job: Job, activity: Activity, _: datetime, *, is_adding: bool) -> None:
        targets = self._tags.numbers(job.targets)
        contacts = self._chosen(job)
        for contact in contacts:
            if not is_adding:
                for one in targets:
                    self._store.leave(contact.seq, one)
            elif self._has_room(contact, targets):
                self._store.join((one, contact.seq) for one in targets)
            else:
                activity.messages.append(f"Contact {contact.contact_id} would have more than {MOST_TAGS} tags")
        total = len(job.contact_ids) or len(contacts)
        activity.counts = {"items_total_count": total, "items_completed_count": total}

    def _has_room(self, contact: StoredContact, targets: tuple[int, ...]) -> bool:
        return len({*self._store.tags_of([contact.seq])[contact.seq], *targets}) <= MOST_TAGS
