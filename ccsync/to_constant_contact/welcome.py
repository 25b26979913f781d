"""Creates new customers one by one so that Constant Contact sends its welcome e-mail: imports send none."""

from ccsync.consent.decisions import PENDING_CONFIRMATION, Act, gets_a_welcome
from ccsync.constant_contact.new_contact import needs_custom_fields, new_contact
from ccsync.errors import AnswerLost, RefusedError
from ccsync.from_constant_contact import sightings
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.models import Contact
from ccsync.run import control
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import batches, contacts, parked, staging
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.staging import Staged
from ccsync.words import counted

SHARE = 3
"""Single creates may use one in this many of today's remaining calls."""
REASON = "new, and made the account themselves: created singly for the welcome e-mail"


def new_people(context: Context) -> list[Staged]:
    """The people who are to be created singly."""
    if not context.config.sync.welcome_email:
        return []
    return [
        one
        for one, decision in iter_decisions(context, is_retry=False)
        if decision.act is Act.ADD
        and gets_a_welcome(
            contacts.known(context.store, one.person, context.list_id), is_own_sign_up=one.is_own_sign_up
        )
    ]


def may_create(context: Context) -> int:
    """How many single creates today's calls allow."""
    limits = context.config.limits
    return max(0, limits.requests_per_day - limits.reserve_per_day - context.gate.calls_today()) // SHARE


def create_new(context: Context) -> None:
    """Create new contacts. A contact that turns out to exist stays staged and goes by import."""
    due = new_people(context)
    most = may_create(context)
    if len(due) > most:
        context.remarks.append(
            f"{counted(len(due) - most, 'new customer')} went by import and will get no welcome e-mail:"
            " creating them one by one would have used more than a third of today's remaining calls."
        )
    field_ids = _field_ids(context, due[:most])
    for number, one in enumerate(due[:most], start=1):
        _create(context, one, field_ids)
        context.show("new customers", number, len(due), number)


def _field_ids(context: Context, due: list[Staged]) -> dict[str, str]:
    if not any(needs_custom_fields(one.content) for one in due):
        return {}
    return {one.name: one.custom_field_id for one in context.constant_contact.iter_custom_fields()}


def _create(context: Context, one: Staged, field_ids: dict[str, str]) -> None:
    person, row = one.person, one.content
    # Noted beforehand, so that an opt-out finds it even if the answer never arrives.
    batches.set_out_to_send(context.store, [person], vendor_now(context))
    try:
        contact = context.constant_contact.create_contact(new_contact(row, context.list_id, field_ids))
        if contact is None:  # 409: the address exists after all, perhaps since a moment ago
            batches.note_unsent(context.store, person)
    except AnswerLost:
        contact = _look_for(context, str(row["email"]))
    except RefusedError as error:
        # It goes by import, where other records show whether it is to blame; it loses its welcome e-mail.
        control.blame_record_at_constant_contact(context, error)
        return
    if contact is None:
        # It may be another source's, or unsubscribed.
        existing = context.constant_contact.find_contact(str(row["email"]))
        sightings.note(context, [existing] if existing is not None else [])
        return
    step = Step(person, one.account_id, "added", REASON, " ".join(sorted(row)), one.fingerprint)
    sightings.note(context, [contact])
    made_at = contact.created_at or vendor_now(context)
    with context.store.transaction():
        contacts.confirm(context.store, person, context.list_id, one.fingerprint, one.account_id, made_at)
        if contact.list_ids is None and contact.permission_to_send != PENDING_CONFIRMATION:
            contacts.note_member(context.store, person, context.list_id, vendor_now(context))
        parked.release(context.store, one.account_id)
        history.append(context.store, context.run_id, context.now(), [step])
        staging.drop_person(context.store, person)
        context.counts["added"] += 1
        context.counts["welcomed"] += 1


def _look_for(context: Context, address: str) -> Contact | None:
    """The answer was lost: did the contact arrive? If not, it goes by import and loses its welcome e-mail."""
    contact = context.constant_contact.find_contact(address)
    is_there = contact is not None and sightings.is_member(contact, context.list_id)
    return contact if is_there else None
