"""An account whose contacts are written one by one, and the calls that do it."""

from typing import Any

from ccsync.sandbox.wire import Reply
from tests.sandbox.constant_contact.world import EARLIER, World, deleted, opted_out, person

NOW = "2026-10-01T09:30:00Z"


def account(**settings: Any) -> World:
    """One on both lists with every part, one who opted out, one who was deleted."""
    people = [
        person("ann@example.com", "Newsletter", "Customers 2019", custom_fields={"kibo_id": "7"}),
        opted_out("out@example.com", EARLIER),
        deleted("gone@example.com", EARLIER.date()),
    ]
    return World(people, **settings)


def put(world: World, address: str, **changes: object) -> Reply:
    """PUT a contact's address and names, with changes."""
    body = {"email_address": {"address": address}, "first_name": "Debora", "update_source": "Account"} | changes
    return world.call("PUT", f"/contacts/{world.ids(address)[0]}", {k: v for k, v in body.items() if v is not ...})


def post(world: World, address: str, **changes: object) -> Reply:
    """POST a contact, with changes."""
    body = {"email_address": {"address": address}, "create_source": "Account"} | changes
    return world.call("POST", "/contacts", {k: v for k, v in body.items() if v is not ...})


def opt_out(address: str, reason: str | None = "Opted out in the shop") -> dict[str, object]:
    return {"address": address, "permission_to_send": "unsubscribed", "opt_out_reason": reason}
