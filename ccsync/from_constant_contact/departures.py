"""Finds people who left only the list, by comparing its members with whom ccsync put there."""

import csv
import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from ccsync.consent.safety_limit import brake
from ccsync.consent.write_back import OWN_WORDS, Found, judge_missing, whose_act
from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.constant_contact.export_file import ExportedContact
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.from_constant_contact import members, sightings
from ccsync.from_constant_contact.sightings import vendor_now
from ccsync.mapping import person_key_text
from ccsync.models import Contact, ContactList
from ccsync.run import control
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state import contacts, ledger, properties, suppressions, write_backs
from ccsync.state.ledger import ConsentChange
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.suppressions import DEPARTED, Suppression
from ccsync.state.views import list_members
from ccsync.state.write_backs import WriteBack

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
    contact_list = require_list(context)
    if list_members.is_worth_reading(context.store, context.list_id):
        if _read_members(context, contact_list):
            _record_missing(context, contact_list)
            _note_returned(context)
            properties.forget(context.store, properties.RESTORED)
        else:
            _say_unread(context, contact_list, "Constant Contact's export of the list cannot be read")
    properties.advance(context.store, _stream(context), started_at)


def check(context: Context, row: WriteBack) -> bool:
    """Look at the contact behind a departure that was only concluded; false when it was none."""
    contact = members.look_at(context, row.person, ledger.address_of(context.store, row.person))
    found = judge_missing(contact, row.list_id)
    if found is Found.UNCLEAR:
        return False
    if found in (Found.DELETED, Found.MEMBER, Found.WAITING):
        withdraw_departure(context, row.person, found.value)
        return False
    if contact is not None:
        write_backs.check(context.store, row.id, whose_act(contact))
    return True


def record_departure(
    context: Context,
    person: bytes,
    address: str | None,
    *,
    contact: Contact | None = None,
    account_id: int | None = None,
) -> None:
    """Remember that one person left the list. `contact` is what a look at them showed, `None` that nobody has looked.

    It is an act of the contact: it concerns every address that the contact has had.
    """
    at = context.now()
    known = contacts.known(context.store, person, context.list_id)
    contact_id = contact.contact_id if contact else known.contact_id if known else None
    source = whose_act(contact) if contact else None
    with context.store.transaction():
        for one in contacts.addresses_of_contact(context.store, contact_id, person):
            found = Suppression(one, DEPARTED, context.list_id, contact_id, at, source)
            suppressions.record(context.store, found, at, context.run_id)
            if context.config.sync.list_departures:
                write_backs.enqueue(context.store, one, DEPARTED, at, is_checked=contact is not None)
            contacts.note_absent(context.store, one, vendor_now(context))
            change = ConsentChange(
                one,
                address if one == person else None,
                "left-list",
                "constant_contact",
                None,
                at,
                account_id=account_id,
                contact_id=contact_id,
                evidence={"list_id": context.list_id, "by": OWN_WORDS if source else None},
            )
            ledger.append(context.store, context.run_id, [change])


def withdraw_departure(context: Context, person: bytes, why: str) -> None:
    """It was no departure, or it is undone: what was concluded from it no longer holds; in one transaction.

    What was sent, and what was seen, is untouched by that.
    """
    store, list_id = context.store, context.list_id
    with store.transaction():
        suppressions.lift(store, person, DEPARTED, list_id)
        write_backs.withdraw(store, person, DEPARTED, list_id)
        change = ConsentChange(
            person, None, "back-on-list", "constant_contact", None, context.now(), evidence={"why": why}
        )
        ledger.append(store, context.run_id, [change])
        history.append(store, context.run_id, context.now(), [Step(person, None, "put right", why)])


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
        sightings.note(context, page)
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


def _record_missing(context: Context, contact_list: ContactList) -> None:
    missing = list_members.count_missing(context.store, context.list_id)
    if missing and properties.get(context.store, properties.RESTORED) is not None:
        _note_unremembered(context)
        return
    stayed = max(0, contacts.count_on_list(context.store, context.list_id) - missing)
    is_mass = brake(missing, missing, missing, stayed, context.config.sync.max_opt_outs, 0).held > 0
    is_mass = is_mass or missing > context.config.limits.requests_per_day // SHARE_OF_DAY
    if is_mass and not _is_whole(context, contact_list):
        _say_unread(context, contact_list, "the pages of its members show fewer than it counts")
        return
    for person in list_members.iter_missing(context.store, context.list_id):
        if is_mass:
            # Too many to look at each; who is suppressed meanwhile is not mailed, and that is all.
            record_departure(context, person, ledger.address_of(context.store, person))
        else:
            _record_one(context, person)


def _is_whole(context: Context, contact_list: ContactList) -> bool:
    """Were all members read that the list counts? Else nobody is concluded to have left it without a look."""
    now = require_list(context)
    counts = [one.membership_count or 0 for one in (contact_list, now)]
    return list_members.count(context.store) >= min(counts)


def _note_unremembered(context: Context) -> None:
    """An older state file was put back: who is missing may have been taken off by ccsync itself since."""
    with context.store.transaction():
        for person in list(list_members.iter_missing(context.store, context.list_id)):
            contacts.note_absent(context.store, person, vendor_now(context))


def _record_one(context: Context, person: bytes) -> None:
    address = ledger.address_of(context.store, person)
    try:
        contact = members.look_at(context, person, address)
    except (RefusedError, VendorUnreachable) as error:
        # Nothing is concluded about a contact that cannot be seen; the next comparison looks again.
        control.blame_record_at_constant_contact(context, error)
        return
    found = judge_missing(contact, context.list_id)
    log.info("somebody is missing from the list: %s", found.value)
    if found is Found.DEPARTED and contact is not None:
        record_departure(context, person, contact.email, contact=contact)


def _note_returned(context: Context) -> None:
    """Somebody who had left is on the list again: undone, unless Kibo has it already; then only its opt-in counts."""
    for person in list_members.iter_returned(context.store, context.list_id):
        if any(one.kind == DEPARTED and one.done_at is None for one in write_backs.of_person(context.store, person)):
            with context.store.transaction():
                contacts.note_member(context.store, person, context.list_id, vendor_now(context))
            withdraw_departure(context, person, "is on the list again, before the store was told")
        else:
            context.counts["back_on_list"] += 1


def _say_unread(context: Context, contact_list: ContactList, why: str) -> None:
    pages = (contact_list.membership_count or 0) // PAGE_SIZE + 1
    context.notices["members"] = (
        f"ccsync did not look for people who left only the list: {why}. Reading its"
        f" {contact_list.membership_count or 0:,} members page by page costs {pages:,} calls; ccsync spends at most a"
        f" tenth of the day's {context.config.limits.requests_per_day:,} on it."
    )
