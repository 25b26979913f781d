"""Forgets a person at their own wish: off the list, out of the state file, and kept from coming back by an import.

The contact at Constant Contact and the account at Kibo are their owner's to delete: the receipt says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.errors import RefusedError, StateError
from ccsync.jobs.imports import Imports
from ccsync.jobs.sending import adopt_lost
from ccsync.jobs.waiting import await_activities
from ccsync.jobs.work import Work
from ccsync.mapping import check_address, person_key_text
from ccsync.models import Contact, Customer
from ccsync.state import consent, erasure, people, removals
from ccsync.state.erasure import Held
from ccsync.state.people import FORGOTTEN, NOBODY_OPTED_IN, UNSUBSCRIBED, Suppression

JOB = "forget"
DIRECTION = "to"


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


def find(work: Work, address: str) -> Held:
    """What ccsync holds about the person with this address; `erasure.Held.is_known` tells whether it is anything."""
    person_of = work.person_of()
    return erasure.find(work.store, person_of(person_key_text(address)), lambda text: person_of(person_key_text(text)))


def run(work: Work, address: str) -> Receipt:
    """Forget the person; a run that died is finished by the next one.

    Raises what `ccsync.errors` lists; whoever could not be taken off the list is not erased, and not sent any more.
    """
    with work.gate.for_opt_outs():
        return _run(work, address)


def _run(work: Work, address: str) -> Receipt:
    work.show("forgetting")
    held = find(work, address)
    if held.rows.get("batch_rows"):
        # An import that is under way could put the person back behind us.
        adopt_lost(work)
        Imports(work).await_all()
        held = find(work, address)
    accounts = _accounts(work, address, held)
    contacts, unseen = _contacts(work, address, held)
    _suppress(work, address, held, accounts, contacts)
    on_list = [one for _, one in contacts if work.list_id in (one.list_ids or ())]
    _take_off_list(work, held, on_list)
    with work.store.transaction():
        erasure.erase(work.store, held)
    if not erasure.finish(work.store, {address.strip(), person_key_text(address), *held.addresses}):
        raise StateError(
            "The person is erased, but traces may still stand in the state file's write-ahead log.",
            "another program was reading the state file all the while.",
            "Close it (backup, sqlite3, `ccsync consent`), and run the same command again.",
        )
    work.counts["removed"] += len(on_list)
    work.counts["forgotten"] += 1
    return Receipt(
        work.now(),
        work.run_id,
        None if accounts is None else {one.account_id: one.accepts_marketing for one in accounts},
        held.moved_accounts,
        len(held.people) - 1,
        len(contacts),
        len(on_list),
        unseen,
        held.rows,
        [one for person in held.people for one in people.suppressions(work.store, person)],
    )


def _accounts(work: Work, address: str, held: Held) -> list[Customer] | None:
    """The accounts that Kibo has with the address, in any case of letters; `None` where it cannot be asked."""
    wanted, found = person_key_text(address), dict[int, Customer]()
    if check_address(address) is None:
        for is_anonymous in (None, True):
            page = work.kibo.get_customers(
                start=0, filter=f"emailAddress eq {address.strip()}", is_anonymous=is_anonymous
            )
            found |= {one.account_id: one for one in page.customers}
    for account_id in held.account_ids:
        customer = found.get(account_id) or work.kibo.get_customer(account_id)
        found |= {} if customer is None else {account_id: customer}
    if check_address(address) is not None and not found:
        return None
    return [one for one in found.values() if one.email and person_key_text(one.email) == wanted]


def _contacts(work: Work, address: str, held: Held) -> tuple[list[tuple[bytes, Contact]], int]:
    """The contacts of the address and of the old ones, and of how many old ones neither id nor address is known."""
    found, unseen = list[tuple[bytes, Contact]](), 0
    for number, person in enumerate(held.people):
        known = people.known_contact(work.store, person)
        text = address.strip() if number == 0 else consent.address_of(work.store, person)
        contact = None
        if text:
            contact = work.constant_contact.find_contact(text)
        elif known and known.contact_id:
            contact = work.constant_contact.get_contact(known.contact_id)
        else:
            unseen += 1
        found += [] if contact is None else [(person, contact)]
    return found, unseen


def _suppress(
    work: Work,
    address: str,
    held: Held,
    accounts: Sequence[Customer] | None,
    contacts: Sequence[tuple[bytes, Contact]],
) -> None:
    """From here on no export sends the person, and whatever ends this run, the next flush takes them off the list."""
    at = work.kibo.transport.server_time(work.now())
    says_no = accounts is not None and not any(one.accepts_marketing is not False for one in accounts)
    source = NOBODY_OPTED_IN if says_no else None
    with work.store.transaction():
        for person, one in contacts:
            if one.has_unsubscribed:
                found = Suppression(person, UNSUBSCRIBED, "", None, one.opt_out_date, one.opt_out_source)
                people.suppress(work.store, found, work.now(), work.run_id)
        for number, person in enumerate(held.people):
            people.suppress(work.store, Suppression(person, FORGOTTEN, "", None, at, source), work.now(), work.run_id)
            text = address.strip() if number == 0 else consent.address_of(work.store, person)
            account_id = held.account_ids[0] if held.account_ids else 0
            removals.ask(work.store, [person], account_id, text, removals.DELETED, work.now())


def _take_off_list(work: Work, held: Held, on_list: Sequence[Contact]) -> None:
    if not on_list:
        return
    started = work.constant_contact.remove_from_list([one.contact_id for one in on_list], work.list_id)
    removals.record_activity(work.store, held.people, work.list_id, started.activity_id)
    activity = (await_activities(work, [started.activity_id]))[started.activity_id]
    if activity is None or not activity.has_completed:
        removals.record_activity(work.store, held.people, work.list_id, None)
        raise RefusedError(
            "Constant Contact did not take the person off the list; nothing was erased yet.",
            f"its bulk job is {activity.state if activity else 'forgotten'}.",
            "Run the same command again; if it stays so, take the contact off the list by hand.",
        )
