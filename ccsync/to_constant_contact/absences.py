"""Compares the list's members, and resolves missing people after an older state file was restored."""

import logging

from ccsync.consent.write_back import Found, judge_missing
from ccsync.from_constant_contact import departures, members, restored
from ccsync.from_constant_contact.list_record import ListRecord
from ccsync.from_kibo.observations import observe
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, properties
from ccsync.state.outbox import queue, write_backs
from ccsync.state.views import list_members

log = logging.getLogger(__name__)


def compare(context: Context, record: ListRecord | None, *, is_full: bool) -> None:
    """Compare the list's members when that is due, after its `record` was read. Raises what `ccsync.errors` lists."""
    if record is None or not (is_full or record.is_due):
        return
    if departures.compare(context, record):
        resolve(context)
    _forget_deleted_lists(context)


def _forget_deleted_lists(context: Context) -> None:
    """Departures of a former list wait until it is active again; of one that was deleted they were perhaps none."""
    for list_id, number in write_backs.of_former_lists(context.store, context.list_id).items():
        if context.constant_contact.get_list(list_id) is None:
            log.info("%s departures from a list that was deleted since are not written", number)
            write_backs.withdraw_unchecked(context.store, list_id)


def resolve(context: Context) -> None:
    """Resolve everybody whom the latest reading of the list does not show; then the copy is caught up.

    Raises what `ccsync.errors` lists; who was resolved before stays so.
    """
    for person in list_members.iter_missing(context.store, context.list_id):
        _resolve(context, person)
    properties.forget(context.store, properties.RESTORED)


def _resolve(context: Context, person: bytes) -> None:
    before = contacts.known(context.store, person, context.list_id)
    contact = members.look_at(context, person)
    found = judge_missing(contact, before, context.list_id)
    if found is Found.DELETED:  # by no act of the person's: who opts in is sent anew
        queue.enqueue_person(context.store, person, context.now())
    if found not in (Found.DEPARTED, Found.UNCLEAR):
        return  # on the list after all, deleted, replaced, waiting, or unsubscribed: that is seen, and no guess
    account_ids = accounts.of_person(context.store, person)
    shown = [one for one in map(context.kibo.get_customer, account_ids) if one is not None]
    # No opt-out seen now requires a removal from the list.
    contacts.note_absent(context.store, person, vendor_now(context))
    observe(context, shown, are_whole=True)
    if not any(one.accepts_marketing and context.whose(one) == person for one in shown):
        contacts.note_removed(context.store, person, context.list_id, vendor_now(context))
        return
    restored.hold_back(context, person)
