"""Finds out which addresses Constant Contact already has from other sources, and who is still on the list."""

from collections.abc import Sequence
from datetime import timedelta

from ccsync.clocks import ContactTime
from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.errors import CallFailure, RefusedError, VendorUnreachable
from ccsync.from_constant_contact import sightings
from ccsync.run import clocks, control
from ccsync.run.context import Context
from ccsync.shapes import query_time
from ccsync.state import staging
from ccsync.state.properties import Stream
from ccsync.state.views import summary
from ccsync.to_constant_contact.batches import leave_out
from ccsync.words import counted

STREAM = Stream("contacts", ContactTime)
OVERLAP = timedelta(hours=24)


def learn(context: Context, adopt_list_id: str | None = None) -> None:
    """Note whose contacts the staged people's are, for all of them that ccsync knows nothing of yet.

    At first, and with `adopt_list_id` (whose members are ours from now on), every contact is read; later the
    new people are looked up singly or by one pass over the contacts made since, whichever is fewer calls.
    """
    bookmark = clocks.bookmark(context, STREAM)
    if adopt_list_id is not None:
        _adopt(context, adopt_list_id)
        return
    if bookmark is None:
        _pass(context, None)
        return
    strangers = staging.strangers(context.store)
    if strangers == 0:
        return
    since = {"created_after": query_time((bookmark - OVERLAP).at)}
    if strangers > 2 and context.constant_contact.count_contacts(**since) // PAGE_SIZE + 1 < strangers:
        _pass(context, None, **since)
    else:
        learn_singly(context, staging.stranger_addresses(context.store))


def _adopt(context: Context, list_id: str) -> None:
    """Read everyone's membership; the members of the list count as ours from now on."""
    before = summary.count_ours(context.store)
    _pass(context, list_id)
    adopted = summary.count_ours(context.store) - before
    if adopted > 0:
        context.remarks.append(
            f"Adopted {counted(adopted, 'member')} added to the list by others; those who opt in are now updated"
            " from Kibo."
        )


def _pass(context: Context, adopt_list_id: str | None, **filters: str) -> None:
    started_at = clocks.moment(context)
    sightings.note_all(context, "contacts already there", adopt_list_id, **filters)
    clocks.advance(context, STREAM, clocks.contact_time(context, started_at))


def learn_singly(context: Context, addresses: Sequence[str]) -> None:
    """Look these addresses up one by one."""
    hidden = dict[str, CallFailure]()
    ahead = context.constant_contact.contacts_ahead(addresses, lambda one: (None, one))
    for number, address in enumerate(ahead, start=1):
        try:
            contact = context.constant_contact.find_contact(address)
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_constant_contact(context, error)
            hidden[address] = error
        else:
            sightings.note(context, [contact] if contact else [])
        context.show("contacts already there", number, len(addresses))
    for one in list(staging.iter_people(context.store)) if hidden else ():
        if one.email in hidden:
            leave_out(context, one, hidden[one.email])
