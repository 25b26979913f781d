"""Reading contacts: the collection with its filters, one contact, the counts."""

from ccsync.sandbox.constant_contact.contacts.presentation import SECTIONS, to_resource
from ccsync.sandbox.constant_contact.contacts.selection import Selection
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact
from ccsync.sandbox.constant_contact.custom_fields import CustomFields
from ccsync.sandbox.constant_contact.errors import invalid, not_found
from ccsync.sandbox.constant_contact.lists import Lists
from ccsync.sandbox.constant_contact.paging import next_links, open_cursor
from ccsync.sandbox.constant_contact.tags import Tags
from ccsync.sandbox.constant_contact.validation import Parameter, Query, read_query
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.troubles import PageFaults
from ccsync.sandbox.wire import Clock, Reply, Request

_INCLUDE = Parameter("csv", SECTIONS)
_MOMENT = Parameter("date-time")
_STATUSES = frozenset({"all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed"})
_LISTING = {
    "status": Parameter("csv", _STATUSES),
    "email": Parameter(),
    "lists": Parameter("csv", most=25, is_uuid=True),
    "segment_id": Parameter(),
    "tags": Parameter("csv", most=50, is_uuid=True),
    "updated_after": _MOMENT,
    "updated_before": _MOMENT,
    "created_after": _MOMENT,
    "created_before": _MOMENT,
    "optout_after": _MOMENT,
    "optout_before": _MOMENT,
    "include": _INCLUDE,
    "sms_status": Parameter("csv", frozenset({"all", "explicit", "unsubscribed", "pending_confirmation", "not_set"})),
    "include_count": Parameter("boolean"),
    "limit": Parameter("integer"),
}
# `updated_*` looks at the contact alone. An opt-out touches its email_address only, so that
# `updated_after` misses it: https://community.constantcontact.com/t5/API-Developer-Support/
# How-do-I-get-the-latest-unsubscribe-customers-using-the-v3-api/td-p/387264
_BOUNDS = {
    "updated_after": ("updated_at", ">"),
    "updated_before": ("updated_at", "<"),
    "created_after": ("created_at", ">"),
    "created_before": ("created_at", "<"),
    "optout_after": ("opt_out_at", ">"),
    "optout_before": ("opt_out_at", "<"),
}
_MONTH_SECONDS = 30 * 86_400


class Contacts:
    """The reading operations below /contacts."""

    def __init__(
        self, settings: SandboxSettings, clock: Clock, store: Store, lists: Lists, tags: Tags, fields: CustomFields
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._lists = lists
        self._tags = tags
        self._fields = fields
        self.page_faults = PageFaults()  # of what is asked for by lists

    def get_contacts(self, request: Request) -> Reply:
        """GET /contacts."""
        pairs, after = open_cursor(request.query)
        query = read_query(pairs, _LISTING)
        _refuse_unserved(query)
        selection, limit = self._selection(query), query.integer("limit", 50)
        begin = after or 0
        if begin and limit > 1 and self._settings.contact_pages == "overlap":
            begin -= 1  # the last row of the page before comes again
        fault = self.page_faults.next() if query.text("lists") is not None else None
        found = self._store.page(selection, 0 if fault == "repeat" else begin, limit + 1)
        if fault == "short":
            found = found[: len(found) // 2]
        body: dict[str, object] = {"contacts": self.show(found[:limit], query.words("include"))}
        if query.flag("include_count"):
            body["contacts_count"] = self._store.count(selection)
        if len(found) > limit:
            body["_links"] = next_links("/v3/contacts", pairs, found[limit - 1].seq)
        elif self._settings.contact_pages == "loop":
            body["_links"] = next_links("/v3/contacts", pairs, 0)
        elif self._settings.contact_pages == "endless":
            # Empty pages for ever, each with another cursor.
            body["_links"] = next_links("/v3/contacts", pairs, max(begin, found[-1].seq if found else 0) + 1_000_000)
        return Reply.json(200, body)

    def get_contact(self, request: Request, contact_id: str) -> Reply:
        """GET /contacts/{contact_id}."""
        query = read_query(request.query, {"include": _INCLUDE})
        found = self._store.by_id(contact_id)
        if found is None:
            raise not_found(f"Contact {contact_id} was not found.")
        return Reply.json(200, self.show([found], query.words("include"))[0])

    def get_counts(self, request: Request) -> Reply:
        """GET /contacts/counts."""
        query = read_query(request.query, {"include": Parameter("text", frozenset({"new_subscriber"}))})
        since = int(self._clock().timestamp()) - _MONTH_SECONDS
        rows = {permission: (n, new) for permission, n, new in self._store.count_by_permission(since)}
        counts = {
            "total": sum(n for n, _ in rows.values()),
            "explicit": rows.get("explicit", (0, 0))[0],
            "implicit": rows.get("implicit", (0, 0))[0],
            "pending": rows.get("pending_confirmation", (0, 0))[0],
            "unsubscribed": rows.get("unsubscribed", (0, 0))[0],
        }
        if query.text("include"):
            counts["new_subscriber"] = sum(new for _, new in rows.values())
        return Reply.json(200, counts)

    def show(self, contacts: list[StoredContact], sections: frozenset[str] | None) -> list[dict[str, object]]:
        """Contacts as the vendor shows them."""
        wanted = sections or frozenset()
        on: dict[int, list[int]] = {}
        if "list_memberships" in wanted:
            on = self._store.lists_of([one.seq for one in contacts])
        tagged: dict[int, list[int]] = {}
        if "taggings" in wanted:
            tagged = self._store.tags_of([one.seq for one in contacts])
        return [
            to_resource(
                one,
                wanted,
                self._lists.ids(on.get(one.seq, [])),
                self._tags.ids(tagged.get(one.seq, [])),
                self._fields.ids,
                self._settings,
            )
            for one in contacts
        ]

    def _selection(self, query: Query) -> Selection:
        email, sms = query.text("email"), query.words("sms_status")
        return Selection(
            key=email.lower() if email is not None else None,
            lists=self._list_seqs(query),
            statuses=self._wanted_statuses(query),
            sms=tuple(sorted(sms)) if sms and "all" not in sms else None,
            bounds=self._time_bounds(query),
        )

    def _list_seqs(self, query: Query) -> tuple[int, ...] | None:
        wanted, tags = query.words("lists"), query.words("tags")
        if tags is not None and wanted is not None:
            raise invalid("The sandbox does not simulate lists and tags in one request.")
        if tags is not None:
            return self._tags.require(tuple(sorted(tags)))
        if wanted is None:
            return None
        found = [self._lists.living(list_id) for list_id in sorted(wanted)]
        return tuple(one.seq for one in found if one)

    def _wanted_statuses(self, query: Query) -> tuple[str, ...] | None:
        wanted = query.words("status")
        if wanted is None and self._settings.status_default == "active":
            # https://community.constantcontact.com/t5/API-Developer-Support/
            # Question-about-API-Documentation-and-Identifying-a-Contact-from/m-p/420871
            wanted = frozenset({"active"})
        elif wanted is None:
            wanted = _STATUSES - {"all", "deleted"}
        return None if "all" in wanted else tuple(sorted(wanted))

    def _time_bounds(self, query: Query) -> tuple[tuple[str, str, float], ...]:
        bounds = []
        for name, (column, operator) in _BOUNDS.items():
            if moment := query.moment(name):
                is_inclusive = name == "optout_after" and self._settings.optout_after_is_inclusive
                bounds.append((column, operator + "=" * is_inclusive, moment.timestamp()))
        return tuple(bounds)


def _refuse_unserved(query: Query) -> None:
    """Refuse a query by segment: this account has none."""
    if query.text("segment_id") is not None:
        if set(query.values) - {"segment_id", "limit"}:
            raise invalid("segment_id can only be combined with limit.")
        raise not_found("The segment was not found.")
