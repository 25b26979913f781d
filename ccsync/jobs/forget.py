"""Forgets a person at their own wish: off the list, out of the state file, and kept from coming back by an import.

The contact at Constant Contact and the account at Kibo are their owner's to delete: the receipt says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.errors import RefusedError, StateError, VendorUnreachable
from ccsync.from_constant_contact import restored, unsubscribes
from ccsync.from_constant_contact.activities import await_activities, be_patient
from ccsync.from_kibo import forgotten
from ccsync.kibo.customers import address_filter
from ccsync.mapping.addresses import check_address, person_key_text
from ccsync.models import Contact, Customer
from ccsync.run.context import Context
from ccsync.state import batches, contacts, erasure, ledger, suppressions
from ccsync.state.erasure import Held
from ccsync.state.outbox import removals, write_backs
from ccsync.state.suppressions import FORGOTTEN, NOBODY_OPTED_IN, UNSUBSCRIBED, Suppression
from ccsync.to_constant_contact.batches import adopt_lost
from ccsync.to_constant_contact.imports import Imports
from ccsync.to_kibo.account_writes import AccountWrites
from ccsync.to_kibo.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased and what is kept, and what only a person can do.

    `accounts` are the person's accounts in Kibo: whether each opts in; `None`: Kibo could not be
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
    """What ccsync holds about the person with this address; `erasure.Held.is_known` is false if that is nothing.

    Raises what `ccsync.errors` lists: an address that ccsync does not know may be the new one of a contact it knows.
    """
    person = context.person_of(address)
    held = erasure.find(context.store, person)
    if held.is_known or check_address(address) is not None:
        return held
    contact = context.constant_contact.find_contact(address.strip())
    if contact is not None:
        with context.store.transaction():
            contacts.note_moved(context.store, contact.contact_id, person)
    return erasure.find(context.store, person)


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
    by_id = [context.constant_contact.get_contact(one) for one in held.contact_ids]
    # What the vendors show of these accounts and contacts may be newer than what any run has seen.
    shown = [one.email for one in (*(accounts or ()), *by_id) if one is not None and one.email]
    texts = {context.person_of(one): one.strip() for one in (*shown, address)}
    held = erasure.find(context.store, context.person_of(address), texts)
    found = {one.contact_id: one for one in by_id if one is not None and _is_theirs(context, one, held)}
    unseen = _find_contacts(context, held, texts, found)
    with context.store.transaction():
        unsubscribes.record(context, found.values())
    if _write_back(context, held, found.values(), accounts or ()):
        accounts = _accounts(context, address, held)
    held = erasure.find(context.store, context.person_of(address), texts)
    _suppress(context, held, texts, accounts)
    on_list = [one for one in found.values() if context.list_id in (one.list_ids or ())]
    _take_off_list(context, held, on_list)
    if any(batches.holds(context.store, person) for person in held.people):
        raise VendorUnreachable(
            "The person is off the list and is sent nothing, but is not erased yet.",
            "Constant Contact has not finished an import that holds them and could add them again.",
            "Run the same command again when Activity in Constant Contact shows the import as finished.",
        )
    with context.store.transaction():
        _note_taken_off(context, held, on_list)
        erasure.erase(context.store, held)
        if any(one.accepts_marketing for one in accounts or ()):
            forgotten.note_noes(context, accounts or ())
    written = {*texts.values(), *map(person_key_text, texts.values())}
    if not erasure.finish(context.store, written | held.addresses):
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
        len(found),
        len(on_list),
        unseen,
        held.rows,
        [one for person in held.people for one in suppressions.of_person(context.store, person)],
    )


def _accounts(context: Context, address: str, held: Held) -> list[Customer] | None:
    """The person's accounts as Kibo has them, found by id and by the address; `None` where it cannot be asked."""
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
    return [
        one
        for one in found.values()
        if one.email and (one.account_id in held.account_ids or person_key_text(one.email) == wanted)
    ]


def _is_theirs(context: Context, contact: Contact, held: Held) -> bool:
    return contact.email is not None and context.person_of(contact.email) in held.people


def _find_contacts(context: Context, held: Held, texts: Mapping[bytes, str], found: dict[str, Contact]) -> int:
    """Add the contacts of all their addresses; of how many of these neither id nor address is known."""
    unseen, seen = 0, {context.person_of(one.email or "") for one in found.values()}
    for person in held.people:
        text = texts.get(person) or ledger.address_of(context.store, person)
        contact = context.constant_contact.find_contact(text) if text else None
        if contact is not None:
            found[contact.contact_id] = contact
        unseen += not text and person not in seen and contacts.id_of(context.store, person) is None
    return unseen


def _write_back(context: Context, held: Held, found: Iterable[Contact], accounts: Sequence[Customer]) -> bool:
    """Opt out in the store who is unsubscribed: once all is erased, nothing tells whose accounts these were.

    Returns whether anything was to be written.
    """
    unsubscribed = {
        person
        for one in found
        if one.has_unsubscribed
        for person in contacts.addresses_of_contact(context.store, one.contact_id, context.person_of(one.email or ""))
    }
    of_all = [row for person in held.people for row in write_backs.of_person(context.store, person)]
    rows = [row for row in of_all if row.kind == UNSUBSCRIBED and row.done_at is None and row.person in unsubscribed]
    targets = {
        row.id: [one.account_id for one in accounts if context.whose(one) == row.person and one.accepts_marketing]
        for row in rows
    }
    writes = AccountWrites(context, Outcomes(context), lambda _: True, lambda _: None)
    writes.write([row for row in rows if targets[row.id]], targets)
    return any(targets.values())


def _suppress(
    context: Context,
    held: Held,
    texts: Mapping[bytes, str],
    accounts: Sequence[Customer] | None,
) -> None:
    """From here on no export sends the person, and whatever ends this run, the next flush takes them off the list."""
    at = context.kibo.transport.server_time(context.now())
    says_no = accounts is not None and not any(one.accepts_marketing is not False for one in accounts)
    source = NOBODY_OPTED_IN if says_no else None
    with context.store.transaction():
        for person in held.people:
            suppressions.record(
                context.store, Suppression(person, FORGOTTEN, "", None, at, source), context.now(), context.run_id
            )
            text = texts.get(person) or ledger.address_of(context.store, person)
            account_id = held.account_ids[0] if held.account_ids else 0
            removals.ask(context.store, [person], account_id, text, removals.DELETED, context.now())


def _note_taken_off(context: Context, held: Held, on_list: Sequence[Contact]) -> None:
    """Who had such a contact before, and has an account of their own, has not left the list."""
    at = context.constant_contact.transport.server_time(context.now())
    for one in on_list:
        ever = contacts.addresses_of_contact(context.store, one.contact_id, context.person_of(one.email or ""))
        for person in set(ever).difference(held.people):
            contacts.note_removed(context.store, person, context.list_id, at)


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
