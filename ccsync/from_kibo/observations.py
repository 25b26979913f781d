"""Records the consent that Kibo shows for accounts, and what follows for their addresses."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ccsync.consent.decisions import blocking_suppression
from ccsync.consent.kibo_consent import (
    Seen,
    is_of_former_owner,
    is_outweighed,
    lifted_by_opt_in,
    says_no,
    what_is_seen,
)
from ccsync.from_kibo import deletions, echoes, forgotten, new_owners
from ccsync.mapping.addresses import check_address
from ccsync.models import Customer
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, ledger, person_tags, suppressions
from ccsync.state.accounts import B2B, AccountSeen
from ccsync.state.ledger import ConsentChange
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.outbox import queue, removals
from ccsync.state.suppressions import DEPARTED, FORMER, OPTED_OUT, Suppression


def observe(context: Context, customers: Iterable[Customer], *, are_whole: bool) -> None:
    """Note what Kibo shows of accounts' consent, and nothing else, in one transaction.

    `are_whole`: they were read one by one. A row of a list that shows no address proves nothing: such an account is
    queued to be read.
    """
    known, hidden = forgotten.set_apart(context, list(customers))
    with context.store.transaction():
        Observer(context, are_whole=are_whole).observe(known)
        forgotten.note_noes(context, hidden)


class Observer:
    """Observes pages of accounts, inside the caller's transaction."""

    def __init__(self, context: Context, *, are_whole: bool) -> None:
        self._context = context
        self._are_whole = are_whole
        self._seen = list[AccountSeen]()
        self._opt_ins = list[ConsentChange]()
        self._held = set[bytes]()

    def observe(self, customers: Sequence[Customer]) -> None:
        """Note these accounts; a change of consent is a row of the consent ledger."""
        # In the order of their changes: of two accounts with one address, the newer decision holds.
        before = accounts.known(self._context.store, [one.account_id for one in customers])
        before |= forgotten.noes(self._context, customers, before)
        gone = {one.account_id for one in customers if self._is_nobodys(one, before.get(one.account_id))}
        for account_id in gone:
            self._is_gone(account_id)
        customers = [one for one in customers if one.account_id not in gone]
        answering = sorted(echoes.without_own(self._context, customers, before), key=_changed_at)
        who = {one.account_id: self._person(one) for one in answering}
        self._held = removals.held_among(self._context.store, [one for one in who.values() if one is not None])
        for customer in answering:
            self._observe(customer, who[customer.account_id], before.get(customer.account_id))
        self._write()

    def _person(self, customer: Customer) -> bytes | None:
        """The person of the address; `None` for an account without a usable address."""
        return None if check_address(customer.email) is not None else self._context.whose(customer)

    def _is_nobodys(self, customer: Customer, was: AccountSeen | None) -> bool:
        """Was it a shopper's, and is it a business account now, or one without a usable address?"""
        return was is not None and was.kind != B2B and (customer.is_b2b or self._person(customer) is None)

    def _observe(self, customer: Customer, person: bytes | None, was: AccountSeen | None) -> None:
        if person is None:
            return
        if customer.is_b2b:
            is_as_before = was is not None and was.accepts_marketing is bool(customer.accepts_marketing)
            changed_at = customer.created_at if was is None else customer.updated_at
            self._note(customer, person, was, was.since if was and is_as_before else changed_at, kind=B2B)
            return
        said = was.accepts_marketing if was is not None and was.kind != B2B else None
        seen = what_is_seen(was=said, is_now=bool(customer.accepts_marketing))
        changed_at = customer.created_at if said is None else customer.updated_at
        self._note(customer, person, was, was.since if was and seen is Seen.NOTHING_NEW else changed_at)
        if seen is Seen.OPT_IN:
            if person in self._held:
                self._outweigh(customer, person, said)
            self._opt_ins.append(_change(customer, person, "opted-in", said, self._context.now()))
        elif seen is Seen.OPT_OUT:
            self._opted_out(customer, person)
        elif customer.accepts_marketing and was is not None and was.person != person and person in self._held:
            self._outweigh(customer, person, said)
        if was is not None and was.person != person:
            self._has_moved(customer, was.person)
        if not customer.accepts_marketing:
            self._leaves_by_no(person, customer.email)

    def _note(
        self, customer: Customer, person: bytes, was: AccountSeen | None, since: datetime | None, kind: str = ""
    ) -> None:
        found = AccountSeen(customer.account_id, person, bool(customer.accepts_marketing), since, kind)
        if found != was or self._are_whole:
            self._seen.append(found)

    def _write(self) -> None:
        """Write what was noted so far, because handling an opt-out reads it."""
        store = self._context.store
        accounts.observe(store, self._seen, self._context.now())
        ledger.append(store, self._context.run_id, self._opt_ins)
        self._seen.clear()
        self._opt_ins.clear()

    def _is_gone(self, account_id: int) -> None:
        """An account that had an address and has none any more was redacted: it is treated as deleted.

        What Kibo writes into a redacted account is not documented: nothing, or a placeholder. A business account says
        nothing for a person either: its consent sits on its users.
        """
        self._write()
        store, at = self._context.store, self._context.now()
        heirs = deletions.forget_account(self._context, account_id) if self._are_whole else [account_id]
        queue.enqueue(store, heirs, at)

    def _outweigh(self, customer: Customer, person: bytes, was: bool | None) -> None:
        """An opt-in, observed now: what it outweighs no longer holds."""
        store = self._context.store
        at = vendor_now(self._context)
        lifted = lifted_by_opt_in(
            suppressions.of_person(store, person),
            was_opted_in=was,
            created_at=customer.created_at,
            updated_at=customer.updated_at,
        )
        if was and not lifted:
            return  # it said yes before, and only came to the address
        for kind in lifted:
            if kind == DEPARTED:
                # They are off the list and want to be on it. Without this, what was sent before would not be sent
                # again.
                contacts.note_removed(store, person, self._context.list_id, at)
            suppressions.lift(store, person, kind, self._context.list_id if kind == DEPARTED else None)
        said_at = customer.created_at if was is None else customer.updated_at
        is_free = blocking_suppression(suppressions.of_person(store, person), self._context.list_id) is None
        # While an act of the contact stands, it is this contact that may undo it, whatever its address is.
        is_new_start = bool(lifted) and is_free
        if is_new_start or said_at is not None:
            contacts.begin_anew(store, person, self._context.list_id, at, None if is_new_start else said_at)
            person_tags.note_unlinked(store, person)
        if is_free:
            for list_id in removals.drop_unsent(store, person):
                # Whoever is off the list by a job that seemed to fail has not left it: their yes puts them back.
                contacts.note_removed(store, person, list_id, at)

    def _opted_out(self, customer: Customer, person: bytes) -> None:
        """The opt-out holds for the account's address, and for every one that ccsync put on the list for it."""
        self._write()
        context, account_id = self._context, customer.account_id
        context.counts["opted_out"] += 1
        at = customer.updated_at or context.kibo.transport.server_time(context.now())
        for one in dict.fromkeys([person, *accounts.addresses_of(context.store, account_id)]):
            is_current = one == person
            others = [two for two in accounts.with_address(context.store, one) if two.account_id != account_id]
            change = _change(customer, one, "opted-out", True, context.now())
            change = change if is_current else replace(change, email=None)
            if is_outweighed(at, others, is_current=is_current):
                ledger.append(context.store, context.run_id, [change] if is_current else [])
                continue
            ledger.append(context.store, context.run_id, [change])
            self._suppress(one, account_id, at, is_current=is_current)
            email = customer.email if is_current else None
            removals.ask(context.store, [one], account_id, email, removals.OPTED_OUT, context.now())
            self._held.add(one)

    def _suppress(self, person: bytes, account_id: int, at: datetime, *, is_current: bool) -> None:
        """Hold an address by an opt-out. That of its present owner holds on, and that of a former one beside it changes
        nothing: with its date, a yes of somebody who has the address now would seem older than the opt-out.
        """
        store = self._context.store
        before = [is_of_former_owner(one) for one in suppressions.of_person(store, person) if one.kind == OPTED_OUT]
        if not is_current and before == [False]:
            return
        if is_current and before == [True]:
            suppressions.lift(store, person, OPTED_OUT)
        found = Suppression(person, OPTED_OUT, "", None, at, "kibo" if is_current else FORMER, account_id)
        suppressions.record(store, found, self._context.now(), self._context.run_id)

    def _has_moved(self, customer: Customer, before: bytes) -> None:
        """Leave the old address alone unless its present owner says no. Whoever else opts in with it is read: the
        contact has the data of the account that has moved away.
        """
        self._write()
        context = self._context
        here = accounts.with_address(context.store, before)
        queue.enqueue_new(context.store, [one.account_id for one in here if one.accepts_marketing], context.now())
        if customer.accepts_marketing:
            step = Step(before, customer.account_id, "left alone", "its account has another address now")
            history.append(context.store, context.run_id, context.now(), [step])
            new_owners.note(context, before)
        self._leaves_by_no(before, None)

    def _leaves_by_no(self, person: bytes, email: str | None) -> None:
        """An address that ccsync put on the list leaves it when those who have it now say no, and nobody yes."""
        self._write()
        store = self._context.store
        owner = says_no(accounts.with_address(store, person))
        if owner is not None:
            at = self._context.now()
            removals.ask(store, [person], owner.account_id, email, removals.OPTED_OUT, at, only_own=True)


def _changed_at(customer: Customer) -> datetime:
    return customer.updated_at or customer.created_at or datetime.min.replace(tzinfo=UTC)


def _change(customer: Customer, person: bytes, change: str, was: bool | None, seen_at: datetime) -> ConsentChange:
    # Kibo keeps no date of consent. Only for an observed change does the account's update date tell.
    return ConsentChange(
        person,
        customer.email,
        change,
        "kibo",
        None if was is None else customer.updated_at,
        seen_at,
        account_id=customer.account_id,
        evidence={"acceptsMarketing": "true" if customer.accepts_marketing else "false"},
    )
