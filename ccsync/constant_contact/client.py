"""Reads and updates a Constant Contact account. It cannot re-subscribe or mail anyone: see `consent_guard`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from ccsync import shapes
from ccsync.constant_contact.campaigns import Campaigns
from ccsync.constant_contact.consent_guard import check_no_permission
from ccsync.constant_contact.new_contact import SCALARS
from ccsync.constant_contact.records import to_contact, to_custom_field, to_list
from ccsync.constant_contact.tagging import Tagging
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.models import AccountEmail, AccountSummary, Contact, ContactList, CustomField, JsonObject
from ccsync.transport.ahead import Ahead
from ccsync.transport.calls import Call

T = TypeVar("T")

PAGE_SIZE = 500


class ConstantContact(Tagging, Campaigns):
    """A client for one account."""

    # account

    def get_account_summary(self) -> AccountSummary:
        """Whose account the login belongs to."""
        record = self._object("/account/summary")
        return AccountSummary(
            shapes.text(record, "encoded_account_id") or "",
            shapes.text(record, "organization_name") or "",
            shapes.text(record, "contact_email") or "",
        )

    def get_account_emails(self) -> list[AccountEmail]:
        """The account's own addresses. The vendor takes one query parameter at a time here; none is needed."""
        _, value = self._json(Call("GET", self._api_url + "/account/emails"))
        return [
            AccountEmail(address, shapes.text(record, "confirm_status") == "CONFIRMED")
            for record in shapes.as_objects(value)
            if (address := shapes.text(record, "email_address"))
        ]

    def get_privileges(self) -> frozenset[str]:
        """What the user who logged in may do, e.g. `contacts:write`."""
        _, value = self._json(Call("GET", self._api_url + "/account/user/privileges"))
        return frozenset(name for record in shapes.as_objects(value) if (name := shapes.text(record, "privilege_name")))

    # lists and custom fields

    def iter_lists(self) -> Iterator[ContactList]:
        """Every list that is not deleted."""
        for page in self._pages("/contact_lists", {"limit": "500", "status": "active"}, "lists"):
            yield from (one for record in page if (one := to_list(record)) and one.deleted_at is None)

    def find_list(self, name: str) -> ContactList | None:
        """The list of exactly this name."""
        for page in self._pages("/contact_lists", {"name": name, "limit": "500"}, "lists"):
            for record in page:
                found = to_list(record)
                if found and found.name == name and found.deleted_at is None:
                    return found
        return None

    def get_list(self, list_id: str, *, counted: str = "all") -> ContactList | None:
        """The list with its count of members; `None` when it is deleted.

        `counted`: `all` members, or the `active` ones, who may be mailed.
        """
        params = {"include_membership_count": counted}
        call = Call("GET", f"{self._api_url}/contact_lists/{list_id}", params=params, accepts=frozenset({404}))
        answer, value = self._json(call)
        if answer.status == 404:
            return None
        found = to_list(shapes.as_object(value) or {})
        if found is None:
            raise VendorUnreachable("Constant Contact's answer about the list is no list.", "it has no list_id.")
        return found if found.deleted_at is None else None

    def create_list(self, name: str) -> ContactList:
        """Create an empty list. Names are unique: if the list exists by now, that one is returned."""
        body = {"name": name, "favorite": False, "description": "Filled by ccsync from Kibo"}
        call = Call("POST", self._api_url + "/contact_lists", json=body, accepts=frozenset({409}))
        answer, value = self._json(call)
        found = self.find_list(name) if answer.status == 409 else to_list(shapes.as_object(value) or {})
        if found is None:
            raise RefusedError(
                "Constant Contact did not create the list.",
                f"it answered {answer.status}; the name may still be taken, by a list that was deleted.",
                "Choose another name, or create the list in Constant Contact first.",
            )
        return found

    def iter_custom_fields(self) -> Iterator[CustomField]:
        """Every custom field."""
        for page in self._pages("/contact_custom_fields", {"limit": "100"}, "custom_fields"):
            yield from (one for record in page if (one := to_custom_field(record)))

    def create_custom_field(self, label: str) -> CustomField:
        """Create a text field. If one with this label exists by now, that one is returned.

        The answer's `name` is what imports use; the vendor makes it of the label, and how is only half described.
        """
        body = {"label": label, "type": "string"}
        call = Call("POST", self._api_url + "/contact_custom_fields", json=body, accepts=frozenset({409}))
        answer, value = self._json(call)
        if answer.status == 409:
            known = (one for one in self.iter_custom_fields() if one.label.casefold() == label.casefold())
            found = next(known, None)
        else:
            found = to_custom_field(shapes.as_object(value) or {})
        if found is None:
            raise RefusedError(
                "Constant Contact did not create the custom field.",
                f"it answered {answer.status} and shows no field of this label.",
                "Create the field in Constant Contact, as one for texts, then run this again.",
            )
        return found

    # contacts

    def iter_contact_pages(self, **filters: str) -> Iterator[list[Contact]]:
        """Contacts in pages of at most 500; `filters` are the vendor's own query parameters.

        `status` is always given: description and support disagree about its default.
        """
        for page in self._pages("/contacts", _listing(filters), "contacts"):
            yield [one for record in page if (one := to_contact(record))]

    def count_contacts(self, **filters: str) -> int:
        """How many contacts these filters match; 0 when the answer does not say."""
        params = {"status": "all", **filters, "include_count": "true", "limit": "1"}
        _, value = self._json(Call("GET", self._api_url + "/contacts", params=params))
        return shapes.integer(shapes.as_object(value) or {}, "contacts_count") or 0

    def find_contact(self, email: str) -> Contact | None:
        """The contact with this address, deleted ones included."""
        for page in self.iter_contact_pages(**_of_address(email)):
            for contact in page:
                if contact.email and contact.email.casefold() == email.casefold():
                    return contact
        return None

    def get_contact(self, contact_id: str) -> Contact | None:
        """One contact by its id; `None` when the vendor no longer knows it."""
        answer, value = self._json(self._contact_call(contact_id))
        if answer.status == 404:
            return None
        found = to_contact(shapes.as_object(value) or {})
        if found is None:
            raise VendorUnreachable("Constant Contact's answer about a contact is none.", "it has no contact_id.")
        return found

    def _contact_call(self, contact_id: str) -> Call:
        params = {"include": "list_memberships"}
        return Call("GET", f"{self._api_url}/contacts/{contact_id}", params=params, accepts=frozenset({404}))

    def contacts_ahead(self, items: Iterable[T], look_of: Callable[[T], tuple[str | None, str | None]]) -> Ahead[T]:
        """These items, while later ones are looked up already: by contact id, else by address, else not at all.

        `get_contact` and `find_contact` find the answers.
        """

        def calls(item: T) -> list[Call]:
            contact_id, address = look_of(item)
            if contact_id:
                return [self._contact_call(contact_id)]
            return [Call("GET", self._api_url + "/contacts", params=_listing(_of_address(address)))] if address else []

        return self.transport.ahead(items, calls, self._token)

    def create_contact(self, body: JsonObject) -> Contact | None:
        """Create a contact for a new person; `None` if the address exists, also as a deleted contact (409).

        `body` is a `ContactPostRequest` without a permission. Not repeated when the answer is lost (`AnswerLost`).
        """
        check_no_permission(body)
        call = Call("POST", self._api_url + "/contacts", json=body, is_repeatable=False, accepts=frozenset({409}))
        answer, value = self._json(call)
        return to_contact(shapes.as_object(value) or {}) if answer.status != 409 else None

    def unsubscribe(self, contact_id: str, reason: str) -> Contact | None:
        """Unsubscribe a contact from the whole account, because the person asked; `None` where there is nothing to do.

        A PUT replaces: what of the scalars it leaves out becomes null, and it would revive a deleted contact
        (https://developer.constantcontact.com/api_guide/contacts_re-subscribe.html). So the contact is read first.
        Raises `RefusedError` when the vendor does not do it.
        """
        return self.transport.anew(lambda: self._unsubscribe(contact_id, reason))

    def _unsubscribe(self, contact_id: str, reason: str) -> Contact | None:
        url = f"{self._api_url}/contacts/{contact_id}"
        answer, value = self._json(Call("GET", url, accepts=frozenset({404})))
        record = shapes.as_object(value) or {}
        contact = to_contact(record) if answer.status != 404 else None
        if contact is None or contact.email is None or contact.deleted_at or contact.has_unsubscribed:
            return None
        email = {"address": contact.email, "permission_to_send": "unsubscribed", "opt_out_reason": reason}
        kept = {key: record[key] for key in SCALARS if record.get(key) is not None}
        body = {**kept, "email_address": email, "update_source": "Contact"}
        _, value = self._json(Call("PUT", url, json=body, is_repeatable=False, may_wait=False))
        after = to_contact(shapes.as_object(value) or {})
        if after is None or not after.has_unsubscribed:
            raise RefusedError(
                "Constant Contact did not unsubscribe a contact.",
                "its answer shows another permission.",
                "Unsubscribe the person in Constant Contact by hand.",
            )
        return after


def _listing(filters: Mapping[str, str]) -> dict[str, str]:
    return {"status": "all", **filters, "limit": str(PAGE_SIZE)}


def _of_address(email: str) -> dict[str, str]:
    return {"email": email, "include": "list_memberships"}
