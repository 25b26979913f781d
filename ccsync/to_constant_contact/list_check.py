"""Finds people who left the list since ccsync put them there: an import would put them back."""

from ccsync.consent.decisions import Act
from ccsync.from_constant_contact import members
from ccsync.from_constant_contact.departures import record_departure
from ccsync.from_kibo.staged_decisions import address_of, iter_decisions, iter_to_look_at
from ccsync.run.context import Context
from ccsync.state import staging
from ccsync.state.staging import Staged
from ccsync.to_constant_contact.batches import reject
from ccsync.to_constant_contact.bisection import Failure


def find_departures(context: Context, *, is_retry: bool, has_just_read: bool = False) -> tuple[list[Staged], int]:
    """Look at the contacts that imports would update or put on the list again; return who has left, of how many.

    `has_just_read`: this run has read the membership of everybody already.
    """
    due = list(iter_to_look_at(context, is_retry=is_retry))
    if due and not has_just_read:
        hidden = members.read_membership(context, [(one.person or b"", address_of(one)) for one, _ in due])
        for one in {one.person: one for one, _ in due if one.person in hidden}.values():
            # Whether they have left cannot be seen: in doubt nobody is sent.
            _leave_out(context, one, hidden[one.person or b""])
    gone = [one for one, decision in iter_decisions(context, is_retry=is_retry) if decision.act is Act.DEPARTED]
    return gone, len({one.person for one, was_on_list in due if was_on_list} | {one.person for one in gone})


def _leave_out(context: Context, one: Staged, error: Failure) -> None:
    with context.store.transaction():
        reject(context, one.account_id, address_of(one), one.fingerprint or b"", error)
        staging.drop_person(context.store, one.person or b"")


def record_departures(context: Context, gone: list[Staged]) -> None:
    """Remember that these people left the list: they are not sent to it again, and the next poll writes it back."""
    for one in gone:
        record_departure(context, one.person or b"", address_of(one), account_id=one.account_id)
