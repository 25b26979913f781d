"""The account's custom fields: the seeded ones and added ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from ccsync.sandbox.constant_contact.errors import conflict, invalid, not_found
from ccsync.sandbox.constant_contact.paging import next_links, open_cursor
from ccsync.sandbox.constant_contact.validation import Parameter, check_properties, read_json, read_query
from ccsync.sandbox.wire import Reply, Request

MOST_FIELDS = 100
"""https://developer.constantcontact.com/api_guide/custom_fields_overview.html"""
MOST_LABEL = 50
KINDS = frozenset(
    {"string", "text_area", "number", "currency", "date", "datetime", "boolean", "single_select", "multi_select"}
)
SEEDED = {
    # name: label. The name is the label with underscores, and sometimes in lower case, too.
    "loyalty_tier": "Loyalty tier",
    "kibo_id": "Kibo ID",
    "segments": "Segments",
    "order_count": "Order count",
    "last_order": "Last order",
    "customer_since": "Customer since",
    "Shoe_size": "Shoe size",
}


@dataclass(frozen=True, slots=True)
class CustomField:
    """One field; `name` is what an import uses, `label` what people see."""

    field_id: str
    name: str
    label: str
    kind: str = "string"


class CustomFields:
    """Every custom field of the account."""

    def __init__(self, *, lower_names: bool = False) -> None:
        self._lower_names = lower_names
        self._all = {name: CustomField(_new_id(name), name, label) for name, label in SEEDED.items()}

    @property
    def ids(self) -> Mapping[str, str]:
        """The id of each field, by the name an import uses."""
        return {name: one.field_id for name, one in self._all.items()}

    def add(self, label: str, kind: str = "string") -> CustomField:
        """Add a field; its name is the label "by replacing blanks with underscores"."""
        name = label.strip().replace(" ", "_")
        name = name.lower() if self._lower_names else name
        self._all[name] = CustomField(_new_id(name), name, label, kind)
        return self._all[name]

    def get_fields(self, request: Request) -> Reply:
        """GET /contact_custom_fields."""
        pairs, after = open_cursor(request.query)
        limit = read_query(pairs, {"limit": Parameter("integer", maximum=100)}).integer("limit", 50)
        begin = after or 0
        shown = [_show(one) for one in self._all.values()]
        body: dict[str, object] = {"custom_fields": shown[begin : begin + limit]}
        if len(shown) > begin + limit:
            body["_links"] = next_links("/v3/contact_custom_fields", pairs, begin + limit)
        return Reply.json(200, body)

    def get_field(self, request: Request, field_id: str) -> Reply:
        """GET /contact_custom_fields/{custom_field_id}."""
        read_query(request.query, {})
        found = next((one for one in self._all.values() if one.field_id == field_id.lower()), None)
        if found is None:
            raise not_found(f"Custom field {field_id} was not found.")
        return Reply.json(200, _show(found))

    def post_field(self, request: Request) -> Reply:
        """POST /contact_custom_fields."""
        read_query(request.query, {})
        body = read_json(request)
        check_properties(body, ("label", "type", "choices", "metadata", "version"), ("label", "type"))
        label, kind = body["label"], body["type"]
        if not isinstance(label, str) or not label.strip() or len(label) > MOST_LABEL:
            raise invalid(f"label must be a string of 1 to {MOST_LABEL} characters.")
        if kind not in KINDS:
            raise invalid(f"type must be one of {', '.join(sorted(KINDS))}.")
        if len(self._all) >= MOST_FIELDS:
            raise invalid(f"The account has {MOST_FIELDS} custom fields already.")
        name = label.strip().replace(" ", "_")
        if any(one.label.lower() == label.lower() or one.name.lower() == name.lower() for one in self._all.values()):
            raise conflict(f"Custom field label {label} already exists.")
        return Reply.json(201, _show(self.add(label, str(kind))))


def _new_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"custom field {name}"))


def _show(one: CustomField) -> dict[str, object]:
    return {
        "custom_field_id": one.field_id,
        "label": one.label,
        "name": one.name,
        "type": one.kind,
        "version": 1,
        "updated_at": "2024-03-03T15:56:29Z",
        "created_at": "2024-03-03T10:53:04-05:00",
    }
