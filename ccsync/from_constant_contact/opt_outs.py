"""Brings the opt-outs at Constant Contact up to date in the state file. Writes nothing at either vendor."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ccsync.consent.decisions import SUBSCRIBED, is_own_return
from ccsync.mapping import person_key_text
from ccsync.models import Contact
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, erasure, ledger, properties, queue, suppressions, write_backs
from ccsync.state.ledger import ConsentChange
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.suppressions import UNSUBSCRIBED, Suppression

STREAM = "opt-outs"
FULL_STREAM = "opt-outs-full"
OVERLAP = timedelta(hours=24)
"""How soon an opt-out becomes visible is undocumented, and so is whether `optout_after` is inclusive."""
MOST_SECOND_LOOKS = 50


def pull_all(context: Context) -> None:
    """A full pass over everybody who is unsubscribed; then look again at people it no longer shows.

    `updated_after` would miss most of them: an opt-out does not touch the contact's own `updated_at`.
    """
    started_at = context.now()
    with context.gate.for_opt_outs():
        seen = _pull(context, status="unsubscribed")
        for before in suppressions.not_seen_since(context.store, UNSUBSCRIBED, started_at, MOST_SECOND_LOOKS):
            _look_again(context, before)
    for stream in (STREAM, FULL_STREAM):
        properties.advance(context.store, stream, _read_at(context, started_at))
    context.show("opt-outs", seen, seen)


def pull_recent(context: Context) -> None:
    """The opt-outs since the bookmark, with an overlap; the bookmark moves once all pages were applied."""
    started_at = context.now()
    since = (properties.bookmark(context.store, STREAM) or started_at) - OVERLAP
    with context.gate.for_opt_outs():
        _pull(context, status="all", optout_after=f"{since:%Y-%m-%dT%H:%M:%SZ}")
    properties.advance(context.store, STREAM, _read_at(context, started_at))


def record(context: Context, shown: Iterable[Contact]) -> int:
    """Remember the unsubscribed among `shown`, each change once in the consent ledger. In a transaction."""
    person_of = context.person_of()
    seen_at = context.now()
    vendor_at = context.constant_contact.transport.server_time(seen_at)
    news = []
    known = 0
    for contact in shown:
        if contact.email is None or not contact.has_unsubscribed:
            continue
        known += 1
        current = person_of(person_key_text(contact.email))
        # The act is the contact's: it concerns every address that the contact has had.
        for person in contacts.addresses_of_contact(context.store, contact.contact_id, current):
            found = Suppression(
                person, UNSUBSCRIBED, "", contact.contact_id, contact.opt_out_date, contact.opt_out_source
            )
            if suppressions.record(context.store, found, seen_at, context.run_id):
                write_backs.enqueue(context.store, person, UNSUBSCRIBED, seen_at)
                # It takes the contact off every list, and coming back gives none back.
                contacts.note_removed(context.store, person, None, vendor_at)
                change = _change(contact, person, "unsubscribed", contact.opt_out_date, seen_at)
                news.append(change if person == current else replace(change, email=None))
            else:
                erasure.keep_forgotten(context.store, person)
        contacts.note_unsubscribed(context.store, contact.contact_id, current, vendor_at)
    ledger.append(context.store, context.run_id, news)
    return known


def _pull(context: Context, **filters: str) -> int:
    seen = 0
    for page in context.constant_contact.iter_contact_pages(**filters):
        with context.store.transaction():
            seen += record(context, page)
        context.show("opt-outs", seen)
    return seen


def _look_again(context: Context, before: Suppression) -> None:
    """Somebody suppressed is not in the full pass: deleted, or back, by their own act or somebody else's?"""
    contact = context.constant_contact.get_contact(before.contact_id) if before.contact_id else None
    with context.store.transaction():
        if contact is not None and is_own_return(contact, before.since):
            _record_return(context, contact, before.person)
            return
        suppressions.record(context.store, before, context.now(), context.run_id)
        if contact is not None and contact.deleted_at is None and contact.permission_to_send in SUBSCRIBED:
            context.counts["resubscribed_by_others"] += 1
            reason = "subscribed again, and not by the person as far as Constant Contact shows; stays opted out"
            history.append(
                context.store, context.run_id, context.now(), [Step(before.person, None, "left alone", reason)]
            )


def _record_return(context: Context, contact: Contact, person: bytes) -> None:
    """The person came back: their opt-out no longer holds, and Kibo is told, if Kibo was told of the opt-out."""
    at = context.now()
    suppressions.lift(context.store, person, UNSUBSCRIBED)
    # Who opted in again in the store meanwhile was kept out until now: the next flush decides anew.
    queue.enqueue(context.store, accounts.of_person(context.store, person), at)
    if context.config.sync.resubscribes:
        write_backs.enqueue_return(context.store, person, contact.contact_id, contact.opt_in_date, at)
    else:
        context.counts["resubscribed_not_told"] += 1
    ledger.append(context.store, context.run_id, [_change(contact, person, "resubscribed", contact.opt_in_date, at)])


def _change(contact: Contact, person: bytes, change: str, at: datetime | None, seen_at: datetime) -> ConsentChange:
    evidence = {
        "permission_to_send": contact.permission_to_send,
        "opt_in_source": contact.opt_in_source,
        "opt_out_source": contact.opt_out_source,
        "update_source": contact.update_source,
    }
    return ConsentChange(
        person,
        contact.email,
        change,
        "constant_contact",
        at,
        seen_at,
        contact_id=contact.contact_id,
        evidence=evidence,
    )


def _read_at(context: Context, started_at: datetime) -> datetime:
    """A bookmark by the vendor's clock, from before the first request."""
    elapsed = context.now() - started_at
    return context.constant_contact.transport.server_time(context.now()) - elapsed
