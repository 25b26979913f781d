"""A person of the seeded population as a contact that the account has had for some time."""

from datetime import datetime

from ccsync.sandbox.constant_contact.contacts.store import StoredContact, new_contact, to_details
from ccsync.sandbox.constant_contact.custom_fields import SEEDED
from ccsync.sandbox.population.people import SeedContact


def to_contact(person: SeedContact, seq: int, contact_id: str) -> StoredContact:
    """The contact without its memberships."""
    if unknown := person.custom_fields.keys() - SEEDED.keys():
        raise ValueError(f"the account has no custom field {unknown}")
    created_at = int(person.created_at.timestamp())
    blank = new_contact(seq, contact_id, person.address.lower(), person.address, created_at)
    moments = (person.opt_in_at, person.opt_out_at)
    known = [created_at, *(int(one.timestamp()) for one in moments if one)]
    details = {"cf": dict(person.custom_fields)} if person.custom_fields else {}
    return blank._replace(
        permission=person.permission_to_send,
        opt_in_source=person.opt_in_source,
        opt_in_at=_seconds(person.opt_in_at),
        opt_out_source=person.opt_out_source,
        opt_out_at=_seconds(person.opt_out_at),
        email_updated_at=max(known),
        first_name=person.first_name,
        last_name=person.last_name,
        create_source=person.create_source,
        update_source=person.create_source,
        updated_at=int(person.updated_at.timestamp()),
        deleted_on=person.deleted_at.isoformat() if person.deleted_at else None,
        details=to_details(details),
    )


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
