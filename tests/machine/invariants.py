"""What must hold of every history, computed from what people did and never from what ccsync remembers.

Each function returns what is wrong, as sentences. The exceptions are those of design.md section 6, each said where it
is made. `settled` are the moments at which two clean cycles had just passed: what was done before such a moment has
been seen by every job, so that the order of two acts is known to ccsync when one lies before it and one behind.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.machine.facts import FULL, OF_STORE, OWN, AccountStory, ContactStory, Facts, Span, Word

NEGATIVE = frozenset({"opt-out", "delete", "redact", "move-out", "unsubscribe", "leave-list", "rename"})
"""After these somebody may be off the list for good reason, whatever else is said."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A moment at which all was seen: the number of acts until then, the members, and each account's consent."""

    number: int
    members: frozenset[str]
    consents: dict[int, bool]


class History:
    """The facts up to now, and the moments at which all was settled."""

    def __init__(
        self,
        facts: Facts,
        settled: Sequence[Settled],
        business: frozenset[int],
        erased: frozenset[str] = frozenset(),
        lost: Sequence[tuple[int, int]] = (),
        *,
        are_clocks_right: bool = True,
        undatable: Sequence[tuple[datetime, datetime]] = (),
    ) -> None:
        """What nobody can know any more: `erased` are the contacts (ids) that the vendor has forgotten, `lost` the acts
        (from one number to another) of which ccsync forgot when an older state file was put back. With a clock that
        was wrong, dates of two vendors cannot be compared. `undatable` are the times of which it cannot be told whether
        they were before or after the look that came before them.
        """
        self._undatable = undatable
        self.can_compare_dates = are_clocks_right and not lost
        self.facts = facts
        self.erased = erased
        self._lost = lost
        self.settled = settled
        self._moments = [one.number for one in settled]
        self._business = business

    def settled_before(self, number: int) -> Settled | None:
        """The last such moment before an act."""
        index = bisect_right(self._moments, number)
        return self.settled[index - 1] if index else None

    def number_settled_before(self, number: int) -> int:
        found = self.settled_before(number)
        return found.number if found else 0

    def was_erased(self, address: str, since: int, until: int) -> bool:
        """Has ccsync erased what it knew of an address in between? It does so with the last account that had it."""
        ever = self.facts.ever_at(address)
        return any(
            since < one.number <= until
            and any(two.gone_at is not None and since < two.gone_at < one.number for two in ever)
            and not any(two.home_at(one.number) == address for two in ever)
            for one in self.settled
        )

    def is_datable(self, number: int) -> bool:
        """Is it known of an act whether it was before or after the look that came before it?"""
        at = self.facts.acts[number].at
        return not any(start <= at <= end for start, end in self._undatable)

    def was_lost(self, number: int) -> bool:
        """Was the act forgotten with a state file?"""
        return any(start <= number < end for start, end in self._lost)

    def is_held_since_a_restore(self, number: int) -> bool:
        """Was a state file put back after this act? A yes from before that proves nothing about who is off the list."""
        return any(number < end for _, end in self._lost)

    def yes_began(self, account: AccountStory, number: int) -> int:
        """Since which act an account has said yes before another, as far as ccsync could see: flips are unseen."""
        noes = [one.number for one in self.settled if account.accepted_at(one.number) is False and one.number <= number]
        since = max(noes, default=0)
        words = (*account.own, *account.written)
        return min(when for when, says in words if since <= when < number and (says or not noes))

    def voters(self, address: str) -> list[AccountStory]:
        """Whose consent counts for an address: business accounts' does not (decision 1)."""
        return [one for one in self.facts.at_home(address) if one.account_id not in self._business]

    def ever_voters(self, address: str) -> list[AccountStory]:
        return [one for one in self.facts.ever_at(address) if one.account_id not in self._business]

    def is_ours(self, address: str) -> bool:
        """Is the address on the list because ccsync put it there? Members from other sources stay (decision 15)."""
        contact = self.facts.contact_at(address)
        if contact is None or not contact.is_member or contact.joined_by != "app":
            return False
        if self.was_lost(contact.joined[-1][0]):
            return False
        # A contact that came to the address by its own change of address was never put there by ccsync.
        return contact.homes[-1][0] <= contact.joined[-1][0]

    def yeses(self, address: str, since: int) -> list[Word]:
        """What may count as a yes for an address from then on: also that an account with a yes moves to it."""
        return [
            one
            for one in self.facts.about(address, since)
            if one.actor in OWN and (one.says is True or one.kind == "move-in")
        ]


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


# I2: nobody's consent is touched without an act


def no_consent_is_touched(history: History, since: int, seen_until: int) -> Iterator[str]:
    """I2: each account that ccsync wrote from then on, by an act that allows it.

    What was undone before the act number `seen_until` could be seen.
    """
    for number in range(since, len(history.facts.acts)):
        act = history.facts.acts[number]
        if act.vendor != "kibo" or act.actor != "app" or act.account_id is None:
            continue
        account = history.facts.accounts[act.account_id]
        # Kibo knows no versions: an account that moves between ccsync's read and its write is put back, and the write
        # was about the address that ccsync had read.
        homes = {account.home_at(one) for one in range(since, number + 1)}
        if act.kind == "opt-out" and not _may_take_back(history, account, number, seen_until, homes):
            yield f"I2 account {act.account_id} was set to false without a newer no"
        elif act.kind == "opt-in" and not _may_give_back(history, account, number, homes):
            yield f"I2 account {act.account_id} was set to true without a return"
        elif act.kind not in ("opt-out", "opt-in") and (act.kind != "change-address" or act.address not in homes):
            yield f"I2 account {act.account_id}: {act.kind} {act.value}"


def _may_take_back(
    history: History, account: AccountStory, number: int, seen_until: int, homes: set[str | None]
) -> bool:
    yes = max(when for when, says in account.own if says and when < number)
    historic = history.settled[0].number if history.settled else number
    for contact in history.facts.contacts.values():
        if homes.isdisjoint(address for when, address in contact.homes if when < number):
            continue
        for no in history.facts.words:
            if no.contact_id != contact.contact_id or no.number >= number or not _is_no(no, contact):
                continue
            undone = contact.returned
            if no.kind == "leave-list":
                undone = [*undone, *(when for when, actor in contact.joined if actor in OWN)]
            if contact.contact_id in history.erased:  # a return that no run saw is forgotten with the contact
                undone = [when for when in undone if history.facts.was_visible(when, contact.deleted[-1], FULL)]
            if any(no.number < when < seen_until and history.is_datable(when) for when in undone):
                continue
            # A historic unsubscribe, met at the first export, wins over any yes (decision 4). A later one goes to every
            # account that there is when it is seen (decision 5), unless its yes is newer by both vendors' dates.
            if no.number < historic:
                return True
            if no.kind == "add" or not history.can_compare_dates:
                is_allowed = no.number >= history.number_settled_before(yes)
            else:
                is_allowed = no.number > history.yes_began(account, number)
            if is_allowed:
                return True
    return False


def _is_no(word: Word, contact: ContactStory) -> bool:
    """Is it a no of a contact? What the vendor shows does not tell staff's act from the person's (decision 5)."""
    is_added_so = word.kind == "add" and _came_unsubscribed(contact)
    return word.actor in OWN and (word.kind in ("unsubscribe", "leave-list") or is_added_so)


def _came_unsubscribed(contact: ContactStory) -> bool:
    return contact.opted_out_at is not None and contact.opted_out_at == contact.homes[0][0]


def _may_give_back(history: History, account: AccountStory, number: int, homes: set[str | None]) -> bool:
    """Only what ccsync has taken, and only after the person's own return (decision 8).

    A yes and a no of the owner's between two runs leave the account as ccsync had set it: nobody can tell.
    """
    taken = [when for when, says in account.written if not says and when < number]
    if not taken:
        return False
    since = [one for one in account.own if taken[-1] < one[0] < number]
    ends = [*(when for when, _ in since[1:]), number]
    if any(history.facts.was_visible(when, end) for (when, says), end in zip(since, ends, strict=False) if says):
        return False
    return any(
        any(when < number for when in contact.returned)
        for contact in history.facts.contacts.values()
        if not homes.isdisjoint(address for _, address in contact.homes)
    )


def store_knows(history: History) -> Iterator[str]:
    """When all is settled, an unsubscribe is in every account that has one of the contact's addresses (decision 5)."""
    for contact in history.facts.contacts.values():
        number = contact.opted_out_at
        if number is None:
            continue
        if contact.contact_id in history.erased and _is_unseen(history, number, contact.deleted[-1]):
            continue
        # Addresses that ccsync could not see on the contact are unknown to it.
        homes = {contact.address} | {
            home
            for (since, home), (end, _) in zip(contact.homes, contact.homes[1:], strict=False)
            if any(
                since <= when < history.number_settled_before(end) and not history.was_erased(home, when, end)
                for when, actor in contact.joined
                if actor == "app"
            )
        }
        for home in homes:
            for account in history.voters(home):
                arrived = max(when for when, where in account.homes if where == home)
                if (
                    account.accepts
                    and max(account.last_own[0], arrived) < number
                    and not (_may_be_newer(history, account, number) or _is_undated_second(history, contact, home))
                ):
                    yield f"I2 account {account.account_id} still says yes, and {home} is unsubscribed"


def _may_be_newer(history: History, account: AccountStory, number: int) -> bool:
    """Was the account changed again after an unsubscribe, before any run could see its yes?

    Kibo does not date consent: the yes may be as new as that change, and in doubt nobody's consent is touched.
    """
    later = next((one for one in account.changed if one > number), None)
    return later is not None and not history.facts.was_visible(account.last_own[0], later, OF_STORE)


def _is_undated_second(history: History, contact: ContactStory, home: str) -> bool:
    """Did the contact come unsubscribed, without a date, where another one's unsubscribe was known already?"""
    others = [one for one in history.facts.contacts.values() if one is not contact and one.opted_out_at is not None]
    return _came_unsubscribed(contact) and any(home in {where for _, where in one.homes} for one in others)


def _is_unseen(history: History, number: int, end: int) -> bool:
    """Was there no moment between these acts at which all was seen? The vendor's forgetting takes the act along."""
    return history.number_settled_before(end) <= number


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
    contact = history.facts.contact_at(address)
    if contact is not None and (
        contact.opted_out_at is not None or contact.may_be_out or contact.is_out_by_app or contact.contact_id in waiting
    ):
        return True  # decision 4; Confirmed Opt-in waits for the person
    # A contact that has another address now keeps its link, and is not made anew under the old one (decision 5).
    moved = [one for one in history.facts.contacts.values() if one.address != address]
    return any(address in {home for _, home in one.homes} for one in moved)


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
