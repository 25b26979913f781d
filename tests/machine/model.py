"""What the random machine knows of its world: who said what, and when; worked out without any code of ccsync's."""

from dataclasses import dataclass, field
from datetime import datetime

SPOKEN_AT_CONSTANT_CONTACT = frozenset({"unsubscribe", "return", "leave", "join", "wipe"})
NEGATIVE = frozenset({"no", "unsubscribe", "leave", "wipe", "away", "deleted"})


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person or staff did about an address; `account_id` where it was done in the store."""

    kind: str
    at: datetime
    account_id: int | None = None


@dataclass(slots=True)
class Address:
    """One address and all that was done about it."""

    acts: list[Act] = field(default_factory=list)
    is_outsiders: bool = False
    was_member: bool = False
    """On the list when all was settled last."""
    said_yes: frozenset[int] = frozenset()
    """The accounts that opted in when all was settled last."""
    settled_at: datetime | None = None

    def add(self, kind: str, at: datetime, account_id: int | None = None) -> None:
        self.acts.append(Act(kind, at, account_id))

    def latest(self, *kinds: str) -> Act | None:
        """The latest act of these kinds."""
        return next((one for one in reversed(self.acts) if one.kind in kinds), None)

    def has(self, *kinds: str) -> bool:
        """Was any of these ever done?"""
        return self.latest(*kinds) is not None

    def since_settled(self, *kinds: str) -> list[Act]:
        """What was done of these since all was settled last."""
        return [one for one in self.acts if one.kind in kinds and (self.settled_at is None or one.at > self.settled_at)]

    @property
    def is_unsubscribed(self) -> bool:
        """Does their own or staff's word at Constant Contact say that they may not be mailed?"""
        last = self.latest("unsubscribe", "return")
        return last is not None and last.kind == "unsubscribe"

    def newer_yes(self, account_id: int, than: datetime) -> bool:
        """Has this account opted in after that?"""
        return any(one.kind == "yes" and one.account_id == account_id and one.at > than for one in self.acts)


@dataclass(slots=True)
class Account:
    """A Kibo account as its owner left it."""

    account_id: int
    address: str
    accepts: bool
    fields: dict[str, str]
