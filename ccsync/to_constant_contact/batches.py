"""Cuts what is due into batches and sends each as a bulk import.

What is in a batch is stored before it is sent, and its activity before it is polled: a run that died is
continued, not repeated.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from ccsync.errors import AnswerLost, RefusedError
from ccsync.models import Activity
from ccsync.run.contact_list import list_is_gone
from ccsync.run.context import Context
from ccsync.state import batches, parked
from ccsync.state.batches import ADOPTED, FAILED, PREPARED, Batch, BatchRow
from ccsync.state.log import runs
from ccsync.state.log.runs import RejectedRecord

log = logging.getLogger(__name__)

MOST_BYTES = 3_500_000
"""The vendor silently drops what lies beyond 4 MB, and does not say whether that is 4,000,000 bytes."""
MOST_ROWS = 40_000
LONG_ADDRESS = 50
"""The import's schema stops here, others at 80: longer addresses are sent and then looked for."""
MOST_REFUSALS = 60
"""Looking for the one bad record in a refused batch takes two calls a halving; more means another trouble."""
CLOCK_SLACK = timedelta(seconds=90)
_LOST_ANSWER_TRIES = 3


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
    """Sends a run's batches, one after another. A batch's body lies in a nameless file, not in memory."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refusals = 0
        self._bodies = ExitStack()
        self.sent = 0
        """Contacts sent so far, whatever becomes of them."""

    def send_all(self, outgoing: Iterator[Outgoing], total: int) -> None:
        """Send everything due. `outgoing` decides as it is read, in the transaction that freezes each batch."""
        batcher = Batcher(outgoing, self._context.list_id)
        while True:
            with ExitStack() as self._bodies:
                with self._context.store.transaction():
                    frozen = self._freeze(batcher.take())
                if frozen is None:
                    return
                self._send(*frozen)
            self._context.show("sending", self.sent, total, self.sent)

    def _freeze(self, contacts: Iterator[Outgoing]) -> tuple[Batch, BinaryIO] | None:
        """Store a batch and write its body."""
        context = self._context
        first = next(contacts, None)
        if first is None:
            return None
        at = context.constant_contact.transport.server_time(context.now())
        batch_id = batches.prepare(context.store, context.run_id, context.list_id, at)
        body = self._new_body()
        stream, rows = chain([first], contacts), 0
        while part := list(islice(stream, 500)):
            batches.add_rows(context.store, batch_id, [one.row for one in part], at)
            body.write((b"," if rows else b"") + b",".join(one.encoded for one in part))
            rows += len(part)
        body.write(BODY_END)
        return Batch(batch_id, context.run_id, context.list_id, PREPARED, None, rows, at), body

    def _new_body(self) -> BinaryIO:
        file = TemporaryFile(dir=self._context.store.path.parent)  # noqa: SIM115 - the stack closes it
        body = cast(BinaryIO, self._bodies.enter_context(file))
        body.write(body_start(self._context.list_id))
        return body

    def _send(self, batch: Batch, body: BinaryIO, *, is_second_try: bool = False) -> None:
        try:
            self._post(batch, body)
        except RefusedError as error:
            if error.status not in (400, 413, 422):
                raise
            self._refusals += 1
            self._check_list()
            if self._refusals > MOST_REFUSALS:
                raise
            if batch.rows > 1:
                self._halve(batch, body)
            elif is_second_try:
                self._reject(batch, error)
            else:
                self._send(batch, body, is_second_try=True)  # refused twice is refused
        else:
            self.sent += batch.rows

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
            else:
                batches.record_activity(self._context.store, batch.id, activity.activity_id)
                return

    def _halve(self, batch: Batch, body: BinaryIO) -> None:
        """The vendor refused the batch as a whole: one bad record must not stop the rest."""
        context = self._context
        body.seek(0)
        by_email = {row["email"]: row for row in json.load(body)["import_data"]}
        with context.store.transaction():
            rows = batches.rows_of(context.store, batch.id)
            contacts = [Outgoing(row, encode_row(by_email[row.email])) for row in rows]
            batches.close(context.store, batch.id, FAILED, context.now())
            middle = len(contacts) // 2
            halves = [self._freeze(iter(part)) for part in (contacts[:middle], contacts[middle:])]
        for half in halves:
            if half is not None:
                self._send(*half)

    def _reject(self, batch: Batch, error: RefusedError) -> None:
        context = self._context
        with context.store.transaction():
            for row in batches.rows_of(context.store, batch.id):
                reject(context, row.account_id, row.email, row.fingerprint, error)
            batches.close(context.store, batch.id, FAILED, context.now())

    def _check_list(self) -> None:
        if self._context.constant_contact.get_list(self._context.list_id) is None:
            raise list_is_gone(self._context)


def reject(context: Context, account_id: int, email: str, fingerprint: bytes, error: RefusedError) -> None:
    """Constant Contact does not take this row: set it aside until it changes, in the caller's transaction."""
    at = context.now()
    reason = f"Constant Contact refused it ({error.why.rstrip('.')}); check the address and the mapped fields."
    runs.add_rejected(context.store, context.run_id, [RejectedRecord(account_id, email, "refused", reason, at)])
    parked.put(context.store, account_id, "refused", fingerprint, at, context.run_id)


def adopt_lost(context: Context) -> None:
    """Find out about the batch of a run that died while sending: adopt its import, or release its contacts."""
    for batch in batches.unfinished(context.store):
        if batch.state == PREPARED and not adopt(context, batch):
            log.info("batch %s never arrived; its %s contacts are decided on anew", batch.id, batch.rows)
            with context.store.transaction():
                batches.close(context.store, batch.id, FAILED, context.now())


def adopt(context: Context, batch: Batch) -> bool:
    """Look for the activity of a batch whose answer was lost; return whether there is one.

    The vendor has no idempotency key and shows no content: the match is by time and count, so that the
    batch's people are looked for when it is over.
    """
    activity = matching(batch, context.constant_contact.get_activities(), batches.known_activities(context.store))
    if activity is None:
        return False
    log.info("batch %s is activity %s", batch.id, activity.activity_id)
    batches.record_activity(context.store, batch.id, activity.activity_id, ADOPTED)
    return True


def matching(batch: Batch, activities: Sequence[Activity], known: set[str]) -> Activity | None:
    """The activity that may be this batch: made since, belonging to no other, with its count; the earliest."""
    candidates = [
        one
        for one in activities
        if one.activity_id not in known
        and one.created_at is not None
        and one.created_at >= batch.prepared_at - CLOCK_SLACK
        # The total may count a header row; it is absent or 0 until the import is under way.
        and (one.items_total_count or batch.rows) in (batch.rows, batch.rows + 1)
    ]
    return min(candidates, key=lambda one: one.created_at or batch.prepared_at, default=None)
