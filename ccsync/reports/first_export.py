"""What a person has to know before the first export to a list, and what it finds there."""

from dataclasses import dataclass

from ccsync.models import ContactList
from ccsync.run.context import Context
from ccsync.state import staging


@dataclass(frozen=True, slots=True)
class FirstExport:
    """What a person has to agree to before the first export to a list."""

    list_name: str
    members: int | None
    customers: int


def remark_on_members(context: Context, contact_list: ContactList) -> None:
    """Say how many members of the list are no customers who opt in."""
    strangers = staging.listed_but_not_opted_in(context.store, contact_list.list_id)
    if strangers:
        context.counts["listed_not_opted_in"] = strangers
        context.remarks.append(
            f"{strangers:,} members of the list are not customers who opted in; they were left alone."
        )
