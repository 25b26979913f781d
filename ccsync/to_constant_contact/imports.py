"""Finds out what became of imports.

`completed` does not mean that everybody went in: the counters are read, and where they do not add up,
the people are looked for.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ccsync.constant_contact.client import PAGE_SIZE
from ccsync.from_constant_contact import activities, members, opt_outs
from ccsync.from_constant_contact.activities import Waits, arrival
from ccsync.models import Activity
from ccsync.run.context import Context
from ccsync.state import batches, contacts, parked, suppressions
from ccsync.state.batches import ADOPTED, DONE, SPLIT, Batch, BatchRow
from ccsync.state.log import history, runs
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.outbox import queue
from ccsync.to_constant_contact import overdue, refusals
from ccsync.to_constant_contact.batches import LONG_ADDRESS, park

log = logging.getLogger(__name__)

CONFIRMED_AT_ONCE = 1_000
MOST_IDENTIFIED = 1_000
"""Two or three pages show them; the daily comparison learns of the others."""


@dataclass(slots=True)
class Imports:
    """The imports of one run, and those an earlier run left running."""

    context: Context
    _to_check: dict[int, Batch] = field(default_factory=dict)
    _over: dict[int, Activity] = field(default_factory=dict)
    _uncounted: set[int] = field(default_factory=set)
    _arrived: list[tuple[bytes, str]] = field(default_factory=list)
    _sent_since: datetime | None = None
    has_passed: bool = False
    """Has an import completed in this run? Then the vendor takes imports."""

    def look(self) -> None:
        """Take one look at the imports that earlier runs have left running, and finish those that are over."""
        for batch, activity in self._finished(self._running()):
            self._finish(batch, activity)
        self._check()
        self._identify()
        overdue.look(self.context)

    def await_own(self) -> None:
        """Wait for this run's imports as long as it may, and close each as it finishes.

        What is not over by then stays running: the next run looks again.
        """
        waits = Waits(self.context)
        while running := self._running():
            finished = self._finished(running)
            for batch, activity in finished:
                self._finish(batch, activity)
            left = [one for one in running if one.id not in {batch.id for batch, _ in finished}]
            self.context.show("imports", len(finished), len(running))
            if not any(one.run_id == self.context.run_id or self.context.is_patient for one in left):
                break  # those of earlier runs are not worth the wait
            if not waits.wait(has_moved=bool(finished)):
                log.info("%s imports are still running; the next run looks again", len(left))
                break
        self._check()
        self._identify()

    def _running(self) -> list[Batch]:
        return [one for one in batches.unfinished(self.context.store) if one.id not in self._to_check]

    def _finished(self, running: Sequence[Batch]) -> list[tuple[Batch, Activity | None]]:
        """Those whose import is over, with its activity; `None` for one the vendor has forgotten.

        One call tells the state of every import.
        """
        if not running:
            return []
        shown = {one.activity_id: one for one in activities.shown(self.context)}
        over = list[tuple[Batch, Activity | None]]()
        for batch in running:
            activity = shown.get(batch.activity_id or "")
            if activity is None and batch.activity_id:
                activity = self.context.constant_contact.get_activity(batch.activity_id)
            if activity is None or (activity.is_finished and not self._may_be_counted_yet(batch, activity)):
                over.append((batch, activity))
        return over

    def _may_be_counted_yet(self, batch: Batch, activity: Activity) -> bool:
        """Completed without a counter: one more look is cheaper than looking for everybody in it."""
        if not activity.has_completed or activity.person_count is not None or batch.id in self._uncounted:
            return False
        self._uncounted.add(batch.id)
        return True

    def _finish(self, batch: Batch, activity: Activity | None) -> None:
        if activity is None or not activity.has_completed:
            log.info("batch %s was not carried out: %s", batch.id, activity.state if activity else "forgotten")
            batches.set_state(self.context.store, batch.id, SPLIT)
            return
        self.has_passed = True
        self._over[batch.id] = activity
        refusals.note_passed(self.context)
        log.info(
            "batch %s: contacts sent %s, taken %s, errors %s, correctable %s, not added to the list %s",
            batch.id,
            batch.rows,
            activity.person_count,
            activity.error_count,
            activity.correctable_count,
            activity.cannot_add_to_list_count,
        )
        is_complete = batch.state != ADOPTED and _is_complete(activity, batch.rows)
        is_whole = is_complete or self._is_explained_by_opt_outs(batch, activity)
        if is_whole and self._has_taken_long_addresses(batch):
            self._confirm(batch)
        else:
            self._to_check[batch.id] = batch

    def _has_taken_long_addresses(self, batch: Batch) -> bool:
        """Is the longest address that was added on the list? Then no limit of length has kept another one out."""
        longest = batches.longest_added(self.context.store, batch)
        if longest is None or len(longest[1]) <= LONG_ADDRESS:
            return True
        members.identify(self.context, [longest], batch.prepared_at)
        return contacts.is_member(self.context.store, longest[0], batch.list_id)

    def _is_explained_by_opt_outs(self, batch: Batch, activity: Activity) -> bool:
        """People who unsubscribed meanwhile are not put on the list: do they account for what the counters lack?"""
        refused = activity.cannot_add_to_list_count
        if batch.state == ADOPTED or activity.error_count or activity.correctable_count or not refused:
            return False
        opt_outs.pull_recent(self.context)
        gone = self._drop_suppressed(batch)
        return gone >= refused and (activity.person_count or 0) >= batch.rows - gone

    def _check(self) -> None:
        """Look on the list for everybody whose batch's counters did not add up, and for the long addresses.

        Whoever is not there did not arrive: unsubscribed meanwhile, or refused.
        """
        if not self._to_check:
            return
        opt_outs.pull_recent(self.context)
        in_doubt = list(self._to_check.values())
        wanted = [(row.person, row.email) for batch in in_doubt for row in self._rows(batch)]
        # All that the run has sent is new by now, and stands on those pages.
        pages = batches.rows_of_run(self.context.store, in_doubt[0].run_id) // PAGE_SIZE + 1
        if len(in_doubt) == 1 and pages <= min(len(wanted), members.CALLS_OF_EXPORT):
            hidden = members.read_new_members(self.context, wanted, in_doubt[0].prepared_at)
        else:
            hidden = members.read_membership(self.context, wanted)
        for batch in in_doubt:
            self._drop_suppressed(batch)
            for row in self._rows(batch):
                if row.person in hidden:
                    # Whether it arrived cannot be seen now; the account is read and decided on once more.
                    with self.context.store.transaction():
                        queue.enqueue(self.context.store, [row.account_id], self.context.now())
                        batches.remove_row(self.context.store, batch.id, row.person)
                elif not contacts.is_member(self.context.store, row.person, self.context.list_id):
                    self._reject(batch, row)
            self._confirm(batch)
        self._to_check.clear()

    def _reject(self, batch: Batch, row: BatchRow) -> None:
        code = "not-imported"
        reason = (
            "Constant Contact's import did not take it and does not say why;"
            " check the address, the mapped fields, and how many contacts your plan allows."
        )
        if len(row.email) > LONG_ADDRESS:
            code = "long-address"
            reason = (
                f"Constant Contact's import did not take an address of {len(row.email)} characters;"
                " ask the person for a shorter one, or add the contact by hand."
            )
        with self.context.store.transaction():
            record = RejectedRecord(row.account_id, row.email, code, reason, self.context.now())
            park(self.context, record, row.fingerprint)
            batches.remove_row(self.context.store, batch.id, row.person)

    def _drop_suppressed(self, batch: Batch) -> int:
        found = batches.suppressed_in(self.context.store, batch.id, batch.list_id)
        dropped = [one for one in found if suppressions.holds(self.context.store, one, batch.list_id)]
        with self.context.store.transaction():
            for person in dropped:
                batches.remove_row(self.context.store, batch.id, person)
        self.context.counts["suppressed"] += len(dropped)
        return len(dropped)

    def _identify(self) -> None:
        """Learn the ids of those who arrived, but of a large import: that would take many calls."""
        if self._sent_since is not None:
            members.identify(self.context, self._arrived, self._sent_since)
        self._arrived.clear()
        self._sent_since = None

    def _confirm(self, batch: Batch) -> None:
        store = self.context.store
        # The pages that show them show all that the run has sent.
        if max(len(self._arrived) + batch.rows, batches.rows_of_run(store, batch.run_id)) <= MOST_IDENTIFIED:
            self._arrived += [(row.person, row.email) for row in self._rows(batch)]
            self._sent_since = min(self._sent_since or batch.prepared_at, batch.prepared_at)
        arrived = arrival(self.context, self._over.get(batch.id), batch.prepared_at)
        while (upto := batches.end_of_part(store, batch.id, CONFIRMED_AT_ONCE)) is not None:
            with store.transaction():
                self._confirm_part(batch, upto, arrived)
        with store.transaction():
            batches.close(store, batch.id, DONE, self.context.now())

    def _confirm_part(self, batch: Batch, upto: bytes, arrived: tuple[datetime, int | None]) -> None:
        """Some rows at a time, so that nobody waits long; what is left after a crash is confirmed by the next run."""
        store, counts = self.context.store, self.context.counts
        added, updated = batches.counts_of(store, batch.id, upto)
        history.append_batch(store, batch.run_id, batch.id, upto, self.context.now())
        contacts.confirm_batch(store, batch.id, upto, batch.list_id, *arrived)
        parked.release_batch(store, batch.id, upto)
        batches.drop_part(store, batch.id, upto)
        if batch.run_id == self.context.run_id:
            counts["added"] += added
            counts["updated"] += updated
        else:
            counts["adopted"] += added + updated
        runs.update(store, self.context.run_id, counts)

    def _rows(self, batch: Batch) -> list[BatchRow]:
        return batches.rows_of(self.context.store, batch.id)


def _is_complete(activity: Activity, rows: int) -> bool:
    counters = (activity.error_count, activity.correctable_count, activity.cannot_add_to_list_count)
    return not any(counters) and activity.person_count is not None and activity.person_count >= rows
