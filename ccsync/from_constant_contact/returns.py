"""Finds those who unsubscribed and no full pass over the unsubscribed shows any more: back, or merely gone.

A person's own return is found in the pass that follows it, however many others are merely gone: those are not looked
at one by one before it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from ccsync.consent.decisions import LOOK_SLACK, SUBSCRIBED, is_own_return
from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.from_constant_contact import unsubscribes
from ccsync.from_constant_contact.addresses import address_of
from ccsync.models import Contact
from ccsync.run import control
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, ledger, suppressions
from ccsync.state.ledger import change_of
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.outbox import queue, write_backs
from ccsync.state.suppressions import UNSUBSCRIBED, Suppression

MOST_LOOKS = 50
"""Up to this many are looked up one by one; more are looked for in a listing."""
SHARE_OF_DAY = 10
"""A listing costs at most this part of the day's calls."""


def find(context: Context) -> None:
    """Find who is back among the people that the full pass of this run did not show."""
    # Noted before anybody is looked at: a look may fail, and Constant Contact be down in the next run.
    suppressions.note_missed(context.store, context.run_id)
    if _are_many(context):
        # The shorter listing first: deleted contacts, or those who may be mailed.
        sizes = [(context.constant_contact.count_contacts(status=one), one) for one in ("deleted", "active")]
        for size, status in sorted(sizes):
            is_affordable = size // PAGE_SIZE < context.config.limits.requests_per_day // SHARE_OF_DAY
            if is_affordable and _are_many(context):
                _read(context, status)
    # The rest, mostly contacts that are gone for good, is looked up one by one, a few in each pass.
    look_at(context, suppressions.longest_unseen(context.store, context.run_id, MOST_LOOKS))


def look_at(context: Context, some: Iterable[Suppression]) -> set[bytes]:
    """Look at each of these; returns whose contact Constant Contact does not show, though it works.

    Raises what is wrong with the vendor.
    """
    hidden = set[bytes]()
    for before in some:
        if not check(context, before):
            # It waits for its next turn. This run has not seen it: nothing is concluded from that.
            suppressions.record(context.store, before, context.now(), suppressions.run_of(context.store, before))
            hidden.add(before.person)
    return hidden


def unseen(context: Context, people: Iterable[bytes]) -> list[Suppression]:
    """The unsubscribes of these people that this run has not seen: they may be undone since."""
    return [
        one
        for person in people
        for one in suppressions.of_person(context.store, person)
        if one.kind == UNSUBSCRIBED and suppressions.run_of(context.store, one) != context.run_id
    ]


def was_missed(context: Context, one: Suppression) -> bool:
    """Did a full pass miss this unsubscribe, and no run has seen it since? Then its person may be back."""
    return suppressions.run_of(context.store, one) == 0


def longest_missed(context: Context, some: Iterable[Suppression]) -> list[Suppression]:
    """Those of these unsubscribes that a full pass has missed; who was not looked at for longest comes first."""
    earliest = datetime.min.replace(tzinfo=UTC)
    missed = [one for one in some if was_missed(context, one)]
    return sorted(missed, key=lambda one: suppressions.seen_at(context.store, one.person, UNSUBSCRIBED) or earliest)


def is_lost(context: Context, one: Suppression) -> bool:
    """Has a full pass missed it, and does nothing tell any more which contact it was? It may have been undone since."""
    return one.contact_id is None and was_missed(context, one)


def check(context: Context, before: Suppression) -> bool:
    """Look at one of them: is the person back? False when Constant Contact does not show this contact.

    Raises what is wrong with the vendor.
    """
    try:
        contact = _contact_of(context, before)
    except (RefusedError, VendorUnreachable) as error:
        control.blame_record_at_constant_contact(context, error)
        return False
    _judge(context, before, contact)
    return True


def _contact_of(context: Context, before: Suppression) -> Contact | None:
    if before.contact_id:
        return context.constant_contact.get_contact(before.contact_id)
    # Somebody was erased, and the contact's id with them. An account that turned up since shows the address again.
    address = address_of(context, before.person)
    return context.constant_contact.find_contact(address) if address else None


def _are_many(context: Context) -> bool:
    return suppressions.count_unseen(context.store, context.run_id) > MOST_LOOKS


def _read(context: Context, status: str) -> None:
    """Read all contacts of this status, and judge those of them that are looked for."""
    seen = 0
    for page in context.constant_contact.iter_contact_pages(status=status):
        shown = {context.person_of(one.email): one for one in page if one.email}
        wanted = suppressions.unseen_among(context.store, context.run_id, list(shown))
        for before in wanted:
            _judge(context, before, shown[before.person])
        seen += len(page)
        context.show("those who unsubscribed before", seen)


def _judge(context: Context, before: Suppression, contact: Contact | None) -> None:
    """Is a contact back by the person's own act, or by somebody else's, or is it merely gone?"""
    with context.store.transaction():
        opted_out_at = before.since or before.opt_in_shown or _seen_at(context, before)
        if contact is not None and is_own_return(contact, opted_out_at):
            _record(context, contact, before.person)
            return
        # Where nothing is left to look at, the pass that missed it stays the last word.
        run_id = 0 if contact is None and is_lost(context, before) else context.run_id
        suppressions.record(context.store, before, context.now(), run_id)
        if contact is not None:
            # One that was deleted since may have come back and unsubscribed again: that is newer than a yes in between.
            unsubscribes.record(context, [contact])
        if contact is not None and contact.email is not None and contact.deleted_at is None:
            follow(context, context.person_of(contact.email), contact)
        if contact is not None and contact.deleted_at is None and contact.permission_to_send in SUBSCRIBED:
            context.counts["resubscribed_by_others"] += 1
            reason = "subscribed again, and not by the person as far as Constant Contact shows; stays opted out"
            history.append(
                context.store, context.run_id, context.now(), [Step(before.person, None, "left alone", reason)]
            )


def follow(context: Context, person: bytes, contact: Contact) -> None:
    """A contact that was unsubscribed and has another address now: unless the person came back, it stays opted out.

    In the caller's transaction.
    """
    store = context.store
    if not contact.has_unsubscribed and suppressions.follow(store, contact.contact_id, person):
        known = [(person, one.since) for one in accounts.with_address(store, person) if one.accepts_marketing]
        write_backs.enqueue_again(store, known, context.list_id, context.now())


def _seen_at(context: Context, before: Suppression) -> datetime | None:
    """When an opt-out without any date was seen last, by Constant Contact's clock: who opted in later is back.

    As right as our clock was then, and its header is now: an opt-in that was shown beside the opt-out is worth more.
    """
    seen_at = suppressions.seen_at(context.store, before.person, UNSUBSCRIBED)
    return None if seen_at is None else vendor_now(context) - (context.now() - seen_at) + LOOK_SLACK


def _record(context: Context, contact: Contact, person: bytes) -> None:
    """The person came back: lift the opt-out, and write that to Kibo if the opt-out was written there."""
    at = context.now()
    suppressions.lift(context.store, person, UNSUBSCRIBED)
    current = context.person_of(contact.email or "")
    if contact.email is not None and current != person:
        contacts.note_moved(context.store, contact.contact_id, current)
    # A person who opted in again in the store was kept out until now: the next flush decides again.
    queue.enqueue_person(context.store, person, at)
    if context.config.sync.resubscribes:
        write_backs.enqueue_return(context.store, person, contact.contact_id, contact.opt_in_date, at)
    else:
        context.counts["resubscribed_not_told"] += 1
    change = change_of(contact, person, "resubscribed", contact.opt_in_date, at, is_current=person == current)
    ledger.append(context.store, context.run_id, [change])
