"""flush-events: what customers changed in the store reaches Constant Contact.

The order keeps promises. What withdraws consent goes before what adds; what is due goes out before anything new is
read, so that an account that cannot be read keeps nobody on the list; an event counts as processed at the end. A run
that dies anywhere is continued by the next one.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ccsync.errors import OutOfTime
from ccsync.from_constant_contact import opt_outs, restored
from ccsync.from_kibo import audit_evidence, event_intake, events
from ccsync.from_kibo.changed_accounts import Changes
from ccsync.from_kibo.event_intake import Taken
from ccsync.reports import flush_plan
from ccsync.reports.flush_plan import Plan
from ccsync.run.context import Context
from ccsync.run.troubles import Troubles
from ccsync.state import batches, parked, properties, staging
from ccsync.state.log import runs
from ccsync.state.outbox import queue
from ccsync.to_constant_contact import additions, tags
from ccsync.to_constant_contact.batches import adopt_lost
from ccsync.to_constant_contact.imports import Imports
from ccsync.to_constant_contact.list_check import ListCheck
from ccsync.to_constant_contact.list_removals import Removals
from ccsync.words import counted

READING_SHARE = 0.5
"""The part of a run's time that reading may take: what was read has to be sent, too."""


@dataclass(slots=True)
class Flush:
    """One flush. `accept` is how many removals and departures a person lets through the safety limit."""

    context: Context
    accept: int = 0
    is_exported: bool = False
    troubles: Troubles = field(default_factory=Troubles)

    def run(self) -> Plan | None:
        """Run it; the context's counts, remarks and notices tell what was done. A dry run returns its plan.

        Raises what `ccsync.errors` lists; what was done before is kept, and the next run continues.
        """
        context = self.context
        ends_at = self._end_of_reading()
        self.is_exported = properties.has_exported(context.store, context.list_id)
        removals, check = Removals(context, self.accept), self._list_check()
        restored.recognize(context)
        begun_at = events.begin(context)
        self._look_at_earlier(removals)
        opt_outs.pull_recent(context)
        taken = self.troubles.keep(
            lambda: event_intake.take_in(context, begun_at, is_exported=self.is_exported), may_be_too_long=True
        )
        removals.remove_due()
        self.troubles.raise_first()
        at = context.now()  # what is put off from here on does not come again in this run
        changes = Changes(context, at, only_listed=None if self.is_exported else context.list_id, ends_at=ends_at)
        changes.read()
        if context.is_dry_run:
            tags.wanted.count(context)
            return flush_plan.plan(context, self.accept, changes.failed, is_exported=self.is_exported)
        self._act(removals, check, taken or Taken())
        while self.is_exported and changes.has_time() and changes.read():
            self._act(removals, check, taken or Taken())
        self._end(at, removals, taken or Taken())
        return None

    def _end_of_reading(self) -> float | None:
        clock = self.context.clock
        left = clock.seconds_left()
        return None if left is None else clock.monotonic() + left * READING_SHARE

    def _list_check(self) -> ListCheck:
        fix = "ccsync flush-events --accept {}".format
        return ListCheck(self.context, lambda gone, _: gone <= self.accept, fix)

    def _look_at_earlier(self, removals: Removals) -> None:
        """Check once what an earlier run left running, and queue accounts to retry."""
        context = self.context
        staging.clear(context.store)
        queue.begin_reading(context.store)
        if not context.is_dry_run:
            with context.gate.for_opt_outs():
                adopt_lost(context)
                Imports(context).look()
                removals.look_at_earlier()
        with context.store.transaction():
            again = [*parked.due_again(context.store, context.now()), *batches.split_accounts(context.store)]
            queue.enqueue_expired(context.store, again, context.now())

    def _act(self, removals: Removals, check: ListCheck, taken: Taken) -> None:
        """Act on what was read, and count it as processed."""
        removals.remove_due()
        if self.is_exported:
            tags.wanted.note(self.context)  # before whoever is created singly, who is staged no more then
            additions.send_changed(self.context, check)
        self._finish_read()
        event_intake.note_done(self.context, taken)

    def _finish_read(self) -> None:
        context = self.context
        if not self.is_exported:
            queue.release_staged(context.store)
        with context.store.transaction():
            queue.give_up_rejected(context.store, context.run_id)
            parked.release_expired(context.store, context.now())
            queue.enqueue_under_way(context.store, context.now() + timedelta(minutes=1))
        for topic, number in queue.finish(context.store, context.now()).items():
            kind = "updated" if topic.startswith(queue.SEGMENT) else topic.rpartition(".")[2]
            context.counts[f"events_{kind}"] += number
        with context.store.transaction():
            context.counts["rejected"] = runs.count_rejected(context.store, context.run_id)
            context.counts["skipped"] += staging.passed_over(context.store, context.run_id)
            staging.clear(context.store)
            runs.update(context.store, context.run_id, context.counts)

    def _end(self, at: datetime, removals: Removals, taken: Taken) -> None:
        context = self.context
        waiting = queue.count_due(context.store, at)
        if self.is_exported:
            tags.tagging.carry_out(context)
            self.troubles.keep(lambda: tags.segments.compare_daily(context))
        if not self.is_exported:
            context.notices["export-due"] = (
                f"No export to this list has finished yet; waiting for it: {counted(waiting, 'changed customer')}."
                " Next: ccsync export --dry-run, then ccsync export"
            )
        audit_evidence.add(context)
        removals.raise_held()
        if taken.trouble is not None:
            raise taken.trouble
        if waiting and self.is_exported:
            raise OutOfTime(
                f"Time is up with {counted(waiting, 'changed customer')} still to be processed; the rest are done.",
                "the run has used up its time.",
                "The next run continues. If it persists: ccsync export, which has no time limit",
            )
        self.troubles.raise_first()
