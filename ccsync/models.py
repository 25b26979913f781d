"""What the vendors' records look like inside ccsync: frozen, typed, in the vendors' own words; and contacts as known.

JSON becomes one of these at a client's edge. Times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from ccsync.decoding import decode_item

JsonObject = Mapping[str, object]


@dataclass(frozen=True)
class Customer:
    """A Kibo customer account (`CustomerAccount` in the vendor's description).

    `accepts_marketing` is `None` when the answer had no boolean there: that is neither yes nor no.
    `record` is the account's JSON as it came, decoded or not yet; only `mapping` reads it, as `raw`.
    `is_own_sign_up`: the person made the account, as far as Kibo shows it: no guest, not made by staff.
    """

    account_id: int
    email: str | None
    accepts_marketing: bool | None
    account_type: str | None
    created_at: datetime | None
    updated_at: datetime | None
    record: JsonObject | bytes = field(repr=False)
    is_own_sign_up: bool = False

    @property
    def is_b2b(self) -> bool:
        """Does consent sit on the account's users, and not on the account?"""
        return (self.account_type or "").upper() == "B2B"

    @cached_property
    def raw(self) -> JsonObject:
        """The account's JSON."""
        if not isinstance(self.record, bytes):
            return self.record
        found = decode_item(self.record)
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Event:
    """A Kibo event: account `account_id` was created, updated or deleted. It carries no data.

    `event_id` is lower case without dashes; `topic` is one of `customeraccount.created|updated|deleted`
    or `customersegment.customeradded|customerremoved`.
    """

    event_id: str
    topic: str
    account_id: int
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A Kibo tenant: its name and the host (without scheme) that serves its customer accounts."""

    tenant_id: int
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A Constant Contact contact (`ContactResource`), less what ccsync never reads.

    `email` is `None` for SMS-only contacts. `permission_to_send` is the vendor's word, or "" when absent.
    `list_ids` is `None` when the answer carried no memberships.
    """

    contact_id: str
    email: str | None
    permission_to_send: str
    opt_in_date: datetime | None
    opt_in_source: str | None
    opt_out_date: datetime | None
    opt_out_source: str | None
    update_source: str | None
    created_at: datetime | None
    updated_at: datetime | None
    deleted_at: datetime | None
    list_ids: frozenset[str] | None
    opt_out_reason: str | None = None

    @property
    def has_unsubscribed(self) -> bool:
        """Judged by the permission alone: deleted contacts may or may not carry opt-out dates."""
        return self.permission_to_send == "unsubscribed"


@dataclass(frozen=True, slots=True)
class ContactList:
    """A Constant Contact contact list."""

    list_id: str
    name: str
    membership_count: int | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomField:
    """A Constant Contact custom field; imports address it as `cf:<name>`."""

    custom_field_id: str
    name: str
    label: str
    type: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A Constant Contact tag. `count`: how many contacts have it, where that was asked for."""

    tag_id: str
    name: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class AccountEmail:
    """An address of the Constant Contact account itself; only confirmed ones may send."""

    address: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """Whose Constant Contact account a login belongs to."""

    encoded_account_id: str
    organization_name: str
    contact_email: str


@dataclass(frozen=True, slots=True)
class CampaignContent:
    """What an e-mail campaign says, and who it is from. `from_email` and `reply_to_email` are confirmed addresses."""

    from_name: str
    from_email: str
    reply_to_email: str
    subject: str
    html: str = field(repr=False)
    preheader: str | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """An e-mail campaign at Constant Contact, with its primary activity: the e-mail itself."""

    campaign_id: str
    activity_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Automation:
    """An automation at Constant Contact, with the vendor's word for its state."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Activity:
    """An asynchronous bulk job at Constant Contact. A counter the answer lacks is `None`."""

    activity_id: str
    state: str
    created_at: datetime | None
    person_count: int | None
    items_total_count: int | None
    error_count: int | None
    correctable_count: int | None
    cannot_add_to_list_count: int | None
    errors: tuple[str, ...]
    results_href: str | None = None  # where a completed export's file is
    source_file_name: str | None = None  # of an import from a file, which is never ccsync's
    completed_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """An unknown state counts as running. The vendor's filter also writes `time_out`."""
        return self.state in {"completed", "cancelled", "failed", "timed_out", "time_out"}

    @property
    def has_completed(self) -> bool:
        return self.state == "completed"


@dataclass(frozen=True, slots=True)
class Sent:
    """What ccsync last put on a list for a person; no `fingerprint`: found there and not sent.

    `sent_at` is a time of Constant Contact's clock, at most `took_seconds` after it arrived; `removed_at` is when
    ccsync has taken it off again.
    """

    list_id: str
    fingerprint: bytes | None
    sent_at: datetime
    removed_at: datetime | None
    took_seconds: int | None = None

    @property
    def earliest_at(self) -> datetime:
        """The earliest that it can have arrived."""
        return self.sent_at - timedelta(seconds=self.took_seconds or 0)


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A contact as far as ccsync knows it, for one list.

    `is_ours`: first put there by ccsync, or adopted. `permission` and `member_of` are what the sighting of `seen_at`
    showed; `moved_to` is the person whose address the contact has now, `None` when it has this one. By the dates of
    Constant Contact's records an opt-in after `opt_ins_until` came after the sighting, and any other before.
    """

    is_ours: bool
    contact_id: str | None = None
    permission: str | None = None
    member_of: str | None = None
    seen_at: datetime | None = None
    moved_to: bytes | None = None
    sent: Sent | None = None
    opt_ins_until: datetime | None = None

    def is_on(self, list_id: str) -> bool:
        """Is the person on the list, going by what ccsync sent and has seen since?"""
        sent = self.sent
        return sent is not None and sent.list_id == list_id and sent.removed_at is None and self.member_of == list_id

    @property
    def earliest_seen_at(self) -> datetime | None:
        """The earliest that `last_seen_at` can have been."""
        return self.seen_at or (self.sent.earliest_at if self.sent else None)

    @property
    def last_seen_at(self) -> datetime | None:
        """The last sighting, or when it was sent if there was no look since."""
        return self.seen_at or (self.sent.sent_at if self.sent else None)

    def is_fresh(self, since: datetime, until: datetime) -> bool:
        """Was the sighting within this span, by Constant Contact's clock? A later date proves nothing."""
        return self.seen_at is not None and since <= self.seen_at <= until


@dataclass(frozen=True, slots=True)
class Sighting:
    """A contact as a pass or a look showed it at `seen_at`, by Constant Contact's clock."""

    person: bytes
    contact_id: str | None
    permission: str | None
    member_of: str | None
    seen_at: datetime
    created_at: datetime | None = None
    opt_ins_until: datetime | None = None
