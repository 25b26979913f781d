"""Notes contacts as Constant Contact shows them: facts, with the time by its clock."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from datetime import datetime

from ccsync.consent.decisions import (
    DELETED,
    LOOK_SLACK,
    VANISHED,
    Returned,
    is_another_contact,
    reason_of,
    return_between_looks,
)
from ccsync.constant_contact.export_file import ExportedContact
from ccsync.from_constant_contact import returns, unsubscribes
from ccsync.models import Contact, KnownContact, Sighting
from ccsync.run import clocks
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import contacts, person_tags, suppressions
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.outbox import queue, removals, write_backs
from ccsync.state.suppressions import BY_UNKNOWN_ACT, DEPARTED, UNORDERED, Suppression


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
            contact.opt_in_date,
        )
        for contact in shown
    ]
    pairs = list(zip(sightings, shown, strict=True))
    returned = _returned(context, pairs)
    deleted = [one.person for one in sightings if one.permission == DELETED and _was_on_list(context, one.person)]
    # Asked before the transaction: this may take a call.
    held_since = clocks.kibo_now(context).at if Returned.UNKNOWN in returned.values() else None
    with context.store.transaction():
        person_tags.note_contacts(context.store, [(one.person, one.contact_id or "") for one in sightings])
        for person in deleted:  # by no act of the person's: who opts in is sent anew, whatever pass has shown it
            queue.enqueue_person(context.store, person, context.now())
        contacts.observe(context.store, [*_facts(context, sightings, shown)], adopt_list_id=adopt_list_id)
        unsubscribes.record(context, shown)
        unsubscribed = suppressions.unsubscribed_among(context.store, [one.contact_id for one in shown])
        for one, contact in pairs:
            if contact.contact_id in unsubscribed:
                returns.follow(context, one.person, contact)
        for person, answer in returned.items():
            if answer is Returned.YES:
                wants_back(context, person, context.list_id, seen_at)
            elif held_since is not None:
                hold_back(context, person, held_since, UNORDERED, seen_at)


def note_all(context: Context, phase: str, adopt_list_id: str | None = None, **filters: str) -> None:
    """Read all contacts that these filters match, with their lists; they are known from then on."""
    seen = 0
    for page in context.constant_contact.iter_contact_pages(include="list_memberships", **filters):
        note(context, page, adopt_list_id)
        seen += len(page)
        context.show(phase, seen)


def _was_on_list(context: Context, person: bytes) -> bool:
    known = contacts.known(context.store, person, context.list_id)
    return known is not None and known.is_on(context.list_id)


def _returned(context: Context, shown: Iterable[tuple[Sighting, Contact]]) -> dict[bytes, Returned]:
    """Who of those off the list has come back since the last look, or perhaps has; also whom ccsync takes off because
    of a former owner of the contact's address.
    """
    found = dict[bytes, Returned]()
    for one, contact in shown:
        if one.member_of is not None:
            continue
        for person in contacts.addresses_of_contact(context.store, one.contact_id, one.person):
            known = contacts.known(context.store, person, context.list_id)
            answer = return_between_looks(contact, known, context.list_id)
            if _is_taken_off(context, one.contact_id, person, known):
                answer = Returned.YES
            is_gone = contact.deleted_at is not None or is_another_contact(contact, known, context.list_id)
            if answer is Returned.YES or (answer is Returned.UNKNOWN and not is_gone):
                found[person] = answer
    return found


def _is_taken_off(context: Context, contact_id: str | None, person: bytes, known: KnownContact | None) -> bool:
    sent = known.sent if known else None
    is_put_there = sent is not None and sent.list_id == context.list_id and sent.removed_at is None
    return is_put_there and removals.takes_off(context.store, contact_id, person, context.list_id)


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
    context: Context,
    found: Iterable[ExportedContact],
    seen_at: datetime,
    among: Set[bytes] | None,
    made_at: datetime | None,
) -> None:
    """Remember members of the list, `among` these people or all, as a file of addresses showed them.

    `made_at` is when it was made by Constant Contact's records, where those show it.
    """
    # Kept only where they contradict the clock: a list may have a million members.
    until = made_at if made_at and abs(made_at - seen_at) > LOOK_SLACK else None
    shown = ((context.person_of(one.email), one.created_at) for one in found)
    seen = [
        Sighting(person, None, None, context.list_id, seen_at, created_at, until)
        for person, created_at in shown
        if among is None or person in among
    ]
    with context.store.transaction():
        contacts.observe(context.store, seen)


def wants_back(context: Context, person: bytes, list_id: str, at: datetime) -> None:
    """People are off the list, but not by an act of theirs that holds: queue their accounts, in the transaction."""
    contacts.note_removed(context.store, person, list_id, at)
    queue.enqueue_person(context.store, person, context.now())


def unlink(context: Context, person: bytes) -> None:
    """ccsync has taken the person's contact off the list, which may have another address by the time that they are
    sent again: whoever has theirs is looked for then. In a transaction.
    """
    contacts.begin_anew(context.store, person, context.list_id, vendor_now(context))
    person_tags.note_unlinked(context.store, person)


def hold_back(context: Context, person: bytes, since: datetime, source: str, seen_at: datetime) -> None:
    """Somebody is off the list by an unknown act: they are not sent before they opt in after `since`, by Kibo's clock,
    and Kibo is not written. In a transaction.
    """
    store, list_id = context.store, context.list_id
    held = Suppression(person, DEPARTED, list_id, contacts.id_of(store, person), since, source)
    suppressions.record(store, held, context.now(), context.run_id)
    write_backs.withdraw(store, person, DEPARTED, list_id)
    contacts.note_absent(store, person, seen_at)
    history.append(store, context.run_id, context.now(), [Step(person, None, "held back", reason_of(held))])


def is_held(context: Context, person: bytes, list_id: str) -> bool:
    """Is somebody off the list by an unknown act?"""
    held = suppressions.of_person(context.store, person)
    return any(one.source in BY_UNKNOWN_ACT and one.list_id == list_id for one in held)


def is_member(contact: Contact, list_id: str) -> bool:
    """Is the contact on the list, to be mailed? Deleted contacts are on none; unsubscribed ones may be shown on it."""
    return contact.deleted_at is None and not contact.has_unsubscribed and list_id in (contact.list_ids or ())
