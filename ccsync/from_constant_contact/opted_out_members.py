"""Finds members who opted out in the store while another list was the active one, where nobody took them off this one.

A list that is not active is never touched, and removals from it are dropped.
"""

from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import accounts, contacts
from ccsync.state.outbox import removals
from ccsync.state.views import list_members


def remove(context: Context) -> None:
    """Queue their removal, after a reading of the list (`list_members`); flush-events carries it out."""
    store = context.store
    for person in list_members.iter_opted_out(store, context.list_id):
        account_id = next(iter(accounts.of_person(store, person)), 0)
        with store.transaction():
            contacts.note_member(store, person, context.list_id, vendor_now(context))
            removals.ask(store, [person], account_id, None, removals.OPTED_OUT, context.now())
