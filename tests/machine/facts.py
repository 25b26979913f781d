"""What people did, read from the sandbox's own record of acts: the only ground on which the machine judges ccsync.

Acts are numbered in the order in which they happened, whatever any clock showed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ccsync.sandbox.acts import Act

OWN = ("person", "staff")
"""Who acts for people; the rest is ccsync."""
FULL = ("full poll", "export", "repair")
"""The jobs that read everybody who is unsubscribed, which shows who is so no more; the others do once a day."""
OF_STORE = ("flush", "export")
"""The jobs that read what has changed in the store."""
EVENTS_KEPT = timedelta(days=7)
"""After that a flush reads everybody who opts in instead of the events, so that changes of others stay unseen."""


@dataclass(frozen=True, slots=True)
class Span:
    """One run: when it began, the acts (numbers) that happened during it, and whether it ended well."""

    job: str
    began_at: datetime
    start: int
    end: int
    is_well: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One act about one address, by whatever has it: `says` is its yes or no to marketing, `None` if neither."""

    number: int
    address: str
    kind: str
    actor: str
    says: bool | None
    account_id: int | None = None
    contact_id: str | None = None


@dataclass(slots=True)
class AccountStory:
    """One account: where it lives, and what was said in it."""

    account_id: int
    address: str | None
    homes: list[tuple[int, str]] = field(default_factory=list)
    """The addresses it has had, each with the number of the act by which it got it."""
    own: list[tuple[int, bool]] = field(default_factory=list)
    """Its owner's, or staff's, words."""
    written: list[tuple[int, bool]] = field(default_factory=list)
    """What ccsync wrote."""
    changed: list[int] = field(default_factory=list)
    """The acts that changed anything of it, each of which moved its update date."""
    gone_at: int | None = None

    @property
    def last_own(self) -> tuple[int, bool]:
        return self.own[-1]

    @property
    def accepts(self) -> bool:
        """What the store holds now."""
        return max([self.own[-1], *self.written[-1:]])[1]

    @property
    def is_held_by_ccsync(self) -> bool:
        """Was ccsync the last to set the consent?"""
        return bool(self.written) and self.written[-1] > self.own[-1]

    def accepted_at(self, number: int) -> bool | None:
        """What the store held before that act; `None` before the account was made."""
        before = [one for one in (*self.own, *self.written) if one[0] < number]
        return max(before)[1] if before else None

    def home_at(self, number: int) -> str | None:
        """Its address before that act."""
        before = [address for since, address in self.homes if since < number]
        return before[-1] if before and (self.gone_at is None or number <= self.gone_at) else None


@dataclass(slots=True)
class ContactStory:
    """One contact: its addresses, its permission, and its place on the list."""

    contact_id: str
    address: str
    homes: list[tuple[int, str]] = field(default_factory=list)
    is_from_elsewhere: bool = False
    is_confirmed_at: int | None = None
    """The act by which the person confirmed a contact that ccsync had made."""
    came_unsubscribed: bool = False
    unsubscribed_at: int | None = None
    """The act by which it is unsubscribed; `None` where it is not."""
    opted_out_at: int | None = None
    """The same, until the person comes back by their own act: staff's re-subscribe of whom a run has seen is none."""
    may_be_out: bool = False
    """Has staff undone an opt-out that a run may have met, but not surely has? Until the person comes back."""
    is_out_by_app: bool = False
    """Has ccsync unsubscribed it for an opt-out in the store? Until the person comes back."""
    is_member: bool = False
    joined: list[tuple[int, str]] = field(default_factory=list)
    """When it was put on the list, and by whom."""
    left: list[tuple[int, str]] = field(default_factory=list)
    """When it left only the list, and by whom."""
    returned: list[int] = field(default_factory=list)
    """The person's own re-opt-ins."""
    renamed: list[int] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)

    @property
    def is_out_as_it_came(self) -> bool:
        return self.came_unsubscribed and self.opted_out_at == self.homes[0][0]

    @property
    def joined_by(self) -> str:
        return self.joined[-1][1] if self.joined else ""


class Facts:
    """All accounts, contacts and words up to now. `list_id` is the active list.

    Every one of the `runs` looks at opt-outs.
    """

    def __init__(self, acts: Iterable[Act], list_id: str, runs: Iterable[Span] = ()) -> None:
        self._list_id = list_id
        self._runs = tuple(runs)
        self.accounts: dict[int, AccountStory] = {}
        self.contacts: dict[str, ContactStory] = {}
        self.words: list[Word] = []
        self.acts = tuple(acts)
        for number, act in enumerate(self.acts):
            self._take(number, act)

    def at_home(self, address: str) -> list[AccountStory]:
        """The accounts that have an address now."""
        return [one for one in self.accounts.values() if one.address == address and one.gone_at is None]

    def ever_at(self, address: str) -> list[AccountStory]:
        """The accounts that have or had it."""
        return [one for one in self.accounts.values() if any(home == address for _, home in one.homes)]

    def contact_at(self, address: str) -> ContactStory | None:
        """The contact that has an address now; of several, the last to get it (earlier ones were erased)."""
        found = [one for one in self.contacts.values() if one.address == address]
        return max(found, key=lambda one: one.homes[-1][0], default=None)

    def addresses(self) -> set[str]:
        """Every address that was ever about."""
        return {one.address for one in self.words if one.address}

    def about(self, address: str, since: int = 0) -> list[Word]:
        """What was done on it from that number on."""
        return [one for one in self.words if one.address == address and one.number >= since]

    # replaying

    def _take(self, number: int, act: Act) -> None:
        if act.vendor == "kibo" and act.account_id is not None:
            self._take_account(number, act, act.account_id)
        elif act.vendor == "cc" and act.contact_id is not None and act.list_id in (None, self._list_id):
            self._take_contact(number, act, act.contact_id)

    def was_visible(self, since: int | None, end: int, jobs: Iterable[str] | None = None) -> bool:
        """Has a run (of these jobs) that ended well looked between these two acts?"""
        well = [one for one in self._runs if one.is_well and (jobs is None or one.job in jobs)]
        return since is not None and any(since < one.start and one.end <= end for one in well)

    def had_event(self, number: int) -> bool:
        """Has a flush that ended well come while the event of this act was there?"""
        flushes = [one for one in self._runs if one.is_well and one.job == "flush" and one.start > number]
        return any(one.began_at - self.acts[number].at <= EVENTS_KEPT for one in flushes)

    def was_perhaps_visible(self, since: int | None, end: int) -> bool:
        """May any run have looked between them, also one that died or during which they happened?"""
        return since is not None and any(since < one.end and one.start <= end for one in self._runs)

    def _say(self, number: int, act: Act, address: str | None, *, kind: str = "", says: bool | None = None) -> None:
        if address:
            word = Word(number, address, kind or act.kind, act.actor, says, act.account_id, act.contact_id)
            self.words.append(word)

    def _take_account(self, number: int, act: Act, account_id: int) -> None:
        address = (act.address or "").strip().lower() or None
        if act.kind == "sign-up":
            self.accounts[account_id] = AccountStory(account_id, address, [(number, address or "")])
        one = self.accounts[account_id]
        one.changed.append(number)
        if act.kind in ("sign-up", "opt-in", "opt-out"):
            (one.own if act.actor in OWN else one.written).append((number, act.says is True))
            self._say(number, act, one.address, says=act.says)
        elif act.kind in ("delete", "redact"):
            one.gone_at = number
            self._say(number, act, one.address)
        elif act.kind == "change-address":
            self._say(number, act, one.address, kind="move-out")
            one.address = address
            one.homes.append((number, address or ""))
            self._say(number, act, address, kind="move-in")

    def _take_contact(self, number: int, act: Act, contact_id: str) -> None:
        address = (act.address or "").lower()
        one = self.contacts.get(contact_id)
        if one is None:
            one = self.contacts[contact_id] = ContactStory(contact_id, address, [(number, address)])
        self._say(number, act, one.address, says=act.says)
        if act.kind == "add":
            one.is_from_elsewhere = True
            one.came_unsubscribed = act.value == "unsubscribed"
            one.unsubscribed_at = one.opted_out_at = number if one.came_unsubscribed else None
        elif act.kind == "unsubscribe":
            one.unsubscribed_at = number
            one.is_member = False
            if act.actor in OWN:
                one.opted_out_at = number
            else:
                one.is_out_by_app = True
        elif act.kind in ("resubscribe", "confirm"):
            one.unsubscribed_at = None
            # Whoever ccsync has sent joins the list by the confirmation that it waited for.
            one.is_confirmed_at = number if act.kind == "confirm" and not one.is_from_elsewhere else None
            if act.actor == "person":
                one.returned.append(number)
                one.is_out_by_app = one.may_be_out = False
                one.opted_out_at = None
            # An opt-out that staff undid before any run could see it is known to nobody but the sandbox.
            # One without a date, with which a contact came, is shown by a reading of everybody alone.
            elif not self.was_visible(one.opted_out_at, number, FULL if one.is_out_as_it_came else None):
                one.may_be_out |= self.was_perhaps_visible(one.opted_out_at, number)
                one.opted_out_at = None
        elif act.kind == "join-list":
            one.is_member = True
            one.joined.append((number, "app" if one.is_confirmed_at == number - 1 else act.actor))
        elif act.kind == "leave-list":
            one.is_member = False
            one.left.append((number, act.actor))
        elif act.kind == "delete":
            one.is_member = False
            one.deleted.append(number)
        elif act.kind == "rename":
            one.address = address
            one.homes.append((number, address))
            one.renamed.append(number)
            self._say(number, act, address, kind="renamed-to")
