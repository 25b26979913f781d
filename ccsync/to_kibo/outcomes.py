"""The records of a write back to Kibo: what was written, needed nothing or failed; rows, counts, ledger, history."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ccsync.consent.retry import next_try
from ccsync.consent.write_back import OWN_ACT, REASONS, AccountAct
from ccsync.errors import CcsyncError
from ccsync.from_kibo import echoes
from ccsync.kibo.writes import Written
from ccsync.run.context import Context
from ccsync.state import kibo_writes, ledger
from ccsync.state.kibo_writes import KiboWrite
from ccsync.state.log import history, runs
from ccsync.state.log.history import Step
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.outbox import tasks, write_backs
from ccsync.state.outbox.write_backs import WriteBack
from ccsync.state.suppressions import DEPARTED

log = logging.getLogger(__name__)

NOT_A_CUSTOMER = "not_a_customer"
UNCHANGED = "unchanged"
LEFT_ALONE = "left_alone"
SKIPPED = "skipped"


class Outcomes:
    """Keeps the records of one run. `news` counts what Kibo did not take now and had not refused before.

    `departed_by` counts who left the list by whose act: Contact, or not shown ("").
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.news = 0
        self.failed = set[int]()
        """What Kibo did not take in this run: only a later one tries again."""
        self.departed_by = Counter[str]()

    def wrote(self, row: WriteBack, written: Written) -> None:
        """Kibo's answer shows the new consent: that is how the account was last observed."""
        store, account_id = self._context.store, written.customer.account_id
        write = kibo_writes.among(store, [account_id])[account_id]
        with store.transaction():
            echoes.finish(self._context, written.customer, write)
            if written.differing:
                self._differs(row, account_id, written.differing)

    def finish(self, row: WriteBack, acts: Mapping[int, AccountAct], writes: Sequence[KiboWrite]) -> None:
        """Nothing is left to be written for it."""
        context = self._context
        # This includes what an earlier run wrote before it died.
        is_written = AccountAct.WRITE in acts.values() or any(
            one.reason == row.kind and one.done_at is not None and one.done_at >= row.queued_at for one in writes
        )
        outcome = row.kind if is_written else _outcome(acts)
        with context.store.transaction():
            write_backs.finish(context.store, row.id, context.now(), outcome)
            if outcome != row.kind and AccountAct.NEWER not in acts.values():
                step = Step(row.person, None, "left alone", f"{reason_of(row)}; {_WORDS[outcome]}")
                history.append(context.store, context.run_id, context.now(), [step])
        context.counts[outcome] += 1
        if row.kind == DEPARTED and outcome == DEPARTED:
            self.departed_by[row.source or ""] += 1

    def leave(self, row: WriteBack, newer: Iterable[int]) -> None:
        """These accounts have said yes since, so they are left alone."""
        steps = [Step(row.person, one, "left alone", f"{reason_of(row)}; {_NEWER}") for one in newer]
        with self._context.store.transaction():
            history.append(self._context.store, self._context.run_id, self._context.now(), steps)

    def drop(self, row: WriteBack, reason: str) -> None:
        """It no longer holds; write nothing."""
        write_backs.finish(self._context.store, row.id, self._context.now(), reason)

    def fail(self, row: WriteBack, failed: Sequence[tuple[int | None, CcsyncError]]) -> None:
        """Kibo did not take it for these accounts (`None`: did not tell which there are); later runs try again."""
        context, at = self._context, self._context.now()
        address = ledger.address_of(context.store, row.person)
        context.counts["failed"] += 1
        self.failed.add(row.id)
        self.news += row.attempts == 0
        reasons = [error.sentence for _, error in failed]
        with context.store.transaction():
            later = next_try(at, row.attempts + 1, context.config.sync.interval)
            tasks.note_failure(context.store, row.id, later.attempts, later.at, reasons[0], is_parked=later.is_parked)
            for (account_id, _), reason in zip(failed, reasons, strict=True):
                text = f"{reason_of(row)}, but it is not in the store yet: {reason}"
                record = RejectedRecord(account_id, address, "not-told", text, at)
                runs.add_rejected(context.store, context.run_id, [record])
        for account_id, error in failed:
            log.warning("account %s was not written: %s %s", account_id or "?", error.what, error.why)

    def _differs(self, row: WriteBack, account_id: int, fields: Sequence[str]) -> None:
        """The consent is right, but something else in the account has changed: a person has to look."""
        context, names = self._context, ", ".join(fields)
        self.news += 1
        text = (
            f"the consent is written, but Kibo's answer differs from what was written in: {names}. Look at it in Kibo."
        )
        address = ledger.address_of(context.store, row.person)
        record = RejectedRecord(account_id, address, "answer-differs", text, context.now())
        runs.add_rejected(context.store, context.run_id, [record])
        log.warning("account %s: Kibo's answer differs from what was written in %s", account_id, names)


def reason_of(row: WriteBack) -> str:
    """The change as an operator reads it; of a departure also whose act it was, where that is shown."""
    return REASONS[row.kind] + (", by their own act" if row.kind == DEPARTED and row.source == OWN_ACT else "")


def _outcome(acts: Mapping[int, AccountAct]) -> str:
    if not acts:
        return NOT_A_CUSTOMER
    if AccountAct.ALREADY in acts.values():
        return UNCHANGED
    return LEFT_ALONE if {AccountAct.LEFT_ALONE, AccountAct.NEWER} & {*acts.values()} else SKIPPED


_NEWER = f"the account {AccountAct.NEWER.value}; not mailed, and not opted out there"
_WORDS = {
    NOT_A_CUSTOMER: "no customer has the address",
    UNCHANGED: "the store says so already",
    LEFT_ALONE: AccountAct.LEFT_ALONE.value,
    SKIPPED: AccountAct.SKIPPED.value,
}
