"""Writing single contacts: create, change, delete.

What is described: https://developer.constantcontact.com/api_reference/index.html (postContact, putContact,
deleteContact); what is not is a setting. Bodies that name another permission than unsubscribed never come here.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from ccsync.sandbox.constant_contact.activities.memberships import Memberships
from ccsync.sandbox.constant_contact.contacts.body import ContactBody, read_contact
from ccsync.sandbox.constant_contact.contacts.presentation import SECTIONS
from ccsync.sandbox.constant_contact.contacts.reading import Contacts
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact, new_contact, to_details
from ccsync.sandbox.constant_contact.custom_fields import CustomFields
from ccsync.sandbox.constant_contact.errors import conflict, invalid, not_found
from ccsync.sandbox.constant_contact.lists import StoredList
from ccsync.sandbox.constant_contact.noting import Notes
from ccsync.sandbox.constant_contact.plan import Plan
from ccsync.sandbox.constant_contact.validation import read_json, read_query
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request


class ContactWrites:
    """The writing operations below /contacts. `welcomed` holds the addresses that were sent a Welcome Email."""

    def __init__(
        self,
        settings: SandboxSettings,
        clock: Clock,
        store: Store,
        contacts: Contacts,
        memberships: Memberships,
        fields: CustomFields,
        plan: Plan,
        notes: Notes,
        new_id: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._contacts = contacts
        self._memberships = memberships
        self._fields = fields
        self._plan = plan
        self._notes = notes
        self._new_id = new_id
        self._given_up: dict[str, str] = {}
        self.welcomed: list[str] = []

    def post_contact(self, request: Request) -> Reply:
        """POST /contacts: only for an address that was never in the account, not even deleted."""
        read_query(request.query, {})
        body = read_contact(read_json(request), "create_source", self._field_names())
        if body.email is None and not (body.scalars["first_name"] or body.scalars["last_name"]):
            raise invalid("At least one of first_name, last_name, email_address or sms_channel is required.")
        if body.email:
            self._check_free(body.email.address, None)
        self._plan.check()
        lists, now = self._living(body), self._now()
        contact_id = self._new_id()
        address = body.email.address if body.email else None
        key = address.lower() if address else f"id:{contact_id}"
        contact = new_contact(self._store.take_seq(), contact_id, key, address, now)._replace(
            create_source=body.source, update_source=body.source, opt_in_source=body.source
        )
        permission = body.email.permission if body.email else None
        must_confirm = self._settings.confirmed_opt_in and body.source == "Contact" and address is not None
        usual = "pending_confirmation" if must_confirm else self._settings.post_permission
        contact = contact._replace(permission=permission or usual)
        if permission == "unsubscribed":
            contact = contact._replace(opt_out_source=body.source, opt_out_at=now, opt_in_source=None, opt_in_at=None)
        self._store.save([self._changed(contact, body)])
        self._note_sent(contact, lists)
        if must_confirm and permission is None:
            self._memberships.wait(contact, [one.seq for one in lists])
        elif permission != "unsubscribed":
            self._store.join((one.seq, contact.seq) for one in lists)
            for one in lists:
                self._notes.add("app", "join-list", contact, one.seq)
            self._welcome(contact, has_lists=bool(lists))
        return self._shown(201, contact_id)

    def put_contact(self, request: Request, contact_id: str) -> Reply:
        """PUT /contacts/{contact_id}: omitted scalars become null, omitted parts stay, deleted contacts come back."""
        read_query(request.query, {})
        before = self._require(contact_id)
        body = read_contact(read_json(request), "update_source", self._field_names())
        if before.deleted_on and body.source == "Contact" and self._settings.put_revives_by_contact == "refuse":
            # "To restore a deleted contact you must specify the update_source as Account."
            raise invalid("update_source must be Account to restore a deleted contact.")
        if body.email is None and self._settings.put_omitted_email == "refuse":
            raise invalid("email_address is missing.")
        if body.email:
            self._check_free(body.email.address, before)
        lists, now = self._living(body), self._now()
        after = self._changed(before, body)._replace(update_source=body.source, updated_at=now, deleted_on=None)
        after = self._with_permission(after, body, now)
        self._store.save([after])
        self._note_put(before, after, lists)
        if body.email and body.email.address != before.address:
            self.rename(before, body.email.address, "app")
        self._move(before, body, lists)
        return self._shown(200, contact_id)

    def delete_contact(self, request: Request, contact_id: str) -> Reply:
        """DELETE /contacts/{contact_id}: as when staff do it."""
        read_query(request.query, {})
        self.delete(self._require(contact_id), "app")
        return Reply(204)

    def delete(self, contact: StoredContact, actor: str) -> None:
        """Hidden, off all lists, and not unsubscribed.

        https://developer.constantcontact.com/api_guide/contacts_delete.html
        """
        today = self._clock().astimezone(UTC).date().isoformat()
        self._store.save([contact._replace(deleted_on=today, updated_at=self._now())])
        self._store.leave(contact.seq)
        self._notes.add(actor, "delete", contact)

    def rename(self, before: StoredContact, address: str, actor: str) -> None:
        """Change the address of a contact, which keeps its id. A single create cannot take the old address."""
        if before.address:
            self._given_up[before.address.lower()] = before.contact_id
        self._store.rename(before.seq, address)
        after = self._require(before.contact_id)._replace(email_updated_at=self._now())
        self._store.save([after])
        self._notes.add(actor, "rename", after, value=before.address)

    def forget(self, contact: StoredContact) -> None:
        """Erase a contact for good: its id becomes unknown, and its addresses are free."""
        self._store.erase(contact.seq)
        self._given_up = {key: one for key, one in self._given_up.items() if one != contact.contact_id}

    def confirm(self, contact: StoredContact) -> None:
        """Confirm a contact by the link in the mail: it becomes explicit, and joins the lists that it waited for."""
        now, details = self._now(), json.loads(contact.details) | {"confirmed": True}
        after = contact._replace(permission="explicit", opt_in_source="Contact", opt_in_at=now)
        after = after._replace(email_updated_at=now, details=to_details(details))
        self._store.save([after])
        self._notes.add("person", "confirm", after)
        lists = self._memberships.waiting(contact)
        self._store.join((one, contact.seq) for one in lists)
        for one in lists:
            self._notes.add("person", "join-list", after, one)
        self._welcome(after, has_lists=bool(lists))

    # inside

    def _welcome(self, contact: StoredContact, *, has_lists: bool) -> None:
        """https://developer.constantcontact.com/api_guide/contacts_autoresponder.html: it depends on create_source."""
        if contact.create_source == "Contact" and contact.address and has_lists:
            self.welcomed.append(contact.address)

    def _note_sent(self, contact: StoredContact, lists: list[StoredList]) -> None:
        ids: list[str | None] = [one.list_id for one in lists]
        for list_id in ids or [None]:
            self._notes.send(contact.address or "", list_id, contact.contact_id)

    def _note_put(self, before: StoredContact, after: StoredContact, lists: list[StoredList]) -> None:
        if after.permission != "unsubscribed":
            self._note_sent(after, lists)
        elif before.permission != "unsubscribed":
            self._notes.add("app", "unsubscribe", after)

    def _with_permission(self, contact: StoredContact, body: ContactBody, now: int) -> StoredContact:
        if body.email is None:
            return contact
        if body.email.permission is None:
            if self._settings.put_omitted_permission == "implicit":
                return contact._replace(permission="implicit", opt_in_source=body.source, opt_in_at=now)
            return contact
        is_again = contact.permission == "unsubscribed"
        if is_again and not self._settings.put_again_moves_opt_out_date:
            return contact._replace(opt_out_reason=body.email.reason or contact.opt_out_reason)
        return contact._replace(
            permission=body.email.permission,
            opt_out_source=body.source,
            opt_out_at=now,
            opt_out_reason=body.email.reason,
            email_updated_at=now,
        )

    def _move(self, before: StoredContact, body: ContactBody, lists: list[StoredList]) -> None:
        """Replace the lists by the given ones. Unsubscribed contacts are on none, unless the settings keep them."""
        contact = self._require(before.contact_id)
        if contact.permission == "unsubscribed":
            if not self._settings.unsubscribed_keep_lists:
                self._store.leave(contact.seq)
        elif body.lists is not None:
            on, wanted = set(self._store.lists_of([contact.seq])[contact.seq]), {one.seq for one in lists}
            self._store.leave(contact.seq)
            self._store.join((one, contact.seq) for one in wanted)
            for kind, seqs in (("leave-list", on - wanted), ("join-list", wanted - on)):
                for one in sorted(seqs):
                    self._notes.add("app", kind, contact, one)

    def _changed(self, contact: StoredContact, body: ContactBody) -> StoredContact:
        """The contact with the scalars and parts of a body; omitted scalars are lost, omitted parts stay."""
        changes: dict[str, Any] = dict(body.scalars)
        details = json.loads(contact.details)
        parts = (("cf", body.custom_fields), ("phones", body.phones), ("addresses", body.addresses))
        for name, part in parts:
            if part is not None:
                details[name] = dict(part)
        return contact._replace(**changes, details=to_details(details))

    def _check_free(self, address: str, own: StoredContact | None) -> None:
        key = address.lower()
        holder = self._store.by_keys([key]).get(key)
        holder_id = holder.contact_id if holder else self._given_up.get(key)
        if holder_id is not None and (own is None or holder_id != own.contact_id):
            # The words of https://community.constantcontact.com/t5/Developer-Support-ask-questions/
            # Contact-deleted-in-UI-API-v3-thinks-the-email-is-still-in-use/td-p/342569
            raise conflict(f"Validation failed: Email already exists for contact {holder_id}")

    def _living(self, body: ContactBody) -> list[StoredList]:
        return self._memberships.living(body.lists or ())

    def _field_names(self) -> Mapping[str, str]:
        return {field_id: name for name, field_id in self._fields.ids.items()}

    def _require(self, contact_id: str) -> StoredContact:
        found = self._store.by_id(contact_id)
        if found is None:
            raise not_found(f"Contact {contact_id} was not found.")
        return found

    def _shown(self, status: int, contact_id: str) -> Reply:
        return Reply.json(status, self._contacts.show([self._require(contact_id)], SECTIONS)[0])

    def _now(self) -> int:
        return int(self._clock().timestamp())
