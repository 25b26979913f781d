"""A consent change at Constant Contact as a row of the consent ledger, with what the vendor shows as evidence."""

from datetime import datetime

from ccsync.models import Contact
from ccsync.state.ledger import ConsentChange


def change_of(contact: Contact, person: bytes, change: str, at: datetime | None, seen_at: datetime) -> ConsentChange:
    """The row for a person's `change`, which happened at `at` as far as the vendor tells."""
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
