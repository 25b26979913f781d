"""Handles accounts that Kibo no longer has: they leave the list and are forgotten."""

from collections.abc import Iterable

from ccsync.run.context import Context
from ccsync.state import accounts, erasure
from ccsync.state.outbox import removals


def forget_account(context: Context, account_id: int) -> list[int]:
    """Note in the caller's transaction that an account is gone. Returns the accounts that now stand for its people.

    Whoever ccsync put on the list for it leaves the list, unless another account on the address opts in; that one is
    answerable for the address from now on. Members who came another way stay. The data of whoever leaves is erased
    only when the removal is done (`forget_removed`): if a store suddenly shows nothing at all, the safety limit must
    stop that first.
    """
    store, at = context.store, context.now()
    known = accounts.known(store, [account_id]).get(account_id)
    everybody = list(dict.fromkeys([*([known.person] if known else []), *accounts.addresses_of(store, account_id)]))
    heirs, leaving = list[int](), set[bytes]()
    for person in everybody:
        siblings = [one.account_id for one in accounts.with_address(store, person) if one.accepts_marketing]
        siblings = [one for one in siblings if one != account_id]
        accounts.note_addresses(store, [(one, person) for one in siblings])
        heirs += siblings
        if not siblings and removals.ask(store, [person], account_id, None, removals.DELETED, at, only_own=True):
            leaving.add(person)
    accounts.drop(store, account_id)
    if not leaving:
        erasure.erase_account(store, account_id)
    _erase(context, [person for person in everybody if person not in leaving])
    context.counts["forgotten" if everybody else "unchanged"] += 1
    return heirs


def forget_removed(context: Context, account_id: int, person: bytes) -> None:
    """The person of a deleted account is off the list: forget both, in the caller's transaction."""
    erasure.erase_account(context.store, account_id)
    _erase(context, [person])


def _erase(context: Context, everybody: Iterable[bytes]) -> None:
    for person in everybody:
        if not erasure.is_somebodys(context.store, person):
            erasure.erase_person(context.store, person)
