"""Recognizes ccsync's own writes when accounts are read again: they are not opt-ins or opt-outs by a person."""

from collections.abc import Mapping, Sequence

from ccsync.consent.write_back import REASONS, Seen, judge_sighting
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import accounts, kibo_writes, ledger, suppressions
from ccsync.state.accounts import AccountSeen
from ccsync.state.kibo_writes import KiboWrite
from ccsync.state.ledger import ConsentChange
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.outbox import queue, removals, write_backs
from ccsync.state.suppressions import DEPARTED


def without_own(context: Context, customers: Sequence[Customer], before: Mapping[int, AccountSeen]) -> list[Customer]:
    """The customers whose consent says something new, inside the caller's transaction; our own echoes are noted.

    `before` is what was known of their accounts.

    An opt-in that turns up on a suppressed address, though it is no newer than the opt-out, is queued for Kibo.
    """
    answering = [one for one in customers if one.accepts_marketing is not None]
    written = kibo_writes.among(context.store, [one.account_id for one in answering])
    found = []
    for customer in answering:
        write = written.get(customer.account_id)
        was = before[customer.account_id].accepts_marketing if customer.account_id in before else None
        seen = judge_sighting(write, was=was, accepts=bool(customer.accepts_marketing), updated_at=customer.updated_at)
        if seen is Seen.OWN:
            if write is not None:
                finish(context, customer, write)
            continue
        if seen is Seen.STALE:
            continue
        if seen is Seen.THEIRS and write is not None:
            kibo_writes.forget(context.store, customer.account_id)
        found.append(customer)
    _queue_newcomers(context, found, before)
    return found


def finish(context: Context, customer: Customer, write: KiboWrite) -> None:
    """Kibo shows what ccsync has set: the change is a row of the consent ledger, in the caller's transaction."""
    at, account_id, accepts = context.now(), customer.account_id, write.accepts_marketing
    change = ConsentChange(
        write.person,
        customer.email,
        "opted-in" if accepts else "opted-out",
        "ccsync",
        at,
        at,
        account_id=account_id,
        evidence={"because": write.reason, "acceptsMarketing": "true" if accepts else "false"},
    )
    kibo_writes.finish(context.store, account_id, at, customer.updated_at)
    accounts.observe(context.store, [AccountSeen(account_id, write.person, accepts, customer.updated_at)], at)
    ledger.append(context.store, context.run_id, [change])
    if accepts:
        # Who came back is on no list. A flush may have read the account before this write, and whether the write makes
        # an event of its own is not known.
        queue.enqueue_new(context.store, [account_id], at)
    else:
        if write.reason == DEPARTED and customer.updated_at is not None:
            suppressions.note_departed_by(context.store, write.person, customer.updated_at)
        _leave_old_addresses(context, account_id, write.person)
    act = "opted in in the store" if accepts else "opted out in the store"
    history.append(context.store, context.run_id, at, [Step(write.person, account_id, act, REASONS[write.reason])])


def _leave_old_addresses(context: Context, account_id: int, person: bytes) -> None:
    """Whoever changed it, an account that says no keeps none of its former addresses on the list."""
    store = context.store
    for one in accounts.addresses_of(store, account_id):
        if one != person and not any(other.accepts_marketing for other in accounts.with_address(store, one)):
            removals.ask(store, [one], account_id, None, removals.OPTED_OUT, context.now(), only_own=True)


def _queue_newcomers(context: Context, customers: Sequence[Customer], before: Mapping[int, AccountSeen]) -> None:
    """Accounts that opt in and are new to ccsync, or have come to another address with their opt-in."""
    newcomers = []
    for customer in customers:
        known, person = before.get(customer.account_id), context.whose(customer)
        if not customer.accepts_marketing or person is None:
            continue
        if known is None:
            newcomers.append((person, customer.created_at))
        elif known.accepts_marketing and known.person != person:
            newcomers.append((person, None))
    if newcomers:
        write_backs.enqueue_again(context.store, newcomers, context.list_id, context.now())
