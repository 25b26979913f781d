"""What must hold of every history, computed from what people did and never from what ccsync remembers.

Each function returns what is wrong, as sentences. The exceptions are those of design.md section 6, each said where it
is made. I2 is `tests.machine.store_consent`.
"""

from collections.abc import Iterator, Sequence

from tests.machine.facts import FULL, OWN, AccountStory, ContactStory, Span, Word
from tests.machine.history import History, Settled

NEGATIVE = frozenset({"opt-out", "delete", "redact", "move-out", "unsubscribe", "leave-list", "rename"})
"""After these somebody may be off the list for good reason, whatever else is said."""

# I1: nobody who said no


def why_not(history: History, address: str) -> Iterator[str]:
    """The reasons why ccsync may not keep an address on the list, or send it."""
    contact = history.facts.contact_at(address)
    if contact is not None and contact.opted_out_at is not None and not _is_forgotten(history, contact):
        yield "is unsubscribed"
    yield from _renamed_and_unsubscribed(history, address)
    if contact is not None:
        yield from _left(history, contact)
    yield from _opted_out(history, address)


def _is_forgotten(history: History, contact: ContactStory) -> bool:
    """Was the contact erased before any run could see its opt-out?"""
    is_erased = contact.contact_id in history.erased
    return is_erased and not history.facts.was_visible(contact.opted_out_at, contact.deleted[-1])


def _renamed_and_unsubscribed(history: History, address: str) -> Iterator[str]:
    """An unsubscribe concerns every address of the contact under which ccsync could see it (decision 4)."""
    for one in history.facts.contacts.values():
        if one.address == address or one.opted_out_at is None:
            continue
        if _is_forgotten(history, one) and history.yeses(address, one.deleted[-1]):
            continue  # nothing tells of the opt-out any more; who says yes after it is another, or the same anew
        ends = [number for number, _ in one.homes[1:]]
        stays = [(since, end) for (since, home), end in zip(one.homes, ends, strict=False) if home == address]
        joined = [number for number, actor in one.joined if actor == "app"]
        for since, end in stays:
            seen = history.number_settled_before(end)
            if any(since <= number < seen and not history.was_erased(address, number, end) for number in joined):
                yield "was the address of a contact that is unsubscribed"


def _left(history: History, contact: ContactStory) -> Iterator[str]:
    """Who left the list stays off it until a newer yes. Deleted and renamed contacts have not left (decision 5)."""
    if not contact.left or contact.left[-1][1] not in OWN:
        return
    number = contact.left[-1][0]
    seen = history.number_settled_before(number)
    by_app = any(when < seen for when, actor in contact.joined if actor == "app")
    is_clear = not any(when > seen for when in (*contact.deleted, *contact.renamed))
    back = any(when > number for when, actor in contact.joined if actor in OWN)
    if by_app and is_clear and not back and not history.yeses(contact.address, seen):
        yield "left the list"


def _opted_out(history: History, address: str) -> Iterator[str]:
    """An observed opt-out holds for the address until a newer yes of anybody on it (decision 6)."""
    for one in history.voters(address):
        if one.accepts or one.is_held_by_ccsync:
            continue
        number = one.last_own[0]
        seen = history.settled_before(number)
        was_yes = seen is not None and seen.consents.get(one.account_id) is True
        if was_yes and one.home_at(number) == address and not history.yeses(address, seen.number if seen else 0):
            yield f"account {one.account_id} opted out"


def who_says_no_is_no_member(history: History, members: frozenset[str]) -> Iterator[str]:
    """I1, when all is settled: of the members whom ccsync put on the list nobody says no."""
    for address in sorted(members):
        if not history.is_ours(address):
            continue
        reasons = [*why_not(history, address), *_nobody_says_yes(history, address)]
        yield from (f"I1 {address} is on the list: {reason}" for reason in reasons[:1])


def _nobody_says_yes(history: History, address: str) -> Iterator[str]:
    here = history.voters(address)
    # A contact that has another address now keeps its link: who says yes under an earlier one keeps it (decision 5).
    contact = history.facts.contact_at(address)
    homes = {home for _, home in contact.homes} if contact is not None else set()
    if any(one.accepts for home in homes for one in history.voters(home)):
        return
    if here:
        arrivals = [max(number for number, home in one.homes if home == address) for one in here]
        if not any(one.accepts for one in here) and any(history.facts.had_event(number) for number in arrivals):
            yield "of its accounts all say no"
        return
    # An account that moved away with its yes leaves the address alone (decision 7).
    ever = history.ever_voters(address)
    if ever and not any(one.accepts and one.gone_at is None for one in ever):
        yield "its accounts are gone, or moved away and say no"


def nobody_is_sent_after_a_no(before: History, history: History, span: Span) -> Iterator[str]:
    """I1, in every run: who said no before it began is not sent. Every run looks before it sends (decision 3).

    `before` is the history as it was then; who says yes during the run may be sent by it.
    """
    for number in range(span.start, span.end):
        act = history.facts.acts[number]
        if act.kind != "send" or act.list_id is None:
            continue
        address = (act.address or "").lower()
        standing = set(why_not(before, address)) & set(why_not(history, address))
        yield from (f"I1 {span.job} sent {address}: {reason}" for reason in sorted(standing))
        here = [one for one in history.ever_voters(address) if _says_yes_during(one, address, span)]
        if not here:
            yield f"I1 {span.job} sent {address}: no account there said yes"


def _says_yes_during(account: AccountStory, address: str, span: Span) -> bool:
    """Did the account have the address and a yes at any moment of the run?"""
    moments = [span.start, *(one + 1 for one in range(span.start, span.end))]
    return any(account.home_at(one) == address and account.accepted_at(one) for one in moments)


# I3: everybody who says yes


def who_says_yes_is_member(history: History, members: frozenset[str], waiting: frozenset[str]) -> Iterator[str]:
    """I3, when all is settled: who says yes, and against whom nothing stands, is on the list.

    `waiting` are the contacts (ids) that wait for their person's confirmation, under Confirmed Opt-in.
    """
    last = history.settled[-1] if history.settled else None
    for address in sorted(history.facts.addresses() - members):
        here = history.voters(address)
        if not any(one.accepts for one in here) or _is_held_elsewhere(history, address, waiting):
            continue
        if not _doubts(history, address, 0):
            yield f"I3 {address} says yes, nothing was ever said against it, and it is not on the list"
        elif last is not None and not _doubts(history, address, last.number):
            if address in last.members:
                yield f"I3 {address} was on the list, nothing was said against it since, and it is off"
            elif _has_opted_in_since(history, address, last):
                yield f"I3 {address} opted in anew, nothing was said against it since, and it is not on the list"


def _is_held_elsewhere(history: History, address: str, waiting: frozenset[str]) -> bool:
    # Also one that staff have deleted, whose address another contact has taken since.
    here = [one for one in history.facts.contacts.values() if one.address == address]
    if any(one.opted_out_at is not None or one.may_be_out or one.is_out_by_app for one in here):
        return True  # decision 4
    if any(_came_back_unseen(history, one) for one in here):
        return True
    contact = history.facts.contact_at(address)
    if contact is not None and contact.contact_id in waiting:
        return True  # Confirmed Opt-in waits for the person
    # A contact that has another address now keeps its link, and is not made anew under the old one (decision 5).
    moved = [one for one in history.facts.contacts.values() if one.address != address]
    return any(address in {home for _, home in one.homes} for one in moved)


def _came_back_unseen(history: History, contact: ContactStory) -> bool:
    """Was the contact erased before a run that looks for returns could see one? Its opt-out is the last word then."""
    is_erased = contact.contact_id in history.erased and bool(contact.returned)
    return is_erased and not history.facts.was_visible(contact.returned[-1], contact.deleted[-1], FULL)


def _doubts(history: History, address: str, since: int) -> list[Word]:
    contact = history.facts.contact_at(address)
    # What a contact did under an earlier address concerns the one that it has now (decision 5).
    of_contact = [one for one in history.facts.words if contact and one.contact_id == contact.contact_id]
    return [
        one
        for one in (*history.facts.about(address, since), *of_contact)
        if one.number >= since
        and one.actor in OWN
        and (
            one.kind in NEGATIVE
            or (one.kind == "delete" and one.contact_id is not None)
            or (one.kind == "move-in" and _brings_a_no(history, one))
        )
    ]


def _brings_a_no(history: History, word: Word) -> bool:
    """Did an account opt out and then move to the address before any look? That may have been the other way round."""
    account = history.facts.accounts[word.account_id or 0]
    return any(
        not says and history.number_settled_before(word.number) <= number < word.number for number, says in account.own
    )


def _has_opted_in_since(history: History, address: str, last: Settled) -> bool:
    """All on the address said no then, and one of them, or a new account, says yes now by its owner's act."""
    if history.is_held_since_a_restore(last.number):
        return False
    here = history.voters(address)
    before = [one for one in here if one.account_id in last.consents]
    if any(last.consents[one.account_id] for one in before):
        return False
    if any(when >= last.number for one in before for when, home in one.homes if home == address):
        return False  # moved to the address since: a yes from elsewhere is none on an address that said no
    return any(one.accepts and one.own[-1][1] and one.own[-1][0] >= last.number for one in here)


# I4: the unsubscribed stay so


def nobody_unsubscribed_is_member(history: History, members: frozenset[str], *, keeps: bool) -> Iterator[str]:
    """I4: at all times, unless the vendor `keeps` them on their lists (it mails nobody who is unsubscribed)."""
    for address in () if keeps else sorted(members):
        contact = history.facts.contact_at(address)
        if contact is not None and contact.unsubscribed_at is not None:
            yield f"I4 {address} is unsubscribed and on the list"


def nobody_is_subscribed_again(
    history: History, permissions: dict[str, str], forbidden_calls: Sequence[str]
) -> Iterator[str]:
    """I4: at all times. `permissions` are the contacts' own, by id, as the vendor has them."""
    yield from (f"I4 forbidden call {one}" for one in forbidden_calls)
    for contact in history.facts.contacts.values():
        now = permissions.get(contact.contact_id)
        if contact.unsubscribed_at is not None and now not in (None, "unsubscribed"):
            yield f"I4 {contact.address} was subscribed again"
