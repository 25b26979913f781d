"""Asks both vendors for their state: four calls that change nothing, even while a job is running."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import CcsyncError, Interrupted, LockedError
from ccsync.from_kibo.pages import FILTER
from ccsync.kibo.client import Kibo
from ccsync.models import AccountSummary, ContactList
from ccsync.reports.attention import Alert

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the vendors say. What one of them does not answer becomes a problem instead.

    `list_exists` is `None` when that is not known.
    """

    account: AccountSummary | None
    list_exists: bool | None
    contact_list: ContactList | None
    tenant: str | None
    opted_in: int | None
    troubles: tuple[Alert, ...]


def look(kibo: Kibo, constant_contact: ConstantContact, list_id: str | None, known_account: str | None) -> Seen:
    """Ask who the login belongs to and whether the list is there, which tenant it is and how many opted in."""
    troubles: list[Alert] = []
    account = _asked(troubles, constant_contact.get_account_summary)
    if account is not None and known_account not in (None, account.encoded_account_id):
        troubles.append(Alert("The login at Constant Contact belongs to another account than before.", "ccsync login"))
    contact_list, list_exists = None, None
    if account is not None and list_id is not None:
        asked = len(troubles)
        contact_list = _asked(troubles, lambda: constant_contact.get_list(list_id))
        list_exists = contact_list is not None if len(troubles) == asked else None
    if list_exists is False:
        troubles.append(Alert("The contact list no longer exists.", "ccsync configure --list NAME"))
    tenant = _asked(troubles, kibo.get_tenant)
    page = _asked(troubles, lambda: kibo.get_customers(start=0, size=1, filter=FILTER)) if tenant is not None else None
    return Seen(
        account,
        list_exists,
        contact_list,
        tenant.name if tenant else None,
        page.total if page else None,
        tuple(troubles),
    )


def _asked(troubles: list[Alert], ask: Callable[[], T]) -> T | None:
    """The answer; `None` and a trouble where there is none."""
    try:
        return ask()
    except Interrupted:
        raise
    except LockedError as error:
        what = "Constant Contact was not asked: its login must be renewed, and another run holds the lock."
        troubles.append(Alert(what, error.fix))
        return None
    except CcsyncError as error:
        troubles.append(Alert(error.sentence, error.fix))
        return None
