"""What a difference between the two systems is: pure functions from what is known of a person to a kind and a reason.

Drift is what ccsync should have seen to and has not; the rest is so for a reason that an operator may want to know.
"""

from dataclasses import dataclass
from enum import Enum

from ccsync.consent.decisions import Stand, reason_of
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, OPTED_OUT, UNSUBSCRIBED, Suppression


class Kind(Enum):
    """Every kind of finding; `DRIFT` has those that are drift."""

    MISSING = "missing"
    LEFT = "left"
    NOT_REMOVED = "not-removed"
    NOT_WRITTEN_BACK = "not-told"
    FORGOTTEN_LISTED = "forgotten-listed"
    WAITING = "waiting"
    SUPPRESSED = "suppressed"
    REJECTED = "rejected"
    BACK_ON_LIST = "back-on-list"
    RENAMED = "renamed"
    OLD_ADDRESS = "old-address"
    LISTED_SAYS_NO = "listed-says-no"
    UNKNOWN_TO_KIBO = "unknown-to-kibo"
    SEVERAL_ACCOUNTS = "several-accounts"


MEANING = {
    Kind.MISSING: "opted in at Kibo but not on the list, for no known reason",
    Kind.LEFT: "added to the list by ccsync and gone from it, not noticed yet",
    Kind.NOT_REMOVED: "on the list, though no account is opted in any more, or after an opt-out",
    Kind.NOT_WRITTEN_BACK: "opted out at Constant Contact, still opted in at Kibo",
    Kind.FORGOTTEN_LISTED: "on the list again, though the person asked to be forgotten",
    Kind.WAITING: "changed since the last run, or waiting for the next one",
    Kind.SUPPRESSED: "opted in at Kibo but kept off the list by an opt-out",
    Kind.REJECTED: "opted in at Kibo but rejected or skipped",
    Kind.BACK_ON_LIST: "left the list and was added to it again at Constant Contact",
    Kind.RENAMED: "the contact has a different address at Constant Contact now, or is gone there",
    Kind.OLD_ADDRESS: "on the list with an old address, from before an e-mail change",
    Kind.LISTED_SAYS_NO: "on the list, not added by ccsync as far as it knows, not opted in at Kibo",
    Kind.UNKNOWN_TO_KIBO: "on the list, not added by ccsync as far as it knows, unknown to Kibo",
    Kind.SEVERAL_ACCOUNTS: "several opted-in accounts with one address, so one contact",
}
DRIFT = (Kind.MISSING, Kind.LEFT, Kind.NOT_REMOVED, Kind.NOT_WRITTEN_BACK, Kind.FORGOTTEN_LISTED)


class Repair(Enum):
    """What `--fix` does about a finding. It only queues work; the jobs decide and act as usual."""

    READ = "read"
    REMOVE = "remove"
    WRITE_BACK = "tell"
    COMPARE = "compare"
    NONE = ""


WORDS = {
    Repair.READ: "to be read again by flush-events",
    Repair.REMOVE: "to be removed from the list by flush-events",
    Repair.WRITE_BACK: "to be written to Kibo by poll-unsubscribes",
    Repair.COMPARE: "to be noted as gone by poll-unsubscribes",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A kind with its reason, and what would put it right."""

    kind: Kind
    reason: str
    repair: Repair = Repair.NONE


class Written(Enum):
    """How far an opt-out at Constant Contact has been written back to Kibo."""

    NEVER = "never written to Kibo"
    NEXT = "waiting to be written to Kibo"
    STUCK = "Kibo has not accepted it yet, or the safety limit stopped it: ccsync poll-unsubscribes --dry-run"
    DONE = "opted in again at Kibo since"
    UNWANTED = "not written to Kibo, because list_departures is off"
    HELD = "held back since an older state file was put back, which is no opt-out"
    LOST = "not written to Kibo: the contact is gone, and its person may have come back before"
    OWN = "ccsync did that for an opt-out in the store; other accounts are left alone"


@dataclass(frozen=True, slots=True)
class NotListed:
    """A person who opts in at Kibo, could be sent, and is not on the list.

    `write_back` is how far the opt-out was written back, `queued` the account's state in the queue; `refused` says
    whether Constant Contact refused its row before.
    """

    holding: Suppression | None
    write_back: Written
    refused: bool
    queued: str | None
    is_under_way: bool
    has_just_changed: bool
    stand: Stand


def judge_not_listed(one: NotListed) -> Difference:
    """Why is somebody who opts in not on the list?"""
    if one.holding is not None:
        return _judge_held(one.holding, one)
    if one.stand in (Stand.MOVED, Stand.VANISHED):
        return Difference(Kind.RENAMED, one.stand.value)
    if one.stand is Stand.WAITING:
        return Difference(Kind.WAITING, one.stand.value)
    if one.refused:
        return Difference(Kind.REJECTED, "Constant Contact refused it before, and it has not changed since")
    if one.queued == "failed":
        return Difference(Kind.REJECTED, "given up after several tries: ccsync events --failed")
    if one.queued is not None or one.is_under_way:
        return Difference(Kind.WAITING, "in the queue" if one.queued else "in an import under way")
    if one.stand in (Stand.ON, Stand.FOUND_BEFORE, Stand.GONE):
        return Difference(Kind.LEFT, "ccsync had put it there; left, or was taken off by staff", Repair.COMPARE)
    if one.has_just_changed:
        return Difference(Kind.WAITING, "changed since the last run")
    return Difference(Kind.MISSING, "nothing keeps it off the list", Repair.READ)


def _judge_held(holding: Suppression, one: NotListed) -> Difference:
    reason = reason_of(holding)
    if holding.kind not in (UNSUBSCRIBED, DEPARTED):
        return Difference(Kind.SUPPRESSED, reason)
    kind = {
        Written.NEVER: Kind.NOT_WRITTEN_BACK,
        Written.STUCK: Kind.NOT_WRITTEN_BACK,
        Written.NEXT: Kind.WAITING,
    }
    repair = Repair.WRITE_BACK if one.write_back is Written.NEVER else Repair.NONE
    return Difference(kind.get(one.write_back, Kind.SUPPRESSED), f"{reason}; {one.write_back.value}", repair)


@dataclass(frozen=True, slots=True)
class Listed:
    """A member without an opted-in account, or one who may not be sent.

    `says_no` are accounts on the address, `elsewhere` accounts that had it before, and opt in or would, had ccsync not
    written an act of the person to them that they have undone since. `is_renamed`: its contact
    had another address when ccsync put it on the list. `is_own`: ccsync put it there; `is_known`: or found it there for
    an account that opted in, whose opt-out takes it off all the same.
    """

    holding: Suppression | None
    opts_in: bool
    is_known: bool
    is_own: bool
    is_leaving: bool
    is_queued: bool
    has_just_changed: bool
    says_no: bool
    elsewhere: bool
    is_renamed: bool


def judge_listed(one: Listed) -> Difference | None:
    """What is a member who should not be there, as far as the store is concerned? `None`: all is well."""
    if one.is_leaving:
        return Difference(Kind.WAITING, "is about to be taken off the list")
    if one.holding is not None and one.holding.kind == FORGOTTEN:
        return Difference(Kind.FORGOTTEN_LISTED, "not by ccsync: ccsync forget ADDRESS takes the person off again")
    # A contact that moved to the address is not the one that ccsync had put there.
    is_put_there = one.is_known and not one.is_renamed
    if one.holding is not None and one.holding.kind == OPTED_OUT and is_put_there:
        return Difference(Kind.NOT_REMOVED, reason_of(one.holding), Repair.REMOVE)
    if one.holding is not None and one.holding.kind == DEPARTED:
        return Difference(Kind.BACK_ON_LIST, reason_of(one.holding))
    if one.opts_in:
        return None
    if one.elsewhere and not (one.is_own and one.says_no):
        return Difference(Kind.OLD_ADDRESS, "its account has another address now; only the person can unsubscribe it")
    if one.is_renamed:
        return Difference(Kind.RENAMED, "its contact had another address when ccsync put it there")
    if not one.is_own:
        kind = Kind.LISTED_SAYS_NO if one.says_no else Kind.UNKNOWN_TO_KIBO
        return Difference(kind, "not put there by ccsync")
    if one.is_queued or one.has_just_changed:
        return Difference(Kind.WAITING, "in the queue" if one.is_queued else "changed since the last run")
    reason = "its account says no" if one.says_no else "its account is gone, or has another address and says no"
    return Difference(Kind.NOT_REMOVED, reason, Repair.READ)
