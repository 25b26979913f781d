"""I2: nobody's consent in the store is touched without an act, and an unsubscribe reaches it.

The exceptions are those of design.md section 6, each said where it is made.
"""

from collections.abc import Iterator

from tests.machine.facts import FULL, OF_STORE, OWN, AccountStory, ContactStory, Word
from tests.machine.history import History


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
            if any(no.number < when < seen_until for when in undone):
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
    # What staff undid behind a run that died, that run may have met.
    is_added_so = word.kind == "add" and (
        _came_unsubscribed(contact) or (contact.came_unsubscribed and contact.may_be_out)
    )
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
        if _came_unsubscribed(contact) and not history.can_compare_dates:
            continue  # its only date is that of its first sight, by our clock: a yes may seem newer
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
            if _is_hidden_by_deletion(history, contact, number, home):
                continue
            for account in history.voters(home):
                arrived = max(when for when, where in account.homes if where == home)
                if (
                    account.accepts
                    and max(account.last_own[0], arrived) < number
                    and not (_may_be_newer(history, account, number) or _is_undated_second(history, contact, home))
                ):
                    yield f"I2 account {account.account_id} still says yes, and {home} is unsubscribed"


def _is_hidden_by_deletion(history: History, contact: ContactStory, number: int, home: str) -> bool:
    """Was the contact deleted before any run, and did an account there say no in the store as well, or had the person
    left the list before?

    No listing of opt-outs shows deleted contacts, and the comparison of the list looks at none that ccsync takes off
    it itself, or that has left it. Nobody is mailed.
    """
    deleted = next((one for one in contact.deleted if one > number), None)
    says_no = any(not one.accepts and not one.is_held_by_ccsync for one in history.voters(home))
    has_left = max((one for one, _ in contact.left if one < number), default=-1) > max(
        (one for one, _ in contact.joined if one < number), default=-1
    )
    return deleted is not None and (says_no or has_left) and not history.facts.was_visible(number, deleted)


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
