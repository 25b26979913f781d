"""Keeps no data about customers who asked to be forgotten, until they opt in again in the store."""

from collections.abc import Mapping, Sequence

from ccsync.consent.kibo_consent import lifted_by_opt_in
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import accounts, erasure, suppressions
from ccsync.state.accounts import AccountSeen
from ccsync.state.suppressions import FORGOTTEN, NOBODY_OPTED_IN


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
        and not _is_known_otherwise(before.get(one.account_id), persons[one.account_id])
        and not _has_come_back(context, one, persons[one.account_id], _said(before.get(one.account_id)))
    ]
    ids = {one.account_id for one in hidden}
    return [one for one in customers if one.account_id not in ids], hidden


def note_noes(context: Context, hidden: Sequence[Customer]) -> None:
    """Remember which of these accounts say no now, inside the caller's transaction: a later yes is a change."""
    noes = [
        AccountSeen(one.account_id, person, False, one.updated_at)
        for one in hidden
        if one.accepts_marketing is False and not one.is_b2b and (person := context.whose(one)) is not None
    ]
    accounts.observe(context.store, noes, context.now())


def noes(context: Context, customers: Sequence[Customer], before: Mapping[int, AccountSeen]) -> dict[int, AccountSeen]:
    """Accounts, new to ccsync, that said no when their person was forgotten: nothing else is kept of them."""
    new = {one.account_id: person for one in customers if (person := context.whose(one)) is not None}
    new = {account_id: person for account_id, person in new.items() if account_id not in before}
    since = {
        person: one.since
        for person in erasure.forgotten_among(context.store, list(new.values()))
        for one in suppressions.of_person(context.store, person)
        if one.kind == FORGOTTEN and one.source == NOBODY_OPTED_IN and one.since is not None
    }
    found = dict[int, AccountSeen]()
    for customer in customers:
        at = since.get(new.get(customer.account_id, b""))
        if at is not None and customer.created_at is not None and customer.created_at <= at:
            found[customer.account_id] = AccountSeen(customer.account_id, new[customer.account_id], False, at)
    return found


def _is_known_otherwise(known: AccountSeen | None, person: bytes) -> bool:
    """Has an account come to the address that ccsync knows from another one? Its no concerns that one, too.

    Of the accounts of who is forgotten only a no is known.
    """
    return known is not None and (known.accepts_marketing or known.person != person)


def _said(known: AccountSeen | None) -> bool | None:
    return None if known is None else known.accepts_marketing


def _has_come_back(context: Context, customer: Customer, person: bytes, was_opted_in: bool | None) -> bool:
    holding = suppressions.of_person(context.store, person)
    return bool(customer.accepts_marketing) and FORGOTTEN in lifted_by_opt_in(
        holding, was_opted_in=was_opted_in, created_at=customer.created_at, updated_at=customer.updated_at
    )
