"""What an account's consent at Kibo says, and what follows for its addresses: pure functions."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from ccsync.state.accounts import AccountSeen
from ccsync.state.suppressions import (
    BY_UNKNOWN_ACT,
    FORGOTTEN,
    FORMER,
    NOBODY_OPTED_IN,
    OPTED_OUT,
    UNSUBSCRIBED,
    Suppression,
)


class Seen(Enum):
    """What an account shows, compared with what was last seen of it."""

    OPT_IN = "opted in"
    OPT_OUT = "opted out"
    NOTHING_NEW = "as before"


def what_is_seen(*, was: bool | None, is_now: bool) -> Seen:
    """What an account's present state says; `was` is what was last seen of its consent, `None` if it never was.

    A new account that says no is no opt-out: only a change from yes to no is one.
    """
    if is_now and not was:
        return Seen.OPT_IN
    return Seen.OPT_OUT if was and not is_now else Seen.NOTHING_NEW


def lifted_by_opt_in(
    suppressions: Iterable[Suppression],
    *,
    was_opted_in: bool | None,
    created_at: datetime | None,
    updated_at: datetime | None = None,
) -> list[str]:
    """The kinds of suppression that an account's opt-in, observed now at Kibo, outweighs.

    `was_opted_in` is what was last observed of the account, `None` for one never seen, true for one that came to the
    address with its opt-in. Only an observed change
    counts: false → true, or an account made after the opt-out; and only one that is newer than the suppression, for
    accounts are not read in the order in which they changed. An unsubscribe at Constant Contact is never lifted.
    Of the accounts of somebody forgotten nothing is known but, sometimes, that all of them said no. Who is off the
    list by an unknown act may have left it at any time before that was seen: only a date proves more.
    The opt-out of an account that had left the address holds for nobody who opts in with it, whichever was read first.
    """
    held = list(suppressions)
    if was_opted_in:
        return [one.kind for one in held if is_of_former_owner(one)]
    happened_at = updated_at if was_opted_in is False else created_at
    kinds = []
    for one in held:
        is_undated = (
            was_opted_in is False and one.source not in BY_UNKNOWN_ACT and (happened_at is None or one.since is None)
        )
        is_newer = happened_at is not None and one.since is not None and happened_at > one.since
        is_newer |= (one.kind == FORGOTTEN and one.source == NOBODY_OPTED_IN) or is_of_former_owner(one)
        if one.kind != UNSUBSCRIBED and (is_undated or is_newer):
            kinds.append(one.kind)
    return kinds


def is_of_former_owner(one: Suppression) -> bool:
    """Is it the opt-out of an account that had another address by then?"""
    return one.kind == OPTED_OUT and one.source == FORMER


def is_outweighed(opted_out_at: datetime, others: Iterable[AccountSeen], *, is_current: bool) -> bool:
    """Does another account keep an address that an account's opt-out would take off the list?

    `others` are the other accounts that have the address now. Where the opt-out's account has it as well, the newest
    word counts; an address that it has left behind belongs to whoever opts in with it now.
    """
    accepting = [one for one in others if one.accepts_marketing]
    if not is_current:
        return bool(accepting)
    return any(one.since is not None and one.since > opted_out_at for one in accepting)


def says_no(accounts: Iterable[AccountSeen]) -> AccountSeen | None:
    """The account by which an address is not to be mailed: one that has it now says no, and none says yes."""
    found = list(accounts)
    return None if not found or any(one.accepts_marketing for one in found) else found[0]
