"""Cuts what is due into batches and sends each as a bulk import; what is refused goes in parts (`split_batches`).

What is in a batch is stored before it is sent, and its activity before it is polled: a run that died is
continued, not repeated.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from ccsync.consent.retry import expires_at
from ccsync.errors import AnswerLost, CallFailure, RefusedError
from ccsync.from_constant_contact import activities
from ccsync.models import Activity
from ccsync.run import control
from ccsync.run.clocks import vendor_now
from ccsync.run.context import Context
from ccsync.state import batches, parked, staging, suppressions
from ccsync.state.batches import ADOPTED, FAILED, PREPARED, SPLIT, Batch, BatchRow
from ccsync.state.log import runs
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.staging import Staged

log = logging.getLogger(__name__)

MOST_BYTES = 3_500_000
"""The vendor silently drops everything beyond 4 MB and does not say whether that means 4,000,000 bytes."""
MOST_ROWS = 40_000
LONG_ADDRESS = 50
"""The import's schema stops here, others at 80: longer addresses are sent and then looked for."""
CLOCK_SLACK = timedelta(seconds=90)
_LOST_ANSWER_TRIES = 3
REFUSED = "refused"
"""The code of a record that Constant Contact refuses while it takes others."""
_FROZEN_AT_ONCE = 500
"""Rows per transaction, so that readers and writers of the state file do not wait long."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One contact on its way: what is remembered of it, and its import row, encoded."""

    row: BatchRow
    encoded: bytes

    @property
    def is_long(self) -> bool:
        """Does the address go beyond what the import's own schema promises to take?"""
        return len(self.row.email) > LONG_ADDRESS


def encode_row(row: Mapping[str, object]) -> bytes:
    """One contact as it goes into an import: names that are not Latin stay what they are, and short."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


class Batcher:
    """Cuts a stream of contacts into batches, by encoded bytes and by count."""

    def __init__(self, outgoing: Iterator[Outgoing], list_id: str) -> None:
        self._outgoing = outgoing
        self._envelope = len(body_start(list_id) + BODY_END)
        self._left_over: Outgoing | None = None

    def take(self) -> Iterator[Outgoing]:
        """The contacts of the next batch, one by one; none when the stream has ended."""
        size, rows = self._envelope, 0
        while (one := self._left_over or next(self._outgoing, None)) is not None:
            if rows and (size + len(one.encoded) + 1 > MOST_BYTES or rows >= MOST_ROWS):
                self._left_over = one
                return
            self._left_over = None
            size, rows = size + len(one.encoded) + 1, rows + 1
            yield one


def body_start(list_id: str) -> bytes:
    """How the body of an import begins: https://developer.constantcontact.com/api_guide/import_contacts.html"""
    return b'{"list_ids":["' + list_id.encode() + b'"],"import_data":['


BODY_END = b"]}"


class Sender:
    """Sends a run's batches, one after another. A batch's body lies in a nameless file, not in memory.

    `renew` is called before each: whom it suppresses is not sent.
    """

    def __init__(self, context: Context, renew: Callable[[], None] = lambda: None) -> None:
        self._context = context
        self._renew = renew
        self._bodies = ExitStack()
        self.sent = 0
        """Contacts sent so far, whatever becomes of them."""

    def send_all(self, outgoing: Iterator[Outgoing], total: int) -> None:
        """Send everything due. `outgoing` decides as it is read."""
        batcher = Batcher(outgoing, self._context.list_id)
        while True:
            self._renew()
            with ExitStack() as self._bodies:
                frozen = self._freeze(batcher.take())
                if frozen is None:
                    return
                if frozen[0].rows:
                    self._send(*frozen)
            self._context.show("sending", self.sent, total, self.sent)

    def _freeze(self, contacts: Iterator[Outgoing]) -> tuple[Batch, BinaryIO] | None:
        """Store a batch, some rows at a time, and write its body; `None` when there is nobody any more.

        Who was suppressed since the decision is left out, and so a batch may turn out to have no rows.
        """
        context = self._context
        at = vendor_now(context)
        batch_id, rows, body = None, 0, self._new_body()
        while True:
            # Read and decided on before the transaction: where little is due, that goes through very many.
            part = list(islice(contacts, _FROZEN_AT_ONCE))
            if not part:
                break
            with context.store.transaction():
                if batch_id is None:
                    batch_id = batches.prepare(context.store, context.run_id, context.list_id, at)
                part = self._without_suppressed(part)
                batches.add_rows(context.store, batch_id, [one.row for one in part], at)
            body.write((b"," if rows and part else b"") + b",".join(one.encoded for one in part))
            rows += len(part)
        if batch_id is None:
            return None
        if not rows:
            batches.close(context.store, batch_id, FAILED, context.now())
        body.write(BODY_END)
        return Batch(batch_id, context.run_id, context.list_id, PREPARED, None, rows, at), body

    def _without_suppressed(self, part: Sequence[Outgoing]) -> list[Outgoing]:
        people = [one.row.person for one in part]
        held = suppressions.held_among(self._context.store, people, self._context.list_id)
        self._context.counts["suppressed"] += len(held)
        return [one for one in part if one.row.person not in held]

    def _new_body(self) -> BinaryIO:
        file = TemporaryFile(dir=self._context.store.path.parent)  # noqa: SIM115 - the stack closes it
        body = cast(BinaryIO, self._bodies.enter_context(file))
        body.write(body_start(self._context.list_id))
        return body

    def _send(self, batch: Batch, body: BinaryIO) -> None:
        try:
            self._post(batch, body)
        except (RefusedError, AnswerLost) as error:
            # Raises what is wrong with the vendor; else what was sent may be the reason.
            control.blame_record_at_constant_contact(self._context, error)
            log.info("batch %s was refused as a whole: %s %s", batch.id, error.what, error.why)
            batches.set_state(self._context.store, batch.id, SPLIT)
        else:
            self.sent += batch.rows

    def send_part(self, contacts: Sequence[Outgoing]) -> tuple[Batch | None, RefusedError | AnswerLost | None]:
        """Send a part of what was refused or failed as a whole: its batch, and why that was refused, too.

        There is no batch where nobody of it may be sent any more.
        """
        context = self._context
        with ExitStack() as self._bodies:
            with context.store.transaction():
                batches.leave_split(context.store, [one.row.person for one in contacts])
                frozen = self._freeze(iter(contacts))
            if frozen is None or not frozen[0].rows:
                return None, None  # everybody in it was suppressed meanwhile
            batch, body = frozen
            try:
                self._post(batch, body)
            except (RefusedError, AnswerLost) as error:
                control.blame_record_at_constant_contact(context, error)
                batches.close(context.store, batch.id, FAILED, context.now())
                return batch, error
        self.sent += batch.rows
        return batch, None

    def _post(self, batch: Batch, body: BinaryIO) -> None:
        """Send a stored batch; when the answer is lost, look for its activity before sending again."""
        for tries in range(1, _LOST_ANSWER_TRIES + 1):
            try:
                activity = self._context.constant_contact.import_contacts(body)
            except AnswerLost:
                log.info("the answer to batch %s was lost; looking for its activity", batch.id)
                self._context.clock.sleep(2.0 * tries)
                if adopt(self._context, batch):
                    return
                if tries == _LOST_ANSWER_TRIES:
                    raise
            except RefusedError:
                if tries == 1:  # else the one before, whose answer was lost, may have been taken
                    batches.note_refused(self._context.store, batch.id)
                raise
            else:
                batches.record_activity(self._context.store, batch.id, activity.activity_id)
                return


def reject(context: Context, account_id: int, email: str, fingerprint: bytes, error: CallFailure) -> None:
    """Constant Contact does not take this row: park it until it changes or expires, in the caller's transaction."""
    reason = f"Constant Contact refused it ({error.why.rstrip('.')}); check the address and the mapped fields."
    park(context, RejectedRecord(account_id, email, REFUSED, reason, context.now()), fingerprint)


def leave_out(context: Context, one: Staged, error: CallFailure) -> None:
    """Constant Contact does not show a staged person's contact: in doubt nobody is sent, or overwritten."""
    with context.store.transaction():
        reject(context, one.account_id, one.email, one.fingerprint, error)
        staging.drop_person(context.store, one.person)


def park(context: Context, record: RejectedRecord, fingerprint: bytes) -> None:
    """A row was refused without a stated reason: it is retried when the rejection expires.

    In the caller's transaction.
    """
    store, account_id = context.store, record.account_id or 0
    refusals = 1 + parked.refusals_of(store, account_id, record.code, fingerprint)
    runs.add_rejected(store, context.run_id, [record])
    parked.put(store, account_id, record.code, fingerprint, record.at, context.run_id)
    parked.put_until(store, account_id, refusals, expires_at(record.at, refusals))


def adopt_lost(context: Context) -> None:
    """Find out about the batch of a run that died while sending: adopt its import, or release its contacts."""
    for batch in batches.unfinished(context.store):
        if batch.state == PREPARED and not adopt(context, batch):
            log.info("batch %s never arrived; its %s contacts will be decided again", batch.id, batch.rows)
            batches.close(context.store, batch.id, FAILED, context.now())


def adopt(context: Context, batch: Batch) -> bool:
    """Look for the activity of a batch whose answer was lost; return whether there is one.

    The vendor has no idempotency key and shows no content: the match is by time and count, so that the
    batch's people are looked for when it is over.
    """
    activity = matching(batch, activities.shown(context), activities.known(context))
    if activity is None:
        return False
    log.info("batch %s is activity %s", batch.id, activity.activity_id)
    batches.record_activity(context.store, batch.id, activity.activity_id, ADOPTED)
    return True


def matching(batch: Batch, shown: Sequence[Activity], known: set[str]) -> Activity | None:
    """The activity that may be this batch: made since, belonging to no other, with its count; the earliest."""
    candidates = [
        one
        for one in shown
        if one.activity_id not in known
        and one.created_at is not None
        and one.created_at >= batch.prepared_at - CLOCK_SLACK
        # The total may count a header row; it is absent or 0 until the import is under way.
        and (one.items_total_count or batch.rows) in (batch.rows, batch.rows + 1)
    ]
    return min(candidates, key=lambda one: one.created_at or batch.prepared_at, default=None)
