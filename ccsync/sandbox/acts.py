"""The sandbox's own record of what happened: who did what, in order, by the clock of the vendor where it was done.

Tests check their invariants against it, because it records what people wanted, whatever ccsync did.

| kind | where | who | `value` |
|---|---|---|---|
| sign-up | Kibo | person, staff | is marketing accepted? |
| opt-in, opt-out | Kibo | person, staff, app | |
| change-address | Kibo | person, staff, app | the address before |
| change | Kibo | person, staff, app | the names of the changed fields |
| delete, redact | Kibo | person, staff | |
| add | Constant Contact | staff | the permission |
| unsubscribe, resubscribe | Constant Contact | person, staff, app | |
| join-list, leave-list | Constant Contact | person, staff, app | |
| confirm | Constant Contact | person | |
| rename | Constant Contact | person, staff, app | the address before |
| delete | Constant Contact | staff, app | |
| delete-list | Constant Contact | staff | |
| tag, untag | Constant Contact | staff, app | the tag's name; of the app when it is asked for, whatever becomes of it |
| delete-tag | Constant Contact | staff | the tag's name |
| send | Constant Contact | app | import, create or change: the address went out for `list_id` |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

_YES = frozenset({"opt-in", "resubscribe", "join-list", "confirm"})
_NO = frozenset({"opt-out", "unsubscribe", "leave-list"})


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a person, of staff or of the app."""

    at: datetime
    vendor: str  # "kibo" or "cc"
    actor: str  # "person", "staff" or "app"
    kind: str
    address: str | None = None  # as it is after the act
    account_id: int | None = None
    contact_id: str | None = None
    list_id: str | None = None
    value: object = None

    @property
    def says(self) -> bool | None:
        """Is it a yes or a no to marketing? `None`: neither."""
        if self.kind == "sign-up":
            return self.value is True
        if self.kind in _YES:
            return True
        return False if self.kind in _NO else None


class Acts:
    """Every act since the sandbox started. With `keeps_bulk` false, single rows of bulk jobs are not kept."""

    def __init__(self, *, keeps_bulk: bool = True) -> None:
        self.keeps_bulk = keeps_bulk
        self._all: list[Act] = []  # both vendors add at the same time: appending to a list is atomic

    def add(self, act: Act) -> None:
        """Add an act."""
        self._all.append(act)

    def __iter__(self) -> Iterator[Act]:
        return iter(tuple(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def by(self, *actors: str, kind: str | None = None, vendor: str | None = None) -> list[Act]:
        """The acts of these actors, or all acts."""
        return [
            one
            for one in self
            if (not actors or one.actor in actors) and kind in (None, one.kind) and vendor in (None, one.vendor)
        ]

    def about(
        self, address: str | None = None, *, account_id: int | None = None, contact_id: str | None = None
    ) -> list[Act]:
        """The acts on an address, an account or a contact; one that is not given matches any."""
        return [
            one
            for one in self
            if (address is None or (one.address or "").lower() == address.lower())
            and account_id in (None, one.account_id)
            and contact_id in (None, one.contact_id)
        ]
