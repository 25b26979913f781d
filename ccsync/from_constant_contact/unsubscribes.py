"""Records who has unsubscribed, as contacts show it."""

from collections.abc import Iterable
from dataclasses import replace

from ccsync.models import Contact, Sighting
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, erasure, ledger, suppressions
from ccsync.state.ledger import change_of
from ccsync.state.outbox import removals, write_backs
from ccsync.state.suppressions import OWN, UNSUBSCRIBED, Suppression

OPT_OUT_REASON = "Opted out in the web shop"
"""The reason that ccsync gives when it unsubscribes a contact itself, to recognize its own act later."""


def record(context: Context, shown: Iterable[Contact]) -> int:
    """Remember the unsubscribed among `shown`, each change once in the consent ledger. In a transaction."""
    seen_at = context.now()
    vendor_at = vendor_now(context)
    news = []
    known = 0
    for contact in shown:
        if contact.email is None or not contact.has_unsubscribed:
            continue
        known += 1
        current = context.person_of(contact.email)
        # The act is the contact's: it concerns every address that the contact has had.
        everybody = contacts.addresses_of_contact(context.store, contact.contact_id, current)
        # For an opt-out in the store: that is no act to carry to the person's other accounts.
        is_own = contact.opt_out_reason == OPT_OUT_REASON
        source = OWN if is_own else contact.opt_out_source
        for person in everybody:
            found = Suppression(
                *(person, UNSUBSCRIBED, "", contact.contact_id, contact.opt_out_date, source),
                opt_in_shown=contact.opt_in_date,
            )
            if suppressions.record(context.store, found, seen_at, context.run_id):
                if not is_own:
                    write_backs.enqueue(context.store, person, UNSUBSCRIBED, seen_at)
                if person != current:
                    _leave_old_address(context, person, contact.contact_id)
                # It takes the contact off every list, and coming back gives none back.
                contacts.note_removed(context.store, person, None, vendor_at)
                is_current = person == current
                change = change_of(
                    contact, person, "unsubscribed", contact.opt_out_date, seen_at, is_current=is_current
                )
                news.append(replace(change, source=OWN) if is_own else change)
            else:
                erasure.keep_forgotten(context.store, person)
        seen = Sighting(current, contact.contact_id, UNSUBSCRIBED, None, vendor_at, contact.created_at)
        contacts.note_unsubscribed(context.store, seen)
    ledger.append(context.store, context.run_id, news)
    return known


def _leave_old_address(context: Context, person: bytes, contact_id: str) -> None:
    """ccsync may have put another contact on the list under an address that this one had before.

    So it is where another is known there, and where something was sent to the address since it was last looked at.
    """
    known = contacts.known(context.store, person, context.list_id)
    if known is not None and (known.seen_at is None or known.contact_id != contact_id):
        account_id = next(iter(accounts.of_person(context.store, person)), 0)
        at = context.now()
        removals.ask(context.store, [person], account_id, None, removals.UNSUBSCRIBED, at, only_own=True)
