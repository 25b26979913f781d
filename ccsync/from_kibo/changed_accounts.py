"""Reads the queued accounts with the fewest calls and takes them in.

An event only says that an account changed: what counts is how the account is now. Where events may have been missed,
all accounts are compared with what was sent before, and only what changed is sent.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ccsync.clocks import KiboTime
from ccsync.consent.retry import next_try
from ccsync.errors import CallFailure, OutOfTime, RefusedError, TemporaryError, VendorUnreachable
from ccsync.from_kibo import deletions, events
from ccsync.from_kibo.full_sweep import gather_everybody, incomplete, listings
from ccsync.from_kibo.pages import FILTER, Changed, Sweep, read_changed_since
from ccsync.from_kibo.row_sections import RowSections
from ccsync.from_kibo.staging import Intake
from ccsync.kibo.events import PAGE_SIZE
from ccsync.models import Customer
from ccsync.run import clocks, control
from ccsync.run.context import Context
from ccsync.state import staging
from ccsync.state.outbox import queue
from ccsync.state.outbox.queue import Due
from ccsync.words import counted, days_ago

log = logging.getLogger(__name__)

MOST_READ = 40_000
"""How many accounts are read before they are acted on: as many as one import takes."""
FEW = 10
"""Up to this many accounts are read one by one, without looking for a cheaper way."""
_CHUNK = 200
EVENT_DELAY = timedelta(seconds=10)
"""An event is created a moment after its change."""


class Changes:
    """Reads what is due at `at`: what is put off meanwhile does not come again in the same run.

    `only_listed` reads only accounts of which ccsync has put somebody on that list. `ends_at` is the time of the
    run's clock at which reading stops: what was read by then has to be acted on, too.
    """

    def __init__(
        self, context: Context, at: datetime, *, only_listed: str | None = None, ends_at: float | None
    ) -> None:
        self._context = context
        self._at = at
        self._only_listed = only_listed
        self._ends_at = ends_at
        self._intake = Intake(context)
        self._read = 0
        self.failed: dict[int, str] = {}
        """The accounts that could not be read in this run, and why."""

    def read(self) -> int:
        """Read accounts until none is due, a batch is full, or the time is used up. Returns how many were read.

        Raises what `ccsync.errors` lists when it is Kibo that fails, and not an account.
        """
        self._read = 0
        waiting = queue.count_due(self._context.store, self._at)
        if waiting > FEW and self._only_listed is None:
            self._read_pages(waiting)
        while not self._is_full() and (chunk := self._due(_CHUNK)):
            self._read_singly(chunk, waiting)
        self._read_siblings()
        return self._read

    def has_time(self) -> bool:
        """May another account be read?"""
        return self._ends_at is None or self._context.clock.monotonic() < self._ends_at

    def _is_full(self) -> bool:
        return self._read >= MOST_READ or not self.has_time()

    def _due(self, most: int) -> list[Due]:
        return queue.due(self._context.store, self._at, most, only_listed=self._only_listed)

    # by pages

    def _read_pages(self, waiting: int) -> None:
        """Read the accounts that changed lately, or everybody who opts in, if that is cheaper than one by one."""
        if RowSections(self._context).lacking:
            return
        kibo, since = self._context.kibo, queue.oldest_change(self._context.store, self._at)
        changed = read_changed_since(self._context, since) if since is not None else None
        if changed is not None and changed.total // PAGE_SIZE + 1 < waiting:
            self._take_from(changed)
            return
        everybody = kibo.get_customers(start=0, size=1, filter=FILTER).total
        if everybody // (PAGE_SIZE - 1) + 1 < waiting:
            self._take_from(Changed(everybody, (page.customers for page in Sweep(self._context))))

    def _take_from(self, changed: Changed) -> None:
        """Take in the due accounts. A row that is older than its event, or missing, is read individually."""
        sections = RowSections(self._context)
        for customers in changed.pages:
            if self._is_full():
                return
            fresh = self._fresh(customers)
            sections.probe(fresh)
            if fresh and (sections.lacking or sections.in_doubt):
                return  # a part that is absent must not be taken for an empty one
            self._take(fresh, are_whole=False)
            self._context.show("changed customers", self._read)

    def _fresh(self, customers: Sequence[Customer]) -> list[Customer]:
        by_id = {one.account_id: one for one in customers}
        found = queue.due_among(self._context.store, self._at, list(by_id)) if by_id else []
        return [by_id[one.account_id] for one in found if _is_fresh(by_id[one.account_id], one)]

    # one by one

    def _read_singly(self, chunk: Sequence[Due], waiting: int) -> None:
        there, gone = list[Customer](), list[Due]()
        for one in self._context.kibo.accounts_ahead(chunk, lambda one: one.account_id):
            if not self.has_time():
                break
            try:
                customer = self._context.kibo.get_customer(one.account_id)
            except (VendorUnreachable, RefusedError) as error:
                self._put_off(one, error)
                continue
            if customer is None:
                gone.append(one)
            else:
                there.append(customer)
            self._context.show("changed customers", self._read + len(there) + len(gone), waiting)
        self._take(there, are_whole=True)
        for one in gone:
            self._forget(one.account_id)

    def _put_off(self, one: Due, error: CallFailure) -> None:
        self._note_failure(one.account_id, error)
        put_off(self._context, one, self._at, self.failed[one.account_id])

    def _note_failure(self, account_id: int, error: CallFailure) -> None:
        """One unreadable account must not stop the others, and an outage at Kibo must not be blamed on an account."""
        control.blame_record_at_kibo(self._context, error)
        log.info("account %s could not be read: %s", account_id, error.what)
        self.failed[account_id] = f"Kibo: {error.why or error.what}"

    def _forget(self, account_id: int) -> None:
        with self._context.store.transaction():
            siblings = deletions.forget_account(self._context, account_id)
            queue.mark_read(self._context.store, [account_id])
            queue.enqueue(self._context.store, siblings, self._at)
        self._count(1)

    def _take(self, customers: Iterable[Customer], *, are_whole: bool) -> None:
        taken = list(customers)
        before = self._context.counts["opted_out"]
        self._intake.take(taken, are_whole=are_whole)
        queue.mark_read(self._context.store, [one.account_id for one in taken])
        self._count(len(taken))
        opted_out = sum(one.accepts_marketing is False for one in taken)
        # An account that says no and said no before changes nothing.
        self._context.counts["unchanged"] += max(0, opted_out - (self._context.counts["opted_out"] - before))

    def _count(self, number: int) -> None:
        self._read += number
        self._context.counts["read"] += number

    def _read_siblings(self) -> None:
        """Several accounts with one address are one contact: read them all, because the newest provides its data."""
        siblings = staging.unread_siblings(self._context.store)
        wanted = [one for one in siblings if one not in self.failed]
        for account_id in self._context.kibo.accounts_ahead(wanted, int):
            try:
                customer = self._context.kibo.get_customer(account_id)
            except (VendorUnreachable, RefusedError) as error:
                self._note_failure(account_id, error)
                continue
            if customer is None:
                self._forget(account_id)
            else:
                self._take([customer], are_whole=True)


def put_off(context: Context, one: Due, at: datetime, error: str) -> None:
    """An account could not be processed: retry it later, until it fails for good."""
    later = next_try(at, one.attempts + 1, context.config.sync.interval)
    queue.note_failure(context.store, one.account_id, later.attempts, later.at, error, is_parked=later.is_parked)
    context.counts["failed"] += 1


def _is_fresh(customer: Customer, one: Due) -> bool:
    """Does the row show the change of its event? Lists may lag behind."""
    if one.changed_at is None:
        return True
    return customer.updated_at is not None and customer.updated_at >= one.changed_at - EVENT_DELAY


# used when events may have been missed


def catch_up(context: Context) -> tuple[KiboTime, TemporaryError | None]:
    """Stage everyone who opts in, and queue accounts that were opted in when last seen but are missing now.

    Returns the start of the sweep by Kibo's clock, and what went wrong in the end, if anything.
    Raises `OutOfTime` when the store is too large for a run that has to end.
    """
    context.remarks.append(_why(clocks.kibo_time(context), clocks.bookmark(context, events.STREAM)))
    customers = listings(context.kibo)
    _check_time(context, sum(customers.values()))
    started_at = clocks.kibo_time(context)
    missing = gather_everybody(context, started_at.at, customers).missing
    context.counts["read"] += staging.have_read(context.store)
    queue.mark_staged_read(context.store)
    if not missing:
        queue.enqueue_vanished(context.store, context.now())
    return started_at, incomplete(missing, "The next run compares all customers again.") if missing else None


def _why(now: KiboTime, bookmark: KiboTime | None) -> str:
    because = (
        "It is unknown how far events were read"
        if bookmark is None
        else f"Events were last read {days_ago((now.at - bookmark.at).days)}, and Kibo may not keep them that long"
    )
    return f"{because}: all customers were compared with what was sent before."


def _check_time(context: Context, customers: int) -> None:
    left = context.clock.seconds_left()
    needed = customers / PAGE_SIZE / context.config.limits.kibo_requests_per_second
    if left is not None and needed > left / 2:
        raise OutOfTime(
            f"Events may be missing, and comparing {counted(customers, 'customer')} takes longer than this run may.",
            f"about {needed / 60:.0f} minutes of reading.",
            "ccsync export has no time limit, and events continue from there",
        )
