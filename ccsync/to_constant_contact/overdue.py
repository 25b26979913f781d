"""Handles imports that have not ended long after they were sent: they are reported once, and no run waits for them.

They are watched until they end all the same: what they do then is looked at.
"""

import logging
from datetime import datetime, timedelta

from ccsync.consent.decisions import SUBSCRIBED
from ccsync.from_constant_contact import members, sightings
from ccsync.from_constant_contact.activities import arrival, look_at
from ccsync.models import Activity
from ccsync.run import clocks
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import batches, contacts, suppressions
from ccsync.state.batches import ADOPTED, DONE, FAILED, OVERDUE, RUNNING, Batch, BatchRow
from ccsync.state.outbox import queue
from ccsync.state.suppressions import UNORDERED
from ccsync.words import counted

log = logging.getLogger(__name__)

LONG = timedelta(hours=6)


def look(context: Context) -> None:
    """Give up waiting for imports that take too long, and find out about those that were given up before."""
    given_up = batches.in_state(context.store, OVERDUE)
    over = look_at(context, {one.activity_id for one in given_up if one.activity_id})
    for batch in given_up:
        if batch.activity_id in over:
            _has_ended(context, batch, over[batch.activity_id])
    before = vendor_now(context) - LONG
    for batch in batches.in_state(context.store, RUNNING, ADOPTED):
        if batch.prepared_at < before:
            _give_up(context, batch)


def _give_up(context: Context, batch: Batch) -> None:
    """People who arrived are done; the rest are decided on again, but for whose contact has left the list since."""
    rows = batches.rows_of(context.store, batch.id)
    hidden = members.read_membership(context, [(row.person, row.email) for row in rows])
    seen = [row for row in rows if row.person not in hidden]
    arrived = [row for row in seen if contacts.is_member(context.store, row.person, context.list_id)]
    gone = [row for row in seen if row not in arrived and _may_have_left(context, row.person)]
    held_since = clocks.kibo_now(context).at  # before the transaction: this may take a call
    with context.store.transaction():
        for row in arrived:
            _confirm(context, batch, row, (vendor_now(context), None))  # as a look has just shown
        for row in gone:
            sightings.hold_back(context, row.person, held_since, UNORDERED, vendor_now(context))
        missing = {row.account_id for row in rows} - {row.account_id for row in (*arrived, *gone)}
        queue.enqueue(context.store, sorted(missing), context.now())
        batches.set_state(context.store, batch.id, OVERDUE)
    log.warning("batch %s has not ended for %s; %s of its contacts are on the list", batch.id, LONG, len(arrived))
    context.notices[f"import {batch.id}"] = (
        f"Constant Contact has not finished an import of {counted(batch.rows, 'contact')} for six hours."
        f" {len(arrived):,} of them are on the list; the rest are sent again. Look at Activity in Constant Contact:"
        f" {batch.activity_id}."
    )


def _may_have_left(context: Context, person: bytes) -> bool:
    """Is there a contact that was made since ccsync first tried to send it, and that is on no list?

    An import puts whom it makes on the list: they have left it, or unsubscribed and come back. Which, and when, no look
    can tell.
    """
    known = contacts.known(context.store, person, context.list_id)
    return known is not None and known.is_ours and known.sent is None and known.permission in SUBSCRIBED


def _has_ended(context: Context, batch: Batch, activity: Activity | None) -> None:
    """It ended after all. What it wrote may be older than what was sent since, so its people are decided on again."""
    has_worked, arrived = activity is not None and activity.has_completed, arrival(context, activity, batch.prepared_at)
    with context.store.transaction():
        for row in batches.rows_of(context.store, batch.id) if has_worked else []:
            if not suppressions.holds(context.store, row.person, batch.list_id):
                _confirm(context, batch, row, arrived)
                queue.enqueue(context.store, [row.account_id], context.now())
        batches.close(context.store, batch.id, DONE if has_worked else FAILED, context.now())


def _confirm(context: Context, batch: Batch, row: BatchRow, arrived: tuple[datetime, int | None]) -> None:
    contacts.confirm(context.store, row.person, batch.list_id, row.fingerprint, row.account_id, *arrived)
