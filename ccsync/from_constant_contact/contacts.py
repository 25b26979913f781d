"""Notes contacts as Constant Contact shows them."""

from collections.abc import Iterable

from ccsync.from_constant_contact import opt_outs
from ccsync.mapping import person_key_text
from ccsync.models import Contact
from ccsync.run.context import Context
from ccsync.state import people


def note(context: Context, contacts: Iterable[Contact], adopt_list_id: str | None = None) -> None:
    """Remember contacts as Constant Contact showed them, opt-outs included, in one transaction."""
    person_of = context.person_of()
    found = [contact for contact in contacts if contact.email is not None]
    with context.store.transaction():
        opt_outs.record(context, found)
        people.observe_contacts(
            context.store,
            [
                (
                    person_of(person_key_text(contact.email or "")),
                    contact.contact_id,
                    contact.created_at,
                    context.list_id if is_member(contact, context.list_id) else None,
                )
                for contact in found
            ],
            adopt_list_id=adopt_list_id,
        )


def is_member(contact: Contact, list_id: str) -> bool:
    """Is the contact on the list, to be mailed? Deleted contacts are on none; unsubscribed ones may be shown on it."""
    return contact.deleted_at is None and not contact.has_unsubscribed and list_id in (contact.list_ids or ())
