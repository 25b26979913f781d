"""Finds out who is on the list now, with the fewest calls: single contacts, an export, or the list's pages."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from ccsync.consent.decisions import PENDING_CONFIRMATION, VANISHED
from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.errors import CallFailure, RefusedError, VendorUnreachable
from ccsync.from_constant_contact import sightings
from ccsync.from_constant_contact.addresses import address_of
from ccsync.from_constant_contact.list_exports import exported_members, read_exported_list, unmistakable_name
from ccsync.models import Contact
from ccsync.run import control
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.shapes import query_time
from ccsync.state import contacts
from ccsync.state.views import list_members

CLOCK_STEP = timedelta(seconds=2)
MOST_EXPORTED = 500
FEW = 2
"""Up to this many are looked up one by one before pages are read."""
CALLS_OF_EXPORT = 4
"""Start, two looks, download; more looks where it takes longer."""
Hidden = dict[bytes, CallFailure]
"""The people whose contact Constant Contact refuses to show, though it works, and what it says."""


def read_membership(context: Context, wanted: Sequence[tuple[bytes, str]]) -> Hidden:
    """Find out which of these people (person, address) are on the list now; the state file remembers it.

    Returns whom Constant Contact does not show, and why: nothing is known of them then.
    """
    if not wanted:
        return Hidden()
    hidden = Hidden()
    with_id = [one for one in wanted if contacts.id_of(context.store, one[0])]
    without = [one for one in wanted if not contacts.id_of(context.store, one[0])]
    exports = -(-len(with_id) // MOST_EXPORTED) * CALLS_OF_EXPORT
    members, started_at = _members_of_list(context), vendor_now(context)
    by_ids, pages = exports + len(without), _pages_of(members)
    rest = with_id + without
    among = {person for person, _ in rest}
    if min(len(rest), by_ids, pages) > CALLS_OF_EXPORT and read_exported_list(context, members, started_at, among):
        rest = list(_not_seen(context, rest, started_at))
    # A dry run starts no bulk job, not even one that only reads.
    elif with_id and not context.is_dry_run and exports < len(with_id) and by_ids < pages:
        exported_hidden = _export(context, with_id)
        if exported_hidden is not None:
            rest, hidden = without, exported_hidden
    if len(rest) > pages:
        read_list(context)
        # Look up contacts that were not shown: a page may be short, and a contact may have a new address.
        rest = list(_not_seen(context, rest, started_at))
    return hidden | _look_up(context, rest)


def read_many(context: Context, wanted: Iterable[tuple[bytes, str]]) -> Hidden:
    """The same for so many that the list itself is read, whatever its size; none of them is kept in memory."""
    started_at = vendor_now(context)
    if not read_exported_list(context, _members_of_list(context), started_at):
        read_list(context)
    return _look_up(context, _not_seen(context, wanted, started_at))


def _not_seen(
    context: Context, wanted: Iterable[tuple[bytes, str]], started_at: datetime
) -> Iterator[tuple[bytes, str]]:
    until = max(started_at, vendor_now(context))
    return (one for one in wanted if not contacts.was_seen(context.store, one[0], started_at, until))


def calls_for(context: Context, number: int) -> int:
    """How many calls `read_membership` makes for this many people on the list."""
    if number == 0:
        return 0
    return min(number, CALLS_OF_EXPORT, _pages_of(_members_of_list(context)))


def read_new_members(context: Context, wanted: Iterable[tuple[bytes, str]], made_since: datetime) -> Hidden:
    """The same for people whose contacts were probably made after `made_since`: a page or two shows most of them."""
    _read_made_since(context, made_since)
    return _look_up(context, [one for one in wanted if not contacts.is_member(context.store, one[0], context.list_id)])


def identify(context: Context, wanted: Sequence[tuple[bytes, str]], made_since: datetime) -> None:
    """Learn the ids of contacts that were probably made after `made_since`: by its id a contact that changes its
    address is known again. More than a few are found by the pages of new members; who is not on them stays unknown.
    """
    unknown = [one for one in wanted if contacts.id_of(context.store, one[0]) is None]
    if len(unknown) > FEW:
        _read_made_since(context, made_since)
    else:
        _look_up(context, unknown)


def _read_made_since(context: Context, at: datetime) -> None:
    read_list(context, created_after=query_time(at - CLOCK_STEP))


def read_list(context: Context, **filters: str) -> None:
    """Read the list's members page by page; their contacts are known from then on."""
    sightings.note_all(context, "members of the list", lists=context.list_id, **filters)


def read_waiting(context: Context) -> None:
    """Read who still has to confirm, under Confirmed Opt-in, where that takes fewer calls than a look at each person
    who is missing among the list's members: many who wait must not look like many who have left.
    """
    store, missing = context.store, list_members.count_missing(context.store, context.list_id)
    waiting = {"status": PENDING_CONFIRMATION}
    if missing <= FEW or _pages_of(context.constant_contact.count_contacts(**waiting)) >= missing:
        return
    for page in context.constant_contact.iter_contact_pages(**waiting):
        ours = {context.person_of(one.email): one for one in page if one.email}
        known = list_members.missing_among(store, context.list_id, list(ours))
        sightings.note(context, [ours[one] for one in known])
        list_members.add_waiting(store, known)


def find_contacts(context: Context, wanted: Sequence[tuple[bytes, str]]) -> Hidden:
    """Learn the contacts of these people (person, address): one by one, or by the list where that is cheaper.

    Returns whom Constant Contact does not show, and why.
    """
    if len(wanted) > 2 and len(wanted) > _pages_of(_members_of_list(context)):
        read_list(context)
        wanted = [one for one in wanted if contacts.id_of(context.store, one[0]) is None]
    return _look_up(context, wanted)


def _look_up(context: Context, wanted: Iterable[tuple[bytes, str]]) -> Hidden:
    hidden, total = Hidden(), len(wanted) if isinstance(wanted, Sequence) else None
    ahead = context.constant_contact.contacts_ahead(wanted, lambda one: (contacts.id_of(context.store, one[0]), one[1]))
    for count, (person, address) in enumerate(ahead, start=1):
        try:
            look_at(context, person, address)
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_constant_contact(context, error)
            hidden[person] = error
        context.show("members of the list", count, total)
    return hidden


def look_at(context: Context, person: bytes, address: str | None = None) -> Contact | None:
    """Ask Constant Contact for one person's contact and note what it shows: by its id, for addresses change.

    `None`: there is none. Where neither an id nor an address is known, nothing is asked, and nothing noted.
    """
    contact_id = contacts.id_of(context.store, person)
    contact = context.constant_contact.get_contact(contact_id) if contact_id else None
    if contact is None or contact.deleted_at is not None:
        # A contact that was deleted and created again has a new id.
        address = address or address_of(context, person)
        contact = (context.constant_contact.find_contact(address) if address else None) or contact
    if contact is not None and contact.email is not None:
        sightings.note(context, [contact])
    elif contact_id or address:
        # What happened before a contact was erased is unknown: it may have moved and then opted out.
        # Without an id it may be there still.
        contacts.note_absent(context.store, person, vendor_now(context), VANISHED)
    return contact


def _members_of_list(context: Context) -> int | None:
    contact_list = context.constant_contact.get_list(context.list_id)
    return contact_list.membership_count if contact_list else None


def _pages_of(members: int | None) -> int:
    return 0 if members is None else members // PAGE_SIZE + 1


def _export(context: Context, wanted: Sequence[tuple[bytes, str]]) -> Hidden | None:
    """Read the lists of contacts from exports; `None` when exports do not show them unmistakably, or do not end."""
    name = unmistakable_name(context)
    if name is None:
        return None
    hidden = Hidden()
    for start in range(0, len(wanted), MOST_EXPORTED):
        part = wanted[start : start + MOST_EXPORTED]
        found = exported_members(context, [contacts.id_of(context.store, person) or "" for person, _ in part], name)
        if found is None:
            return None
        with context.store.transaction():
            for person, _ in part:
                if person in found:
                    contacts.note_member(context.store, person, context.list_id, vendor_now(context))
        # A file shows addresses: a person who is missing in it may have a new one.
        hidden |= _look_up(context, [one for one in part if one[0] not in found])
        context.show("members of the list", start + len(part), len(wanted))
    return hidden
