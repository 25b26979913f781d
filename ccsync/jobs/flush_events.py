"""flush-events: what customers changed in the store reaches Constant Contact.

An order that keeps promises: finish what an earlier run left, pull opt-outs, pull events, read the accounts, decide,
act, and only then count an event as dealt with. A run that dies anywhere is continued by the next one.
"""

from dataclasses import dataclass
from datetime import datetime

from ccsync.errors import BrakeError, OutOfTime, TemporaryError
from ccsync.jobs import events, flush_plan, greeting, known_contacts, opt_outs, removing
from ccsync.jobs.catching_up import catch_up
from ccsync.jobs.changes import Changes
from ccsync.jobs.decisions import Act, has_left_too_many
from ccsync.jobs.departures import find_departures, record_departures
from ccsync.jobs.due import iter_decisions, iter_outgoing, iter_outgoing_long
from ccsync.jobs.export import EXPORTED_LIST
from ccsync.jobs.flush_plan import Plan
from ccsync.jobs.imports import Imports
from ccsync.jobs.sending import Sender, adopt_lost, list_is_gone
from ccsync.jobs.work import Work
from ccsync.state import dealt, meta, removals, runs, set_aside, staging
from ccsync.state import events as queue

JOB = "flush-events"
DIRECTION = "to"
READING_SHARE = 0.5
"""The part of a run's time that reading may take: what was read has to be sent, too."""


@dataclass(slots=True)
class Flush:
    """One flush. `accept` is how many removals and departures a person lets through the brake."""

    work: Work
    accept: int = 0
    is_exported: bool = False
    swept_from: datetime | None = None
    """The start of the sweep over all accounts, if there was one: events from then on are still to be pulled."""
    trouble: TemporaryError | None = None
    removed: int = 0
    held: int = 0

    def run(self) -> Plan | None:
        """Run it; `work.counts`, `work.remarks` and `work.notices` tell what was done. A dry run returns its plan.

        Raises what `ccsync.errors` lists; what was done before is kept, and the next run continues.
        """
        work = self.work
        left = work.clock.seconds_left()
        ends_at = None if left is None else work.clock.monotonic() + left * READING_SHARE
        self.is_exported = meta.get(work.store, EXPORTED_LIST) == work.list_id
        self._begin()
        self._pull()
        at = work.now()  # what is put off from here on does not come again in this run
        changes = Changes(work, at, only_listed=None if self.is_exported else work.list_id, ends_at=ends_at)
        changes.read()
        if work.is_dry_run:
            return flush_plan.plan(work, self.accept, changes.failed, is_exported=self.is_exported)
        self._act()
        while self.is_exported and changes.has_time() and changes.read():
            self._act()
        self._end(at)
        return None

    def _begin(self) -> None:
        """Finish what an earlier run left, and bring the opt-outs up to date."""
        work = self.work
        staging.clear(work.store)
        dealt.begin(work.store)
        if not work.is_dry_run:
            adopt_lost(work)
            Imports(work).await_all()
            removing.finish_earlier(work)
        if meta.bookmark(work.store, opt_outs.STREAM) is None:
            opt_outs.pull_all(work)
        else:
            opt_outs.pull_recent(work)

    def _pull(self) -> None:
        """Fill the queue from the events; where some may be missing, compare all accounts instead."""
        work = self.work
        if self.is_exported and events.is_too_old(work):
            self.swept_from, self.trouble = catch_up(work)
            return
        self.trouble = events.pull(work).trouble
        if meta.get(work.store, events.EVER_SEEN) is None:
            work.notices["no-events"] = (
                "Kibo has never shown an event about a customer. In Dev Center (Packages > Events) the application"
                " must subscribe to customeraccount.created, customeraccount.updated and customeraccount.deleted;"
                " after a change there, install and enable it again."
            )

    def _act(self) -> None:
        """Do what follows from what was read, and count it as dealt with."""
        work = self.work
        if removals.count(work.store, work.list_id):
            self._require_list()
            removed = removing.remove(work, self.accept, self.removed)
            self.removed, self.held = self.removed + removed.done, removed.held
        if self.is_exported and staging.people(work.store):
            self._send()
        self._settle()
        if self.swept_from is not None and self.trouble is None:
            meta.advance(work.store, events.STREAM, self.swept_from)

    def _send(self) -> None:
        work = self.work
        known_contacts.learn(work)
        if any(one.act in (Act.ADD, Act.UPDATE) for _, one in iter_decisions(work, is_retry=False)):
            self._require_list()
            opt_outs.pull_recent(work)
            self._note_departures()
            greeting.create_new(work)
        imports, total = Imports(work), staging.people(work.store)
        Sender(work).send_all(iter_outgoing(work, is_retry=False), total)
        imports.await_all()
        Sender(work).send_all(iter_outgoing_long(work, is_retry=False), total)
        imports.await_all()

    def _note_departures(self) -> None:
        work = self.work
        gone, looked_for = find_departures(work, is_retry=False)
        if has_left_too_many(len(gone), looked_for) and self.accept < len(gone):
            raise BrakeError(
                f"{len(gone):,} of {looked_for:,} changed customers are no longer on the list; nothing was sent.",
                "so many at once look like a mishap (list emptied, wrong list) rather than their own wish.",
                f"Look at the list in Constant Contact. If they left it: ccsync flush-events --accept {len(gone)}",
            )
        record_departures(work, gone)
        work.counts["departed"] += len(gone)

    def _settle(self) -> None:
        work = self.work
        with work.store.transaction():
            if not self.is_exported:
                dealt.release_staged(work.store)
            dealt.give_up_rejected(work.store, work.run_id)
            for topic, number in dealt.settle(work.store, work.now()).items():
                work.counts["events_" + topic.rpartition(".")[2]] += number
            work.counts["rejected"] = runs.count_rejected(work.store, work.run_id)
            work.counts["skipped"] += staging.passed_over(work.store, work.run_id)
            staging.clear(work.store)
            runs.update(work.store, work.run_id, work.counts)

    def _end(self, at: datetime) -> None:
        work = self.work
        waiting = queue.count_due(work.store, at)
        if not self.is_exported:
            work.notices["export-due"] = (
                f"No export to this list has finished yet; {waiting:,} changed customers wait for it."
                " Have a look and run it: ccsync export --dry-run, then ccsync export."
            )
        if self.held:
            raise removing.braked(self.held, self.removed)
        if self.trouble is not None:
            raise self.trouble
        if waiting and self.is_exported:
            raise OutOfTime(
                f"{waiting:,} changed customers are not dealt with yet; the others are.",
                "the run has used its time.",
                "The next run continues. If it stays so: ccsync export        (may take as long as it needs)",
            )

    def _require_list(self) -> None:
        if self.work.constant_contact.get_list(self.work.list_id) is None:
            raise list_is_gone(self.work)


def has_news(work: Work) -> bool:
    """Did this run reject records that were not rejected before?"""
    return set_aside.news_of(work.store, work.run_id) > 0
