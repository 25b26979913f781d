"""Writes to Kibo what people did at Constant Contact: every account with the address, one flag, the answer compared.

First it finds out which accounts have to be written; then the safety limit decides; then it writes them one by one.
What Kibo does not take stays queued. Whatever dies in between, the next run looks again.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

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
from ccsync.state.kibo_writes import KiboWrite
from ccsync.state.outbox import write_backs
from ccsync.state.outbox.write_backs import RESUBSCRIBED, Tally, WriteBack
from ccsync.state.suppressions import DEPARTED, UNSUBSCRIBED
from ccsync.to_kibo import newer_opt_in, outcomes
from ccsync.to_kibo.account_writes import AccountWrites
from ccsync.to_kibo.accounts import Finder

log = logging.getLogger(__name__)

CHUNK = 5_000
LOST = "has perhaps subscribed again before the contact was erased"
_NOTED_AT_ONCE = 500
"""People whose accounts were judged, per transaction: at first there may be half a million who are no customers."""
MOST_REMEMBERED = 50_000
"""People whose accounts are kept in mind until they are written; beyond that they are looked up again."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row whose accounts were found, and what is to be done with each of them."""

    row: WriteBack
    acts: Mapping[int, AccountAct]
    writes: Sequence[KiboWrite]
    is_wanted: bool


class Writer:
    """One run's write back: `written` counts what the safety limit let through and was done.

    `trouble` is what kept it from looking at departures; the rest was written. `planned` is what a dry run would have
    written, people by kind, and `planned_accounts` the accounts of that.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._at = context.now()
        self._finder = Finder(context)
        self._targets: dict[int, list[int]] = {}
        self._judged = list[_Judged]()
        self._most_targets = MOST_REMEMBERED
        self.outcomes = outcomes.Outcomes(context)
        self._writes = AccountWrites(context, self.outcomes, self._holds, self._note_done)
        self._before = Tally()
        self.written = self._going = 0
        self.planned, self.planned_accounts = Counter[str](), 0
        self.trouble: CcsyncError | None = None

    def write(self, accept: int) -> int:
        """Write back everything that is due, as far as the safety limit lets it; what went before in this run counts.

        Returns how much it holds back. Raises what `ccsync.errors` lists.
        """
        self.look(accept)
        held = self.allowance(accept)
        self._going = held.may_go
        self._most_targets = MOST_REMEMBERED + CHUNK  # the limit leaves room for this whole part
        wanted = islice(self.wanted(), held.may_go)
        while going := list(islice(wanted, CHUNK)):
            self._look_at([row for row in going if row.id not in self._targets])
            self._writes.write(going, self._targets)
            for row in going:
                self._targets.pop(row.id, None)
        return held.held

    def rehearse(self, accept: int) -> None:
        """Count what `write` would write now; in the copy of the state file that a dry run has, that is done then."""
        self.look(accept)
        wanted = islice(self.wanted(), self.allowance(accept).may_go)
        while going := list(islice(wanted, CHUNK)):
            with self._context.store.transaction():
                for row in going:
                    self._note_gone(row)
                    self.planned[row.kind] += 1
                    self.planned_accounts += len(self._targets.pop(row.id, ())) or 1  # too many to be remembered
                    write_backs.finish(self._context.store, row.id, self._at, "")

    def _note_gone(self, row: WriteBack) -> None:
        self._before += Tally(1, row.was_on_list, row.was_on_list and row.kind == DEPARTED)

    def _note_done(self, row: WriteBack) -> None:
        self._note_gone(row)
        self.written += 1
        self._context.show("writing to the store", self.written, self._going)

    def look(self, accept: int) -> None:
        """Find out which accounts have to be written. A row that needs no write is finished and does not count."""
        self._at, self._most_targets = self._context.now(), MOST_REMEMBERED
        self._leave_mass_departures(accept)
        store, kinds = self._context.store, self._kinds()
        self._finder.begin(write_backs.tally(store, self._at, kinds, self._context.list_id, wanted=False).total)
        after = 0
        while rows := write_backs.due(store, self._at, kinds, self._context.list_id, after=after, limit=CHUNK):
            self._look_at([row for row in rows if row.id not in self.outcomes.failed])
            after = rows[-1].id

    def wanted(self) -> Iterator[WriteBack]:
        """What has to be written, longest waiting first."""
        found = write_backs.iter_wanted(self._context.store, self._at, self._kinds(), self._context.list_id)
        return (row for row in found if row.id not in self.outcomes.failed)

    def allowance(self, accept: int) -> Allowance:
        """How much of what has to be written the safety limit lets through, after what this run has written already."""
        return self._over_the_limit(
            write_backs.tally(self._context.store, self._at, self._kinds(), self._context.list_id, wanted=True), accept
        )

    def _over_the_limit(self, wanted: Tally, accept: int) -> Allowance:
        done, both = self._before.total, self._before + wanted
        found = allowance(
            both.total,
            both.gone,
            both.departed,
            contacts.count_on_list(self._context.store, self._context.list_id),
            self._context.config.sync.max_opt_outs,
            accept,
        )
        return Allowance(max(0, found.may_go - done), min(found.held, wanted.total))

    def _kinds(self) -> list[str]:
        sync = self._context.config.sync
        kinds = {UNSUBSCRIBED: True, DEPARTED: sync.list_departures, RESUBSCRIBED: sync.resubscribes}
        return [kind for kind, is_written in kinds.items() if is_written]

    def _leave_mass_departures(self, accept: int) -> None:
        """Departures by the thousand are not looked at one by one before a person has decided."""
        kinds = [DEPARTED] if DEPARTED in self._kinds() else []
        store = self._context.store
        unchecked = write_backs.tally(store, self._at, kinds, self._context.list_id, wanted=False, is_unchecked=True)
        if self._over_the_limit(unchecked, accept).held:
            write_backs.want_unchecked(store, self._at, kinds, self._context.list_id)

    # looking

    def _look_at(self, rows: Sequence[WriteBack]) -> None:
        hidden = self._look_again([row.person for row in rows if row.kind == UNSUBSCRIBED])
        by_person: dict[bytes, list[WriteBack]] = {}
        for row in sorted(rows, key=lambda one: one.attempts):
            if row.kind == UNSUBSCRIBED and row.person in hidden:
                continue  # it waits until a listing shows it again, at the latest the daily one
            if self._holds(row) and self._is_departure(row):
                by_person.setdefault(row.person, []).append(row)
        try:
            for person, found in self._finder.find(list(by_person)):
                if not isinstance(found, CcsyncError) and found:
                    observe(self._context, found, are_whole=False)
                for row in by_person[person]:
                    if isinstance(found, CcsyncError):
                        self.outcomes.fail(row, [(None, found)])
                    elif self._holds(row):
                        self._judge(row, found)
                if len(self._judged) >= _NOTED_AT_ONCE:
                    self._note_judged()
        finally:
            self._note_judged()

    def _look_again(self, people: Sequence[bytes]) -> set[bytes]:
        """An unsubscribe that an earlier run has recorded may be undone since.

        Returns whose contact Constant Contact does not show, though it works. While it is down, everybody is written
        but those whom a full pass has missed: they may be back.
        """
        unseen = returns.unseen(self._context, people)
        # A full pass would only miss them again.
        missed = returns.longest_missed(self._context, unseen)
        waiting = {one.person for one in missed}
        rest = [one for one in unseen if one.person not in waiting]
        try:
            if len(rest) <= returns.MOST_LOOKS:
                hidden = returns.look_at(self._context, rest + missed[: returns.MOST_LOOKS])
                return hidden.union(one.person for one in missed[returns.MOST_LOOKS :])
            opt_outs.pull_all(self._context)
        except OutOfTime:
            raise
        except (TemporaryError, RefusedError) as error:
            log.info("opt-outs of earlier runs were not looked at again: %s", error.what)
            return {one.person for one in unseen if returns.was_missed(self._context, one)}
        # A pass looks at some of those whom it has missed; the others may be back as well, and wait for the next one.
        return {one.person for one in unseen if returns.was_missed(self._context, one) and one.contact_id is not None}

    def _holds(self, row: WriteBack) -> bool:
        held = suppressions.of_person(self._context.store, row.person)
        reason = outdated(row.kind, row.list_id, held, row.happened_at)
        if row.kind == UNSUBSCRIBED and any(returns.is_lost(self._context, one) for one in held):
            reason = LOST
        if reason is not None:
            self.outcomes.drop(row, reason)
        return reason is None

    def _is_departure(self, row: WriteBack) -> bool:
        """A departure that has not been checked may be a deletion, and an earlier one may have been undone."""
        target = target_of(self._context)
        if row.kind != DEPARTED or (
            row.is_checked
            and contacts.was_seen(self._context.store, row.person, target.fresh_since, target.fresh_until)
        ):
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

    def _check_departure(self, row: WriteBack) -> bool:
        try:
            return departures.check(self._context, row)
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_constant_contact(self._context, error)
            self.outcomes.fail(row, [(None, error)])
            return False

    def _judge(self, row: WriteBack, found: Sequence[Customer]) -> None:
        writes = kibo_writes.among(self._context.store, [one.account_id for one in found])
        acts = {
            one.account_id: judge_account(
                row.kind,
                one,
                writes.get(one.account_id),
                is_newer=newer_opt_in.has_opted_in_since(self._context, row, one.account_id),
            )
            for one in found
        }
        if newer := [account_id for account_id, act in acts.items() if act is AccountAct.NEWER]:
            self.outcomes.leave(row, newer)
        targets = [account_id for account_id, act in acts.items() if act in (AccountAct.WRITE, AccountAct.UNKNOWN)]
        if targets and len(self._targets) < self._most_targets:
            self._targets[row.id] = targets
        self._judged.append(_Judged(row, acts, list(writes.values()), is_wanted=bool(targets)))

    def _note_judged(self) -> None:
        judged, self._judged = self._judged, []
        if not judged:
            return
        with self._context.store.transaction():
            write_backs.want(self._context.store, [one.row.id for one in judged if one.is_wanted])
            for one in judged:
                if not one.is_wanted:
                    self.outcomes.finish(one.row, one.acts, one.writes)
