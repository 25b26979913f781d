"""The account's contact lists and the operations on them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ccsync.sandbox.constant_contact.contacts.presentation import stamp
from ccsync.sandbox.constant_contact.contacts.store import Store
from ccsync.sandbox.constant_contact.errors import conflict, invalid, not_found
from ccsync.sandbox.constant_contact.paging import next_links, open_cursor
from ccsync.sandbox.constant_contact.validation import Parameter, Query, check_properties, read_json, read_query
from ccsync.sandbox.wire import Reply, Request

MOST_LISTS = 1_000
"""https://v3.developer.constantcontact.com/api_guide/lists_post.html"""

_COUNTED = Parameter("text", frozenset({"all", "active"}))
_LISTING = {
    "limit": Parameter("integer", maximum=1000),
    "include_count": Parameter("boolean"),
    "include_membership_count": _COUNTED,
    "name": Parameter(),
    "status": Parameter("csv", frozenset({"all", "active", "deleted"})),
    "channel_type": Parameter("text", frozenset({"email", "sms"})),
    "include_sms_membership_count": Parameter("boolean"),
}


@dataclass(frozen=True, slots=True)
class StoredList:
    """One list; times are seconds since 1970."""

    seq: int
    list_id: str
    name: str
    description: str
    favorite: bool
    created_at: int
    updated_at: int
    deleted_at: int | None = None


class Lists:
    """Every list there ever was, deleted ones included."""

    def __init__(
        self, store: Store, new_id: Callable[[], str], now: Callable[[], int], *, shows_deleted: bool = False
    ) -> None:
        self._store = store
        self._new_id = new_id
        self._now = now
        self._shows_deleted = shows_deleted
        self._all: dict[int, StoredList] = {}
        self._seq_by_id: dict[str, int] = {}

    def find(self, name_or_id: str) -> StoredList | None:
        """The list of this id, or the living one of this name."""
        seq = self._seq_by_id.get(name_or_id.lower())
        return self._all[seq] if seq is not None else self._named(name_or_id)

    def living(self, list_id: str) -> StoredList | None:
        """The list of this id unless it is deleted."""
        found = self._all.get(self._seq_by_id.get(list_id.lower(), 0))
        return found if found and found.deleted_at is None else None

    def ids(self, seqs: list[int]) -> list[str]:
        """The ids of some lists."""
        return [self._all[seq].list_id for seq in seqs]

    def add(self, name: str, description: str = "", *, favorite: bool = False) -> StoredList:
        """Create a list."""
        now = self._now()
        added = StoredList(len(self._all) + 1, self._new_id(), name, description, favorite, now, now)
        self._seq_by_id[added.list_id] = added.seq
        return self._put(added)

    def change(self, changed: StoredList) -> StoredList:
        """Store a changed list."""
        return self._put(replace(changed, updated_at=self._now()))

    def delete(self, doomed: StoredList) -> None:
        """Delete a list; its members stay in the account."""
        self._put(replace(doomed, deleted_at=self._now()))
        self._store.drop_members(doomed.seq)

    # the operations

    def get_lists(self, request: Request) -> Reply:
        """GET /contact_lists."""
        pairs, after = open_cursor(request.query)
        query = read_query(pairs, _LISTING)
        chosen = [one for one in self._all.values() if _is_wanted(one, query)]
        limit = query.integer("limit", 50)
        rest = [one for one in chosen if one.seq > (after or 0)]
        body: dict[str, object] = {"lists": [self._show(one, query) for one in rest[:limit]]}
        if query.flag("include_count"):
            body["lists_count"] = len(chosen)
        if len(rest) > limit:
            body["_links"] = next_links("/v3/contact_lists", pairs, rest[limit - 1].seq)
        return Reply.json(200, body)

    def post_list(self, request: Request) -> Reply:
        """POST /contact_lists."""
        read_query(request.query, {})
        name, description, favorite = _read_list(request)
        if sum(one.deleted_at is None for one in self._all.values()) >= MOST_LISTS:
            raise invalid(f"The account has {MOST_LISTS} lists already.")
        self._check_free(name, None)
        return Reply.json(201, self._show(self.add(name, description or "", favorite=favorite)))

    def get_list(self, request: Request, list_id: str) -> Reply:
        """GET /contact_lists/{list_id}."""
        query = read_query(request.query, {"include_membership_count": _COUNTED})
        found = self._all.get(self._seq_by_id.get(list_id.lower(), 0)) if self._shows_deleted else None
        return Reply.json(200, self._show(found or self._require(list_id), query))

    def put_list(self, request: Request, list_id: str) -> Reply:
        """PUT /contact_lists/{list_id}."""
        read_query(request.query, {})
        name, description, favorite = _read_list(request)
        found = self._require(list_id)
        self._check_free(name, found)
        changed = replace(found, name=name, description=description or "", favorite=favorite)
        return Reply.json(200, self._show(self.change(changed)))

    def _require(self, list_id: str) -> StoredList:
        found = self.living(list_id)
        if found is None:
            raise not_found(f"List {list_id} was not found.")
        return found

    def _check_free(self, name: str, own: StoredList | None) -> None:
        holder = self._named(name)
        if holder and holder != own:
            raise conflict(f"Validation failed: List name {name} already exists.")

    def _named(self, name: str) -> StoredList | None:
        return next((one for one in self._all.values() if one.name == name and one.deleted_at is None), None)

    def _put(self, one: StoredList) -> StoredList:
        self._all[one.seq] = one
        return one

    def _show(self, one: StoredList, query: Query | None = None) -> dict[str, object]:
        shown: dict[str, object] = {
            "list_id": one.list_id,
            "name": one.name,
            "description": one.description,
            "favorite": one.favorite,
            "created_at": stamp(one.created_at),
            "updated_at": stamp(one.updated_at),
        }
        if one.deleted_at is not None:
            shown["deleted_at"] = stamp(one.deleted_at)
        if query and (counted := query.text("include_membership_count")):
            shown["membership_count"] = self._store.member_count(one.seq, only_active=counted == "active")
        return shown


def _is_wanted(one: StoredList, query: Query) -> bool:
    # The description gives no default for `status`; the portal shows living lists.
    statuses = query.words("status") or {"active"}
    status = "active" if one.deleted_at is None else "deleted"
    name = query.text("name")
    is_email = query.text("channel_type") != "sms"  # every list here is one for e-mail
    return is_email and (name is None or name == one.name) and bool({"all", status} & statuses)


def _read_list(request: Request) -> tuple[str, str | None, bool]:
    body = read_json(request)
    check_properties(body, ("name", "favorite", "description"), ("name",))
    name, description, favorite = body["name"], body.get("description"), body.get("favorite", False)
    if not isinstance(name, str) or not name.strip() or len(name) > 255:
        raise invalid("name must be a string of 1 to 255 characters.")
    if description is not None and (not isinstance(description, str) or len(description) > 255):
        raise invalid("description must be a string of at most 255 characters.")
    if not isinstance(favorite, bool):
        raise invalid("favorite must be true or false.")
    return name, description, favorite
