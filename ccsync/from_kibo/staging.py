"""Takes customers in as they are read: sorts out who cannot be sent, and stages the rest in the state file."""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ccsync.consent.decisions import Seen, blocking_suppression, lifted_by_opt_in, what_is_seen
from ccsync.from_kibo import echoes, forgotten
from ccsync.mapping import (
    MappedContact,
    Rejection,
    fingerprint,
    person_key_text,
    to_contact,
)
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import accounts, ledger, parked, people, removals, staging
from ccsync.state.accounts import AccountSeen
from ccsync.state.ledger import ConsentChange
from ccsync.state.log import history, runs
from ccsync.state.log.history import Step
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.people import DEPARTED, OPTED_OUT, Suppression
from ccsync.state.staging import Staged

log = logging.getLogger(__name__)


class Intake:
    """Takes pages of customers in."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._person_of = context.person_of()
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def take(self, customers: Sequence[Customer]) -> None:
        """Take one page in, in one transaction. A customer read again replaces what was read before."""
        store, run_id = self._context.store, self._context.run_id
        known, hidden = forgotten.set_apart(self._context, customers)
        staged, well, rejected = list[Staged](), list[int](), list[RejectedRecord]()
        staged += [Staged(one.account_id, one.updated_at) for one in hidden if one.accepts_marketing is not False]
        for customer in known:
            judged = self._judge(customer)
            at = customer.updated_at or customer.created_at
            if isinstance(judged, Rejection):
                rejected.append(self._record(customer, judged))
                staged.append(Staged(customer.account_id, at))
                continue
            well.append(customer.account_id)
            if judged is not None:
                staged.append(self._staged(customer, judged))
            elif customer.accepts_marketing:
                staged.append(Staged(customer.account_id, at))
        with store.transaction():
            staging.unstage(store, [one.account_id for one in customers if one.accepts_marketing is False])
            staging.stage(store, staged)
            runs.drop_rejected(store, run_id, well)
            parked.release_checked(store, well)
            runs.add_rejected(store, run_id, rejected)
            for record in rejected:
                parked.put(store, record.account_id or 0, record.code, None, record.at, run_id)
            self._observe(known)
            forgotten.note_noes(self._context, hidden)

    def observe(self, customers: Iterable[Customer]) -> None:
        """Note what Kibo shows of accounts' consent, and nothing else, in one transaction."""
        known, hidden = forgotten.set_apart(self._context, list(customers))
        with self._context.store.transaction():
            self._observe(known)
            forgotten.note_noes(self._context, hidden)

    def _judge(self, customer: Customer) -> MappedContact | Rejection | None:
        """What to send of a customer, or why not; `None` for those who are merely passed over."""
        if customer.accepts_marketing is False:
            return None
        if customer.accepts_marketing is None:
            return Rejection("consent-unknown", "acceptsMarketing", "acceptsMarketing is neither true nor false.")
        if (customer.account_type or "").upper() == "B2B" or customer.email is None:
            return None
        try:
            return to_contact(customer, self._context.config.mapping)
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            # One bad record must not stop the rest.
            log.exception("account %s could not be mapped", customer.account_id)
            return Rejection("unforeseen", "", f"it could not be mapped ({type(error).__name__}); see the log file.")

    def _staged(self, customer: Customer, mapped: MappedContact) -> Staged:
        if mapped.notes:
            self._context.counts["cut"] += 1
            log.info("account %s: %s", customer.account_id, "; ".join(str(note) for note in mapped.notes))
        return Staged(
            customer.account_id,
            customer.updated_at or customer.created_at,
            self._person_of(person_key_text(mapped.email)),
            fingerprint(mapped.row),
            self._encode(dict(mapped.row)),
            customer.is_own_sign_up,
        )

    def _record(self, customer: Customer, rejection: Rejection) -> RejectedRecord:
        return RejectedRecord(
            customer.account_id, customer.email, rejection.code, rejection.reason, self._context.now()
        )

    def _observe(self, customers: Iterable[Customer]) -> None:
        """Note what Kibo shows of each account's consent; a change is a row of the consent ledger."""
        context, seen_at = self._context, self._context.now()
        # In the order in which they changed: of two accounts on one address the newer word holds.
        telling = sorted(echoes.without_own(context, list(customers)), key=_changed_at)
        before = accounts.known_accounts(context.store, [one.account_id for one in telling])
        who = {one.account_id: self._person(one) for one in telling}
        held = removals.held_among(context.store, [person for person in who.values() if person is not None])
        observed, opt_ins = list[AccountSeen](), list[ConsentChange]()
        for customer in telling:
            account_id, person = customer.account_id, who[customer.account_id]
            before_person, was = before.get(account_id, (None, None))
            seen = what_is_seen(
                was=was,
                is_now=bool(customer.accepts_marketing),
                has_address=person is not None,
                has_same_address=person == before_person,
            )
            if seen is Seen.OPT_IN and person is not None:
                if person in held:
                    self._outweigh(customer, person, was)
                opt_ins.append(_change(customer, person, "opted-in", was, seen_at))
            elif seen is Seen.OPT_OUT:
                ledger.append(context.store, context.run_id, opt_ins)  # an opt-out asks for earlier opt-ins
                opt_ins.clear()
                held |= self._opted_out(customer, person or before_person, seen_at)
            elif seen is Seen.NEW_ADDRESS and before_person is not None:
                self._address_changed(account_id, before_person, seen_at)
            known_as = person or before_person
            # A new account that says no is no change.
            if known_as is not None and (customer.accepts_marketing or account_id in before):
                observed.append(AccountSeen(account_id, known_as, bool(customer.accepts_marketing)))
        ledger.append(context.store, context.run_id, opt_ins)
        accounts.observe_accounts(context.store, observed, seen_at)

    def _person(self, customer: Customer) -> bytes | None:
        return None if customer.email is None else self._person_of(person_key_text(customer.email))

    def _outweigh(self, customer: Customer, person: bytes, was: bool | None) -> None:
        """An opt-in, observed now: what it outweighs no longer holds."""
        store = self._context.store
        holding = people.suppressions(store, person)
        for kind in lifted_by_opt_in(
            holding, was_opted_in=was, created_at=customer.created_at, updated_at=customer.updated_at
        ):
            people.lift(store, person, kind)
            if kind == DEPARTED:
                people.note_off_list(store, person)  # else what was sent before would not be sent again
        if blocking_suppression(people.suppressions(store, person), self._context.list_id) is None:
            removals.drop_unsent(store, person)

    def _opted_out(self, customer: Customer, person: bytes | None, seen_at: datetime) -> set[bytes]:
        """The opt-out holds for every address that ccsync put on the list for this account; return whose they are."""
        context, account_id = self._context, customer.account_id
        context.counts["opted_out"] += 1
        opted_out_at = customer.updated_at or seen_at
        everybody = dict.fromkeys([*([person] if person else []), *accounts.linked_people(context.store, account_id)])
        for one in everybody:
            is_present = one == person
            change = _change(customer, one, "opted-out", True, seen_at)
            ledger.append(context.store, context.run_id, [change if is_present else replace(change, email=None)])
            opted_in_at = ledger.latest_opt_in(context.store, one, other_than=account_id)
            if opted_in_at is not None and opted_in_at > opted_out_at:
                continue  # another account on the address has opted in since
            people.suppress(
                context.store, Suppression(one, OPTED_OUT, "", None, opted_out_at, "kibo"), seen_at, context.run_id
            )
            email = customer.email if is_present else None
            removals.ask(context.store, [one], account_id, email, removals.OPTED_OUT, seen_at)
        return set(everybody)

    def _address_changed(self, account_id: int, before: bytes, seen_at: datetime) -> None:
        step = Step(before, account_id, "left alone", "its account has another address now")
        history.append(self._context.store, self._context.run_id, seen_at, [step])


def _changed_at(customer: Customer) -> datetime:
    return customer.updated_at or customer.created_at or datetime.min.replace(tzinfo=UTC)


def _change(customer: Customer, person: bytes, change: str, was: bool | None, seen_at: datetime) -> ConsentChange:
    # Kibo keeps no date of consent: only of an observed change is it known to be about the account's update.
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
