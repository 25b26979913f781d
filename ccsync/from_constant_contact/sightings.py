"""Notes contacts as Constant Contact shows them: facts, with the time by its clock."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from datetime import datetime

from ccsync.consent.decisions import DELETED, VANISHED, is_another_contact, is_return_between_looks
from ccsync.constant_contact.export_file import ExportedContact
from ccsync.from_constant_contact import opt_outs
from ccsync.models import Contact
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, person_tags, suppressions
from ccsync.state.contacts import Sighting
from ccsync.state.outbox import queue, write_backs


def note(context: Context, found: Iterable[Contact], adopt_list_id: str | None = None) -> None:
    """Remember contacts as Constant Contact showed them with their lists, opt-outs included, in one transaction."""
    seen_at = vendor_now(context)
    shown = [contact for contact in found if contact.email is not None]
    sightings = [
        Sighting(
            context.person_of(contact.email or ""),
            contact.contact_id,
            DELETED if contact.deleted_at and not contact.has_unsubscribed else contact.permission_to_send,
            context.list_id if is_member(contact, context.list_id) else None,
            seen_at,
            contact.created_at,
        )
        for contact in shown
    ]
    with context.store.transaction():
        back = [
            person
            for one, contact in zip(sightings, shown, strict=True)
            if one.member_of is None
            for person in contacts.addresses_of_contact(context.store, one.contact_id, one.person)
            if is_return_between_looks(contact, contacts.known(context.store, person, context.list_id), context.list_id)
        ]
        person_tags.note_contacts(context.store, [(one.person, one.contact_id or "") for one in sightings])
        contacts.observe(context.store, [*_facts(context, sightings, shown)], adopt_list_id=adopt_list_id)
        opt_outs.record(context, shown)
        unsubscribed = suppressions.unsubscribed_among(context.store, [one.contact_id for one in shown])
        for one, contact in zip(sightings, shown, strict=True):
            if contact.contact_id in unsubscribed:
                _follow(context, one.person, contact)
        for person in back:
            wants_back(context, person, context.list_id, seen_at)


def _facts(context: Context, sightings: Iterable[Sighting], shown: Iterable[Contact]) -> Iterator[Sighting]:
    """Where another contact has the address of one that was erased, it is the erased one that a look was about."""
    for one, contact in zip(sightings, shown, strict=True):
        known = contacts.known(context.store, one.person, context.list_id) if one.member_of is None else None
        if contact.has_unsubscribed or not is_another_contact(contact, known, context.list_id):
            yield one
        else:
            contacts.note_moved(context.store, contact.contact_id, one.person)
            yield replace(one, contact_id=None, permission=VANISHED)


def note_exported(
    context: Context, found: Iterable[ExportedContact], seen_at: datetime, among: Set[bytes] | None
) -> None:
    """Remember members of the list, `among` these people or all, as a file of addresses showed them."""
    shown = ((context.person_of(one.email), one.created_at) for one in found)
    seen = [
        Sighting(person, None, None, context.list_id, seen_at, created_at)
        for person, created_at in shown
        if among is None or person in among
    ]
    with context.store.transaction():
        contacts.observe(context.store, seen)


def _follow(context: Context, person: bytes, contact: Contact) -> None:
    """A contact that was unsubscribed and has another address now: unless the person came back, it stays opted out."""
    store = context.store
    if not contact.has_unsubscribed and suppressions.follow(store, contact.contact_id, person):
        known = [(person, one.since) for one in accounts.with_address(store, person) if one.accepts_marketing]
        write_backs.enqueue_again(store, known, context.list_id, context.now())


def wants_back(context: Context, person: bytes, list_id: str, at: datetime) -> None:
    """People are off the list, but not by an act of theirs that holds: queue their accounts, in the transaction."""
    contacts.note_removed(context.store, person, list_id, at)
    queue.enqueue(context.store, accounts.of_person(context.store, person), context.now())


def is_member(contact: Contact, list_id: str) -> bool:
    """Is the contact on the list, to be mailed? Deleted contacts are on none; unsubscribed ones may be shown on it."""
    return contact.deleted_at is None and not contact.has_unsubscribed and list_id in (contact.list_ids or ())
