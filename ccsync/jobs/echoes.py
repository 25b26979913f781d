"""What ccsync itself has set at Kibo comes back when accounts are read: it is nobody's opt-in or opt-out."""

from collections.abc import Sequence

from ccsync.jobs.telling_decisions import REASONS, Seen, judge_sighting
from ccsync.jobs.work import Work
from ccsync.mapping import person_key_text
from ccsync.models import Customer
from ccsync.state import accounts, consent, history, kibo_writes, untold
from ccsync.state.accounts import AccountSeen
from ccsync.state.consent import ConsentChange
from ccsync.state.history import Step
from ccsync.state.kibo_writes import KiboWrite


def without_own(work: Work, customers: Sequence[Customer]) -> list[Customer]:
    """The customers whose consent says something new, inside the caller's transaction; our own echoes are noted.

    An opt-in that turns up on a suppressed address, though it is no newer than the opt-out, is queued for Kibo.
    """
    telling = [one for one in customers if one.accepts_marketing is not None]
    account_ids = [one.account_id for one in telling]
    before = accounts.known_accounts(work.store, account_ids)
    written = kibo_writes.among(work.store, account_ids)
    found = []
    for customer in telling:
        write = written.get(customer.account_id)
        was = before[customer.account_id][1] if customer.account_id in before else None
        seen = judge_sighting(write, was=was, accepts=bool(customer.accepts_marketing), updated_at=customer.updated_at)
        if seen is Seen.OWN:
            if write is not None:
                finish(work, customer, write)
            continue
        if seen is Seen.STALE:
            continue
        if seen is Seen.THEIRS and write is not None:
            kibo_writes.forget(work.store, customer.account_id)
        found.append(customer)
    _queue_newcomers(work, found, before)
    return found


def finish(work: Work, customer: Customer, write: KiboWrite) -> None:
    """Kibo shows what ccsync has set: the change is a row of the consent ledger, in the caller's transaction."""
    at, account_id, accepts = work.now(), customer.account_id, write.accepts_marketing
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
    kibo_writes.finish(work.store, account_id, at, customer.updated_at)
    accounts.observe_accounts(work.store, [AccountSeen(account_id, write.person, accepts)], at)
    consent.append(work.store, work.run_id, [change])
    act = "opted in in the store" if accepts else "opted out in the store"
    history.append(work.store, work.run_id, at, [Step(write.person, account_id, act, REASONS[write.reason])])


def _queue_newcomers(work: Work, customers: Sequence[Customer], before: dict[int, tuple[bytes, bool]]) -> None:
    """Accounts that opt in and are new to ccsync, or have come to another address with their opt-in."""
    newcomers = []
    for customer in customers:
        known, person = before.get(customer.account_id), _person(work, customer)
        if not customer.accepts_marketing or person is None:
            continue
        if known is None:
            newcomers.append((person, customer.created_at))
        elif known[1] and known[0] != person:
            newcomers.append((person, None))
    if newcomers:
        untold.queue_again(work.store, newcomers, work.now())


def _person(work: Work, customer: Customer) -> bytes | None:
    return None if customer.email is None else work.person_of()(person_key_text(customer.email))
