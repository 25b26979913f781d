"""Sends the staged people who must be added or updated."""

from ccsync.consent.decisions import Act
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state import staging
from ccsync.to_constant_contact import known_contacts, suspects, welcome
from ccsync.to_constant_contact.list_check import ListCheck


def send_changed(context: Context, check: ListCheck) -> None:
    """Send the changed people who were staged, after a look at opt-outs and members.

    Raises what `ccsync.errors` lists; what was sent before is kept.
    """
    if not staging.people(context.store):
        return
    known_contacts.learn(context)
    if any(one.act in (Act.ADD, Act.UPDATE, Act.DEPARTED) for _, one in iter_decisions(context, is_retry=False)):
        require_list(context)
        check.renew()
        welcome.create_new(context)
    send_staged(context, check)


def send_staged(context: Context, check: ListCheck, *, is_retry: bool = False) -> None:
    """Send the staged people who are due. Long addresses go last, in their own batch, and are looked up afterwards.

    Raises what `ccsync.errors` lists.
    """
    suspects.send(context, staging.people(context.store), is_retry=is_retry, renew=check.renew_when_old)
