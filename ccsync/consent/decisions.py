"""What to do about one person: pure functions from what is known to an action with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from ccsync.models import Contact, KnownContact
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, OPTED_OUT, RESTORED, UNORDERED, UNSUBSCRIBED, Suppression

FOUND_ON_LIST = "another source's contact, found on the list"
"""Such a decision has to be remembered: an opt-out takes the contact off the list all the same."""
OFF_LIST_WHEN_RESTORED = "was off the list when an older copy of the state file was put back"
OFF_LIST_UNORDERED = "joined or subscribed again at Constant Contact, and is off the list; which came last is not known"
PENDING_CONFIRMATION = "pending_confirmation"
DELETED = "deleted"
"""Of a contact that was deleted without having unsubscribed; the vendor has no word for it."""
VANISHED = "vanished"
"""Of an address whose contact was never identified and is not shown any more: erased, or it has another one now."""
LOOK_SLACK = timedelta(minutes=1)
"""A look and an act so close together happened in an order that is not known."""
SUBSCRIBED = frozenset({"explicit", "implicit"})
"""The permissions by which somebody may be mailed."""


class Act(Enum):
    """What an export does about a person who opted in."""

    ADD = "added"
    UPDATE = "updated"
    UNCHANGED = "unchanged"
    SUPPRESS = "suppressed"
    DEPARTED = "departed"
    """Off the list since ccsync put them there, and what that means is not decided yet: never sent."""
    PARKED = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and why; `is_email_only` sends the address without the rest."""

    act: Act
    reason: str
    is_email_only: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where to and by which settings.

    The active list, whether other sources' contacts may be overwritten, and between which times a sighting of a
    contact is fresh, by Constant Contact's clock.
    """

    list_id: str
    overwrite_existing: bool
    fresh_since: datetime
    fresh_until: datetime


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
    is_foreign = _is_foreign(known, target)
    stand = stand_of(known, target)
    if stand in AS_THEY_ARE:
        return Decision(Act.UNCHANGED, stand.value, True)
    due = email_only_fingerprint if is_foreign else fingerprint
    if refused_fingerprint == due:
        return Decision(Act.PARKED, "refused before and not changed since", is_foreign)
    if stand is Stand.GONE:
        return Decision(Act.DEPARTED, stand.value, is_foreign)
    if stand is Stand.OFF:
        reason = "another source's contact, added by its address alone" if is_foreign else stand.value
        return Decision(Act.ADD, reason, is_foreign)
    before = known.sent.fingerprint if known and known.sent else None
    if before == due:
        return Decision(Act.UNCHANGED, "sent before and not changed since", is_foreign)
    reason = "was on the list before, and is ccsync's own now" if before is None else "a mapped field changed"
    return Decision(Act.UPDATE, reason, is_foreign)


class Stand(Enum):
    """How a contact stands to a list, as far as it was seen and sent; what suppresses it is another matter."""

    ON = "on the list"
    OFF = "not on the list yet"
    """Or off it again in a way that is no act of the person's."""
    GONE = "is no longer on the list"
    MOVED = "its contact has another address in Constant Contact now"
    VANISHED = "Constant Contact shows no contact with this address any more: erased, or it has another address now"
    WAITING = "waits for the person to confirm"
    FOUND = FOUND_ON_LIST
    FOUND_BEFORE = "another source's contact, on the list before"


AS_THEY_ARE = frozenset({Stand.MOVED, Stand.VANISHED, Stand.WAITING, Stand.FOUND, Stand.FOUND_BEFORE})
"""Nothing is sent of such a contact, whatever the store says."""


def stand_of(known: KnownContact | None, target: Target) -> Stand:
    """How does a contact stand to the list?

    Not to be there is an act only of a contact that could be: not of one that was deleted, waits for its person to
    confirm, has another address now, or was taken off by ccsync.
    """
    if known is None:
        return Stand.OFF
    if known.moved_to is not None:
        return Stand.MOVED
    # Under Confirmed Opt-in a contact is on no list until the person confirms; an import must not push them on it.
    # https://knowledgebase.constantcontact.com/articles/KnowledgeBase/5533
    if known.permission == PENDING_CONFIRMATION:
        return Stand.WAITING
    sent = known.sent
    if _is_foreign(known, target) and (sent is None or sent.fingerprint is None):
        if known.is_on(target.list_id):
            return Stand.FOUND_BEFORE
        # Last week's sighting proves nothing: they may have left since.
        if known.member_of == target.list_id and known.is_fresh(target.fresh_since, target.fresh_until):
            return Stand.FOUND
    if known.is_on(target.list_id):
        return Stand.ON
    was_put_there = sent is not None and sent.list_id == target.list_id and sent.removed_at is None
    if not was_put_there or known.permission == DELETED:
        return Stand.OFF
    # A person whose contact has a different address now may have opted out with it.
    return Stand.VANISHED if known.permission == VANISHED else Stand.GONE


def _is_foreign(known: KnownContact | None, target: Target) -> bool:
    return known is not None and not known.is_ours and not target.overwrite_existing


def as_last_seen(list_id: str, *, overwrite_existing: bool) -> Target:
    """A target for reports: the last sighting counts, however old it is."""
    always = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return Target(list_id, overwrite_existing, *always)


def needs_a_look(known: KnownContact | None, decision: Decision, target: Target) -> bool:
    """Has Constant Contact to be asked about a contact before an import updates it or puts it on the list again?"""
    # What an earlier run saw proves no departure: it may have looked at another list.
    if known is None or (known.is_fresh(target.fresh_since, target.fresh_until) and decision.act is not Act.DEPARTED):
        return False
    may_have_changed = decision.act in (Act.UPDATE, Act.DEPARTED) or decision.reason == Stand.WAITING.value
    # A contact that ccsync had put there may have another address by now, and another source's contact this one.
    is_again = known.sent is not None or known.member_of == target.list_id
    return may_have_changed or (decision.act is Act.ADD and is_again)


def blocking_suppression(suppressions: Iterable[Suppression], list_id: str) -> Suppression | None:
    """The weightiest suppression that holds for this list: an unsubscribe before the rest."""
    holding = [one for one in suppressions if one.list_id in ("", list_id)]
    if not holding:
        return None
    order = (UNSUBSCRIBED, FORGOTTEN, OPTED_OUT, DEPARTED)
    return min(holding, key=lambda one: order.index(one.kind) if one.kind in order else 0, default=None)


def reason_of(suppression: Suppression) -> str:
    """The reason as an operator reads it."""
    when = f" on {suppression.since:%Y-%m-%d}" if suppression.since else ""
    if suppression.kind == DEPARTED:
        held = {RESTORED: OFF_LIST_WHEN_RESTORED, UNORDERED: OFF_LIST_UNORDERED}
        return held.get(suppression.source or "", f"left the list{when}")
    if suppression.kind == OPTED_OUT:
        return f"opted out in the store{when}"
    if suppression.kind == FORGOTTEN:
        return f"asked to be forgotten{when}"
    return f"unsubscribed at Constant Contact{when}"


def is_own_return(contact: Contact, opted_out_at: datetime | None) -> bool:
    """Has a person who unsubscribed come back by their own act at Constant Contact?

    Staff's or an import's re-subscribe is none: the source must be the contact, and the date newer. That staff has
    deleted the contact since does not undo it.
    """
    return (
        contact.permission_to_send in SUBSCRIBED
        and (contact.opt_in_source or "").lower() == "contact"
        and contact.opt_in_date is not None
        and opted_out_at is not None
        and contact.opt_in_date > opted_out_at
    )


class Returned(Enum):
    """Has somebody come back to Constant Contact since they were last known to be on the list?"""

    YES = "yes"
    NO = "no"
    UNKNOWN = "perhaps"


def return_between_looks(contact: Contact, known: KnownContact | None, list_id: str) -> Returned:
    """Did a person whom ccsync added unsubscribe and come back since the last look, by their own acts?

    An unsubscribe takes a contact off every list, and coming back gives none back: that is no departure. Where the
    opt-in that the last look showed is known, it tells, whatever any clock showed then.
    """
    sent = known.sent if known else None
    if known is None or sent is None or sent.list_id != list_id or sent.removed_at is not None:
        return Returned.NO
    if known.permission == PENDING_CONFIRMATION and contact.permission_to_send in SUBSCRIBED:
        # To confirm puts them on the list, and is dated like a return: they have left since, or unsubscribed and come
        # back. Nobody has seen them on the list.
        return Returned.UNKNOWN
    began, until, at = known.earliest_seen_at, known.last_seen_at, contact.opt_in_date
    if began is None or until is None or at is None or not is_own_return(contact, datetime.min.replace(tzinfo=UTC)):
        return Returned.NO
    shown = known.opt_ins_until if known.contact_id in (None, contact.contact_id) else None
    if shown is not None and at > shown:
        return Returned.YES
    if shown is not None and (at == end_of(at) or end_of(at) <= shown):
        return Returned.NO
    if at > until + LOOK_SLACK:
        return Returned.YES
    return Returned.NO if end_of(at) < began - LOOK_SLACK else Returned.UNKNOWN


def end_of(shown: datetime) -> datetime:
    """The latest that a date of Constant Contact's can mean: some have no time, and were at some time on that day."""
    is_date = shown == shown.replace(hour=0, minute=0, second=0, microsecond=0)
    return shown + timedelta(days=1) if is_date else shown


def is_another_contact(contact: Contact, known: KnownContact | None, list_id: str) -> bool:
    """Is the contact at an address not the one that ccsync had put on the list, but one made since, or moved there?

    That it is not on the list is no act of whom ccsync had put there; what became of that one is not known.
    """
    sent = known.sent if known else None
    if known is None or known.contact_id in (None, contact.contact_id) or sent is None or sent.list_id != list_id:
        return False
    is_younger = contact.created_at is not None and contact.created_at > sent.sent_at
    # What was sent reached the contact that was seen since.
    return sent.removed_at is None and (is_younger or known.seen_at is not None)


def gets_a_welcome(known: KnownContact | None, *, is_own_sign_up: bool) -> bool:
    """Is somebody to be created singly, so that Constant Contact sends its welcome e-mail?

    Only people who are new there and made their account themselves.
    """
    return known is None and is_own_sign_up
