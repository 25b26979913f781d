"""Which operation of the API a request means, and the scope and user privilege that it needs.

https://developer.constantcontact.com/api_reference/index.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ccsync.sandbox.constant_contact.actions import Actions
from ccsync.sandbox.wire import Reply

_ID = r"([^/]+)"
OPERATIONS = {
    "get_contacts": "search",
    "get_contact": "read",
    "get_counts": "counts",
    "post_contact": "create",
    "put_contact": "change",
    "delete_contact": "delete",
    "get_lists": "lists",
    "get_list": "list",
    "post_import": "import",
    "post_export": "export",
    "post_add": "addition",
    "post_remove": "removal",
    "get_activity": "activity",
    "get_activities": "activities",
    "get_file": "file",
    "post_add_tags": "tagging",
    "post_remove_tags": "tagging",
    "get_tags": "tags",
    "post_tag": "tags",
    "get_workflows": "automations",
    "get_workflow": "automations",
    "post_email": "campaign",
    "put_email_activity": "campaign",
}
"""The names of operations that can be refused, by their handler."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the description, with the scope and user privilege that it needs."""

    method: str
    path: re.Pattern[str]
    scope: str
    privilege: str
    answer: Callable[..., Reply]


def operation_of(route: Route) -> str:
    """The word by which a test refuses this operation."""
    return OPERATIONS.get(route.answer.__name__, "other")


_Row: TypeAlias = tuple[str, str, str, Callable[..., Reply]]


def draw_routes(cc: Actions) -> tuple[Route, ...]:
    """Every operation that is simulated."""
    scopes = (
        ("account_read", _account_rows(cc)),
        ("contact_data", (*_list_rows(cc), *_contact_rows(cc), *_job_rows(cc))),
        ("campaign_data", _campaign_rows(cc)),
    )
    found = [
        Route(method, re.compile(f"/v3{path}"), scope, privilege, answer)
        for scope, rows in scopes
        for method, path, privilege, answer in rows
    ]
    return (*found, Route("GET", re.compile("/v3/account/user/privileges"), "", "", cc.account.get_privileges))


def _account_rows(cc: Actions) -> tuple[_Row, ...]:
    return (
        ("GET", "/account/summary", "account:read", cc.account.get_summary),
        ("GET", "/account/emails", "account:read", cc.account.get_emails),
    )


def _list_rows(cc: Actions) -> tuple[_Row, ...]:
    lists, fields, tags = cc.lists, cc.custom_fields, cc.tags
    return (
        ("GET", "/contact_lists", "contacts:lists:read", lists.get_lists),
        ("POST", "/contact_lists", "contacts:lists:write", lists.post_list),
        ("GET", f"/contact_lists/{_ID}", "contacts:lists:read", lists.get_list),
        ("PUT", f"/contact_lists/{_ID}", "contacts:lists:write", lists.put_list),
        ("GET", "/contact_custom_fields", "contacts:read", fields.get_fields),
        ("POST", "/contact_custom_fields", "contacts:write", fields.post_field),
        ("GET", f"/contact_custom_fields/{_ID}", "contacts:read", fields.get_field),
        ("GET", "/contact_tags", "contacts:read", tags.get_tags),
        ("POST", "/contact_tags", "contacts:write", tags.post_tag),
        ("GET", f"/contact_tags/{_ID}", "contacts:read", tags.get_tag),
        ("PUT", f"/contact_tags/{_ID}", "contacts:write", tags.put_tag),
    )


def _contact_rows(cc: Actions) -> tuple[_Row, ...]:
    contacts, writes = cc.contacts, cc.writes
    return (
        ("GET", "/contacts", "contacts:read", contacts.get_contacts),
        ("GET", "/contacts/counts", "contacts:read", contacts.get_counts),
        ("GET", f"/contacts/{_ID}", "contacts:read", contacts.get_contact),
        ("POST", "/contacts", "contacts:write", writes.post_contact),
        ("PUT", f"/contacts/{_ID}", "contacts:write", writes.put_contact),
        ("DELETE", f"/contacts/{_ID}", "contacts:write", writes.delete_contact),
    )


def _job_rows(cc: Actions) -> tuple[_Row, ...]:
    memberships, taggings = cc.memberships, cc.taggings
    return (
        ("GET", f"/contact_exports/{_ID}", "contacts:write", cc.exports.get_file),
        ("GET", "/activities", "contacts:write", cc.activities.get_activities),
        ("POST", "/activities/contacts_json_import", "contacts:write", cc.imports.post_import),
        ("POST", "/activities/contact_exports", "contacts:write", cc.exports.post_export),
        ("POST", "/activities/add_list_memberships", "contacts:write", memberships.post_add),
        ("POST", "/activities/remove_list_memberships", "contacts:write", memberships.post_remove),
        ("POST", "/activities/contacts_taggings_add", "contacts:write", taggings.post_add_tags),
        ("POST", "/activities/contacts_taggings_remove", "contacts:write", taggings.post_remove_tags),
        ("GET", f"/activities/{_ID}", "contacts:write", cc.activities.get_activity),
    )


def _campaign_rows(cc: Actions) -> tuple[_Row, ...]:
    return (
        ("GET", "/automations/workflows", "customer-journey:read", cc.automations.get_workflows),
        ("GET", f"/automations/workflows/{_ID}", "customer-journey:read", cc.automations.get_workflow),
        ("GET", "/emails", "campaign:read", cc.emails.get_emails),
        ("POST", "/emails", "campaign:write", cc.emails.post_email),
        ("GET", f"/emails/{_ID}", "campaign:read", cc.emails.get_email),
        ("GET", f"/emails/activities/{_ID}", "campaign:read", cc.emails.get_email_activity),
        ("PUT", f"/emails/activities/{_ID}", "campaign:write", cc.emails.put_email_activity),
    )
