"""The active contact list: that it is still there."""

from ccsync.errors import RefusedError
from ccsync.models import ContactList
from ccsync.run.context import Context


def require_list(context: Context) -> ContactList:
    """Read and return the active list. Raises `RefusedError` if it no longer exists."""
    found = context.constant_contact.get_list(context.list_id)
    if found is None:
        raise list_is_gone(context)
    return found


def list_is_gone(context: Context) -> RefusedError:
    """The error for an active list that no longer exists."""
    return gone(context.config.sync.list_name or context.list_id)


def gone(name: str) -> RefusedError:
    """The same, where no run is under way."""
    return RefusedError(
        f'The contact list "{name}" no longer exists in Constant Contact.',
        "it was deleted there, and ccsync will not recreate it. Nothing was sent.",
        "ccsync configure --list NAME (add --create-list for a new one)",
    )
