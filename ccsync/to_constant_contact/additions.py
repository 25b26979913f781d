"""Sends the staged people who must be added or updated."""

from ccsync.consent.decisions import Act
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state import staging
from ccsync.to_constant_contact import known_contacts, welcome
from ccsync.to_constant_contact.batches import Sender
from ccsync.to_constant_contact.imports import Imports
from ccsync.to_constant_contact.list_check import ListCheck
from ccsync.to_constant_contact.outgoing import iter_outgoing, iter_outgoing_long
from ccsync.to_constant_contact.split_batches import SplitBatches


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
    """Send the staged people who are due, wait as long as the run may, and find the records that are refused.

    Long addresses go last, in their own batch, and are looked up afterwards. Raises what `ccsync.errors` lists.
    """
    sender, imports = Sender(context, check.renew_when_old), Imports(context)
    total = staging.people(context.store)
    for outgoing in (iter_outgoing, iter_outgoing_long):
        sender.send_all(outgoing(context, is_retry=is_retry), total)
    imports.await_own()
    SplitBatches(context, sender, imports).send_halves(is_retry=is_retry)
