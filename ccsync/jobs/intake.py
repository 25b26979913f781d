"""Takes customers in as they are read: sorts out who cannot be sent, and stages the rest in the state file."""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from ccsync.jobs.decisions import lifted_by_opt_in
from ccsync.jobs.work import Work
from ccsync.kibo import Kibo
from ccsync.mapping import (
    MappedContact,
    Rejection,
    fingerprint,
    missing_parts,
    needed_parts,
    person_key_text,
    to_contact,
)
from ccsync.models import Customer
from ccsync.state import consent, people, runs, set_aside, staging
from ccsync.state.consent import ConsentChange
from ccsync.state.people import OPTED_OUT, AccountSeen, Suppression
from ccsync.state.runs import RejectedRecord
from ccsync.state.staging import Staged

log = logging.getLogger(__name__)

PROBED_ROWS = 5


class Intake:
    """Takes pages of customers in."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._person_of = work.person_of()
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def take(self, customers: Sequence[Customer]) -> None:
        """Take one page in, in one transaction. A customer read again replaces what was read before."""
        store, run_id = self._work.store, self._work.run_id
        staged, well, rejected = list[Staged](), list[int](), list[RejectedRecord]()
        for customer in customers:
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
            set_aside.release_checked(store, well)
            runs.add_rejected(store, run_id, rejected)
            for record in rejected:
                set_aside.put(store, record.account_id or 0, record.code, None, record.at, run_id)
            self._observe(customers)

    def _judge(self, customer: Customer) -> MappedContact | Rejection | None:
        """What to send of a customer, or why not; `None` for those who are merely passed over."""
        if customer.accepts_marketing is False:
            return None
        if customer.accepts_marketing is None:
            return Rejection("consent-unknown", "acceptsMarketing", "acceptsMarketing is neither true nor false.")
        if (customer.account_type or "").upper() == "B2B" or customer.email is None:
            return None
        try:
            return to_contact(customer, self._work.config.mapping)
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            # One bad record must not stop the rest.
            log.exception("account %s could not be mapped", customer.account_id)
            return Rejection("unforeseen", "", f"it could not be mapped ({type(error).__name__}); see the log file.")

    def _staged(self, customer: Customer, mapped: MappedContact) -> Staged:
        if mapped.notes:
            self._work.counts["cut"] += 1
            log.info("account %s: %s", customer.account_id, "; ".join(str(note) for note in mapped.notes))
        return Staged(
            customer.account_id,
            customer.updated_at or customer.created_at,
            self._person_of(person_key_text(mapped.email)),
            fingerprint(mapped.row),
            self._encode(dict(mapped.row)),
        )

    def _record(self, customer: Customer, rejection: Rejection) -> RejectedRecord:
        return RejectedRecord(customer.account_id, customer.email, rejection.code, rejection.reason, self._work.now())

    def _observe(self, customers: Iterable[Customer]) -> None:
        """Note what Kibo shows of each account's consent; a change is a row of the consent ledger."""
        work, seen_at = self._work, self._work.now()
        seen = {
            one.account_id: (one, self._person_of(person_key_text(one.email)))
            for one in customers
            if one.email is not None and one.accepts_marketing is not None
        }
        before = people.known_accounts(work.store, list(seen))
        news = list[ConsentChange]()
        for account_id, (customer, person) in seen.items():
            was = before[account_id][1] if account_id in before else None
            if customer.accepts_marketing and not was:
                self._opted_in(customer, person, was)
                news.append(_change(customer, person, "opted-in", was, seen_at))
            elif was and not customer.accepts_marketing:
                opted_out_at = customer.updated_at or seen_at
                found = Suppression(person, OPTED_OUT, "", None, opted_out_at, "kibo")
                people.suppress(work.store, found, seen_at, work.run_id)
                work.counts["opted_out"] += 1
                news.append(_change(customer, person, "opted-out", was, seen_at))
        consent.append(work.store, work.run_id, news)
        observed = [
            AccountSeen(account_id, person, bool(customer.accepts_marketing))
            for account_id, (customer, person) in seen.items()
            if customer.accepts_marketing or account_id in before  # a new account that says no is no change
        ]
        people.observe_accounts(work.store, observed, seen_at)

    def _opted_in(self, customer: Customer, person: bytes, was: bool | None) -> None:
        holding = people.suppressions(self._work.store, person)
        for kind in lifted_by_opt_in(holding, was_opted_in=was, created_at=customer.created_at):
            people.lift(self._work.store, person, kind)


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


def parts_to_read_singly(work: Work, customers: Sequence[Customer]) -> frozenset[str]:
    """The mapped parts of an account that list rows lack: a few rows are compared with their single reads.

    Whether the vendor's list carries contacts and attributes is not documented.
    """
    needed = needed_parts(work.config.mapping)
    lacking: set[str] = set()
    proven: set[str] = set()
    for customer in customers[:PROBED_ROWS]:
        if proven >= needed:
            break
        single = work.kibo.get_customer(customer.account_id)
        if single is None:
            continue
        lacking |= missing_parts(customer, single, work.config.mapping)
        proven |= {part for part in needed if single.raw.get(part)}
    return frozenset(lacking)


def read_singly(kibo: Kibo, customers: Iterable[Customer]) -> list[Customer]:
    """The same customers, each read whole; one deleted meanwhile is left out."""
    return [whole for customer in customers if (whole := kibo.get_customer(customer.account_id)) is not None]
