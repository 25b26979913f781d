"""What people and staff do in Constant Contact without the API, for tests and the control endpoint."""

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from ccsync.sandbox.acts import Acts
from ccsync.sandbox.constant_contact.account import Account
from ccsync.sandbox.constant_contact.activities.exports import Exports
from ccsync.sandbox.constant_contact.activities.import_rows import sms_key
from ccsync.sandbox.constant_contact.activities.imports import Imports
from ccsync.sandbox.constant_contact.activities.memberships import Memberships
from ccsync.sandbox.constant_contact.activities.queue import Activities
from ccsync.sandbox.constant_contact.activities.taggings import Taggings
from ccsync.sandbox.constant_contact.campaigns.automations import Automations
from ccsync.sandbox.constant_contact.campaigns.emails import Emails
from ccsync.sandbox.constant_contact.contacts.presentation import SECTIONS
from ccsync.sandbox.constant_contact.contacts.reading import Contacts
from ccsync.sandbox.constant_contact.contacts.seeds import to_contact
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact, new_contact
from ccsync.sandbox.constant_contact.contacts.writes import ContactWrites
from ccsync.sandbox.constant_contact.custom_fields import CustomFields
from ccsync.sandbox.constant_contact.lists import Lists, StoredList
from ccsync.sandbox.constant_contact.noting import ACTORS, Notes
from ccsync.sandbox.constant_contact.plan import Plan
from ccsync.sandbox.constant_contact.tags import Tags
from ccsync.sandbox.population.people import SeedContact
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock

_FIRST_LISTS = ("Newsletter", "Customers 2019")
_FIRST_SMS_NUMBER = 2_025_550_100
_SEEDS_AT_ONCE = 5_000


class Actions:
    """The account from inside. Every action first lets due bulk jobs take effect."""

    def __init__(
        self, settings: SandboxSettings, clock: Clock, people: Iterable[SeedContact], acts: Acts | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = random.Random(f"constant contact {settings.seed}")
        self._store = Store()
        self.lists = Lists(self._store, self._new_id, self._now, shows_deleted=settings.deleted_list == "shown")
        self._notes = Notes(Acts() if acts is None else acts, clock, self.lists)
        self.plan = Plan(settings, self._store)
        self.custom_fields = CustomFields(lower_names=settings.custom_field_names == "lower")
        self.activities = Activities(clock, self._new_id)
        self.tags = Tags(self._store, clock, self._notes, self._new_id)
        self.memberships = Memberships(settings, self._store, self.lists, self.tags, self.activities, self._notes)
        self.taggings = Taggings(settings, self._store, self.tags, self.memberships, self.activities, self._notes)
        self.contacts = Contacts(settings, clock, self._store, self.lists, self.tags, self.custom_fields)
        self.account = Account()
        self.automations = Automations(settings.automations_status, clock, self._new_id)
        self.emails = Emails(self.account, self.lists, clock, self._new_id)
        self.imports = Imports(
            settings,
            self._store,
            self.lists,
            self.custom_fields,
            self.memberships,
            self.activities,
            self.plan,
            self.automations,
            self._notes,
            self._new_id,
        )
        self.exports = Exports(
            settings,
            clock,
            self._store,
            self.lists,
            self.memberships,
            self.custom_fields,
            self.activities,
            self._new_id,
        )
        self.writes = ContactWrites(
            settings,
            clock,
            self._store,
            self.contacts,
            self.memberships,
            self.custom_fields,
            self.plan,
            self._notes,
            self._new_id,
        )
        for name in _FIRST_LISTS:
            self.lists.add(name)
        self._move_in(people)

    def catch_up(self) -> None:
        """Let the bulk jobs that are due take effect."""
        self.activities.catch_up()

    # questions

    def contact(self, address: str) -> dict[str, object] | None:
        """The contact with this address as the API shows it with every part."""
        found = self._find(address)
        return self.contacts.show([found], SECTIONS)[0] if found else None

    def contact_count(self) -> int:
        """Contacts that are not deleted, those without an address included."""
        self.catch_up()
        return sum(n for _, n, _ in self._store.count_by_permission(0))

    def members(self, name_or_id: str) -> list[str]:
        """The addresses on a list, in the order in which the contacts were created."""
        self.catch_up()
        return self._store.addresses_on(self._list(name_or_id).seq)

    def member_count(self, name_or_id: str) -> int:
        """How many contacts a list has, those without an address included."""
        self.catch_up()
        return self._store.member_count(self._list(name_or_id).seq)

    def list_id(self, name: str) -> str:
        """The id of the list of this name."""
        return self._list(name).list_id

    @property
    def welcomed(self) -> list[str]:
        """The addresses that were sent a Welcome Email because of a single create, in order."""
        return self.writes.welcomed

    # persons

    def unsubscribe(
        self, address: str, source: str = "Contact", reason: str | None = None, *, is_dated: bool = True
    ) -> None:
        """Unsubscribe a contact, as the person or, with source Account, as staff; some opt-outs have no date."""
        before, now = self._require(address), self._now()
        # Only the address is touched, not the contact's own updated_at: this is why updated_after
        # misses opt-outs (https://community.constantcontact.com/t5/API-Developer-Support/
        # API-Get-contacts-using-updated-after-doesn-t-return-all-contacts/td-p/422146).
        after = before._replace(permission="unsubscribed", opt_out_source=source)
        after = after._replace(opt_out_at=now if is_dated else None, opt_out_reason=reason, email_updated_at=now)
        self._store.save([after])
        self._notes.add(ACTORS[source], "unsubscribe", after)
        if not self._settings.unsubscribed_keep_lists:
            self._store.leave(before.seq)

    def resubscribe(self, address: str, source: str = "Contact") -> None:
        """Subscribe a contact again, by a sign-up form or the confirmation mail, or, with source Account, as staff.

        It is on no list afterwards.
        """
        before, now = self._require(address), self._now()
        permission = "explicit" if source == "Contact" else "implicit"
        after = before._replace(permission=permission, opt_in_source=source, opt_in_at=now)
        after = after._replace(email_updated_at=now, deleted_on=None)
        if not self._settings.resubscribe_keeps_opt_out_date:
            after = after._replace(opt_out_source=None, opt_out_at=None, opt_out_reason=None)
        self._store.save([after])
        self._notes.add(ACTORS[source], "resubscribe", after)

    def leave_list(self, address: str, name_or_id: str, source: str = "Contact") -> None:
        """Leave one list on the page behind *Update Profile*, or, with source Account, as staff."""
        before, left = self._require(address), self._list(name_or_id)
        self.memberships.leave(before, [left], source, self._now())
        self._notes.add(ACTORS[source], "leave-list", before, left.seq)

    def join_list(self, address: str, name_or_id: str, source: str = "Contact") -> None:
        """Put a contact on a list, as the person or as staff. A deleted contact comes back."""
        before = self._require(address)
        if before.permission == "unsubscribed":
            raise ValueError("somebody who is unsubscribed cannot join a list: resubscribe first")
        joined = self._list(name_or_id)
        self.memberships.join(before, [joined], source, self._now())
        self._notes.add(ACTORS[source], "join-list", before, joined.seq)

    def tag(self, address: str, name: str) -> None:
        """Give a contact a tag as staff; a new tag is created."""
        self.tags.give(self._require(address), name)

    def untag(self, address: str, name: str) -> None:
        """Staff take a tag off a contact."""
        self.tags.take(self._require(address), name)

    def tags_of(self, address: str) -> set[str]:
        """The names of a contact's tags."""
        self.catch_up()
        numbers = self._store.tags_of([found.seq])[found.seq] if (found := self._find(address)) else []
        return {one.name for one in self.tags.all() if one.number in numbers}

    def confirm(self, address: str) -> None:
        """Follow the link in the mail that Confirmed Opt-in sends."""
        before = self._require(address)
        if before.permission != "pending_confirmation":
            raise ValueError(f"{address} has nothing to confirm")
        self.writes.confirm(before)

    def rename(self, address: str, new_address: str, source: str = "Contact") -> None:
        """Change the address in *Update Profile*, or as staff; the contact and its id stay."""
        before = self._require(address)
        if self._find(new_address):
            raise ValueError(f"{new_address} is another contact's")
        if self._settings.rename_moves_updated_at:
            self._store.save([before._replace(updated_at=self._now(), update_source=source)])
        self.writes.rename(before, new_address, ACTORS[source])

    # staff

    def add_contact(self, person: SeedContact) -> None:
        """Add a contact from another source than ccsync."""
        self.catch_up()
        self._add_people([person])
        added = self._require(person.address)
        self._notes.add("staff", "add", added, value=added.permission)
        for seq in self._store.lists_of([added.seq])[added.seq]:
            self._notes.add("staff", "join-list", added, seq)

    def add_contacts(self, people: Iterable[SeedContact]) -> None:
        """Add many contacts from another source, without acts in the record."""
        rest = iter(people)
        while some := list(islice(rest, _SEEDS_AT_ONCE)):
            self._add_people(some)

    def delete_contact(self, address: str, *, for_good: bool = False) -> None:
        """Delete a contact: hidden, off all lists, and not unsubscribed.

        `for_good` erases it: the address can come back only as a new contact with a new id.
        """
        doomed = self._require(address)
        self.writes.delete(doomed, "staff")
        if for_good:
            self.writes.forget(doomed)

    def add_sms_contact(self, number: str, *lists: str) -> None:
        """Add a contact with only a mobile number, on these lists."""
        if self._find(sms_key(number)):
            raise ValueError(f"there is a contact of {number} already")
        blank = new_contact(self._store.take_seq(), self._new_id(), sms_key(number), None, self._now())
        self._store.save([blank._replace(sms_number=number, sms_permission="explicit")])
        self._store.join((self._list(name).seq, blank.seq) for name in lists)

    def add_list(self, name: str) -> str:
        """Create a list; its id."""
        return self.lists.add(name).list_id

    def rename_list(self, name_or_id: str, new_name: str) -> None:
        """Give a list another name."""
        self.lists.change(replace(self._list(name_or_id), name=new_name))

    def delete_list(self, name_or_id: str) -> None:
        """Delete a list; its members stay in the account."""
        self.catch_up()
        doomed = self._list(name_or_id)
        self.lists.delete(doomed)
        self._notes.about_list("staff", "delete-list", doomed.list_id)

    # inside

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _new_id(self) -> str:
        digits = f"{self._chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _list(self, name_or_id: str) -> StoredList:
        found = self.lists.find(name_or_id)
        if found is None:
            raise LookupError(f"no list {name_or_id}")
        return found

    def _find(self, address: str) -> StoredContact | None:
        self.catch_up()
        key = address.lower()
        return self._store.by_keys([key]).get(key)

    def _require(self, address: str) -> StoredContact:
        found = self._find(address)
        if found is None:
            raise LookupError(f"no contact {address}")
        return found

    def _move_in(self, people: Iterable[SeedContact]) -> None:
        """Fill the new account; contacts with only a mobile number come last."""
        self.add_contacts(people)
        for number in range(self._settings.sms_only_contacts):
            self.add_sms_contact(str(_FIRST_SMS_NUMBER + number))

    def _add_people(self, people: list[SeedContact]) -> None:
        contacts = [to_contact(one, self._store.take_seq(), self._new_id()) for one in people]
        self._store.save(contacts)
        joined = []
        for person, contact in zip(people, contacts, strict=True):
            lists = [(self.lists.find(name) or self.lists.add(name)).seq for name in person.lists]
            is_off = contact.permission == "unsubscribed" and not self._settings.unsubscribed_keep_lists
            if not is_off and contact.deleted_on is None:
                joined += [(one, contact.seq) for one in lists]
        self._store.join(joined)
