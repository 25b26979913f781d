"""Learns which addresses Constant Contact already has from other sources, and who is still on the list."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.jobs import opt_outs
from ccsync.jobs.work import Work
from ccsync.mapping import person_key_text
from ccsync.models import Contact
from ccsync.state import meta, people

STREAM = "contacts"
OVERLAP = timedelta(hours=24)


def learn_all(work: Work, adopt_list_id: str | None = None) -> None:
    """Read the contacts made since the last time (all of them at first) and note whose they are.

    With `adopt_list_id` all contacts are read, and the members of that list are ours from now on.
    """
    started_at = work.now()
    bookmark = meta.bookmark(work.store, STREAM)
    filters = {"include": "list_memberships"}
    if bookmark is not None and adopt_list_id is None:
        filters["created_after"] = f"{bookmark - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
    seen = 0
    for page in work.constant_contact.iter_contact_pages(**filters):
        note(work, page, adopt_list_id)
        seen += len(page)
        work.show("contacts already there", seen)
    elapsed = work.now() - started_at
    server_now: datetime = work.constant_contact.transport.server_time(work.now())
    meta.advance(work.store, STREAM, server_now - elapsed)


def learn_singly(work: Work, addresses: Sequence[str]) -> None:
    """Look these addresses up one by one."""
    for number, address in enumerate(addresses, start=1):
        contact = work.constant_contact.find_contact(address)
        note(work, [contact] if contact else [])
        work.show("contacts already there", number, len(addresses))


def note(work: Work, contacts: Iterable[Contact], adopt_list_id: str | None = None) -> None:
    """Remember contacts as Constant Contact showed them, opt-outs included, in one transaction."""
    person_of = work.person_of()
    found = [contact for contact in contacts if contact.email is not None]
    with work.store.transaction():
        opt_outs.record(work, found)
        people.observe_contacts(
            work.store,
            [
                (
                    person_of(person_key_text(contact.email or "")),
                    contact.contact_id,
                    contact.created_at,
                    work.list_id if is_member(contact, work.list_id) else None,
                )
                for contact in found
            ],
            adopt_list_id=adopt_list_id,
        )


def is_member(contact: Contact, list_id: str) -> bool:
    """Is the contact on the list, to be mailed? Deleted contacts are on none; unsubscribed ones may be shown on it."""
    return contact.deleted_at is None and not contact.has_unsubscribed and list_id in (contact.list_ids or ())


def read_membership(work: Work, wanted: Iterable[tuple[bytes, str]], number: int) -> None:
    """Find out which of `number` people (person, address) are on the list now; `people` remembers it.

    Reads whatever costs fewer calls: each contact, or the list.
    """
    if number == 0:
        return
    if _is_cheaper_singly(work, number):
        for count, (person, address) in enumerate(wanted, start=1):
            contact = work.constant_contact.find_contact(address)
            if contact is None:
                people.note_not_on_list(work.store, person)
            else:
                note(work, [contact])
            work.show("members of the list", count, number)
        return
    people.forget_membership(work.store)
    seen = 0
    for page in work.constant_contact.iter_contact_pages(lists=work.list_id, include="list_memberships"):
        note(work, page)
        seen += len(page)
        work.show("members of the list", seen)


def _is_cheaper_singly(work: Work, lookups: int) -> bool:
    contact_list = work.constant_contact.get_list(work.list_id)
    members = contact_list.membership_count if contact_list else None
    return members is not None and lookups <= members // PAGE_SIZE + 1
