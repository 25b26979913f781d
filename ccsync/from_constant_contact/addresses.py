"""The address of a person of whom only the keyed hash is kept."""

from ccsync.run.context import Context
from ccsync.state import accounts, ledger


def address_of(context: Context, person: bytes) -> str | None:
    """The address as the consent ledger has it, else as Kibo shows it, by a call for each account that may have it.

    Whoever came to it by a change of address stands in no row of the ledger.
    """
    return ledger.address_of(context.store, person) or _address_at_kibo(context, person)


def _address_at_kibo(context: Context, person: bytes) -> str | None:
    for account_id in accounts.of_person(context.store, person):
        customer = context.kibo.get_customer(account_id)
        if customer and context.whose(customer) == person:
            return customer.email
    return None
