"""Writes acts on contacts into the sandbox's record."""

from ccsync.sandbox.acts import Act, Acts
from ccsync.sandbox.constant_contact.contacts.store import StoredContact
from ccsync.sandbox.constant_contact.lists import Lists
from ccsync.sandbox.wire import Clock

ACTORS = {"Contact": "person", "Account": "staff"}
"""Who acted, by the source, if it was no application."""


class Notes:
    """Writes the acts of one account."""

    def __init__(self, acts: Acts, clock: Clock, lists: Lists) -> None:
        self._acts = acts
        self._clock = clock
        self._lists = lists

    @property
    def keeps_bulk(self) -> bool:
        """Whether single rows of bulk jobs are kept."""
        return self._acts.keeps_bulk

    def add(
        self, actor: str, kind: str, contact: StoredContact, list_seq: int | None = None, value: object = None
    ) -> None:
        """Note an act on a contact."""
        list_id = None if list_seq is None else self._lists.ids([list_seq])[0]
        act = Act(self._clock(), "cc", actor, kind, contact.address, None, contact.contact_id, list_id, value)
        self._acts.add(act)

    def send(self, address: str, list_id: str | None, contact_id: str | None = None) -> None:
        """Note that the application sent an address, whatever the result."""
        self._acts.add(Act(self._clock(), "cc", "app", "send", address, None, contact_id, list_id))

    def about_tag(self, actor: str, kind: str, name: str) -> None:
        """Note an act on a tag."""
        self._acts.add(Act(self._clock(), "cc", actor, kind, value=name))

    def about_list(self, actor: str, kind: str, list_id: str) -> None:
        """Note an act on a list."""
        self._acts.add(Act(self._clock(), "cc", actor, kind, list_id=list_id))
