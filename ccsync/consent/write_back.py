"""Which consent changes at Constant Contact are written to Kibo, and which are not: pure functions."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from ccsync.clocks import KiboTime
from ccsync.consent.decisions import PENDING_CONFIRMATION, is_another_contact
from ccsync.models import Contact, Customer, KnownContact
from ccsync.state.kibo_writes import KiboWrite
from ccsync.state.outbox.write_backs import RESUBSCRIBED
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, OWN, UNSUBSCRIBED, Suppression

REASONS = {
    UNSUBSCRIBED: "unsubscribed at Constant Contact",
    DEPARTED: "left the list",
    RESUBSCRIBED: "came back to Constant Contact by their own act",
}
"""The reasons for a write, in words for the operator."""
OWN_WORDS = "own act"
OWN_ACT = "Contact"
"""The vendor's word for the person's own act."""


class Found(Enum):
    """What a look at somebody missing from the list shows."""

    DEPARTED = "left the list"
    MEMBER = "is on the list"
    UNSUBSCRIBED = "unsubscribed"
    DELETED = "contact was deleted in Constant Contact; that is no opt-out"
    REPLACED = "contact was erased, and another one has the address now; that is no opt-out"
    WAITING = "waits for the person to confirm; that is no opt-out"
    UNCLEAR = "lists are not shown"


def judge_missing(contact: Contact | None, known: KnownContact | None, list_id: str) -> Found:
    """Has a person who is not a member left the list by an act of consent? `known`: what was known before the look."""
    if contact is None or contact.deleted_at is not None:
        return Found.DELETED if contact is None or not contact.has_unsubscribed else Found.UNSUBSCRIBED
    if contact.has_unsubscribed:
        return Found.UNSUBSCRIBED
    if contact.list_ids is None:
        return Found.UNCLEAR
    if list_id in contact.list_ids:
        return Found.MEMBER
    if is_another_contact(contact, known, list_id):
        return Found.REPLACED
    # Under Confirmed Opt-in a new contact is on no list before the person confirms.
    return Found.WAITING if contact.permission_to_send == PENDING_CONFIRMATION else Found.DEPARTED


def whose_act(contact: Contact) -> str | None:
    """Who caused a departure: "Contact" if the vendor shows the person's own act, else `None`.

    `update_source` is the source of the contact's last change, whatever that was: staff, or an import, may have
    changed it after the person left. So it never proves that staff took somebody off.
    """
    return OWN_ACT if contact.update_source == OWN_ACT else None


def outdated(
    kind: str, list_id: str, suppressions: Iterable[Suppression], happened_at: datetime | None = None
) -> str | None:
    """Why a change that happened then must no longer be written; `None` while it holds."""
    held = list(suppressions)
    holding = {(one.kind, one.list_id) for one in held}
    kinds = {found for found, _ in holding}
    if kind == UNSUBSCRIBED:
        # What ccsync has set for an opt-out in the store says nothing of an act before it that was undone in between.
        is_undone = all(_is_own_behind_a_return(one, happened_at) for one in held if one.kind == UNSUBSCRIBED)
        return "has subscribed again since" if is_undone else None
    if kind == DEPARTED:
        return None if (DEPARTED, list_id) in holding else "has opted in again since, or is back on the list"
    if UNSUBSCRIBED in kinds:
        return "has unsubscribed again since"
    if OPTED_OUT in kinds:
        return "has opted out in the store"
    return "has left the list" if DEPARTED in kinds else None


def _is_own_behind_a_return(one: Suppression, happened_at: datetime | None) -> bool:
    """Has ccsync unsubscribed the contact itself, after an opt-in that came behind an earlier opt-out?"""
    shown = one.opt_in_shown
    return one.source == OWN and happened_at is not None and shown is not None and shown > happened_at


class AccountAct(Enum):
    """What is done about one Kibo account."""

    WRITE = "write"
    ALREADY = "already so"
    LEFT_ALONE = "its opt-out did not come from Constant Contact"
    NEWER = "has opted in in the store since"
    SKIPPED = "a B2B account, whose consent sits on its users"
    UNKNOWN = "acceptsMarketing is neither true nor false"


def is_newer_opt_in(yes_at: KiboTime | None, opt_out_at: KiboTime | None, first_export_at: KiboTime | None) -> bool:
    """Has an account said yes surely after its person's opt-out at Constant Contact? Then it is left alone.

    `opt_out_at` is the latest that the opt-out can have been as far as Constant Contact dates it; of a departure it
    shows only when the person was still there: who says yes after that may have left before. What the store held at
    the first export is older than any opt-out that is met there.
    """
    if yes_at is None or opt_out_at is None or first_export_at is None:
        return False
    return yes_at > max(opt_out_at, first_export_at)


def judge_account(kind: str, account: Customer, write: KiboWrite | None, *, is_newer: bool = False) -> AccountAct:
    """What to do about an account with the person's address; `write` is what ccsync last set there.

    An opt-out is written over a yes that is not newer (`is_newer_opt_in`); a return only over a no that ccsync itself
    has written.
    """
    if account.accepts_marketing is None:
        return AccountAct.SKIPPED if account.is_b2b else AccountAct.UNKNOWN
    if account.accepts_marketing is wanted_value(kind):
        return AccountAct.ALREADY
    if kind != RESUBSCRIBED:
        return AccountAct.NEWER if is_newer else AccountAct.WRITE
    is_ours = write is not None and (not write.accepts_marketing or write.done_at is None)
    return AccountAct.WRITE if is_ours else AccountAct.LEFT_ALONE


def wanted_value(kind: str) -> bool:
    """What `acceptsMarketing` becomes."""
    return kind == RESUBSCRIBED


class Seen(Enum):
    """The result of reading an account's consent again."""

    NOTHING = "what it was"
    OWN = "what ccsync has set"
    STALE = "older than what ccsync has set"
    THEIRS = "the customer's own act"


def judge_sighting(write: KiboWrite | None, *, was: bool | None, accepts: bool, updated_at: datetime | None) -> Seen:
    """Is a consent that Kibo shows news? `was` is what was last observed of the account.

    A listing may lag behind a write: an account that shows the old value with an older update date says nothing.
    """
    if write is None or was is accepts:
        is_own_end = write is not None and write.done_at is None and write.accepts_marketing is accepts
        return Seen.OWN if is_own_end else Seen.NOTHING
    if write.accepts_marketing is accepts:
        return Seen.OWN if write.done_at is None else Seen.THEIRS
    is_older = updated_at is not None and write.updated_at is not None and updated_at < write.updated_at
    return Seen.STALE if is_older else Seen.THEIRS
