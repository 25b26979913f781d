"""flush-events: what customers changed in the store reaches Constant Contact.

An order that keeps promises: finish what an earlier run left, pull opt-outs, pull events, read the accounts, decide,
act, and only then count an event as dealt with. A run that dies anywhere is continued by the next one.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ccsync.consent.decisions import Act
from ccsync.consent.safety_limit import has_left_too_many
from ccsync.errors import BrakeError, OutOfTime, TemporaryError
from ccsync.from_constant_contact import opt_outs
from ccsync.from_kibo import events
from ccsync.from_kibo.changed_accounts import Changes, catch_up
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.reports import flush_plan
from ccsync.reports.flush_plan import Plan
from ccsync.run.contact_list import list_is_gone
from ccsync.run.context import Context
from ccsync.state import batches, parked, properties, queue, removals, staging
from ccsync.state.batches import SPLIT
from ccsync.state.log import runs
from ccsync.state.removals import Removal
from ccsync.to_constant_contact import known_contacts, list_removals, suspects, welcome
from ccsync.to_constant_contact.batches import adopt_lost
from ccsync.to_constant_contact.imports import Imports
from ccsync.to_constant_contact.list_check import find_departures, record_departures

READING_SHARE = 0.5
"""The part of a run's time that reading may take: what was read has to be sent, too."""


@dataclass(slots=True)
class Flush:
    """One flush. `accept` is how many removals and departures a person lets through the brake."""

    context: Context
    accept: int = 0
    is_exported: bool = False
    swept_from: datetime | None = None
    """The start of the sweep over all accounts, if there was one: events from then on are still to be pulled."""
    trouble: TemporaryError | None = None
    removed: int = 0
    held: int = 0
    hanging: list[Removal] = field(default_factory=list)

    def run(self) -> Plan | None:
        """Run it; the context's counts, remarks and notices tell what was done. A dry run returns its plan.

        Raises what `ccsync.errors` lists; what was done before is kept, and the next run continues.
        """
        context = self.context
        left = context.clock.seconds_left()
        ends_at = None if left is None else context.clock.monotonic() + left * READING_SHARE
        self.is_exported = properties.get(context.store, properties.EXPORTED_LIST) == context.list_id
        self._begin()
        self._pull()
        at = context.now()  # what is put off from here on does not come again in this run
        changes = Changes(context, at, only_listed=None if self.is_exported else context.list_id, ends_at=ends_at)
        changes.read()
        if context.is_dry_run:
            return flush_plan.plan(context, self.accept, changes.failed, is_exported=self.is_exported)
        self._act()
        while self.is_exported and changes.has_time() and changes.read():
            self._act()
        self._end(at)
        return None

    def _begin(self) -> None:
        """Finish what an earlier run left, and bring the opt-outs up to date."""
        context = self.context
        staging.clear(context.store)
        queue.begin_reading(context.store)
        if not context.is_dry_run:
            with context.gate.for_opt_outs():
                adopt_lost(context)
                Imports(context).look()
                self.hanging = list_removals.look_at_earlier(context)
        with context.store.transaction():
            again = [*parked.due_again(context.store, context.now()), *batches.accounts_in(context.store, SPLIT)]
            queue.enqueue_expired(context.store, again, context.now())
        if properties.bookmark(context.store, opt_outs.STREAM) is None:
            opt_outs.pull_all(context)
        else:
            opt_outs.pull_recent(context)

    def _pull(self) -> None:
        """Fill the queue from the events; where some may be missing, compare all accounts instead."""
        context = self.context
        if self.is_exported and events.is_too_old(context):
            self.swept_from, self.trouble = catch_up(context)
            return
        self.trouble = events.pull(context).trouble
        if properties.get(context.store, events.EVER_SEEN) is None:
            context.notices["no-events"] = (
                "Kibo has never shown an event about a customer. In Dev Center (Packages > Events) the application"
                " must subscribe to customeraccount.created, customeraccount.updated and customeraccount.deleted;"
                " after a change there, install and enable it again."
            )

    def _act(self) -> None:
        """Do what follows from what was read, and count it as dealt with."""
        context = self.context
        if removals.count(context.store, context.list_id):
            with context.gate.for_opt_outs():
                self._require_list()
            removed = list_removals.remove(context, self.accept, self.removed, self.hanging)
            self.hanging = []
            self.removed, self.held = self.removed + removed.done, removed.held
        if self.is_exported and staging.people(context.store):
            self._send()
        self._settle()
        if self.swept_from is not None and self.trouble is None:
            properties.advance(context.store, events.STREAM, self.swept_from)

    def _send(self) -> None:
        context = self.context
        known_contacts.learn(context)
        if any(one.act in (Act.ADD, Act.UPDATE) for _, one in iter_decisions(context, is_retry=False)):
            self._require_list()
            opt_outs.pull_recent(context)
            self._note_departures()
            welcome.create_new(context)
        suspects.send(context, staging.people(context.store))

    def _note_departures(self) -> None:
        context = self.context
        gone, looked_for = find_departures(context, is_retry=False)
        if has_left_too_many(len(gone), looked_for) and self.accept < len(gone):
            raise BrakeError(
                f"{len(gone):,} of {looked_for:,} changed customers are no longer on the list; nothing was sent.",
                "so many at once look like a mishap (list emptied, wrong list) rather than their own wish.",
                f"Look at the list in Constant Contact. If they left it: ccsync flush-events --accept {len(gone)}",
            )
        record_departures(context, gone)
        context.counts["departed"] += len(gone)

    def _settle(self) -> None:
        context = self.context
        with context.store.transaction():
            if not self.is_exported:
                queue.release_staged(context.store)
            queue.give_up_rejected(context.store, context.run_id)
            parked.release_expired(context.store, context.now())
            queue.enqueue_under_way(context.store, context.now() + timedelta(minutes=1))
            for topic, number in queue.settle(context.store, context.now()).items():
                context.counts["events_" + topic.rpartition(".")[2]] += number
            context.counts["rejected"] = runs.count_rejected(context.store, context.run_id)
            context.counts["skipped"] += staging.passed_over(context.store, context.run_id)
            staging.clear(context.store)
            runs.update(context.store, context.run_id, context.counts)

    def _end(self, at: datetime) -> None:
        context = self.context
        waiting = queue.count_due(context.store, at)
        if not self.is_exported:
            context.notices["export-due"] = (
                f"No export to this list has finished yet; {waiting:,} changed customers wait for it."
                " Have a look and run it: ccsync export --dry-run, then ccsync export."
            )
        if self.held:
            raise list_removals.braked(self.held, self.removed)
        if self.trouble is not None:
            raise self.trouble
        if waiting and self.is_exported:
            raise OutOfTime(
                f"{waiting:,} changed customers are not dealt with yet; the others are.",
                "the run has used its time.",
                "The next run continues. If it stays so: ccsync export        (may take as long as it needs)",
            )

    def _require_list(self) -> None:
        if self.context.constant_contact.get_list(self.context.list_id) is None:
            raise list_is_gone(self.context)


def has_news(context: Context) -> bool:
    """Did this run reject records that were not rejected before?"""
    return parked.news_of(context.store, context.run_id) > 0
