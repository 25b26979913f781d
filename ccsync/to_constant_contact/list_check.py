"""Finds people who left the list since ccsync put them there: an import would put them back."""

from ccsync.consent.decisions import Act
from ccsync.from_constant_contact import members
from ccsync.from_constant_contact.departures import record_departure
from ccsync.from_kibo.staged_decisions import address_of, iter_decisions
from ccsync.run.context import Context
from ccsync.state.staging import Staged


def find_departures(context: Context, *, is_retry: bool, has_just_read: bool = False) -> tuple[list[Staged], int]:
    """The people to be updated who are no longer on the list, and how many were looked for.

    `has_just_read`: this run has read the membership of everybody already.
    """
    due = [
        (one.person or b"", address_of(one))
        for one, decision in iter_decisions(context, is_retry=is_retry)
        if decision.act is Act.UPDATE
    ]
    if not due:
        return [], 0
    if not has_just_read:
        members.read_membership(context, due)
    gone = [
        one
        for one, decision in iter_decisions(context, is_retry=is_retry)
        if decision.act is Act.UPDATE and not members.is_known_member(context, one.person or b"")
    ]
    return gone, len(due)


def record_departures(context: Context, gone: list[Staged]) -> None:
    """Remember that these people left the list: they are not sent to it again, and Kibo is told by the next poll."""
    for one in gone:
        record_departure(context, one.person or b"", address_of(one), account_id=one.account_id)
