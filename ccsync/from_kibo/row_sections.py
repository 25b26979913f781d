"""Finds out whether Kibo's list rows carry what is mapped; where they do not, accounts are read one by one.

Whether the vendor's list carries contacts, attributes, segments and the order summary is not documented.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence

from ccsync.errors import CallFailure, RefusedError, VendorUnreachable
from ccsync.mapping.contact import filled_sections, missing_sections, needed_sections
from ccsync.mapping.tags import SEGMENTS
from ccsync.models import Customer
from ccsync.run import control, quirks
from ccsync.run.context import Context
from ccsync.state.log import runs
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.outbox import queue
from ccsync.state.staging import Staged

log = logging.getLogger(__name__)

_TAGS = "cf:segments as tags"
"""Segments mapped to tags are treated like segments mapped to a field."""
MOST_PROBED = 5
"""On the first page; on each later one a single row, as long as a part is in doubt."""


class RowSections:
    """What the rows of a list are known to carry of the mapped parts of an account.

    A part stays in doubt as long as it was empty for everyone who was looked at: that proves nothing.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._mapping = {**context.config.mapping, **({_TAGS: SEGMENTS} if context.config.tags else {})}
        self._most = MOST_PROBED
        needed = needed_sections(self._mapping)
        # Only what is lacking is remembered. If rows stopped carrying a part, they would look as if it had been
        # emptied.
        self.lacking = needed & frozenset((quirks.recall(context, quirks.LACKING_SECTIONS) or "").split())
        self.in_doubt = needed - self.lacking

    def probe(self, rows: Sequence[Customer]) -> None:
        """Compare rows of a page with their single reads; those that show something of a part in doubt tell most."""
        if self.lacking or not self.in_doubt:
            return
        fullest = sorted(rows, key=lambda row: -len(filled_sections(row, self._mapping) & self.in_doubt))
        shown = {part for row in rows for part in self.in_doubt if row.raw.get(part) is not None}
        for row in fullest[: self._most]:
            try:
                single = self._context.kibo.get_customer(row.account_id)
            except (RefusedError, VendorUnreachable) as error:
                control.blame_record_at_kibo(self._context, error)  # the read that needs it will meet the error again
                continue
            if single is not None and not _was_changed(row, single):
                self.compare(row, single, shown)
            if self.lacking or not self.in_doubt:
                break
        if rows:
            self._most = 1

    def compare(self, row: Customer, single: Customer, shown: Iterable[str]) -> None:
        """Learn from one account. `shown` are the parts that some row of the list has at all.

        Where none has a part, its being absent from the row and empty in the single read is proof enough.
        """
        missing, filled = missing_sections(row, single, self._mapping), filled_sections(single, self._mapping)
        self._note((missing & filled) | (missing - frozenset(shown)))
        self.in_doubt -= filled

    def learn_from(self, single: Customer) -> None:
        """Learn from an account whose row, like every other, showed nothing of the parts in doubt."""
        self._note(filled_sections(single, self._mapping) & self.in_doubt)

    def _note(self, lacking: frozenset[str]) -> None:
        if lacking:
            self.lacking |= lacking
            self.in_doubt -= lacking
            quirks.note(self._context, quirks.LACKING_SECTIONS, " ".join(sorted(self.lacking)))
            log.info("Kibo's list does not carry %s", ", ".join(sorted(lacking)))


def _was_changed(row: Customer, single: Customer) -> bool:
    """Was the account changed between the two reads? Then comparing them says nothing about the list."""
    return None not in (row.updated_at, single.updated_at) and row.updated_at != single.updated_at


def read_singly(context: Context, accounts: Iterable[Customer | Staged]) -> Iterator[Customer]:
    """These accounts, each read whole, several under way at once; one deleted meanwhile is left out.

    An account that Kibo does not show does not stop the others: it is reported and queued again.
    """
    for one in context.kibo.accounts_ahead(accounts, lambda one: one.account_id):
        try:
            whole = context.kibo.get_customer(one.account_id)
        except (RefusedError, VendorUnreachable) as error:
            control.blame_record_at_kibo(context, error)
            _put_off(context, one.account_id, error)
        else:
            yield from [whole] if whole is not None else []


def _put_off(context: Context, account_id: int, error: CallFailure) -> None:
    context.counts["unreadable"] += 1
    reason = f"Kibo does not show this account: {error.why or error.what} flush-events tries it again."
    record = RejectedRecord(account_id, None, "not-read", reason, context.now())
    with context.store.transaction():
        runs.add_rejected(context.store, context.run_id, [record])
        queue.enqueue(context.store, [account_id], context.now())
