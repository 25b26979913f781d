"""Which contacts the people who leave the list have at Constant Contact."""

from collections.abc import Sequence
from dataclasses import replace

from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.from_constant_contact import members
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state import contacts, ledger
from ccsync.state.outbox import removals
from ccsync.state.outbox.removals import Removal
from ccsync.to_constant_contact.list_removals import outcomes


def with_contacts(context: Context, going: Sequence[Removal]) -> list[Removal]:
    """The people whose contact exists at Constant Contact; the rest are off the list already."""
    unknown = [
        (one.person, one.email or ledger.address_of(context.store, one.person))
        for one in going
        if one.contact_id is None
    ]
    hidden = members.find_contacts(context, [(person, address) for person, address in unknown if address])
    if not all(address for _, address in unknown):
        members.read_list(context)  # the only way to learn their contact ids
    found = list[Removal]()
    for one in going:
        contact_id = one.contact_id or contacts.id_of(context.store, one.person)
        if one.person in hidden:
            outcomes.fail(context, one, hidden[one.person])
        elif contact_id is None:
            outcomes.done(context, one, "was not on the list any more")
        else:
            found.append(replace(one, contact_id=contact_id))
    return [two for one in found if (two := _with_other(context, one) if one.may_have_moved else one) is not None]


def _with_other(context: Context, one: Removal) -> Removal | None:
    """A contact that has another address now may have left this one to another contact, and an import found that."""
    address = one.email or ledger.address_of(context.store, one.person)
    try:
        other = context.constant_contact.find_contact(address) if address else None
    except (RefusedError, VendorUnreachable) as error:
        control.blame_record_at_constant_contact(context, error)
        outcomes.fail(context, one, error)
        return None
    found = replace(one, other_id=other.contact_id if other else None)
    if one.is_kept or (other is not None and one.reason == removals.UNSUBSCRIBED):
        found = replace(found, contact_id=found.other_id)
    if found.contact_id is None:
        outcomes.done(context, found, "its contact has another address now, which opts in")
    return found if found.contact_id else None
