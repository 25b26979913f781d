"""Compares the segments of all customers with the tags that were noted for them.

Whether Kibo raises an event when somebody comes into a segment or leaves one is not known. Without one only an export
would notice.
"""

import logging
from collections.abc import Iterable

from ccsync.clocks import OurTime
from ccsync.from_constant_contact.opt_outs import DAILY
from ccsync.from_kibo.pages import FILTER, Sweep
from ccsync.kibo.events import PAGE_SIZE
from ccsync.mapping.tags import SEGMENTS, tags_of
from ccsync.models import Customer
from ccsync.run import clocks, quirks
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, person_tags
from ccsync.state.outbox import queue
from ccsync.state.properties import Stream

log = logging.getLogger(__name__)

STREAM = Stream("segments", OurTime)
MOST_EMPTIED = 10_000
"""Accounts to read again at once; the next comparison finds the rest."""
MOST_PROBED = 5


class Segments:
    """Takes rows of opted-in customers, as a list shows them, and notes what their segments say.

    A list may lack segments: from a row that shows none nothing is concluded, but its account is read again.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._are_shown = False
        self._emptied: list[int] = []

    def note(self, rows: Iterable[Customer]) -> None:
        """Take some rows."""
        context, changed = self._context, list[tuple[bytes, str, list[str]]]()
        for one in rows if context.config.tags else ():
            if not one.email or one.accepts_marketing is not True:
                continue
            person, names = context.person_of(one.email), tags_of(one.raw, context.config.tags) or []
            self._are_shown = self._are_shown or bool(names)
            noted = {name for name, is_wanted, _ in person_tags.of_person(context.store, person) if is_wanted}
            if set(names) == noted or not self._decides(one, person):
                continue
            if names:
                changed.append((person, one.email, names))
            elif len(self._emptied) < MOST_EMPTIED:
                self._emptied.append(one.account_id)
        with context.store.transaction():
            person_tags.note_wanted(context.store, changed, context.now())

    def _decides(self, one: Customer, person: bytes) -> bool:
        """Is this the account whose data a contact on the list has?"""
        store, list_id = self._context.store, self._context.list_id
        known = contacts.known(store, person, list_id)
        return known is not None and known.is_on(list_id) and accounts.of_person(store, person) == [one.account_id]

    def end(self) -> None:
        """All rows were taken: queue the accounts that seem to have left their last segment."""
        context, emptied = self._context, self._emptied
        if not self._are_shown:
            wholes = [context.kibo.get_customer(one) for one in emptied[:MOST_PROBED]]
            if any(one is not None and tags_of(one.raw, context.config.tags) for one in wholes):
                log.info("Kibo's list does not carry segments")
                return
        with context.store.transaction():
            queue.enqueue_new(context.store, emptied, context.now())


def compare_daily(context: Context) -> None:
    """Compare everybody's segments, once a day; what follows is left to the next run.

    Raises what `ccsync.errors` lists.
    """
    at, last = clocks.our_time(context), clocks.bookmark(context, STREAM)
    lacking = (quirks.recall(context, quirks.LACKING_SECTIONS) or "").split()
    if not context.config.tags or SEGMENTS in lacking or (last is not None and last > at - DAILY):
        return
    pages = context.kibo.get_customers(start=0, size=1, filter=FILTER).total / PAGE_SIZE
    left = context.clock.seconds_left()
    if left is not None and pages / context.config.limits.kibo_requests_per_second > left / 2:
        log.info("no time to compare segments; reconcile and export do")
        return
    clocks.advance(context, STREAM, at)  # a store whose pages fail is not read again in every run
    segments = Segments(context)
    for page in Sweep(context):
        segments.note(page.customers)
    segments.end()
