"""Writes accounts at Kibo: reads each again, sets one flag, compares the answer. Several run at once, but never two on
one account: it is read again before the next write.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ccsync.consent.write_back import AccountAct, judge_account, outdated, wanted_value
from ccsync.errors import CallFailure, CcsyncError, RefusedError, VendorUnreachable
from ccsync.from_kibo.observations import observe
from ccsync.kibo.writes import WholeAccount
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state import kibo_writes, suppressions
from ccsync.state.outbox.write_backs import RESUBSCRIBED, WriteBack
from ccsync.to_kibo import newer_opt_in, owner_opt_out
from ccsync.to_kibo.outcomes import Outcomes
from ccsync.transport.ahead import MOST

MOST_UNDER_WAY = MOST // 2
"""Writes whose answers wait to be compared. As many reads go ahead of them: a write that finds no room goes alone."""


@dataclass(slots=True)
class _Row:
    """One person's change of consent: the accounts that are still to be written, and what became of the others."""

    row: WriteBack
    account_ids: Sequence[int]
    left: int
    acts: dict[int, AccountAct] = field(default_factory=dict)
    failed: list[tuple[int | None, CcsyncError]] = field(default_factory=list)


class AccountWrites:
    """The writes of one go. `holds` tells whether a row still does; `is_done` hears of each row that is over."""

    def __init__(
        self,
        context: Context,
        outcomes: Outcomes,
        holds: Callable[[WriteBack], bool],
        is_done: Callable[[WriteBack], None],
    ) -> None:
        self._context, self._outcomes = context, outcomes
        self._holds, self._is_done = holds, is_done
        self._under_way = deque[tuple[_Row, WholeAccount]]()
        self._has_written = False

    def write(self, rows: Iterable[WriteBack], targets: Mapping[int, Sequence[int]]) -> None:
        """Write every account of these rows; one that fails does not stop the others.

        Raises what `ccsync.errors` lists; then what is under way is still noted.
        """
        ahead = self._context.kibo.accounts_ahead(_steps(rows, targets), lambda step: step[1], MOST - MOST_UNDER_WAY)
        try:
            for one, account_id in ahead:
                if account_id is None:
                    self._is_done(one.row)
                else:
                    self._start(one, account_id)
                while len(self._under_way) >= MOST_UNDER_WAY:
                    self._finish(self._under_way.popleft())
            while self._under_way:
                self._finish(self._under_way.popleft())
        except CcsyncError:
            while self._under_way:
                one, whole = self._under_way.popleft()
                with suppress(CcsyncError):  # the first error is reported, and nothing is retried
                    self._over(one, whole.customer.account_id, self._put(one.row, whole))
            raise
        finally:
            ahead.close()

    def _start(self, one: _Row, account_id: int) -> None:
        while any(whole.customer.account_id == account_id for _, whole in self._under_way):
            self._finish(self._under_way.popleft())
        try:
            found = self._read(one.row, account_id)
        except (RefusedError, VendorUnreachable) as error:
            self._failed(one, account_id, error)
            return
        if not isinstance(found, WholeAccount):
            self._over(one, account_id, found)
            return
        self._under_way.append((one, found))
        # The first write of a run goes alone, so that a general refusal is met only once.
        is_sent = self._has_written and self._context.kibo.begin_consent(found, wanted_value(one.row.kind))
        if not is_sent:
            self._finish(self._under_way.pop())  # right away, before what was read gets old

    def _finish(self, sent: tuple[_Row, WholeAccount]) -> None:
        """Handle the answer to a write. If it did not get through, read and write the account again."""
        one, whole = sent
        account_id, first = whole.customer.account_id, [whole]

        def attempt() -> AccountAct | None:
            if first:
                return self._put(one.row, first.pop())
            found = self._read(one.row, account_id)
            return self._put(one.row, found) if isinstance(found, WholeAccount) else found

        try:
            act = self._context.kibo.transport.anew(attempt)
        except (RefusedError, VendorUnreachable) as error:
            self._failed(one, account_id, error)
        else:
            self._over(one, account_id, act)

    def _failed(self, one: _Row, account_id: int, error: CallFailure) -> None:
        control.blame_record_at_kibo(self._context, error)
        one.failed.append((account_id, error))
        self._over(one, account_id, None)

    def _over(self, one: _Row, account_id: int, act: AccountAct | None) -> None:
        one.acts |= {account_id: act} if act is not None else {}
        one.left -= 1
        if one.left:
            return
        if one.failed:
            self._outcomes.fail(one.row, one.failed)
        elif self._holds(one.row):
            writes = kibo_writes.among(self._context.store, one.account_ids)
            self._outcomes.finish(one.row, one.acts, list(writes.values()))
        self._is_done(one.row)

    def _read(self, row: WriteBack, account_id: int) -> WholeAccount | AccountAct | None:
        """Read one account: as it is to be written, or why not; `None` when it is gone, or another person's now."""
        context = self._context
        whole = context.kibo.get_whole_account(account_id)
        if whole is None or context.whose(whole.customer) != row.person:
            return None
        observe(context, [whole.customer], are_whole=True)
        held = suppressions.of_person(context.store, row.person)
        if outdated(row.kind, row.list_id, held, row.happened_at):
            return None
        write = kibo_writes.among(context.store, [account_id]).get(account_id)
        is_newer = newer_opt_in.has_opted_in_since(context, row, account_id)
        account = whole.customer
        act = judge_account(row.kind, account, write, is_newer=is_newer)
        if act is AccountAct.UNKNOWN:
            raise RefusedError("The account's consent is unknown.", f"{act.value}.", "Look at it in Kibo.", status=422)
        if act is not AccountAct.WRITE:
            return act
        if row.kind == RESUBSCRIBED and owner_opt_out.has_opted_out_again(context, account, write):
            kibo_writes.forget(context.store, account_id)
            return AccountAct.LEFT_ALONE
        at = context.kibo.transport.server_time(context.now())
        kibo_writes.set_out(context.store, account_id, row.person, wanted_value(row.kind), row.kind, at)
        return whole

    def _put(self, row: WriteBack, whole: WholeAccount) -> AccountAct | None:
        """Write one account and compare the answer; `None` when it is gone."""
        accepts = wanted_value(row.kind)
        try:
            written = self._context.kibo.put_consent(whole, accepts)
        except RefusedError:
            if not accepts:  # a no that the account shows later is its owner's: no return may undo it
                kibo_writes.withdraw(self._context.store, whole.customer.account_id)
            raise
        if written is None:
            return None
        if written.customer.accepts_marketing is not accepts:
            raise VendorUnreachable(
                "Kibo did not take the new consent.",
                "its answer still shows acceptsMarketing as it was.",
                "The next run tries again.",
            )
        self._outcomes.wrote(row, written)
        self._has_written = True
        return AccountAct.WRITE


def _steps(rows: Iterable[WriteBack], targets: Mapping[int, Sequence[int]]) -> Iterator[tuple[_Row, int | None]]:
    """Each row with each of its accounts; with `None` where it needs no write."""
    for row in rows:
        account_ids = targets.get(row.id, ())
        one = _Row(row, account_ids, len(account_ids))
        yield from ((one, account_id) for account_id in account_ids or (None,))
