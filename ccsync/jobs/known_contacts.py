"""Learns which addresses Constant Contact already has from other sources, and who is still on the list."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.jobs import opt_outs
from ccsync.jobs.work import Work
from ccsync.mapping import person_key_text
from ccsync.models import Contact
from ccsync.state import meta, people, staging

STREAM = "contacts"
OVERLAP = timedelta(hours=24)


def learn(work: Work, adopt_list_id: str | None = None) -> None:
    """Note whose contacts the staged people's are, for all of them that ccsync knows nothing of yet.

    At first, and with `adopt_list_id` (whose members are ours from now on), every contact is read; later the
    new people are looked up singly or by one pass over the contacts made since, whichever is fewer calls.
    """
    bookmark = meta.bookmark(work.store, STREAM)
    if adopt_list_id is not None:
        _adopt(work, adopt_list_id)
        return
    if bookmark is None:
        _pass(work, None)
        return
    strangers = staging.strangers(work.store)
    if strangers == 0:
        return
    since = {"created_after": f"{bookmark - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"}
    if strangers > 2 and work.constant_contact.count_contacts(**since) // PAGE_SIZE + 1 < strangers:
        _pass(work, None, **since)
    else:
        learn_singly(work, list(staging.iter_stranger_rows(work.store)))


def _adopt(work: Work, list_id: str) -> None:
    """Everybody's membership is read; the members of the list are ours from now on."""
    people.forget_membership(work.store)
    before = people.count_ours(work.store)
    _pass(work, list_id)
    adopted = people.count_ours(work.store) - before
    if adopted > 0:
        work.remarks.append(
            f"{adopted:,} members whom others had put on the list are ccsync's own now: those who opt in are updated"
            " from Kibo from now on."
        )


def _pass(work: Work, adopt_list_id: str | None, **filters: str) -> None:
    started_at = work.now()
    seen = 0
    for page in work.constant_contact.iter_contact_pages(include="list_memberships", **filters):
        note(work, page, adopt_list_id)
        seen += len(page)
        work.show("contacts already there", seen)
    elapsed = work.now() - started_at
    server_now = work.constant_contact.transport.server_time(work.now())
    meta.advance(work.store, STREAM, server_now - elapsed)


def learn_singly(work: Work, rows: Sequence[str]) -> None:
    """Look the addresses of these import rows up one by one."""
    for number, row in enumerate(rows, start=1):
        contact = work.constant_contact.find_contact(str(json.loads(row)["email"]))
        note(work, [contact] if contact else [])
        work.show("contacts already there", number, len(rows))


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
