"""Finds out what became of imports.

`completed` does not mean that everybody went in: the counters are read, and where they do not add up,
the people are looked for.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from ccsync.consent.decisions import blocking_suppression
from ccsync.errors import CcsyncError, RefusedError, VendorUnreachable
from ccsync.from_constant_contact import members, opt_outs
from ccsync.from_constant_contact.activities import POLL_SECONDS, STALL_SECONDS, poll_waits
from ccsync.from_constant_contact.sightings import vendor_now
from ccsync.models import Activity
from ccsync.run.context import Context
from ccsync.state import batches, contacts, parked, suppressions
from ccsync.state.batches import ADOPTED, DONE, FAILED, Batch, BatchRow
from ccsync.state.log import history, runs
from ccsync.state.log.runs import RejectedRecord
from ccsync.to_constant_contact.batches import LONG_ADDRESS

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Imports:
    """The imports of one run, and those an earlier run left running."""

    context: Context
    _to_check: dict[int, Batch] = field(default_factory=dict)
    _uncounted: set[int] = field(default_factory=set)
    _trouble: CcsyncError | None = None

    def await_all(self) -> None:
        """Wait until every import is finished, and settle each as it finishes.

        Raises `VendorUnreachable` when nothing moves for half an hour: the next run asks again.
        """
        waits = poll_waits()
        stalled = 0.0
        while running := self._running():
            finished = self._finished(running)
            for batch, activity in finished:
                self._settle(batch, activity)
            stalled = 0.0 if finished else stalled
            if len(finished) == len(running):
                break
            if stalled > STALL_SECONDS:
                raise VendorUnreachable(
                    f"Constant Contact has not finished {len(running)} imports within half an hour.",
                    "they are queued or still running there.",
                    "Nothing is lost; the next run asks for them again.",
                )
            seconds = POLL_SECONDS[0] if finished else next(waits)
            self.context.show("imports", len(finished), len(running))
            self.context.clock.sleep(seconds)
            stalled += seconds
        self._check()
        if self._trouble is not None:
            raise self._trouble

    def _running(self) -> list[Batch]:
        return [one for one in batches.unfinished(self.context.store) if one.id not in self._to_check]

    def _finished(self, running: Sequence[Batch]) -> list[tuple[Batch, Activity | None]]:
        """Those whose import is over, with its activity; `None` for one the vendor has forgotten.

        One call tells the state of every import.
        """
        shown = {one.activity_id: one for one in self.context.constant_contact.get_activities()}
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

    def _settle(self, batch: Batch, activity: Activity | None) -> None:
        if activity is None or not activity.has_completed:
            state = activity.state if activity else "forgotten"
            self._close(batch, FAILED)
            self._trouble = RefusedError(
                f"Constant Contact did not carry out an import of {batch.rows:,} contacts (it is {state}).",
                f"{len(activity.errors) if activity else 0} reasons were given; none of its contacts counts as sent.",
                "ccsync export        (sends them again); if it stays so, look at Activity in Constant Contact.",
            )
            return
        log.info(
            "batch %s, contacts %s: %s persons, %s errors, %s correctable, %s not added to the list",
            batch.id,
            batch.rows,
            activity.person_count,
            activity.error_count,
            activity.correctable_count,
            activity.cannot_add_to_list_count,
        )
        is_complete = batch.state != ADOPTED and _is_complete(activity, batch.rows)
        is_long = batches.longest_address(self.context.store, batch.id) > LONG_ADDRESS
        if not is_long and (is_complete or self._is_explained_by_opt_outs(batch, activity)):
            self._confirm(batch)
        else:
            self._to_check[batch.id] = batch

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
        suspects = list(self._to_check.values())
        wanted = [(row.person, row.email) for batch in suspects for row in self._rows(batch)]
        if len(suspects) == 1:
            members.read_new_members(self.context, wanted, suspects[0].prepared_at)
        else:
            members.read_membership(self.context, wanted)
        for batch in suspects:
            self._drop_suppressed(batch)
            for row in self._rows(batch):
                if not members.is_known_member(self.context, row.person):
                    self._reject(batch, row)
            self._confirm(batch)
        self._to_check.clear()

    def _reject(self, batch: Batch, row: BatchRow) -> None:
        context, at = self.context, self.context.now()
        code, reason = (
            "not-imported",
            (
                "Constant Contact's import did not take it and does not say why;"
                " check the address and the mapped fields."
            ),
        )
        if len(row.email) > LONG_ADDRESS:
            code, reason = (
                "long-address",
                (
                    f"Constant Contact's import did not take an address of {len(row.email)} characters;"
                    " ask the person for a shorter one, or add the contact by hand."
                ),
            )
        record = RejectedRecord(row.account_id, row.email, code, reason, at)
        with context.store.transaction():
            runs.add_rejected(context.store, context.run_id, [record])
            parked.put(context.store, row.account_id, code, row.fingerprint, at, context.run_id)
            batches.remove_row(context.store, batch.id, row.person)

    def _drop_suppressed(self, batch: Batch) -> int:
        dropped = 0
        with self.context.store.transaction():
            for row in self._rows(batch):
                if self._is_suppressed(row.person, batch.list_id):
                    batches.remove_row(self.context.store, batch.id, row.person)
                    dropped += 1
        self.context.counts["suppressed"] += dropped
        return dropped

    def _is_suppressed(self, person: bytes, list_id: str) -> bool:
        return blocking_suppression(suppressions.of_person(self.context.store, person), list_id) is not None

    def _confirm(self, batch: Batch) -> None:
        store = self.context.store
        with store.transaction():
            added, updated = batches.counts_of(store, batch.id)
            history.append_batch(store, batch.run_id, batch.id, self.context.now())
            contacts.confirm_batch(store, batch.id, batch.list_id, vendor_now(self.context))
            parked.release_batch(store, batch.id)
            batches.close(store, batch.id, DONE, self.context.now())
            if batch.run_id == self.context.run_id:
                self.context.counts["added"] += added
                self.context.counts["updated"] += updated
            else:
                self.context.counts["adopted"] += added + updated
            runs.update(store, self.context.run_id, self.context.counts)

    def _close(self, batch: Batch, state: str) -> None:
        with self.context.store.transaction():
            batches.close(self.context.store, batch.id, state, self.context.now())

    def _rows(self, batch: Batch) -> list[BatchRow]:
        return batches.rows_of(self.context.store, batch.id)


def _is_complete(activity: Activity, rows: int) -> bool:
    counters = (activity.error_count, activity.correctable_count, activity.cannot_add_to_list_count)
    return not any(counters) and activity.person_count is not None and activity.person_count >= rows
