"""What is due for each staged person: the decision, and the row to send."""

from collections.abc import Iterator

from ccsync.consent.decisions import FOUND_ON_LIST, Act, Decision
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.mapping.contact import fingerprint
from ccsync.run import clocks
from ccsync.run.context import Context
from ccsync.state import batches, contacts, parked, staging
from ccsync.state.batches import Batch, BatchRow
from ccsync.state.log import history, runs
from ccsync.state.log.history import Step
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.staging import Staged
from ccsync.to_constant_contact.batches import LONG_ADDRESS, Outgoing, encode_row

_NOTED_AT_ONCE = 500
EMAIL_ALONE = "email"
"""The names of what is sent of another source's contact."""


def iter_outgoing(context: Context, *, is_retry: bool) -> Iterator[Outgoing]:
    """The rows to send, counting everybody else on the way by what was decided.

    Whom an earlier run's import holds is left to that import, and who was in one that was refused goes in parts.
    """
    has_open = bool(batches.in_state(context.store, *batches.HOLDING))
    notes, decided = list[tuple[Staged, Decision]](), 0
    for decided, (one, decision) in enumerate(iter_decisions(context, is_retry=is_retry), start=1):  # noqa: B007
        if decision.act in (Act.PARKED, Act.SUPPRESS) or decision.reason == FOUND_ON_LIST:
            notes.append((one, decision))
        if len(notes) >= _NOTED_AT_ONCE:
            _write(context, notes)
        if decision.act not in (Act.ADD, Act.UPDATE):
            context.counts[decision.act.value] += 1
        elif has_open and _is_held(context, one):
            continue
        elif not (outgoing := _outgoing(one, decision)).is_long:
            yield outgoing
    _write(context, notes)
    # What was known again needs no decision.
    context.counts[Act.UNCHANGED.value] += max(0, staging.people(context.store) - decided)


def _write(context: Context, notes: list[tuple[Staged, Decision]]) -> None:
    """Remember what was decided of those of whom nothing is sent."""
    with context.store.transaction():
        for one, decision in notes:
            if decision.act is Act.PARKED:
                _note_standing(context, one, decision)
            elif decision.act is Act.SUPPRESS:
                step = Step(one.person, one.account_id, decision.act.value, decision.reason)
                history.append(context.store, context.run_id, context.now(), [step])
            else:
                _note_found(context, one)
    notes.clear()


def _note_found(context: Context, one: Staged) -> None:
    """From now on ccsync notices if they leave the list."""
    at = clocks.contact_time(context).at
    contacts.found_on_list(context.store, one.account_id, one.person, context.list_id, at)


def iter_outgoing_long(context: Context, *, is_retry: bool) -> Iterator[Outgoing]:
    """The rows with long addresses: they go last and by themselves, because they are looked for afterwards."""
    has_open = bool(batches.in_state(context.store, *batches.HOLDING))
    for one, decision in iter_decisions(context, is_retry=is_retry, longer_than=LONG_ADDRESS):
        is_due = decision.act in (Act.ADD, Act.UPDATE) and not (has_open and _is_held(context, one))
        if is_due and (outgoing := _outgoing(one, decision)).is_long:
            yield outgoing


def iter_outgoing_split(context: Context, batch: Batch, *, is_retry: bool) -> Iterator[Outgoing]:
    """The rows of a split batch whose people are staged and still due; the rest leave the batch."""
    held = {row.person for row in batches.rows_of(context.store, batch.id)}
    for one, decision in iter_decisions(context, is_retry=is_retry) if held else ():
        if one.person not in held:
            continue
        if decision.act in (Act.ADD, Act.UPDATE):
            yield _outgoing(one, decision)
        else:
            batches.leave_split(context.store, [one.person])


def _is_held(context: Context, one: Staged) -> bool:
    return not batches.states_of(context.store, one.person).isdisjoint(batches.HOLDING)


def _outgoing(one: Staged, decision: Decision) -> Outgoing:
    content, mark, encoded = one.content, one.fingerprint, (one.row or "").encode()
    if decision.is_email_only:
        content = {"email": one.email}
        mark, encoded = fingerprint(content), encode_row(content)
    names = " ".join(sorted(content))
    is_new = decision.act is Act.ADD
    row = BatchRow(one.person, one.account_id, content["email"], mark, is_new, names, decision.reason)
    return Outgoing(row, encoded)


def _note_standing(context: Context, one: Staged, decision: Decision) -> None:
    standing = parked.standing(context.store, one.account_id)
    record = RejectedRecord(
        one.account_id,
        one.email,
        standing[0] if standing else "refused",
        f"Constant Contact {decision.reason}; correct it in Kibo, or: ccsync export --retry-failed",
        context.now(),
    )
    runs.add_rejected(context.store, context.run_id, [record])
