"""Keeps no data about customers who asked to be forgotten, until they opt in again in the store."""

from collections.abc import Sequence

from ccsync.consent.kibo_consent import lifted_by_opt_in
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import accounts, erasure, suppressions
from ccsync.state.accounts import AccountSeen
from ccsync.state.suppressions import FORGOTTEN


def set_apart(context: Context, customers: Sequence[Customer]) -> tuple[list[Customer], list[Customer]]:
    """The customers to process as usual, and those to keep no record of."""
    persons = {one.account_id: person for one in customers if (person := context.whose(one)) is not None}
    forgotten = erasure.forgotten_among(context.store, list(persons.values()))
    if not forgotten:
        return list(customers), []
    before = accounts.known(context.store, list(persons))
    hidden = [
        one
        for one in customers
        if persons.get(one.account_id) in forgotten
        and not _has_come_back(context, one, persons[one.account_id], _said(before.get(one.account_id)))
    ]
    ids = {one.account_id for one in hidden}
    return [one for one in customers if one.account_id not in ids], hidden


def note_noes(context: Context, hidden: Sequence[Customer]) -> None:
    """Remember which of these accounts say no now, inside the caller's transaction: a later yes is a change."""
    noes = [
        AccountSeen(one.account_id, person, False, one.updated_at)
        for one in hidden
        if one.accepts_marketing is False and (person := context.whose(one)) is not None
    ]
    accounts.observe(context.store, noes, context.now())


def _said(known: AccountSeen | None) -> bool | None:
    return None if known is None else known.accepts_marketing


def _has_come_back(context: Context, customer: Customer, person: bytes, was_opted_in: bool | None) -> bool:
    holding = suppressions.of_person(context.store, person)
    return bool(customer.accepts_marketing) and FORGOTTEN in lifted_by_opt_in(
        holding, was_opted_in=was_opted_in, created_at=customer.created_at, updated_at=customer.updated_at
    )
