"""Tags in a history: segments given and taken, and what staff do to tags; and what must hold of tags.

They are judged by the sandbox's record, as all else: what ccsync asked for, what staff did, what the contacts have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ccsync.state import person_tags
from tests.harness import Shop
from tests.machine.facts import ContactStory, Span
from tests.machine.history import History
from tests.machine.invariants import why_not
from tests.to_constant_contact.tags.tagging import in_segments

CONFIG = '\n[tags]\nVIP = "VIP customers"\n"*" = "Shop: *"\n'
CODES = ("VIP", "NORTH", "NEW")
NAMES = {"VIP": "VIP customers", "NORTH": "Shop: North", "NEW": "Shop: New"}
"""The tag of each segment, by that mapping."""
STAFFS = "Staff pick"
"""A tag that ccsync has nothing to do with."""


SEEN_BY = {"flush": ("is unsubscribed", "account "), "export": ("is unsubscribed",)}
"""How the noes begin that a job has looked for before it tags. Tags mail nobody: who has left only the list is found by
the next poll, an export tags by the data of who opts in, and a contact is tagged by its id, whatever was said under an
address to which it has moved unseen.
"""


@dataclass(slots=True)
class Tags:
    """The segments of the accounts of one world, and what is wrong with its tags. Without a mapping nothing is."""

    shop: Shop
    is_mapped: bool
    segments: dict[int, frozenset[str]] = field(default_factory=dict)

    # people and staff

    def toggle(self, account_id: int, code: str) -> None:
        """An account comes into a segment, or leaves it."""
        self.segments[account_id] = self.segments.get(account_id, frozenset()) ^ {code}
        self.shop.box.kibo.update_account(account_id, segments=in_segments(*sorted(self.segments[account_id])))

    def make_again(self) -> None:
        """What `configure --create-tags` does."""
        store = self.shop.open()
        person_tags.make_gone_again(store, self.shop.clock.now())
        store.close()

    # judging

    def of_run(self, before: History, now: History, span: Span) -> Iterator[str]:
        """T1, in every run: nobody is tagged after a no, or who never said yes; only managed tags are touched, and
        taken off only where ccsync had set them.
        """
        for number in range(span.start, span.end):
            act = now.facts.acts[number]
            if act.actor != "app" or act.kind not in ("tag", "untag"):
                continue
            contact, name = now.facts.contacts[act.contact_id or ""], str(act.value)
            if name not in NAMES.values() or not self.is_mapped:
                yield f"T1 {span.job} touched the tag {name}"
            elif act.kind == "untag":
                # What is not there may be taken off: a job whose answer was lost may have set it.
                is_by_staff = (contact.contact_id, name) in _given_by_staff(now, number)
                if is_by_staff and not _ever_given(now, number, name) & {home for _, home in contact.homes}:
                    yield f"T1 {span.job} took {name} off {contact.address}, which it had not given"
            elif act.kind == "tag":
                standing = set(why_not(before, contact.address)) & set(why_not(now, contact.address))
                # A contact that staff deleted is in no listing of opt-outs; a comparison of the list looks at it.
                is_hidden = bool(contact.deleted) and not contact.is_member
                seen = [one for one in sorted(standing) if not is_hidden and one.startswith(SEEN_BY[span.job])]
                yield from (f"T1 {span.job} tagged {contact.address}: {reason}" for reason in seen)
                if not _ever_said_yes(now, contact):
                    yield f"T1 {span.job} tagged {contact.address}: no account there said yes"

    def of_rest(self, now: History, members: frozenset[str]) -> Iterator[str]:
        """T2, when all is at rest: each member whose account says yes, however they came, has the tags of the segments,
        and no other managed one unless staff gave it; the tags of others are as staff left them.
        """
        by_staff = _given_by_staff(now)
        for address in sorted(members) if self.is_mapped else ():
            contact, wanted = now.facts.contact_at(address), self._wanted(now, address)
            if contact is None or wanted is None or _is_held(now, contact):
                continue
            has = self.shop.box.cc.tags_of(address)
            for name in NAMES.values():
                is_by_staff = (contact.contact_id, name) in by_staff
                if name in has - wanted and not is_by_staff and not self._is_unknown(now, contact, name):
                    yield f"T2 {address} has {name}, and is not in its segment"
                if name in wanted - has and not self._is_hidden(now, members, name) and not self._is_gone(now, name):
                    yield f"T2 {address} lacks {name}"
        for contact in now.facts.contacts.values():
            is_there = now.facts.contact_at(contact.address) is contact and not contact.deleted
            if is_there and ((contact.contact_id, STAFFS) in by_staff) is not (
                STAFFS in self.shop.box.cc.tags_of(contact.address)
            ):
                yield f"T2 {STAFFS} of {contact.address} is not as staff left it"

    def _wanted(self, now: History, address: str) -> set[str] | None:
        """The tags of the account whose data the contact has: of those that opt in the one that changed last."""
        here = [one.account_id for one in now.voters(address) if one.accepts]
        if not here:
            return None
        newest = max(here, key=lambda one: (str(self.shop.box.kibo.account(one)["auditInfo"]["updateDate"]), one))
        return {NAMES[code] for code in self.segments.get(newest, ())}

    def _is_hidden(self, now: History, members: frozenset[str], name: str) -> bool:
        """Does anybody have the tag of whom ccsync does not know it? Only counts are compared, so nobody is missed."""
        others = now.facts.addresses() - {one for one in members if now.is_ours(one)}
        is_by_staff = any(one == name for _, one in _given_by_staff(now))
        return is_by_staff or any(name in self.shop.box.cc.tags_of(one) for one in others)

    def _is_gone(self, now: History, name: str) -> bool:
        """Did staff delete it? ccsync makes it again only when it is told to."""
        acts = (one for one in now.facts.acts if one.value == name and one.kind == "delete-tag")
        return any(acts) and self.shop.box.cc.tags.named(name) is None

    def _is_unknown(self, now: History, contact: ContactStory, name: str) -> bool:
        """Can ccsync not know that the contact has it from ccsync?

        It had another address then, or the person was erased, or the state file that knew it was put back.
        """
        asked = [number for number, act in enumerate(now.facts.acts) if act.kind == "tag" and act.value == name]
        asked = [number for number in asked if now.facts.acts[number].contact_id == contact.contact_id]
        is_erased = any(one.gone_at is not None for home in contact.homes for one in now.facts.ever_at(home[1]))
        return bool(contact.renamed) or is_erased or any(now.was_lost(number) for number in asked)


def _is_held(now: History, contact: ContactStory) -> bool:
    """Is somebody on the list who is held back by ccsync? Staff has undone an opt-out, or put back who had left, or the
    person rejoined it, or another act stands against it.
    """
    is_out = contact.opted_out_at is not None or contact.may_be_out or contact.is_out_by_app
    is_back = any(left < joined for left, _ in contact.left for joined, actor in contact.joined if actor != "app")
    return is_out or is_back or any(why_not(now, contact.address))


def _ever_given(now: History, until: int, name: str) -> set[str]:
    """The addresses to whose contact ccsync has given the tag before that act."""
    acts = (one for one in now.facts.acts[:until] if one.kind == "tag" and one.actor == "app" and one.value == name)
    return {(one.address or "").lower() for one in acts}


def _given_by_staff(now: History, until: int | None = None) -> set[tuple[str, str]]:
    """The contacts (ids) and tags that staff gave, and that nobody has taken off since, before that act."""
    given = set[tuple[str, str]]()
    for act in now.facts.acts[:until]:
        pair = act.contact_id or "", str(act.value)
        if act.kind == "tag" and act.actor == "staff":
            given.add(pair)
        elif act.kind == "untag":
            given.discard(pair)
        elif act.kind == "delete-tag":
            given = {one for one in given if one[1] != act.value}
    return given


def _ever_said_yes(now: History, contact: ContactStory) -> bool:
    homes = {home for _, home in contact.homes}
    return any(says for home in homes for one in now.ever_voters(home) for _, says in (*one.own, *one.written))
