"""How a removal ends: done and perhaps watched, called off, or to be tried again."""

import logging
from datetime import timedelta

from ccsync.consent.retry import next_try
from ccsync.errors import CallFailure
from ccsync.from_constant_contact import sightings
from ccsync.from_kibo import deletions
from ccsync.models import Activity
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import accounts, batches, contacts, suppressions
from ccsync.state.log import history
from ccsync.state.log.history import Step
from ccsync.state.outbox import queue, removals, tasks
from ccsync.state.outbox.removals import Removal

log = logging.getLogger(__name__)

WHILE_IMPORTING = timedelta(minutes=25)
"""A removal of a person in a running import is repeated by the next run."""


def done(context: Context, one: Removal, how: str) -> None:
    """It is done: remember it, and forget the person if the account is gone.

    While an import, under whichever address the contact has had, or another removal could still change that, the person
    is watched.
    """
    why = removals.REASONS[one.reason]
    act = "unsubscribed" if how == "unsubscribed" else "removed"
    with context.store.transaction():
        people = _note_off_list(context, one)
        if not one.is_done:
            step = Step(one.person, one.account_id, act, f"{why}; {how}" if act == "removed" else why)
            history.append(context.store, context.run_id, context.now(), [step])
            context.counts[act] += 1
        if removals.is_under_way(context.store, one) or any(batches.holds(context.store, two) for two in people):
            removals.watch(context.store, one.id, context.now() + WHILE_IMPORTING)
        else:
            forget(context, one)


def end(context: Context, one: Removal) -> None:
    """Its jobs are over, and it was done before, or the person has said yes since. A job of unknown end may have taken
    them off after they were sent.
    """
    with context.store.transaction():
        _note_off_list(context, one)
        forget(context, one)


def _note_off_list(context: Context, one: Removal) -> set[bytes]:
    """If the person has the contact under another address, they have not left by their own act. Who they all are."""
    ids = {*one.contact_ids, *one.taken.split()}
    known = (two for each in ids for two in contacts.addresses_of_contact(context.store, each, one.person))
    people = {one.person, *known}
    for person in people:
        contacts.note_removed(context.store, person, one.list_id, vendor_now(context))
        if person != one.person:  # who has said nothing: they are decided on again
            queue.enqueue_person(context.store, person, context.now())
    return people


def forget(context: Context, one: Removal) -> None:
    """Close the task. If the person said yes meanwhile, decide about them again."""
    with context.store.transaction():
        removals.drop(context.store, one.person, one.list_id)
        sightings.unlink(context, one.person)
        if one.reason == removals.DELETED:
            deletions.forget_removed(context, one.account_id, one.person)
        elif not is_wanted(context, one):
            queue.enqueue_person(context.store, one.person, context.now())


def is_wanted(context: Context, one: Removal) -> bool:
    """Does nobody say yes with the address? A started job cannot be called back, but need not be started again."""
    if one.reason == removals.DELETED or suppressions.holds(context.store, one.person, one.list_id):
        return True
    return not any(account.accepts_marketing for account in accounts.with_address(context.store, one.person))


def fail(context: Context, one: Removal, error: CallFailure) -> None:
    """It could not be done for this one: later runs try again."""
    reason = error.sentence
    later = next_try(context.now(), one.attempts + 1, context.config.sync.interval)
    tasks.note_failure(context.store, one.id, later.attempts, later.at, reason, is_parked=later.is_parked)
    context.counts["failed"] += 1
    log.warning("account %s is not off the list yet: %s", one.account_id, reason)


def has_worked(activity: Activity | None) -> bool:
    return activity is not None and activity.has_completed
