"""What a person must know before the first export to a list, and what it finds there."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.models import Automation, ContactList
from ccsync.oauth import CAMPAIGN_SCOPE
from ccsync.run.context import Context
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.state import Store, staging, tokens

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FirstExport:
    """What a person has to agree to before the first export to a list.

    `automations` start when somebody joins it; `None` where the login may not see them.
    """

    list_name: str
    members: int | None
    customers: int
    automations: Sequence[Automation] | None = None


def find_automations(store: Store, client: ConstantContact, list_id: str) -> list[Automation] | None:
    """The automations that start on the list; `None` where the login may not see them."""
    if CAMPAIGN_SCOPE not in tokens.scope(store, CONSTANT_CONTACT).split():
        return None
    try:
        return client.automations_of_list(list_id)
    except (RefusedError, VendorUnreachable) as error:
        log.info("the automations cannot be read: %s %s", error.what, error.why)
        return None


def named(automations: Sequence[Automation]) -> str:
    """Each by its name, with its state."""
    return ", ".join(f'"{one.name}" ({one.state})' for one in automations)


def warning(automations: Sequence[Automation] | None) -> str:
    """What may mail everybody who is put on the list, in a sentence; as far as it is known, by name."""
    if automations is None:
        return "An automation that starts when somebody joins this list may mail all of them: pause it first."
    if not automations:
        return "No automation in Constant Contact starts when somebody joins this list."
    names = named(automations)
    if len(automations) == 1:
        return f"The automation {names} starts when somebody joins this list and may mail all of them: pause it first."
    return f"These automations start when somebody joins this list and may mail all of them: {names}. Pause them first."


def remark_on_members(context: Context, contact_list: ContactList) -> None:
    """Say how many members of the list are no customers who opt in."""
    strangers = staging.listed_but_not_opted_in(context.store, contact_list.list_id)
    if strangers:
        context.counts["listed_not_opted_in"] = strangers
        context.remarks.append(
            "1 member of the list is not a customer who opted in, and was left alone."
            if strangers == 1
            else f"{strangers:,} members of the list are not customers who opted in; they were left alone."
        )
