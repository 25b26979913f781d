"""E-mail campaigns in draft: nothing here is ever sent.

POST /emails and PUT /emails/activities/{campaign_activity_id} of
https://developer.constantcontact.com/api_reference/index.html.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ccsync.sandbox.constant_contact.account import Account
from ccsync.sandbox.constant_contact.contacts.presentation import fine_stamp
from ccsync.sandbox.constant_contact.errors import conflict, invalid, not_found
from ccsync.sandbox.constant_contact.lists import Lists
from ccsync.sandbox.constant_contact.paging import next_links, open_cursor
from ccsync.sandbox.constant_contact.validation import Parameter, check_properties, read_json, read_query
from ccsync.sandbox.wire import Clock, Reply, Request

_TEXTS = {"from_name": 100, "from_email": 80, "reply_to_email": 80, "subject": 1_000_000}
_OPTIONAL = {"preheader": 200, "html_content": 150_000}
_CREATED = (*_TEXTS, *_OPTIONAL, "format_type", "physical_address_in_footer")
_READ_ONLY = ("campaign_activity_id", "campaign_id", "role", "current_status", "format_type", "permalink_url")
_UPDATED = (
    *_TEXTS, *_OPTIONAL, *_READ_ONLY, "contact_list_ids", "segment_ids", "physical_address_in_footer", "document_id",
    "document_properties",
)  # fmt: skip
_LISTING = {
    "limit": Parameter("integer"),
    "before_date": Parameter("date-time"),
    "after_date": Parameter("date-time"),
}
_INCLUDE = Parameter(
    "csv", frozenset({"physical_address_in_footer", "permalink_url", "html_content", "document_properties"})
)
_SECTIONS = ("html_content", "physical_address_in_footer")
"""Sub-resources: shown where they are asked for, and kept by a PUT that leaves them out."""


@dataclass(slots=True)
class Campaign:
    """One campaign with its one activity."""

    campaign_id: str
    activity_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    content: dict[str, object]


class Emails:
    """The account's campaigns."""

    def __init__(self, account: Account, lists: Lists, clock: Clock, new_id: Callable[[], str]) -> None:
        self._account = account
        self._lists = lists
        self._clock = clock
        self._new_id = new_id
        self.campaigns: list[Campaign] = []

    def post_email(self, request: Request) -> Reply:
        """POST /emails: a campaign in draft; 200, not 201."""
        read_query(request.query, {})
        body = read_json(request)
        check_properties(body, ("name", "email_campaign_activities"), ("name", "email_campaign_activities"))
        name, given = body["name"], body["email_campaign_activities"]
        if not isinstance(name, str) or not 1 <= len(name) <= 80:
            raise invalid("name must be a string of 1 to 80 characters.")
        if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], dict):
            raise invalid("email_campaign_activities must hold a single object.")
        if any(one.name == name for one in self.campaigns):
            raise conflict(f"Validation failed: Campaign name {name} already exists.")
        content = self._content(given[0], _CREATED, ("format_type", "html_content", *_TEXTS))
        if content["format_type"] != 5:
            raise invalid("The sandbox does not simulate other campaigns than those of format_type 5.")
        now = self._clock()
        made = Campaign(self._new_id(), self._new_id(), name, now, now, content | {"contact_list_ids": []})
        self.campaigns.append(made)
        return Reply.json(200, _show_campaign(made))

    def get_emails(self, request: Request) -> Reply:
        """GET /emails: without the activities of each; by `updated_at`."""
        pairs, after = open_cursor(request.query)
        query = read_query(pairs, _LISTING)
        limit, begin = query.integer("limit", 50), after or 0
        since, until = query.moment("after_date"), query.moment("before_date")
        found = [
            one
            for one in reversed(self.campaigns)
            if (since is None or one.updated_at > since) and (until is None or one.updated_at < until)
        ]
        shown = [_show_campaign(one) for one in found[begin : begin + limit]]
        for one in shown:
            del one["campaign_activities"]
        body: dict[str, object] = {"campaigns": shown}
        if len(found) > begin + limit:
            body["_links"] = next_links("/v3/emails", pairs, begin + limit)
        return Reply.json(200, body)

    def get_email(self, request: Request, campaign_id: str) -> Reply:
        """GET /emails/{campaign_id}."""
        read_query(request.query, {})
        found = next((one for one in self.campaigns if one.campaign_id == campaign_id.lower()), None)
        if found is None:
            raise not_found(f"Campaign {campaign_id} was not found.")
        return Reply.json(200, _show_campaign(found))

    def get_email_activity(self, request: Request, activity_id: str) -> Reply:
        """GET /emails/activities/{campaign_activity_id}."""
        include = read_query(request.query, {"include": _INCLUDE}).words("include") or frozenset()
        return Reply.json(200, _show_activity(self._find(activity_id), include))

    def put_email_activity(self, request: Request, activity_id: str) -> Reply:
        """PUT /emails/activities/{campaign_activity_id}: what the body leaves out is lost, except sub-resources."""
        read_query(request.query, {})
        found = self._find(activity_id)
        body = read_json(request)
        if body.get("segment_ids"):
            raise invalid("The sandbox does not simulate segment_ids.")
        content = self._content(body, _UPDATED, tuple(_TEXTS))
        kept = {name: found.content[name] for name in _SECTIONS if name in found.content and name not in content}
        lists = self._list_ids(body.get("contact_list_ids", []))
        found.content = {**kept, **content, "format_type": 5, "contact_list_ids": lists}
        found.updated_at = self._clock()
        return Reply.json(200, _show_activity(found, frozenset()))

    def _content(
        self, body: Mapping[str, object], declared: tuple[str, ...], required: tuple[str, ...]
    ) -> dict[str, object]:
        check_properties(body, declared, required)
        for name, longest in (_TEXTS | _OPTIONAL).items():
            value = body.get(name)
            if (value is not None or name in required) and (not isinstance(value, str) or len(value) > longest):
                raise invalid(f"{name} must be a string of at most {longest} characters.")
        confirmed = {one.address.lower() for one in self._account.addresses if one.is_confirmed}
        for name in ("from_email", "reply_to_email"):
            if str(body[name]).lower() not in confirmed:
                raise invalid(f"{name} must be a confirmed email address of the account.")
        wanted = (*_TEXTS, *_OPTIONAL, "format_type", "physical_address_in_footer")
        return {name: body[name] for name in wanted if body.get(name) is not None}

    def _list_ids(self, value: object) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise invalid("contact_list_ids must be an array of list ids.")
        if missing := [one for one in value if self._lists.living(one) is None]:
            raise invalid(f"List {missing[0]} does not exist.")
        return value

    def _find(self, activity_id: str) -> Campaign:
        found = next((one for one in self.campaigns if one.activity_id == activity_id.lower()), None)
        if found is None:
            raise not_found(f"Campaign activity {activity_id} was not found.")
        return found


def _show_campaign(one: Campaign) -> dict[str, object]:
    return {
        "campaign_id": one.campaign_id,
        "name": one.name,
        "current_status": "Draft",
        "type": "CUSTOM_CODE_EMAIL",
        "type_code": 26,
        "created_at": fine_stamp(one.created_at),
        "updated_at": fine_stamp(one.updated_at),
        "campaign_activities": [{"campaign_activity_id": one.activity_id, "role": "primary_email"}],
    }


def _show_activity(one: Campaign, include: frozenset[str]) -> dict[str, object]:
    content = {name: value for name, value in one.content.items() if name not in _SECTIONS or name in include}
    return {
        "campaign_activity_id": one.activity_id,
        "campaign_id": one.campaign_id,
        "role": "primary_email",
        "current_status": "DRAFT",
        **content,
    }
