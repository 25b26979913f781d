"""Finds people who left the list since ccsync put them there: an import would put them back."""

from ccsync.jobs import membership
from ccsync.jobs.decisions import Act
from ccsync.jobs.due import address_of, iter_decisions
from ccsync.jobs.telling_decisions import By
from ccsync.jobs.work import Work
from ccsync.state import consent, history, people, untold
from ccsync.state.consent import ConsentChange
from ccsync.state.history import Step
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
    """Remember that these people left the list: they are not sent to it again, and Kibo is told by the next poll."""
    for one in gone:
        record_departure(work, one.person or b"", address_of(one), account_id=one.account_id)


def record_departure(
    work: Work, person: bytes, address: str | None, *, account_id: int | None = None, by: By | None = None
) -> None:
    """Remember that one person left the list; `by` says whose act it was, `None` that nobody has looked."""
    at = work.now()
    known = people.known_contact(work.store, person)
    contact_id = known.contact_id if known else None
    change = ConsentChange(
        person,
        address,
        "left-list",
        "constant_contact",
        None,
        at,
        account_id=account_id,
        contact_id=contact_id,
        evidence={"list_id": work.list_id, "by": by.value if by else None},
    )
    with work.store.transaction():
        found = Suppression(person, DEPARTED, work.list_id, contact_id, at, by.source if by else None)
        people.suppress(work.store, found, at, work.run_id)
        if work.config.sync.list_departures:
            untold.queue(work.store, person, DEPARTED, at, is_checked=by is not None)
        people.note_off_list(work.store, person)
        consent.append(work.store, work.run_id, [change])


def withdraw_departure(work: Work, person: bytes, why: str) -> None:
    """It was no departure, or it is undone: what was concluded from it no longer holds; in one transaction."""
    with work.store.transaction():
        people.lift(work.store, person, DEPARTED)
        untold.withdraw(work.store, person, DEPARTED)
        change = ConsentChange(
            person, None, "back-on-list", "constant_contact", None, work.now(), evidence={"why": why}
        )
        consent.append(work.store, work.run_id, [change])
        history.append(work.store, work.run_id, work.now(), [Step(person, None, "put right", why)])
