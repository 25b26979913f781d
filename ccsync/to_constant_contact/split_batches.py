"""Sends again, in ever smaller parts, what Constant Contact refused or did not carry out as a whole."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ccsync.errors import CallFailure, RefusedError, VendorUnreachable
from ccsync.run.context import Context
from ccsync.state import batches, parked
from ccsync.state.batches import FAILED, SPLIT, Batch
from ccsync.to_constant_contact import refusals
from ccsync.to_constant_contact.batches import REFUSED, Outgoing, Sender, reject
from ccsync.to_constant_contact.bisection import Bisection, Tried
from ccsync.to_constant_contact.imports import Imports
from ccsync.to_constant_contact.outgoing import iter_outgoing_split
from ccsync.words import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SplitBatches:
    """The batches that were split, and what sends their people again and waits for that."""

    _context: Context
    _sender: Sender
    _imports: Imports

    def send_halves(self, *, is_retry: bool) -> None:
        """Bisect what was refused, down to records that are refused while others pass.

        Raises the vendor's refusal when nothing passes: then no record is blamed, and everybody stays due.
        """
        context = self._context
        groups = list(self._groups(is_retry=is_retry))
        if not groups:
            return
        search = Bisection[Outgoing](self._carry_out, context.run_id, has_passed=self._imports.has_passed)
        search.run(groups)
        everybody = (one.row for group in groups for one in group)
        fresh = sum(
            not parked.refusals_of(context.store, row.account_id, REFUSED, row.fingerprint) for row in everybody
        )
        failure = search.first_failure
        if failure is not None and not search.has_passed and fresh:
            # A single record is judged by the control, unless all that came before it were refused as well.
            is_vendors = fresh > 1 or isinstance(failure, VendorUnreachable) or refusals.are_everybodys(context)
            refusals.note_refused(context)
            if is_vendors:
                # The split batch is whole again; the next run decides again.
                with context.store.transaction():
                    for batch in batches.in_state(context.store, SPLIT):
                        batches.close(context.store, batch.id, FAILED, context.now())
                raise _refuses_everybody(failure)
        for one, error in search.refused:
            with context.store.transaction():
                reject(context, one.row.account_id, one.row.email, one.row.fingerprint, error)
        if failure is not None and search.is_cut_short:
            raise failure

    def _groups(self, *, is_retry: bool) -> Iterator[Sequence[Outgoing]]:
        """The halves of what was split, as far as its people are staged in this run and still due."""
        for batch in batches.in_state(self._context.store, SPLIT):
            due = list(iter_outgoing_split(self._context, batch, is_retry=is_retry))
            middle = len(due) // 2
            yield from (part for part in (due[middle:], due[:middle]) if part)
        batches.close_empty(self._context.store, self._context.now())

    def _carry_out(self, groups: Sequence[Sequence[Outgoing]]) -> Iterator[Tried[Outgoing]]:
        posted = list[tuple[Batch, Sequence[Outgoing]]]()
        for group in groups:
            batch, failure = self._sender.send_part(group)
            if failure is not None:
                yield Tried(group, failure)
            elif batch is not None:
                posted.append((batch, group))
        self._imports.await_own()
        split = {one.id for one in batches.in_state(self._context.store, SPLIT)}
        running = {one.id for one in batches.unfinished(self._context.store)}
        for batch, group in posted:
            if batch.id in split:
                batches.close(self._context.store, batch.id, FAILED, self._context.now())
                yield Tried(group, _not_carried_out(len(group)))
            else:
                yield Tried(group, is_open=batch.id in running)


def _refuses_everybody(failure: CallFailure) -> CallFailure:
    if isinstance(failure, VendorUnreachable):
        return failure
    return RefusedError(
        "Constant Contact refuses every import, so no record was rejected for it.",
        failure.sentence,
        "The next run tries again. If it persists, look at your plan and at Activity in Constant Contact.",
        status=failure.status,
    )


def _not_carried_out(number: int) -> RefusedError:
    return RefusedError(
        f"Constant Contact did not carry out an import of {counted(number, 'contact')}.",
        "its bulk job failed.",
    )
