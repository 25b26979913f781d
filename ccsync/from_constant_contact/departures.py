"""Finds people who left only the list, by comparing its members with the people ccsync added."""

import logging
from collections.abc import Iterable
from functools import partial

from ccsync.consent.decisions import Returned, return_between_looks
from ccsync.consent.safety_limit import allowance
from ccsync.consent.write_back import OWN_WORDS, REASONS, Found, judge_missing, whose_act
from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.from_constant_contact import list_exports, list_record, members, opted_out_members, restored, sightings
from ccsync.from_constant_contact.list_record import ListRecord
from ccsync.models import Contact, ContactList
from ccsync.run import clocks, control
from ccsync.run.clocks import vendor_now
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state import accounts, batches, contacts, kibo_writes, ledger, properties, suppressions
from ccsync.state.ledger import ConsentChange
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.outbox import queue, write_backs
from ccsync.state.outbox.write_backs import WriteBack
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, Suppression
from ccsync.state.views import list_members
from ccsync.words import counted

log = logging.getLogger(__name__)


def compare_soon(context: Context) -> None:
    """Make the next poll compare the list, even if that was done recently."""
    properties.reset(context.store, list_record.stream(context))


def compare(context: Context, record: ListRecord | None = None) -> bool:
    """Compare the list and record departures; true if missing people are still to be resolved (`restored`).

    `record` is what the list's own record showed before. Raises what `ccsync.errors` lists; then nothing was concluded.
    """
    started_at, calls = clocks.our_time(context), context.constant_contact.transport.calls
    began_at = clocks.contact_time(context)
    contact_list = require_list(context)
    missing = _Missing(context, contact_list)
    has_absences = False
    if list_members.is_worth_reading(context.store, context.list_id):
        if not _read_members(context, contact_list):
            _say_unread(context, contact_list, "Constant Contact's export of the list cannot be read")
        elif restored.is_unresolved(context):
            has_absences = True
        else:
            members.read_waiting(context)
            missing.record()
            _note_returned(context)
            opted_out_members.remove(context)
            if missing.is_explained and missing.is_all_seen:
                clocks.advance(context, list_record.all_seen(context), began_at)
    clocks.advance(context, list_record.stream(context), started_at)
    # One call for each person who left is fine; the rest is what another comparison would cost.
    cost = context.constant_contact.transport.calls - calls - missing.departed
    list_record.note_comparison(context, record, cost, is_explained=missing.is_explained)
    return has_absences


def check(context: Context, row: WriteBack) -> bool:
    """Look at the contact behind a departure that was only concluded; false when it was none."""
    before = contacts.known(context.store, row.person, row.list_id)
    contact = members.look_at(context, row.person)
    found = judge_missing(contact, before, row.list_id)
    if found is Found.UNCLEAR:
        return False
    # Another address of the contact may have been looked at before this one: then its return is noted already.
    is_back = contact is not None and return_between_looks(contact, before, row.list_id) is Returned.YES
    if found is Found.DEPARTED and sightings.is_held(context, row.person, row.list_id):
        return False  # whether it was one is not known
    if found is Found.DEPARTED and (is_back or _wants_back(context, row.person, row.list_id)):
        withdraw_departure(context, row.person, row.list_id, REASONS[write_backs.RESUBSCRIBED])
        with context.store.transaction():
            sightings.wants_back(context, row.person, row.list_id, vendor_now(context))
        return False
    if found in (Found.DELETED, Found.REPLACED, Found.MEMBER, Found.WAITING):
        withdraw_departure(context, row.person, row.list_id, found.value)
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
    # Constant Contact gives no date. By Kibo's clock, for it is an opt-in there that outweighs a departure.
    at, since = context.now(), clocks.kibo_now(context).at
    known = contacts.known(context.store, person, context.list_id)
    contact_id = contact.contact_id if contact else known.contact_id if known else None
    source = whose_act(contact) if contact else None
    seen_at = vendor_now(context) if contact else None
    last_on_list_at = list_record.last_on_list_at(context, known)
    with context.store.transaction():
        for one in contacts.addresses_of_contact(context.store, contact_id, person):
            found = Suppression(
                one, DEPARTED, context.list_id, contact_id, since, source, last_on_list_at=last_on_list_at
            )
            suppressions.record(context.store, found, at, context.run_id)
            if context.config.sync.list_departures:
                is_checked = contact is not None
                write_backs.enqueue(context.store, one, DEPARTED, at, list_id=context.list_id, is_checked=is_checked)
            contacts.note_absent(context.store, one, seen_at)
            change = ConsentChange(
                one,
                address if address and context.person_of(address) == one else None,
                "left-list",
                "constant_contact",
                None,
                at,
                account_id=account_id,
                contact_id=contact_id,
                evidence={"list_id": context.list_id, "by": OWN_WORDS if source else None},
            )
            ledger.append(context.store, context.run_id, [change])


def withdraw_departure(context: Context, person: bytes, list_id: str, why: str) -> None:
    """It was no departure, or it is undone: what was concluded from it no longer holds; in one transaction.

    What was sent, and what was seen, is untouched by that. What changed in the store meanwhile was not sent: the
    accounts are read again.
    """
    store = context.store
    with store.transaction():
        suppressions.lift(store, person, DEPARTED, list_id)
        write_backs.withdraw(store, person, DEPARTED, list_id)
        queue.enqueue_person(store, person, context.now())
        change = ConsentChange(
            person, None, "back-on-list", "constant_contact", None, context.now(), evidence={"why": why}
        )
        ledger.append(store, context.run_id, [change])
        history.append(store, context.run_id, context.now(), [Step(person, None, "put right", why)])


def _read_members(context: Context, contact_list: ContactList) -> bool:
    """Read all members by whatever costs fewest calls; false when that cannot be done for a tenth of the day's."""
    list_members.clear(context.store)
    pages = (contact_list.membership_count or 0) // PAGE_SIZE + 1
    is_cheaper = pages > members.CALLS_OF_EXPORT and not context.is_dry_run
    # A truncated file must not make people look as if they had left.
    if is_cheaper and list_exports.read_export_of_list(
        context, contact_list, partial(_take, context), list_exports.LEAST_SHARE
    ):
        return True
    if pages > context.config.limits.requests_per_day // list_record.SHARE_OF_DAY:
        return False
    list_members.clear(context.store)
    for page in context.constant_contact.iter_contact_pages(lists=context.list_id, include="list_memberships"):
        sightings.note(context, page)
        count = _take(context, [one.email for one in page if one.email])
        context.show("members of the list", count, contact_list.membership_count)
    return True


def _take(context: Context, addresses: Iterable[str]) -> int:
    list_members.add(context.store, map(context.person_of, addresses))
    return list_members.count(context.store)


class _Missing:
    """People whom ccsync added to the list and who are missing among its members."""

    def __init__(self, context: Context, contact_list: ContactList) -> None:
        self._context = context
        self._contact_list = contact_list
        self.departed = 0
        """How many have left, as a look at each showed."""
        self.is_explained = True
        # Whom an import under way brings is not looked for yet, and may have come and gone by the time it is over.
        self.is_all_seen = not batches.unfinished(context.store)

    def record(self) -> None:
        """Remember who of them has left the list."""
        context = self._context
        missing = list_members.count_missing(context.store, context.list_id)
        is_mass = self._is_mass(missing)
        if is_mass and not self._is_whole():
            self.is_explained = False
            _say_unread(context, self._contact_list, "the pages of its members show fewer than it counts")
            return
        for person in list_members.iter_missing(context.store, context.list_id):
            if is_mass:
                # Too many to look up one by one: they are suppressed, so not mailed, and nothing else happens.
                record_departure(context, person, ledger.address_of(context.store, person))
            else:
                self._record_one(person)

    def _is_mass(self, missing: int) -> bool:
        context = self._context
        stayed = max(0, contacts.count_on_list(context.store, context.list_id) - missing)
        held = allowance(missing, missing, missing, stayed, context.config.sync.max_opt_outs, 0).held
        return held > 0 or missing > context.config.limits.requests_per_day // list_record.SHARE_OF_DAY

    def _is_whole(self) -> bool:
        """Were all members read that the list counts? Else nobody is concluded to have left it without a look."""
        counts = [one.membership_count or 0 for one in (self._contact_list, require_list(self._context))]
        return list_members.count(self._context.store) >= min(counts)

    def _record_one(self, person: bytes) -> None:
        context = self._context
        before = contacts.known(context.store, person, context.list_id)
        try:
            contact = members.look_at(context, person)
        except (RefusedError, VendorUnreachable) as error:
            # Nothing is concluded about a contact that cannot be seen; the next comparison looks again.
            control.blame_record_at_constant_contact(context, error)
            self.is_all_seen = False
            return
        found = judge_missing(contact, before, context.list_id)
        log.info("somebody is missing from the list: %s", found.value)
        if found is Found.DELETED:
            queue.enqueue_person(context.store, person, context.now())  # by no act of the person's: decided anew
        # The look has noted who came back, and of whom that is not known.
        is_noted = _wants_back(context, person, context.list_id) or sightings.is_held(context, person, context.list_id)
        if found is Found.DEPARTED and contact is not None and not is_noted:
            record_departure(context, person, contact.email, contact=contact)
            self.departed += 1


def _wants_back(context: Context, person: bytes, list_id: str) -> bool:
    """Has the look shown that the person came back since, by their own act (`sightings`)?"""
    known = contacts.known(context.store, person, list_id)
    return known is not None and known.sent is not None and known.sent.removed_at is not None


def _note_returned(context: Context) -> None:
    """Somebody who had left is on the list again: undone, unless the store has a no; then only its opt-in counts.

    In that case they came to the list another way: ccsync had put them there before, and does not take them off. Like
    the departure, the return is an act of the contact: it concerns every address that the departure did.
    """
    store, list_id = context.store, context.list_id
    for person in list_members.iter_returned(store, list_id):
        departed = suppressions.of_same_departure(store, person, list_id)
        undone = [one for one in departed if _is_undone(context, one)]
        with store.transaction():
            for one in departed:
                if one in undone:
                    withdraw_departure(
                        context, one, list_id, "is on the list again, and was not opted out in the store"
                    )
                else:
                    contacts.note_removed(store, one, list_id, vendor_now(context))
            contacts.note_member(store, person, list_id, vendor_now(context))
        if person not in undone:
            context.counts["back_on_list"] += 1


def _is_undone(context: Context, person: bytes) -> bool:
    """Does Kibo have no no for the departure? Nor has it one for who is held by an unknown act.

    A departure may never have been written there (`list_departures`), and what was written is pruned: the accounts and
    what ccsync has set on them tell. For an address without any, those of the contact's other addresses do.
    """
    store, list_id = context.store, context.list_id
    held = suppressions.of_person(store, person)
    if any(one.kind == OPTED_OUT for one in held):
        return False
    tasks = write_backs.of_person(store, person)
    is_open = any((one.kind, one.list_id, one.done_at) == (DEPARTED, list_id, None) for one in tasks)
    if is_open or sightings.is_held(context, person, list_id):
        return True
    found = accounts.with_address(store, person)
    if not found:
        departed = suppressions.of_same_departure(store, person, list_id)
        found = [account for one in departed for account in accounts.with_address(store, one)]
    written = kibo_writes.among(store, [one.account_id for one in found]).values()
    return any(one.accepts_marketing for one in found) and all(one.accepts_marketing for one in written)


def _say_unread(context: Context, contact_list: ContactList, why: str) -> None:
    pages = (contact_list.membership_count or 0) // PAGE_SIZE + 1
    context.notices["members"] = (
        f"ccsync did not look for people who left only the list: {why}. Reading its"
        f" {contact_list.membership_count or 0:,} members page by page costs {counted(pages, 'call')}; ccsync spends at"
        f" most a tenth of the day's {context.config.limits.requests_per_day:,} on it."
    )
