"""The account's contact tags and the operations on them.

Tag, TagPost and TagPut of https://developer.constantcontact.com/api_reference/index.html.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ccsync.sandbox.constant_contact.contacts.presentation import fine_stamp
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact
from ccsync.sandbox.constant_contact.errors import conflict, invalid, not_found
from ccsync.sandbox.constant_contact.noting import Notes
from ccsync.sandbox.constant_contact.paging import next_links, open_cursor
from ccsync.sandbox.constant_contact.validation import Parameter, check_properties, read_json, read_query
from ccsync.sandbox.wire import Clock, Reply, Request

_COUNT = Parameter("boolean")


@dataclass(frozen=True, slots=True)
class StoredTag:
    """One tag; `number` is below 0, as the store keeps tags beside lists."""

    number: int
    tag_id: str
    name: str
    source: str | None
    created_at: datetime
    updated_at: datetime


class Tags:
    """Every tag of the account."""

    def __init__(self, store: Store, clock: Clock, notes: Notes, new_id: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._notes = notes
        self._new_id = new_id
        self._made = 0
        self._all: dict[str, StoredTag] = {}

    def add(self, name: str, source: str | None = None) -> StoredTag:
        """Create a tag."""
        self._made += 1
        now = self._clock()
        tag = StoredTag(-self._made, self._new_id(), name, source, now, now)
        self._all[tag.tag_id] = tag
        return tag

    def delete(self, name: str) -> None:
        """Delete a tag, also from all contacts. Raises `LookupError` if there is none."""
        found = self.named(name)
        if found is None:
            raise LookupError(f"no tag {name}")
        del self._all[found.tag_id]
        self._store.drop_members(found.number)
        self._notes.about_tag("staff", "delete-tag", name)

    def give(self, contact: StoredContact, name: str) -> None:
        """Staff give a contact a tag; a new tag is created."""
        tag = self.named(name) or self.add(name)
        self._store.join([(tag.number, contact.seq)])
        self._notes.add("staff", "tag", contact, value=name)

    def take(self, contact: StoredContact, name: str) -> None:
        """Staff take a tag off a contact."""
        if tag := self.named(name):
            self._store.leave(contact.seq, tag.number)
            self._notes.add("staff", "untag", contact, value=name)

    def rename(self, name: str, new_name: str) -> None:
        """Rename a tag. Raises `LookupError` if there is none."""
        found = self.named(name)
        if found is None:
            raise LookupError(f"no tag {name}")
        self._all[found.tag_id] = replace(found, name=new_name, updated_at=self._clock())

    def all(self) -> list[StoredTag]:
        """Every tag, oldest first."""
        return list(self._all.values())

    def named(self, name: str) -> StoredTag | None:
        """The tag of this name."""
        return next((one for one in self._all.values() if one.name == name), None)

    def ids(self, numbers: list[int]) -> list[str]:
        """The ids of some tags."""
        by_number = {one.number: one.tag_id for one in self._all.values()}
        return [by_number[one] for one in numbers]

    def numbers(self, tag_ids: tuple[str, ...]) -> tuple[int, ...]:
        """The ones of these tags that still exist, as the store keeps them."""
        return tuple(self._all[one].number for one in tag_ids if one in self._all)

    def require(self, tag_ids: tuple[str, ...]) -> tuple[int, ...]:
        """The same, where every one must exist. Raises `Refused`."""
        if any(one.lower() not in self._all for one in tag_ids):
            raise invalid("One or more of the tags do not exist.")
        return self.numbers(tuple(one.lower() for one in tag_ids))

    # the operations

    def get_tags(self, request: Request) -> Reply:
        """GET /contact_tags."""
        pairs, after = open_cursor(request.query)
        query = read_query(pairs, {"limit": Parameter("integer"), "include_count": _COUNT})
        limit, begin = query.integer("limit", 50), after or 0
        tags = list(self._all.values())
        shown = [self._show(one, is_counted=query.flag("include_count")) for one in tags[begin : begin + limit]]
        body: dict[str, object] = {"tags": shown}
        if len(tags) > begin + limit:
            body["_links"] = next_links("/v3/contact_tags", pairs, begin + limit)
        return Reply.json(200, body)

    def post_tag(self, request: Request) -> Reply:
        """POST /contact_tags."""
        read_query(request.query, {})
        body = read_json(request)
        check_properties(body, ("name", "tag_source"), ("name",))
        name, source = _name(body["name"]), body.get("tag_source")
        if source is not None and not isinstance(source, str):
            raise invalid("tag_source must be a string.")
        self._check_free(name, None)
        return Reply.json(201, self._show(self.add(name, source)))

    def get_tag(self, request: Request, tag_id: str) -> Reply:
        """GET /contact_tags/{tag_id}."""
        query = read_query(request.query, {"include_count": _COUNT})
        return Reply.json(200, self._show(self._find(tag_id), is_counted=query.flag("include_count")))

    def put_tag(self, request: Request, tag_id: str) -> Reply:
        """PUT /contact_tags/{tag_id}: another name."""
        read_query(request.query, {})
        body = read_json(request)
        check_properties(body, ("name",), ("name",))
        found = self._find(tag_id)
        name = _name(body["name"])
        self._check_free(name, found)
        self._all[found.tag_id] = replace(found, name=name, updated_at=self._clock())
        return Reply.json(200, self._show(self._all[found.tag_id]))

    def _find(self, tag_id: str) -> StoredTag:
        found = self._all.get(tag_id.lower())
        if found is None:
            raise not_found(f"Tag {tag_id} was not found.")
        return found

    def _check_free(self, name: str, own: StoredTag | None) -> None:
        holder = self.named(name)
        if holder and holder != own:
            raise conflict(f"Validation failed: Tag name {name} already exists.")

    def _show(self, tag: StoredTag, *, is_counted: bool = False) -> dict[str, object]:
        shown: dict[str, object] = {
            "tag_id": tag.tag_id,
            "name": tag.name,
            "created_at": fine_stamp(tag.created_at),
            "updated_at": fine_stamp(tag.updated_at),
        }
        if tag.source is not None:
            shown["tag_source"] = tag.source
        if is_counted:
            shown["contacts_count"] = self._store.member_count(tag.number)
        return shown


def _name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 255:
        raise invalid("name must be a string of 1 to 255 characters.")
    return value
