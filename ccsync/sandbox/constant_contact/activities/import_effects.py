"""What an import does to the contacts it names.

Permission of existing contacts is never changed; new ones are implicit, with the account as source:
https://v3.developer.constantcontact.com/api_guide/import_contacts.html
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ccsync.sandbox.constant_contact.activities.import_rows import Given
from ccsync.sandbox.constant_contact.activities.memberships import Memberships
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact, new_contact, to_details
from ccsync.sandbox.constant_contact.noting import Notes
from ccsync.sandbox.settings import SandboxSettings

_MOST_PHONES = 3


class Effects:
    """One import's effects on the store.

    `not_on_list` counts those who may not be put on a list; `not_taken` those for whom the plan has no `room`, of whom
    nothing is said (`None`: it has for all).
    """

    def __init__(
        self,
        settings: SandboxSettings,
        store: Store,
        memberships: Memberships,
        notes: Notes,
        new_id: Callable[[], str],
        lists: Sequence[int],
        at: datetime,
        sms_permission: str,
    ) -> None:
        self._settings = settings
        self._store = store
        self._new_id = new_id
        self._lists = lists
        self._memberships = memberships
        self._notes = notes
        self._at = int(at.timestamp())
        self._sms_permission = sms_permission
        self.not_on_list = 0
        self.room: int | None = None
        self.not_taken = 0
        self.new_members: list[str] = []

    def apply(self, rows: Sequence[tuple[int, Given]]) -> list[tuple[int, str]]:
        """Carry out numbered rows; the ones that could not be, with the reason."""
        current = self._store.by_keys(given.key for _, given in rows)
        changed: dict[str, StoredContact] = {}
        joined: dict[str, StoredContact] = {}
        refused = []
        for number, given in rows:
            before = changed.get(given.key) or current.get(given.key)
            after, reason = self._outcome(before, given)
            if reason:
                refused.append((number, reason))
            if after is None:
                continue
            if after is not before:
                changed[given.key] = after
            if after.permission == "unsubscribed":
                # "Previously unsubscribed contacts - they cannot be added to a list" (ActivityImport).
                self.not_on_list += 1
            elif not reason and self._memberships.must_wait(after):
                self._memberships.wait(after, self._lists)
            elif not reason:
                joined[given.key] = after
        self._store.save(changed.values())
        if self._notes.keeps_bulk or self._settings.imports_start_automations:
            self._note_new_members(list(joined.values()))
        self._store.join((one, contact.seq) for one in self._lists for contact in joined.values())
        return refused

    def _note_new_members(self, contacts: list[StoredContact]) -> None:
        on = self._store.lists_of([one.seq for one in contacts])
        for contact in contacts:
            for list_seq in self._lists:
                if list_seq not in on[contact.seq]:
                    self.new_members.append(contact.address or "")
                    if self._notes.keeps_bulk:
                        self._notes.add("app", "join-list", contact, list_seq)

    def _has_room(self) -> bool:
        if self.room is None:
            return True
        self.not_taken += self.room <= 0
        self.room -= 1
        return self.room >= 0

    def _outcome(self, before: StoredContact | None, given: Given) -> tuple[StoredContact | None, str]:
        """The contact after the import, and the reason if nothing was done."""
        if before is None:
            return (self._update(self._new(given), given) if self._has_room() else None), ""
        if before.permission == "unsubscribed":
            is_kept = before.deleted_on is not None or not self._settings.import_updates_unsubscribed
            return (before if is_kept else self._update(before, given)), ""
        if before.deleted_on is not None and not self._settings.import_revives_deleted:
            return None, "The contact was deleted"
        if before.deleted_on is not None and not self._has_room():
            return None, ""
        after = self._update(before, given)
        if given.phones and len(json.loads(after.details)["phones"]) > _MOST_PHONES:
            return None, f"More than {_MOST_PHONES} phone numbers"
        return after, ""

    def _new(self, given: Given) -> StoredContact:
        return new_contact(self._store.take_seq(), self._new_id(), given.key, given.address, self._at)

    def _update(self, before: StoredContact, given: Given) -> StoredContact:
        """Only what the row gives is changed."""
        changes: dict[str, Any] = dict(given.scalars)
        if given.custom_fields or given.phones or given.addresses:
            details = json.loads(before.details) if before.details != "{}" else {}
            for name, part in (("cf", given.custom_fields), ("phones", given.phones)):
                if part:
                    details[name] = details.get(name, {}) | dict(part)
            if given.addresses:
                old = details.get("addresses", {})
                new = {kind: old.get(kind, {}) | one for kind, one in given.addresses.items()}
                details["addresses"] = old | new
            changes["details"] = to_details(details)
        if given.sms_number:
            # "If the sms_consent_date is not set, sms_permission_to_send defaults to not_set."
            permission = self._sms_permission if given.has_sms_consent else "not_set"
            changes |= {"sms_number": given.sms_number, "sms_permission": permission}
        return before._replace(**changes, updated_at=self._at, update_source="Account", deleted_on=None)
