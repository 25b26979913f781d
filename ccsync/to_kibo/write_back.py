"""Tells Kibo what people did at Constant Contact: every account with the address, one flag, the answer compared.

First it finds out which accounts have to be written; then the safety limit decides; then it writes them one by one.
What Kibo does not take stays queued. Whatever dies in between, the next run looks again.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ccsync.consent.safety_limit import Allowance, allowance
from ccsync.consent.write_back import AccountAct, judge_account, outdated
from ccsync.errors import CcsyncError, OutOfTime, RefusedError, TemporaryError, VendorUnreachable
from ccsync.from_constant_contact import departures, opt_outs, returns
from ccsync.from_kibo.observations import observe
from ccsync.from_kibo.staged_decisions import target_of
from ccsync.models import Customer
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state import contacts, kibo_writes, suppressions
from ccsync.state.outbox import write_backs
from ccsync.state.outbox.write_backs import RESUBSCRIBED, WriteBack
from ccsync.state.suppressions import DEPARTED, UNSUBSCRIBED
from ccsync.to_kibo import outcomes
from ccsync.to_kibo.account_writes import AccountWrites
from ccsync.to_kibo.accounts import Finder

log = logging.getLogger(__name__)

CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class WroteBack:
    """How telling ended: what the safety limit let through and held back, and what is new of what Kibo did not take."""

    allowance: Allowance
    news: int


class Writer:
    """One run's telling: `told` counts what the safety limit let through and was dealt with.

    `trouble` is what kept it from looking at departures; the rest was told.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._at = context.now()
        self._finder = Finder(context)
        self._person_of = context.person_of()
        self._targets: dict[int, list[int]] = {}
        self._outcomes = outcomes.Outcomes(context)
        self._writes = AccountWrites(context, self._outcomes, self._holds, self._note_done)
        self._before: list[WriteBack] = []
        self.told = self._going = 0
        self.trouble: CcsyncError | None = None

    @property
    def news(self) -> int:
        """How much Kibo did not take now and had not refused before."""
        return self._outcomes.news

    @property
    def departed_by(self) -> Mapping[str, int]:
        """How many left the list by whose act: Contact, or not shown ("")."""
        return self._outcomes.departed_by

    def tell(self, accept: int) -> WroteBack:
        """Write back everything that is due, as far as the safety limit lets it; what went before in this run counts.

        Raises what `ccsync.errors` lists.
        """
        self.look(accept)
        wanted = self.wanted()
        held = self.over_the_limit(wanted, accept)
        going = wanted[: held.may_go]
        unknown = [row for row in going if row.id not in self._targets]
        for start in range(0, len(unknown), CHUNK):
            self._look_at(unknown[start : start + CHUNK])
        self._going = len(going)
        self._writes.write(going, self._targets)
        return WroteBack(held, self._outcomes.news)

    def _note_done(self, row: WriteBack) -> None:
        self._before.append(row)
        self.told += 1
        self._context.show("telling the store", self.told, self._going)

    def look(self, accept: int) -> None:
        """Find out which accounts have to be written. What needs no write is settled: it does not count."""
        self._at = self._context.now()
        self._leave_mass_departures(accept)
        after = 0
        while rows := write_backs.due(
            self._context.store, self._at, self._kinds(), wanted=False, after=after, limit=CHUNK
        ):
            self._look_at([row for row in rows if row.id not in self._outcomes.failed])
            after = rows[-1].id

    def wanted(self) -> list[WriteBack]:
        """What has to be written, longest waiting first."""
        found = write_backs.due(self._context.store, self._at, self._kinds(), wanted=True)
        return [row for row in found if row.id not in self._outcomes.failed]

    def targets(self, row: WriteBack) -> int:
        """How many accounts are to be written for it, as far as this run has looked."""
        return len(self._targets.get(row.id, ()))

    def over_the_limit(self, rows: Sequence[WriteBack], accept: int) -> Allowance:
        """How many of these the safety limit lets through, after those whom this run has told already."""
        done = len(self._before)
        gone = [row for row in (*self._before, *rows) if row.was_on_list]
        found = allowance(
            done + len(rows),
            len(gone),
            sum(row.kind == DEPARTED for row in gone),
            contacts.count_on_list(self._context.store, self._context.list_id),
            self._context.config.sync.max_opt_outs,
            accept,
        )
        return Allowance(max(0, found.may_go - done), min(found.held, len(rows)))

    def _kinds(self) -> list[str]:
        sync = self._context.config.sync
        kinds = {UNSUBSCRIBED: True, DEPARTED: sync.list_departures, RESUBSCRIBED: sync.resubscribes}
        return [kind for kind, is_written in kinds.items() if is_written]

    def _leave_mass_departures(self, accept: int) -> None:
        """Departures by the thousand are not looked at one by one before a person has decided."""
        kinds = [DEPARTED] if DEPARTED in self._kinds() else []
        rows = write_backs.due(self._context.store, self._at, kinds, wanted=False)
        unchecked = [row for row in rows if not row.is_checked]
        if self.over_the_limit(unchecked, accept).held:
            write_backs.want(self._context.store, [row.id for row in unchecked])

    # looking

    def _look_at(self, rows: Sequence[WriteBack]) -> None:
        self._look_again([row.person for row in rows if row.kind == UNSUBSCRIBED])
        by_person: dict[bytes, list[WriteBack]] = {}
        for row in sorted(rows, key=lambda one: one.attempts):
            if self._holds(row) and self._is_departure(row):
                by_person.setdefault(row.person, []).append(row)
        for person, found in self._finder.find(list(by_person)):
            if not isinstance(found, CcsyncError):
                observe(self._context, found, are_whole=False)
            for row in by_person[person]:
                if isinstance(found, CcsyncError):
                    self._outcomes.fail(row, [(None, found)])
                elif self._holds(row):
                    self._judge(row, found)

    def _look_again(self, people: Sequence[bytes]) -> None:
        """An unsubscribe that an earlier run has recorded may be undone since. Who cannot be looked at is written."""
        unseen = returns.unseen(self._context, people)
        try:
            if len(unseen) > returns.MOST_LOOKS:
                opt_outs.pull_all(self._context)
                return
            for one in unseen:
                returns.check(self._context, one)
        except OutOfTime:
            raise
        except (TemporaryError, RefusedError) as error:
            log.info("opt-outs of earlier runs were not looked at again: %s", error.what)

    def _holds(self, row: WriteBack) -> bool:
        reason = outdated(row.kind, row.list_id, suppressions.of_person(self._context.store, row.person))
        if reason is not None:
            self._outcomes.drop(row, reason)
        return reason is None

    def _is_departure(self, row: WriteBack) -> bool:
        """A departure that nobody has looked at yet may be a deletion; one of an earlier run may be undone."""
        if row.kind != DEPARTED or (row.is_checked and self._was_just_seen(row)):
            return True
        if self.trouble is not None:
            return False
        try:
            return self._check_departure(row)
        except OutOfTime:
            raise
        except TemporaryError as error:
            self.trouble = error
            return False

    def _was_just_seen(self, row: WriteBack) -> bool:
        known = contacts.known(self._context.store, row.person, row.list_id)
        return known is not None and known.is_fresh(target_of(self._context).fresh_since)

    def _check_departure(self, row: WriteBack) -> bool:
        try:
            return departures.check(self._context, row)
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_constant_contact(self._context, error)
            self._outcomes.fail(row, [(None, error)])
            return False

    def _judge(self, row: WriteBack, found: Sequence[Customer]) -> None:
        writes = kibo_writes.among(self._context.store, [one.account_id for one in found])
        acts = {
            one.account_id: judge_account(row.kind, one.accepts_marketing, one.account_type, writes.get(one.account_id))
            for one in found
        }
        targets = [account_id for account_id, act in acts.items() if act in (AccountAct.WRITE, AccountAct.UNKNOWN)]
        if targets:
            write_backs.want(self._context.store, [row.id])
            self._targets[row.id] = targets
        else:
            self._outcomes.settle(row, acts, list(writes.values()))
