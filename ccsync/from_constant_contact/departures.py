"""Finds people who left only the list, by comparing its members with whom ccsync put there."""

import csv
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from ccsync.consent.safety_limit import brake
from ccsync.consent.write_back import By, Found, judge_missing, whose_act
from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.constant_contact.export_file import ExportedContact
from ccsync.from_constant_contact import contacts, members
from ccsync.from_constant_contact.contact_list import list_is_gone
from ccsync.mapping import person_key_text
from ccsync.models import Contact, ContactList
from ccsync.run.context import Context
from ccsync.state import ledger, people, properties, write_backs
from ccsync.state.ledger import ConsentChange
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.people import DEPARTED, Suppression
from ccsync.state.views import list_members
from ccsync.state.write_backs import Untold

log = logging.getLogger(__name__)

SHARE_OF_DAY = 10
"""A comparison costs at most this part of the day's calls."""
_CHUNK = 2_000


def compared_at(context: Context) -> datetime | None:
    """When the active list was last compared."""
    return properties.bookmark(context.store, _stream(context))


def compare_soon(context: Context) -> None:
    """Have the next poll compare the list, however long ago that was done."""
    properties.reset(context.store, _stream(context))


def compare(context: Context) -> None:
    """Compare the list and remember who left it. Raises what `ccsync.errors` lists; then nothing was concluded."""
    started_at = context.now()
    contact_list = context.constant_contact.get_list(context.list_id)
    if contact_list is None:
        raise list_is_gone(context)
    if list_members.is_worth_reading(context.store, context.list_id):
        if _read_members(context, contact_list):
            _record_missing(context)
            _note_returned(context)
        else:
            _say_unread(context, contact_list)
    properties.advance(context.store, _stream(context), started_at)


def check(context: Context, row: Untold) -> bool:
    """Look at the contact behind a departure that was only concluded; false when it was none."""
    contact = _contact(context, row.person, row.contact_id)
    found = judge_missing(contact, row.list_id)
    if found is Found.UNCLEAR:
        return False
    if found in (Found.DELETED, Found.MEMBER):
        withdraw_departure(context, row.person, found.value)
        return False
    if contact is not None:
        contacts.note(context, [contact])
        write_backs.check(context.store, row.id, whose_act(contact, row.seen_at - timedelta(days=1)).source)
    return True


def record_departure(
    context: Context, person: bytes, address: str | None, *, account_id: int | None = None, by: By | None = None
) -> None:
    """Remember that one person left the list; `by` says whose act it was, `None` that nobody has looked."""
    at = context.now()
    known = people.known_contact(context.store, person)
    contact_id = known.contact_id if known else None
    change = ConsentChange(
        person,
        address,
        "left-list",
        "constant_contact",
        None,
        at,
        account_id=account_id,
        contact_id=contact_id,
        evidence={"list_id": context.list_id, "by": by.value if by else None},
    )
    with context.store.transaction():
        found = Suppression(person, DEPARTED, context.list_id, contact_id, at, by.source if by else None)
        people.suppress(context.store, found, at, context.run_id)
        if context.config.sync.list_departures:
            write_backs.queue(context.store, person, DEPARTED, at, is_checked=by is not None)
        people.note_off_list(context.store, person)
        ledger.append(context.store, context.run_id, [change])


def withdraw_departure(context: Context, person: bytes, why: str) -> None:
    """It was no departure, or it is undone: what was concluded from it no longer holds; in one transaction."""
    with context.store.transaction():
        people.lift(context.store, person, DEPARTED)
        write_backs.withdraw(context.store, person, DEPARTED)
        change = ConsentChange(
            person, None, "back-on-list", "constant_contact", None, context.now(), evidence={"why": why}
        )
        ledger.append(context.store, context.run_id, [change])
        history.append(context.store, context.run_id, context.now(), [Step(person, None, "put right", why)])


def _stream(context: Context) -> str:
    return f"members {context.list_id}"


def _read_members(context: Context, contact_list: ContactList) -> bool:
    """Read all members by whatever costs fewest calls; false when that cannot be done for a tenth of the day's."""
    list_members.clear(context.store)
    pages = (contact_list.membership_count or 0) // PAGE_SIZE + 1
    if pages > members.CALLS_OF_EXPORT and not context.is_dry_run and _read_export(context, contact_list):
        return True
    if pages > context.config.limits.requests_per_day // SHARE_OF_DAY:
        return False
    list_members.clear(context.store)
    person_of = context.person_of()
    for page in context.constant_contact.iter_contact_pages(lists=context.list_id, include="list_memberships"):
        contacts.note(context, page)
        list_members.add(context.store, [person_of(person_key_text(one.email)) for one in page if one.email])
        context.show("members of the list", list_members.count(context.store), contact_list.membership_count)
    return True


def _read_export(context: Context, contact_list: ContactList) -> bool:
    with members.exported(context, lambda: context.constant_contact.export_list(context.list_id)) as rows:
        try:
            for part in _chunks(rows or iter(())):
                list_members.add(context.store, _people(context, part))
                context.show("members of the list", list_members.count(context.store), contact_list.membership_count)
        except csv.Error:
            log.warning("the export of the list is damaged; the list is read page by page")
            return False
    # Fewer rows than members is a cut file: nobody may be taken for gone because of it.
    expected = contact_list.membership_count or 0
    return list_members.count(context.store) * 10 >= expected * 9


def _chunks(rows: Iterator[ExportedContact]) -> Iterator[list[str]]:
    while part := [one.email for one in islice(rows, _CHUNK)]:
        yield part


def _people(context: Context, addresses: list[str]) -> list[bytes]:
    person_of = context.person_of()
    return [person_of(person_key_text(one)) for one in addresses]


def _record_missing(context: Context) -> None:
    missing = list_members.count_missing(context.store, context.list_id)
    stayed = people.count_on_list(context.store, context.list_id) - missing
    is_mass = brake(missing, missing, missing, stayed, context.config.sync.max_opt_outs, 0).held > 0
    is_mass = is_mass or missing > context.config.limits.requests_per_day // SHARE_OF_DAY
    last_seen_at = compared_at(context)
    for person in list_members.iter_missing(context.store, context.list_id):
        if is_mass:
            # Too many to look at each; who is suppressed meanwhile is not mailed, and that is all.
            record_departure(context, person, ledger.address_of(context.store, person))
        else:
            _record_one(context, person, last_seen_at)


def _record_one(context: Context, person: bytes, last_seen_at: datetime | None) -> None:
    known = people.known_contact(context.store, person)
    contact = _contact(context, person, known.contact_id if known else None)
    found = judge_missing(contact, context.list_id)
    log.info("somebody is missing from the list: %s", found.value)
    if found is Found.DEPARTED and contact is not None:
        record_departure(context, person, contact.email, by=whose_act(contact, last_seen_at))
    elif found is Found.UNSUBSCRIBED and contact is not None:
        contacts.note(context, [contact])
        people.note_off_list(context.store, person)
    elif found is Found.DELETED:
        people.note_off_list(context.store, person)


def _note_returned(context: Context) -> None:
    """Somebody who had left is on the list again: undone, unless Kibo was told; then only Kibo's opt-in counts."""
    for person in list_members.iter_returned(context.store, context.list_id):
        if any(one.kind == DEPARTED and one.told_at is None for one in write_backs.of_person(context.store, person)):
            withdraw_departure(context, person, "is on the list again, before the store was told")
        else:
            context.counts["back_on_list"] += 1


def _contact(context: Context, person: bytes, contact_id: str | None) -> Contact | None:
    if contact_id is not None:
        return context.constant_contact.get_contact(contact_id)
    address = ledger.address_of(context.store, person)
    return context.constant_contact.find_contact(address) if address else None


def _say_unread(context: Context, contact_list: ContactList) -> None:
    pages = (contact_list.membership_count or 0) // PAGE_SIZE + 1
    context.notices["members"] = (
        "Who left only the list was not looked for: Constant Contact's export of the list cannot be read, and reading"
        f" its {contact_list.membership_count or 0:,} members page by page costs {pages:,} calls, more than a"
        f" tenth of the day's {context.config.limits.requests_per_day:,}. Raise [limits] requests_per_day"
        " if your plan allows it."
    )
