"""Creates new customers one by one, so that Constant Contact sends them its welcome e-mail: imports send none."""

import json

from ccsync.constant_contact.new_contact import needs_custom_fields, new_contact
from ccsync.errors import AnswerLost, RefusedError
from ccsync.jobs import known_contacts
from ccsync.jobs.decisions import Act, is_worth_greeting
from ccsync.jobs.due import iter_decisions
from ccsync.jobs.sending import reject
from ccsync.jobs.work import Work
from ccsync.models import Contact
from ccsync.state import history, people, set_aside, staging
from ccsync.state.history import Step
from ccsync.state.staging import Staged

SHARE = 3
"""Single creates may use one call in so many of what is left today."""
REASON = "new, and made the account themselves: created singly for the welcome e-mail"


def new_people(work: Work) -> list[Staged]:
    """The people who are to be created singly."""
    if not work.config.sync.welcome_email:
        return []
    return [
        one
        for one, decision in iter_decisions(work, is_retry=False)
        if decision.act is Act.ADD
        and is_worth_greeting(
            people.known_contact(work.store, one.person or b""), is_own_sign_up=one.is_own_sign_up, wants_welcome=True
        )
    ]


def may_create(work: Work) -> int:
    """How many single creates today's calls allow."""
    limits = work.config.limits
    return max(0, limits.requests_per_day - limits.reserve_per_day - work.gate.calls_today()) // SHARE


def create_new(work: Work) -> None:
    """Create who is new; whoever turns out to exist after all stays staged, and goes by import."""
    due = new_people(work)
    most = may_create(work)
    if len(due) > most:
        work.remarks.append(
            f"{len(due) - most:,} new customers went by import and get no welcome e-mail:"
            " creating them singly would have used more than a third of today's remaining calls."
        )
    field_ids = _field_ids(work, due[:most])
    for number, one in enumerate(due[:most], start=1):
        _create(work, one, field_ids)
        work.show("new customers", number, len(due), number)


def _field_ids(work: Work, due: list[Staged]) -> dict[str, str]:
    if not any(needs_custom_fields(json.loads(one.row or "{}")) for one in due):
        return {}
    return {one.name: one.custom_field_id for one in work.constant_contact.iter_custom_fields()}


def _create(work: Work, one: Staged, field_ids: dict[str, str]) -> None:
    person, row = one.person or b"", json.loads(one.row or "{}")
    at = work.constant_contact.transport.server_time(work.now())
    with work.store.transaction():
        # Noted beforehand: whether the answer arrives or not, an opt-out has to find it.
        people.set_out_to_send(work.store, [(one.account_id, person)], at)
    try:
        contact = work.constant_contact.create_contact(new_contact(row, work.list_id, field_ids))
    except AnswerLost:
        contact = _look_for(work, str(row["email"]))
    except RefusedError as error:
        if error.status not in (400, 422):
            raise
        _reject(work, one, str(row["email"]), error)
        return
    if contact is None:
        _note_existing(work, str(row["email"]))
        return
    step = Step(person, one.account_id, "added", REASON, " ".join(sorted(row)), one.fingerprint)
    with work.store.transaction():
        people.confirm(work.store, person, contact.contact_id, work.list_id, one.fingerprint or b"")
        set_aside.release(work.store, one.account_id)
        history.append(work.store, work.run_id, work.now(), [step])
        staging.drop_person(work.store, person)
        work.counts["added"] += 1
        work.counts["greeted"] += 1


def _look_for(work: Work, address: str) -> Contact | None:
    """The answer was lost: did the contact arrive? Else it goes by import, at the price of its welcome e-mail."""
    contact = work.constant_contact.find_contact(address)
    is_there = contact is not None and known_contacts.is_member(contact, work.list_id)
    return contact if is_there else None


def _note_existing(work: Work, address: str) -> None:
    """The address exists after all (409): it may be another source's, or unsubscribed."""
    contact = work.constant_contact.find_contact(address)
    known_contacts.note(work, [contact] if contact is not None else [])


def _reject(work: Work, one: Staged, address: str, error: RefusedError) -> None:
    with work.store.transaction():
        reject(work, one.account_id, address, one.fingerprint or b"", error)
        staging.drop_person(work.store, one.person or b"")
