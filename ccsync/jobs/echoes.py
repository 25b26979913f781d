"""What ccsync itself has set at Kibo comes back when accounts are read: it is nobody's opt-in or opt-out."""

from collections.abc import Mapping, Sequence

from ccsync.jobs.telling_decisions import Seen, judge_sighting
from ccsync.jobs.work import Work
from ccsync.mapping import person_key_text
from ccsync.models import Customer
from ccsync.state import kibo_writes, people, untold
from ccsync.state.people import AccountSeen


def without_own(work: Work, customers: Sequence[Customer]) -> list[Customer]:
    """The customers whose consent says something new, inside the caller's transaction; our own echoes are noted.

    An opt-in that turns up on a suppressed address, though it is no newer than the opt-out, is queued for Kibo.
    """
    telling = [one for one in customers if one.accepts_marketing is not None]
    account_ids = [one.account_id for one in telling]
    before = people.known_accounts(work.store, account_ids)
    written = kibo_writes.among(work.store, account_ids)
    found = []
    for customer in telling:
        write = written.get(customer.account_id)
        was = before[customer.account_id][1] if customer.account_id in before else None
        seen = judge_sighting(write, was=was, accepts=bool(customer.accepts_marketing), updated_at=customer.updated_at)
        if seen is Seen.OWN:
            _note_own(work, customer, before)
            continue
        if seen is Seen.STALE:
            continue
        if seen is Seen.THEIRS and write is not None:
            kibo_writes.forget(work.store, customer.account_id)
        found.append(customer)
    _queue_newcomers(work, found, before)
    return found


def _note_own(work: Work, customer: Customer, before: Mapping[int, tuple[bytes, bool]]) -> None:
    known = before.get(customer.account_id)
    person = _person(work, customer) or (known[0] if known else None)
    kibo_writes.finish(work.store, customer.account_id, work.now(), customer.updated_at)
    if person is not None:
        seen = AccountSeen(customer.account_id, person, bool(customer.accepts_marketing))
        people.observe_accounts(work.store, [seen], work.now())


def _queue_newcomers(work: Work, customers: Sequence[Customer], before: Mapping[int, tuple[bytes, bool]]) -> None:
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
