"""Who has an address that an account left: an account that says no is in no reading of those who opt in."""

from collections.abc import Iterator

from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.kibo.customers import address_filter
from ccsync.models import Customer
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state import contacts, ledger

MOST = 100
"""Each costs a call: of so many at once most have moved with their own domain."""


def note(context: Context, person: bytes) -> None:
    """An account that opts in has left this address; remembered while it is on the list."""
    if len(context.left_behind) < MOST and contacts.is_member(context.store, person, context.list_id):
        context.left_behind.add(person)


def find(context: Context) -> Iterator[list[Customer]]:
    """After a reading of everybody who opts in: the accounts of those addresses, for each that Kibo shows some."""
    for person in sorted(context.left_behind):
        address = ledger.address_of(context.store, person)
        if address is None:
            continue
        try:
            page = context.kibo.get_customers(start=0, filter=address_filter(address))
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_kibo(context, error)
            continue
        yield [one for one in page.customers if context.whose(one) == person]
    context.left_behind.clear()
