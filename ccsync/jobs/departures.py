"""Finds people who left the list since ccsync put them there: an import would put them back."""

from ccsync.jobs import membership
from ccsync.jobs.decisions import Act
from ccsync.jobs.due import address_of, iter_decisions
from ccsync.jobs.work import Work
from ccsync.state import consent, people
from ccsync.state.consent import ConsentChange
from ccsync.state.people import DEPARTED, Suppression
from ccsync.state.staging import Staged


def find_departures(work: Work, *, is_retry: bool, has_just_read: bool = False) -> tuple[list[Staged], int]:
    """The people to be updated who are no longer on the list, and how many were looked for.

    `has_just_read`: this run has read the membership of everybody already.
    """
    due = [
        (one.person or b"", address_of(one))
        for one, decision in iter_decisions(work, is_retry=is_retry)
        if decision.act is Act.UPDATE
    ]
    if not due:
        return [], 0
    if not has_just_read:
        membership.read_membership(work, due)
    gone = [
        one
        for one, decision in iter_decisions(work, is_retry=is_retry)
        if decision.act is Act.UPDATE and not membership.is_known_member(work, one.person or b"")
    ]
    return gone, len(due)


def record_departures(work: Work, gone: list[Staged]) -> None:
    """Remember that these people left the list: they are not sent to it again."""
    at = work.now()
    for one in gone:
        person = one.person or b""
        known = people.known_contact(work.store, person)
        contact_id = known.contact_id if known else None
        change = ConsentChange(
            person,
            address_of(one),
            "left-list",
            "constant_contact",
            None,
            at,
            account_id=one.account_id,
            contact_id=contact_id,
            evidence={"list_id": work.list_id},
        )
        with work.store.transaction():
            found = Suppression(person, DEPARTED, work.list_id, contact_id, at, None)
            people.suppress(work.store, found, at, work.run_id)
            consent.append(work.store, work.run_id, [change])
