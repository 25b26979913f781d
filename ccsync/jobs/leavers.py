"""Finds people who left only the list, by comparing its members with whom ccsync put there."""

import csv
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.constant_contact.export_file import ExportedContact
from ccsync.jobs import known_contacts, membership
from ccsync.jobs.departures import record_departure, withdraw_departure
from ccsync.jobs.sending import list_is_gone
from ccsync.jobs.telling_decisions import Found, brake, judge_missing, whose_act
from ccsync.jobs.work import Work
from ccsync.mapping import person_key_text
from ccsync.models import Contact, ContactList
from ccsync.state import consent, list_members, meta, people, untold
from ccsync.state.people import DEPARTED
from ccsync.state.untold import Untold

log = logging.getLogger(__name__)

SHARE_OF_DAY = 10
"""A comparison costs at most this part of the day's calls."""
_CHUNK = 2_000


def compared_at(work: Work) -> datetime | None:
    """When the active list was last compared."""
    return meta.bookmark(work.store, _stream(work))


def compare_soon(work: Work) -> None:
    """Have the next poll compare the list, however long ago that was done."""
    meta.reset(work.store, _stream(work))


def compare(work: Work) -> None:
    """Compare the list and remember who left it. Raises what `ccsync.errors` lists; then nothing was concluded."""
    started_at = work.now()
    contact_list = work.constant_contact.get_list(work.list_id)
    if contact_list is None:
        raise list_is_gone(work)
    if list_members.is_worth_reading(work.store, work.list_id):
        if _read_members(work, contact_list):
            _record_missing(work)
            _note_returned(work)
        else:
            _say_unread(work, contact_list)
    meta.advance(work.store, _stream(work), started_at)


def check(work: Work, row: Untold) -> bool:
    """Look at the contact behind a departure that was only concluded; false when it was none."""
    contact = _contact(work, row.person, row.contact_id)
    found = judge_missing(contact, row.list_id)
    if found is Found.UNCLEAR:
        return False
    if found in (Found.DELETED, Found.MEMBER):
        withdraw_departure(work, row.person, found.value)
        return False
    if contact is not None:
        known_contacts.note(work, [contact])
        untold.check(work.store, row.id, whose_act(contact, row.seen_at - timedelta(days=1)).source)
    return True


def _stream(work: Work) -> str:
    return f"members {work.list_id}"


def _read_members(work: Work, contact_list: ContactList) -> bool:
    """Read all members by whatever costs fewest calls; false when that cannot be done for a tenth of the day's."""
    list_members.clear(work.store)
    pages = (contact_list.membership_count or 0) // PAGE_SIZE + 1
    if pages > membership.CALLS_OF_EXPORT and not work.is_dry_run and _read_export(work, contact_list):
        return True
    if pages > work.config.limits.requests_per_day // SHARE_OF_DAY:
        return False
    list_members.clear(work.store)
    person_of = work.person_of()
    for page in work.constant_contact.iter_contact_pages(lists=work.list_id, include="list_memberships"):
        known_contacts.note(work, page)
        list_members.add(work.store, [person_of(person_key_text(one.email)) for one in page if one.email])
        work.show("members of the list", list_members.count(work.store), contact_list.membership_count)
    return True


def _read_export(work: Work, contact_list: ContactList) -> bool:
    with membership.exported(work, lambda: work.constant_contact.export_list(work.list_id)) as rows:
        try:
            for part in _chunks(rows or iter(())):
                list_members.add(work.store, _people(work, part))
                work.show("members of the list", list_members.count(work.store), contact_list.membership_count)
        except csv.Error:
            log.warning("the export of the list is damaged; the list is read page by page")
            return False
    # Fewer rows than members is a cut file: nobody may be taken for gone because of it.
    expected = contact_list.membership_count or 0
    return list_members.count(work.store) * 10 >= expected * 9


def _chunks(rows: Iterator[ExportedContact]) -> Iterator[list[str]]:
    while part := [one.email for one in islice(rows, _CHUNK)]:
        yield part


def _people(work: Work, addresses: list[str]) -> list[bytes]:
    person_of = work.person_of()
    return [person_of(person_key_text(one)) for one in addresses]


def _record_missing(work: Work) -> None:
    missing = list_members.count_missing(work.store, work.list_id)
    stayed = people.count_on_list(work.store, work.list_id) - missing
    is_mass = brake(missing, missing, missing, stayed, work.config.sync.max_opt_outs, 0).held > 0
    is_mass = is_mass or missing > work.config.limits.requests_per_day // SHARE_OF_DAY
    last_seen_at = compared_at(work)
    for person in list_members.iter_missing(work.store, work.list_id):
        if is_mass:
            # Too many to look at each; who is suppressed meanwhile is not mailed, and that is all.
            record_departure(work, person, consent.address_of(work.store, person))
        else:
            _record_one(work, person, last_seen_at)


def _record_one(work: Work, person: bytes, last_seen_at: datetime | None) -> None:
    known = people.known_contact(work.store, person)
    contact = _contact(work, person, known.contact_id if known else None)
    found = judge_missing(contact, work.list_id)
    log.info("somebody is missing from the list: %s", found.value)
    if found is Found.DEPARTED and contact is not None:
        record_departure(work, person, contact.email, by=whose_act(contact, last_seen_at))
    elif found is Found.UNSUBSCRIBED and contact is not None:
        known_contacts.note(work, [contact])
        people.note_off_list(work.store, person)
    elif found is Found.DELETED:
        people.note_off_list(work.store, person)


def _note_returned(work: Work) -> None:
    """Somebody who had left is on the list again: undone, unless Kibo was told; then only Kibo's opt-in counts."""
    for person in list_members.iter_returned(work.store, work.list_id):
        if any(one.kind == DEPARTED and one.told_at is None for one in untold.of_person(work.store, person)):
            withdraw_departure(work, person, "is on the list again, before the store was told")
        else:
            work.counts["back_on_list"] += 1


def _contact(work: Work, person: bytes, contact_id: str | None) -> Contact | None:
    if contact_id is not None:
        return work.constant_contact.get_contact(contact_id)
    address = consent.address_of(work.store, person)
    return work.constant_contact.find_contact(address) if address else None


def _say_unread(work: Work, contact_list: ContactList) -> None:
    pages = (contact_list.membership_count or 0) // PAGE_SIZE + 1
    work.notices["members"] = (
        "Who left only the list was not looked for: Constant Contact's export of the list cannot be read, and reading"
        f" its {contact_list.membership_count or 0:,} members page by page costs {pages:,} calls, more than a tenth of"
        f" the day's {work.config.limits.requests_per_day:,}. Raise [limits] requests_per_day if your plan allows it."
    )
