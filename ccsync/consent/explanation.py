"""Why somebody is on the list or not, in one sentence or two: a pure decision on what the state file holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ccsync.consent.decisions import Stand, as_last_seen, blocking_suppression, reason_of, stand_of
from ccsync.models import KnownContact
from ccsync.state.outbox import removals, tasks
from ccsync.state.outbox.queue import Queued
from ccsync.state.suppressions import UNSUBSCRIBED, Suppression
from ccsync.state.views.person_facts import AccountKnown
from ccsync.words import counted


class Standing(Enum):
    """How somebody stands to the active list, for programs."""

    LISTED = "listed"
    LEAVING = "leaving"
    JOINING = "joining"
    WAITING = "waiting"
    NOT_LISTED = "not-listed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the answer is made of. `accounts` have the address now, `moved` had it and have another one now.
    `contact_of` are the accounts that opted in with the address that ccsync's contact had before it moved to this one.

    `importing` is the run whose import holds the person; `listed_since` when ccsync put the person on the list;
    `leaving` and `rejection` are reasons, `None` where there is no such thing. `is_of_account`: an account was asked
    for, not an address. `is_held_back`: the latest flush held removals back. `is_read`: a run has handled an
    event of the account.
    """

    list_id: str | None
    list_name: str | None
    is_of_account: bool = False
    is_enabled: bool = True
    is_exported: bool = True
    overwrite_existing: bool = False
    is_known: bool = True
    suppressions: tuple[Suppression, ...] = ()
    contact: KnownContact | None = None
    listed_since: datetime | None = None
    accounts: tuple[AccountKnown, ...] = ()
    moved: tuple[int, ...] = ()
    contact_of: tuple[int, ...] = ()
    queue: tuple[Queued, ...] = ()
    leaving: str | None = None
    is_held_back: bool = False
    importing: int | None = None
    rejection: str | None = None
    is_deleted: bool = False
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer."""

    standing: Standing
    text: str


def judge(facts: Facts) -> Answer:
    """The first ground that holds: what keeps somebody off the list comes before what would bring them on it."""
    return next(_grounds(facts))


def _grounds(facts: Facts) -> Iterator[Answer]:
    name = f'the list "{facts.list_name}"' if facts.list_name else "the list"
    off = f"Not on {name}: "
    if not facts.is_known:
        it = "account" if facts.is_of_account else "address"
        yield Answer(Standing.UNKNOWN, f"{off}ccsync does not know this {it}. {_why_unknown(facts)}")
    if facts.list_id is None:
        yield Answer(Standing.NOT_LISTED, "Not on a list: no contact list is chosen yet.")
    if facts.leaving is not None:
        yield Answer(Standing.LEAVING, f"Still on {name}: {_leaving(facts, facts.leaving)}")
    blocking = blocking_suppression(facts.suppressions, facts.list_id or "")
    stand = stand_of(facts.contact, as_last_seen(facts.list_id or "", overwrite_existing=facts.overwrite_existing))
    if blocking is not None:
        yield _held(facts, blocking, stand, off, name)
    if stand in (Stand.ON, Stand.FOUND_BEFORE):
        yield Answer(Standing.LISTED, _listed(facts, f"On {name}"))
    yield from _as_they_are(facts, stand, off, name)
    if _is_member(facts):
        yield Answer(Standing.LISTED, _came_otherwise(facts, name))
    if facts.importing is not None:
        yield Answer(Standing.JOINING, f"Not yet on {name}: the import of run {facts.importing} is under way.")
    if facts.rejection is not None:
        yield Answer(Standing.NOT_LISTED, f"{off}the record was rejected. {_sentence(facts.rejection)}")
    if stand is Stand.GONE:
        yield Answer(Standing.NOT_LISTED, f"{off}ccsync had added it, and it {stand.value}. {_GONE}")
    yield from _waiting(facts, off, name)
    yield from _of_accounts(facts, off)


_GONE = "The next poll-unsubscribes checks the contact before anything is written to the store."


def _as_they_are(facts: Facts, stand: Stand, off: str, name: str) -> Iterator[Answer]:
    """Contacts of which nothing is sent, whatever the store says."""
    if stand is Stand.MOVED and _is_member(facts):
        yield Answer(Standing.LISTED, f"On {name} under another address: {stand.value}.")
    if stand is Stand.WAITING:
        yield Answer(Standing.WAITING, f"Not yet on {name}: Constant Contact {stand.value} the sign-up.")
    if stand in (Stand.MOVED, Stand.VANISHED):
        yield Answer(Standing.NOT_LISTED, f"{off}{_sentence(stand.value)} A later opt-in in the store changes that.")


def _is_member(facts: Facts) -> bool:
    return facts.contact is not None and facts.contact.member_of == facts.list_id


def _came_otherwise(facts: Facts, name: str) -> str:
    if facts.contact_of:
        return f"On {name}: it is the contact of account {facts.contact_of[0]}, which has another address in the store."
    text = f"On {name}, but not added by ccsync as far as it knows"
    text += (
        "." if any(one.accepts_marketing for one in facts.accounts) else ": no account with this address has opted in."
    )
    return text if facts.rejection is None else f"{text} The record was rejected. {_sentence(facts.rejection)}"


def _held(facts: Facts, blocking: Suppression, stand: Stand, off: str, name: str) -> Answer:
    """A person who must not be on the list but may be on it anyway."""
    if _is_member(facts) and stand is not Stand.MOVED and blocking.kind != UNSUBSCRIBED:
        how = "" if stand is Stand.ON else ", but not added by ccsync as far as it knows"
        return Answer(Standing.LISTED, f"On {name} when last seen{how}, though the person {reason_of(blocking)}.")
    return Answer(Standing.NOT_LISTED, f"{off}{reason_of(blocking)}. {_way_back(facts, blocking)}")


def _leaving(facts: Facts, reason: str) -> str:
    how = removals.REASONS.get(reason, reason)
    if facts.is_held_back:
        return f"{how}, but the safety limit stopped the removal. See: ccsync flush-events --dry-run"
    return f"{how}; the next flush-events removes the address."


def _why_unknown(facts: Facts) -> str:
    if facts.list_id is not None and not facts.is_exported:
        return "ccsync learns who has opted in from the first export, which has not finished yet: ccsync export"
    if facts.is_of_account:
        return (
            "Either it has not opted in, or no run has read it yet. ccsync does not remember people who never opted in."
        )
    return (
        "Either no account with it has opted in, no run has read it yet, or its account was deleted."
        " ccsync does not remember people who never opted in, or whose account was deleted."
    )


def _way_back(facts: Facts, blocking: Suppression) -> str:
    if blocking.kind != UNSUBSCRIBED:
        return "A later opt-in in the store changes that."
    accepting = [one.account_id for one in facts.accounts if one.accepts_marketing]
    but = f" Account {accepting[0]} has opted in, but that does not count here." if accepting else ""
    return f"Only the person's own sign-up at Constant Contact changes that.{but}"


def _listed(facts: Facts, on: str) -> str:
    text = f"{on} since {facts.listed_since:%Y-%m-%d}." if facts.listed_since else f"{on}."
    if facts.moved and not facts.accounts:
        text += f" Account {facts.moved[0]} has a different address now; this one was left alone."
    if facts.rejection is not None:
        return f"{text} What changed since was rejected. {_sentence(facts.rejection)}"
    return " ".join([text, *(_of_queued(facts, one) for one in _weightiest(facts))])


def _waiting(facts: Facts, off: str, name: str) -> Iterator[Answer]:
    accepts = any(one.accepts_marketing for one in facts.accounts)
    failed = [one for one in facts.queue if one.status == tasks.FAILED]
    if not facts.is_exported and not failed and (accepts or (facts.queue and not facts.accounts)):
        text = f"Not yet on {name}: the first export has not finished, and nothing is sent before that: ccsync export"
        yield Answer(Standing.WAITING, text)
    for one in _weightiest(facts):
        standing, text = Standing.NOT_LISTED if one.status == tasks.FAILED else Standing.WAITING, _of_queued(facts, one)
        yield Answer(standing, f"{off}{text[0].lower()}{text[1:]}")


def _weightiest(facts: Facts) -> list[Queued]:
    """The queued account that is farthest from being processed, if any."""
    order = (tasks.FAILED, tasks.RETRYING, tasks.PENDING)
    return sorted(facts.queue, key=lambda one: order.index(one.status) if one.status in order else 0)[:1]


def _of_queued(facts: Facts, one: Queued) -> str:
    account, attempts = f"A change of account {one.account_id}", counted(one.attempts, "attempt")
    if one.status == tasks.FAILED:
        return f"{account} failed for good after {attempts}. {_sentence(one.last_error)}".strip()
    if one.status == tasks.RETRYING:
        return f"{account} is waiting for a retry after {attempts}. {_sentence(one.last_error)}".strip()
    return f"{account} is waiting for the next flush-events" + (
        "." if facts.is_enabled else ", and the sync is disabled."
    )


def _of_accounts(facts: Facts, off: str) -> Iterator[Answer]:
    accepting = [one.account_id for one in facts.accounts if one.accepts_marketing]
    if accepting:
        why = "business (B2B) accounts are skipped; others are sent by the next export: ccsync export"
        yield Answer(Standing.NOT_LISTED, f"{off}nothing was sent, though account {accepting[0]} has opted in; {why}")
    if facts.accounts:
        yield Answer(Standing.NOT_LISTED, f"{off}account {facts.accounts[0].account_id} has not opted in.")
    if facts.moved:
        yield Answer(Standing.NOT_LISTED, f"{off}account {facts.moved[0]} has a different address now.")
    if facts.is_deleted:
        text = "the account was deleted in the store, and ccsync erased what it knew about the person."
        yield Answer(Standing.NOT_LISTED, off + text)
    if facts.contact is not None:
        text = "Constant Contact has the address from another source, and no account in the store has opted in with it."
        yield Answer(Standing.NOT_LISTED, off + text)
    if facts.is_read:
        text = "the account was read; it has not opted in, has no address, or is a business (B2B) account."
        yield Answer(Standing.NOT_LISTED, off + text)
    yield Answer(Standing.NOT_LISTED, f"{off}nothing was ever sent. {_why_unknown(facts)}")


def _sentence(text: str) -> str:
    """A reason as a sentence."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
