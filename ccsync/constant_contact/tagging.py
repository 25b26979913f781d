"""The account's tags, and the bulk jobs that set them and take them off."""

from collections.abc import Iterator, Sequence

from ccsync import shapes
from ccsync.constant_contact.bulk import Bulk
from ccsync.errors import VendorUnreachable
from ccsync.models import Activity, JsonObject, Tag
from ccsync.transport.calls import Call


class Tagging(Bulk):
    """Reads and creates tags; they are set and taken off by bulk jobs only."""

    def iter_tags(self, *, counted: bool = False) -> Iterator[Tag]:
        """Every tag of the account; `counted`: with the number of contacts that have it."""
        params = {"limit": "500"} | ({"include_count": "true"} if counted else {})
        for page in self._pages("/contact_tags", params, "tags"):
            yield from (one for record in page if (one := _to_tag(record)))

    def create_tag(self, name: str) -> Tag:
        """Create a tag. Names are unique: one that appeared meanwhile is taken as it is."""
        call = Call("POST", self._api_url + "/contact_tags", json={"name": name}, accepts=frozenset({409}))
        answer, value = self._json(call)
        if answer.status == 409:
            found = next((one for one in self.iter_tags() if one.name.casefold() == name.casefold()), None)
        else:
            found = _to_tag(shapes.as_object(value) or {})
        if found is None:
            raise VendorUnreachable("Constant Contact's answer about a tag is none.", "it has no tag_id.")
        return found

    def tag_contacts(self, contact_ids: Sequence[str], tag_ids: Sequence[str], *, is_adding: bool) -> Activity:
        """Start setting tags on contacts (at most 500) or taking them off; doing it twice is harmless.

        https://developer.constantcontact.com/api_guide/add_tagging_activity.html
        """
        name = "contacts_taggings_add" if is_adding else "contacts_taggings_remove"
        return self._start(name, {"source": {"contact_ids": list(contact_ids)}, "tag_ids": list(tag_ids)})


def _to_tag(record: JsonObject) -> Tag | None:
    tag_id, name = shapes.text(record, "tag_id"), shapes.text(record, "name")
    if tag_id is None or name is None:
        return None
    return Tag(tag_id, name, shapes.integer(record, "contacts_count"))
