"""Forgets a person at their own wish: off the list, out of the state file, and kept from coming back by an import.

The contact at Constant Contact and the account at Kibo are their owner's to delete: the receipt says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.errors import RefusedError, StateError, VendorUnreachable
from ccsync.from_constant_contact import restored
from ccsync.from_constant_contact.activities import await_activities, be_patient
from ccsync.kibo.customers import address_filter
from ccsync.mapping import check_address, person_key_text
from ccsync.models import Contact, Customer
from ccsync.run.context import Context
from ccsync.state import batches, contacts, erasure, ledger, suppressions
from ccsync.state.erasure import Held
from ccsync.state.outbox import removals
from ccsync.state.suppressions import FORGOTTEN, NOBODY_OPTED_IN, UNSUBSCRIBED, Suppression
from ccsync.to_constant_contact.batches import adopt_lost
from ccsync.to_constant_contact.imports import Imports


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased and what is kept, and what only a person can do.

    `accounts` are the accounts that Kibo has with the address now: whether each opts in; `None`: Kibo could not be
    asked for such an address. `moved_accounts` had the address once. `on_list` is how many contacts were taken off
    the list, `contacts` how many Constant Contact still has, `unseen` how many old addresses could not be looked up.
    """

    at: datetime
    run_id: int
    accounts: Mapping[int, bool | None] | None
    moved_accounts: Sequence[int]
    old_addresses: int
    contacts: int
    on_list: int
    unseen: int
    erased: Mapping[str, int]
    kept: Sequence[Suppression]


def find(context: Context, address: str) -> Held:
    """What ccsync holds about the person with this address; `erasure.Held.is_known` is false if that is nothing."""
    return erasure.find(context.store, context.person_of(address))


def run(context: Context, address: str) -> Receipt:
    """Forget the person; a run that died is finished by the next one.

    Raises what `ccsync.errors` lists; whoever could not be taken off the list is not erased, and not sent any more.
    """
    with context.gate.for_opt_outs():
        return _run(context, address)


def _run(context: Context, address: str) -> Receipt:
    context.show("forgetting")
    be_patient(context)
    restored.recognize(context)
    held = find(context, address)
    if held.rows.get("batch_rows"):
        # An import that is under way could put the person back behind us.
        adopt_lost(context)
        Imports(context).await_own()
        held = find(context, address)
    accounts = _accounts(context, address, held)
    contacts, unseen = _contacts(context, address, held)
    _suppress(context, address, held, accounts, contacts)
    on_list = [one for _, one in contacts if context.list_id in (one.list_ids or ())]
    _take_off_list(context, held, on_list)
    if any(batches.holds(context.store, person) for person in held.people):
        raise VendorUnreachable(
            "The person is off the list and is sent nothing, but is not erased yet.",
            "Constant Contact has not finished an import that holds them and could add them again.",
            "Run the same command again when Activity in Constant Contact shows the import as finished.",
        )
    with context.store.transaction():
        erasure.erase(context.store, held)
    if not erasure.finish(context.store, {address.strip(), person_key_text(address), *held.addresses}):
        raise StateError(
            "The person is erased, but traces may remain in the state file's write-ahead log.",
            "another program was reading the state file the whole time.",
            "Close it (backup, sqlite3, `ccsync consent`), and run the same command again.",
        )
    context.counts["removed"] += len(on_list)
    context.counts["forgotten"] += 1
    return Receipt(
        context.now(),
        context.run_id,
        None if accounts is None else {one.account_id: one.accepts_marketing for one in accounts},
        held.moved_accounts,
        len(held.people) - 1,
        len(contacts),
        len(on_list),
        unseen,
        held.rows,
        [one for person in held.people for one in suppressions.of_person(context.store, person)],
    )


def _accounts(context: Context, address: str, held: Held) -> list[Customer] | None:
    """The accounts that Kibo has with the address, in any case of letters; `None` where it cannot be asked."""
    wanted, found = person_key_text(address), dict[int, Customer]()
    if check_address(address) is None:
        for is_anonymous in (None, True):
            page = context.kibo.get_customers(start=0, filter=address_filter(address), is_anonymous=is_anonymous)
            found |= {one.account_id: one for one in page.customers}
    for account_id in held.account_ids:
        customer = found.get(account_id) or context.kibo.get_customer(account_id)
        found |= {} if customer is None else {account_id: customer}
    if check_address(address) is not None and not found:
        return None
    return [one for one in found.values() if one.email and person_key_text(one.email) == wanted]


def _contacts(context: Context, address: str, held: Held) -> tuple[list[tuple[bytes, Contact]], int]:
    """The contacts of the address and of the old ones, and of how many old ones neither id nor address is known."""
    found, unseen = list[tuple[bytes, Contact]](), 0
    for number, person in enumerate(held.people):
        known = contacts.known(context.store, person, context.list_id)
        text = address.strip() if number == 0 else ledger.address_of(context.store, person)
        contact = None
        if text:
            contact = context.constant_contact.find_contact(text)
        elif known and known.contact_id:
            contact = context.constant_contact.get_contact(known.contact_id)
        else:
            unseen += 1
        found += [] if contact is None else [(person, contact)]
    return found, unseen


def _suppress(
    context: Context,
    address: str,
    held: Held,
    accounts: Sequence[Customer] | None,
    contacts: Sequence[tuple[bytes, Contact]],
) -> None:
    """From here on no export sends the person, and whatever ends this run, the next flush takes them off the list."""
    at = context.kibo.transport.server_time(context.now())
    says_no = accounts is not None and not any(one.accepts_marketing is not False for one in accounts)
    source = NOBODY_OPTED_IN if says_no else None
    with context.store.transaction():
        for person, one in contacts:
            if one.has_unsubscribed:
                found = Suppression(person, UNSUBSCRIBED, "", None, one.opt_out_date, one.opt_out_source)
                suppressions.record(context.store, found, context.now(), context.run_id)
        for number, person in enumerate(held.people):
            suppressions.record(
                context.store, Suppression(person, FORGOTTEN, "", None, at, source), context.now(), context.run_id
            )
            text = address.strip() if number == 0 else ledger.address_of(context.store, person)
            account_id = held.account_ids[0] if held.account_ids else 0
            removals.ask(context.store, [person], account_id, text, removals.DELETED, context.now())


def _take_off_list(context: Context, held: Held, on_list: Sequence[Contact]) -> None:
    if not on_list:
        return
    started = context.constant_contact.remove_from_list([one.contact_id for one in on_list], context.list_id)
    removals.record_activity(context.store, held.people, context.list_id, started.activity_id)
    activity = await_activities(context, [started.activity_id]).get(started.activity_id)
    if activity is None or not activity.has_completed:
        removals.record_activity(context.store, held.people, context.list_id, None)
        raise RefusedError(
            "Constant Contact did not remove the person from the list; nothing was erased yet.",
            f"its bulk job is {activity.state if activity else 'forgotten'}.",
            "Run the same command again; if it persists, remove the contact from the list by hand.",
        )
