"""Reads and fills a Constant Contact account. It cannot re-subscribe anybody: see `consent_guard`."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO
from urllib.parse import urlsplit

from ccsync import shapes
from ccsync.constant_contact.consent_guard import check_consent
from ccsync.constant_contact.records import to_activity, to_contact, to_custom_field, to_list
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.models import AccountEmail, AccountSummary, Activity, Contact, ContactList, CustomField, JsonObject
from ccsync.transport import Answer, Call, Token, Transport

PAGE_SIZE = 500
MOST_PAGES = 100_000
"""A listing that never ends is a fault, not a large account."""


class ConstantContact:
    """A client for one account. `api_url` ends in /v3."""

    def __init__(self, transport: Transport, token: Token, *, api_url: str) -> None:
        self.transport = transport
        self._token = token
        self._api_url = api_url

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

    def get_list(self, list_id: str) -> ContactList | None:
        """The list with its count of members; `None` when it is deleted."""
        params = {"include_membership_count": "all"}
        call = Call("GET", f"{self._api_url}/contact_lists/{list_id}", params=params, accepts=frozenset({404}))
        answer, value = self._json(call)
        found = to_list(shapes.as_object(value) or {}) if answer.status != 404 else None
        return found if found and found.deleted_at is None else None

    def create_list(self, name: str) -> ContactList:
        """Create an empty list. Names are unique: one that appeared meanwhile is taken as it is."""
        body = {"name": name, "favorite": False, "description": "Filled by ccsync from Kibo"}
        call = Call("POST", self._api_url + "/contact_lists", json=body, accepts=frozenset({409}))
        answer, value = self._json(call)
        found = self.find_list(name) if answer.status == 409 else to_list(shapes.as_object(value) or {})
        if found is None:
            raise RefusedError(
                "Constant Contact did not create the list.",
                f"it answered {answer.status}; the name may still be taken by a deleted list.",
                "Choose another name, or create the list in Constant Contact first.",
            )
        return found

    def iter_custom_fields(self) -> Iterator[CustomField]:
        """Every custom field."""
        for page in self._pages("/contact_custom_fields", {"limit": "100"}, "custom_fields"):
            yield from (one for record in page if (one := to_custom_field(record)))

    # contacts

    def iter_contact_pages(self, **filters: str) -> Iterator[list[Contact]]:
        """Contacts in pages of at most 500; `filters` are the vendor's own query parameters.

        `status` is always given: description and support disagree about its default.
        """
        params = {"status": "all", **filters, "limit": str(PAGE_SIZE)}
        for page in self._pages("/contacts", params, "contacts"):
            yield [one for record in page if (one := to_contact(record))]

    def count_contacts(self, **filters: str) -> int:
        """How many contacts these filters match; 0 when the answer does not say."""
        params = {"status": "all", **filters, "include_count": "true", "limit": "1"}
        _, value = self._json(Call("GET", self._api_url + "/contacts", params=params))
        return shapes.integer(shapes.as_object(value) or {}, "contacts_count") or 0

    def find_contact(self, email: str) -> Contact | None:
        """The contact with this address, deleted ones included."""
        for page in self.iter_contact_pages(email=email, include="list_memberships"):
            for contact in page:
                if contact.email and contact.email.casefold() == email.casefold():
                    return contact
        return None

    def get_contact(self, contact_id: str) -> Contact | None:
        """One contact by its id; `None` when the vendor no longer knows it."""
        params = {"include": "list_memberships"}
        call = Call("GET", f"{self._api_url}/contacts/{contact_id}", params=params, accepts=frozenset({404}))
        answer, value = self._json(call)
        return to_contact(shapes.as_object(value) or {}) if answer.status != 404 else None

    # imports

    def import_contacts(self, body: BinaryIO) -> Activity:
        """Start a bulk import; `body` is a file with the whole encoded JSON, below 4,000,000 bytes.

        Not repeated when the answer is lost (`AnswerLost`): the vendor has no idempotency key.
        """
        call = Call("POST", self._api_url + "/activities/contacts_json_import", body=body, is_repeatable=False)
        _, value = self._json(call)
        activity = to_activity(shapes.as_object(value) or {})
        if activity is None:
            raise VendorUnreachable("Constant Contact's answer to an import has no activity_id.")
        return activity

    def get_activities(self) -> list[Activity]:
        """The newest 500 bulk jobs of the last ten days."""
        _, value = self._json(Call("GET", self._api_url + "/activities", params={"limit": "500"}))
        record = shapes.as_object(value) or {}
        return [one for item in shapes.as_objects(record.get("activities")) if (one := to_activity(item))]

    def get_activity(self, activity_id: str) -> Activity | None:
        """One bulk job; `None` when the vendor no longer knows it."""
        call = Call("GET", f"{self._api_url}/activities/{activity_id}", accepts=frozenset({404}))
        answer, value = self._json(call)
        return to_activity(shapes.as_object(value) or {}) if answer.status != 404 else None

    # the wire

    def _json(self, call: Call) -> tuple[Answer, object]:
        check_consent(call)
        return self.transport.json(call, self._token)

    def _object(self, path: str) -> JsonObject:
        _, value = self._json(Call("GET", self._api_url + path))
        record = shapes.as_object(value)
        if record is None:
            raise VendorUnreachable(f"Constant Contact's answer to GET {path} is no object.")
        return record

    def _pages(self, path: str, params: Mapping[str, str], key: str) -> Iterator[list[JsonObject]]:
        """The pages of a listing, along its relative `_links.next.href`; an expired cursor restarts it once."""
        call = Call("GET", self._api_url + path, params=params)
        seen: set[int] = set()
        restarts = 0
        while True:
            try:
                _, value = self._json(call)
            except RefusedError as error:
                if error.status not in (400, 404, 410) or not seen or restarts:
                    raise
                restarts, call = 1, Call("GET", self._api_url + path, params=params)
                seen.clear()
                continue
            record = shapes.as_object(value)
            if record is None or not isinstance(record.get(key), list):
                raise VendorUnreachable(
                    f"Constant Contact's answer to GET {path} is no page of {key}.",
                    "it has another shape than described.",
                    "Try again later.",
                )
            yield shapes.as_objects(record[key])
            href = _next_href(record)
            if href is None:
                return
            if hash(href) in seen or len(seen) >= MOST_PAGES:
                raise VendorUnreachable(
                    f"Constant Contact's pages of {key} go round in circles.",
                    f"GET {path} led to a page that was read before.",
                    "Nothing was concluded from it; try again later.",
                )
            seen.add(hash(href))
            call = Call("GET", self._join(href))

    def _join(self, href: str) -> str:
        """The URL of a relative next link. Never by joining texts blindly: `//evil.example` is relative, too."""
        parts = urlsplit(href)
        base = urlsplit(self._api_url)
        is_relative = (
            not parts.scheme
            and not parts.netloc
            and href.startswith(base.path + "/")
            and href.isprintable()
            and "\\" not in href
            and " " not in href
        )
        if not is_relative:
            raise RefusedError(
                "A Constant Contact answer points to another host for its next page; nothing was sent there.",
                "next links of the vendor are relative and begin with /v3/.",
                "Check [constant_contact] api_url, and any proxy between this machine and the vendor.",
            )
        return f"{base.scheme}://{base.netloc}{href}"


def _next_href(record: JsonObject) -> str | None:
    links = shapes.as_object(record.get("_links")) or {}
    return shapes.text(shapes.as_object(links.get("next")) or {}, "href")
