"""One history as it is judged: the facts up to now, and what of them ccsync can know.

`settled` are the moments at which two clean cycles had just passed: what was done before such a moment has been seen by
every job, so that the order of two acts is known to ccsync when one lies before it and one behind.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tests.machine.facts import OWN, AccountStory, Facts, Word


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
    ) -> None:
        """What nobody can know any more: `erased` are the contacts (ids) that the vendor has forgotten, `lost` the acts
        (from one number to another) of which ccsync forgot when an older state file was put back. With a clock that
        was wrong, dates of two vendors cannot be compared.
        """
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
