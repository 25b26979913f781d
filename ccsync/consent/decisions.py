"""What to do about one person: pure functions from what is known to an action with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from ccsync.models import Contact
from ccsync.state.people import (
    DEPARTED,
    FORGOTTEN,
    NOBODY_OPTED_IN,
    OPTED_OUT,
    UNSUBSCRIBED,
    KnownContact,
    Suppression,
)

FOUND_ON_LIST = "another source's contact, found on the list"
"""Such a decision has to be remembered: an opt-out takes the contact off the list all the same."""
SUBSCRIBED = frozenset({"explicit", "implicit"})
"""The permissions by which somebody may be mailed."""


class Act(Enum):
    """What an export does about a person who opted in."""

    ADD = "added"
    UPDATE = "updated"
    UNCHANGED = "unchanged"
    SUPPRESS = "suppressed"
    SET_ASIDE = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and why; `is_email_only` sends the address without the rest."""

    act: Act
    reason: str
    is_email_only: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where to and by which settings: the active list, and whether other sources' contacts may be overwritten."""

    list_id: str
    overwrite_existing: bool


def decide(
    known: KnownContact | None,
    suppressions: Iterable[Suppression],
    target: Target,
    *,
    fingerprint: bytes,
    email_only_fingerprint: bytes,
    refused_fingerprint: bytes | None = None,
) -> Decision:
    """Decide about a person whose account opts in and whose record is well.

    `refused_fingerprint` is that of a row Constant Contact would not take, if there was one.
    """
    blocking = blocking_suppression(suppressions, target.list_id)
    if blocking is not None:
        return Decision(Act.SUPPRESS, reason_of(blocking))
    is_foreign = known is not None and not known.is_ours and not target.overwrite_existing
    if known is not None and is_foreign and known.fingerprint is None:
        if known.list_id == target.list_id:
            return Decision(Act.UNCHANGED, "another source's contact, on the list before", True)
        if known.seen_list_id == target.list_id:
            return Decision(Act.UNCHANGED, FOUND_ON_LIST, True)
    due = email_only_fingerprint if is_foreign else fingerprint
    if refused_fingerprint == due:
        return Decision(Act.SET_ASIDE, "refused before and not changed since", is_foreign)
    if known is None or known.list_id != target.list_id:
        reason = "another source's contact, added by its address alone" if is_foreign else "not on the list yet"
        return Decision(Act.ADD, reason, is_foreign)
    if known.fingerprint == due:
        return Decision(Act.UNCHANGED, "sent before and not changed since", is_foreign)
    reason = (
        "was on the list before, and is ccsync's own now" if known.fingerprint is None else "a mapped field changed"
    )
    return Decision(Act.UPDATE, reason, is_foreign)


def blocking_suppression(suppressions: Iterable[Suppression], list_id: str) -> Suppression | None:
    """The weightiest suppression that holds for this list: an unsubscribe before the rest."""
    holding = [one for one in suppressions if one.list_id in ("", list_id)]
    order = (UNSUBSCRIBED, FORGOTTEN, OPTED_OUT, DEPARTED)
    return min(holding, key=lambda one: order.index(one.kind) if one.kind in order else 0, default=None)


def reason_of(suppression: Suppression) -> str:
    """The reason as an operator reads it."""
    when = f" on {suppression.since:%Y-%m-%d}" if suppression.since else ""
    if suppression.kind == DEPARTED:
        return f"left the list{when}"
    if suppression.kind == OPTED_OUT:
        return f"opted out in the store{when}"
    if suppression.kind == FORGOTTEN:
        return f"asked to be forgotten{when}"
    return f"unsubscribed at Constant Contact{when}"


class Seen(Enum):
    """What an account shows, compared with what was last seen of it."""

    OPT_IN = "opted in"
    OPT_OUT = "opted out"
    NEW_ADDRESS = "has another address"
    NOTHING_NEW = "as before"


def what_is_seen(*, was: bool | None, is_now: bool, has_address: bool, has_same_address: bool) -> Seen:
    """What an account's present state says; `was` is what was last seen of its consent, `None` if it never was.

    A new account that says no is no opt-out: only a change from yes to no is one.
    """
    if is_now and not was:
        return Seen.OPT_IN if has_address else Seen.NOTHING_NEW
    if was and not is_now:
        return Seen.OPT_OUT
    return Seen.NEW_ADDRESS if was and has_address and not has_same_address else Seen.NOTHING_NEW


def lifted_by_opt_in(
    suppressions: Iterable[Suppression],
    *,
    was_opted_in: bool | None,
    created_at: datetime | None,
    updated_at: datetime | None = None,
) -> list[str]:
    """The kinds of suppression that an account's opt-in, observed now at Kibo, outweighs.

    `was_opted_in` is what was last observed of the account, `None` for one never seen. Only an observed change
    counts: false → true, or an account made after the opt-out; and only one that is newer than the suppression, for
    accounts are not read in the order in which they changed. An unsubscribe at Constant Contact is never lifted.
    Of the accounts of somebody forgotten nothing is known but, sometimes, that all of them said no.
    """
    if was_opted_in:
        return []
    happened_at = updated_at if was_opted_in is False else created_at
    kinds = []
    for one in suppressions:
        is_undated = was_opted_in is False and (happened_at is None or one.since is None)
        is_newer = happened_at is not None and one.since is not None and happened_at > one.since
        is_newer |= one.kind == FORGOTTEN and one.source == NOBODY_OPTED_IN
        if one.kind != UNSUBSCRIBED and (is_undated or is_newer):
            kinds.append(one.kind)
    return kinds


def is_own_return(contact: Contact, opted_out_at: datetime | None) -> bool:
    """Has a person who unsubscribed come back by their own act at Constant Contact?

    Staff's or an import's re-subscribe is none: the source must be the contact, and the date newer.
    """
    return (
        contact.permission_to_send in SUBSCRIBED
        and contact.deleted_at is None
        and (contact.opt_in_source or "").lower() == "contact"
        and contact.opt_in_date is not None
        and opted_out_at is not None
        and contact.opt_in_date > opted_out_at
    )


MOST_ATTEMPTS = 8
LONGEST_BACKOFF = timedelta(hours=12)


def next_attempt_at(at: datetime, attempts: int, interval: timedelta) -> datetime:
    """When an account that has failed `attempts` times is tried again: a run later, then twice as long each time."""
    doubled: timedelta = interval * 2 ** (attempts - 1)
    # A moment less than a whole interval: cron's next run must not miss it by a second.
    return at + min(doubled, LONGEST_BACKOFF) - interval / 10


def is_worth_greeting(known: KnownContact | None, *, is_own_sign_up: bool, wants_welcome: bool) -> bool:
    """Is somebody to be created singly, so that Constant Contact sends its welcome e-mail?

    Only people who are new there and made their account themselves.
    """
    return wants_welcome and known is None and is_own_sign_up
