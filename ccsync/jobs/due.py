"""What is due for each staged person: the decision, and the row to send."""

import json
from collections.abc import Iterator

from ccsync.jobs.decisions import FOUND_ON_LIST, Act, Decision, Target, decide
from ccsync.jobs.sending import Outgoing, encode_row
from ccsync.jobs.work import Work
from ccsync.mapping import fingerprint
from ccsync.state import history, people, runs, set_aside
from ccsync.state.batches import BatchRow
from ccsync.state.history import Step
from ccsync.state.prospects import iter_prospects
from ccsync.state.runs import RejectedRecord
from ccsync.state.staging import Staged

EMAIL_ALONE = "email"
"""The names of what is sent of another source's contact."""


def iter_decisions(work: Work, *, is_retry: bool) -> Iterator[tuple[Staged, Decision]]:
    """Each staged person with the decision about them, made when it is asked for.

    `is_retry` gives a row another try that Constant Contact has refused before.
    """
    target = Target(work.list_id, work.config.sync.overwrite_existing)
    for one in iter_prospects(work.store):
        staged, known = one.staged, one.known
        decision = decide(
            known,
            one.suppressions,
            target,
            fingerprint=staged.fingerprint or b"",
            # Nobody else is sent the address alone.
            email_only_fingerprint=fingerprint(_email_only(staged)) if known and not known.is_ours else b"",
            refused_fingerprint=None if is_retry else one.refused,
        )
        yield staged, decision


def iter_outgoing(work: Work, *, is_retry: bool) -> Iterator[Outgoing]:
    """The rows to send, counting everybody else on the way by what was decided."""
    for one, decision in iter_decisions(work, is_retry=is_retry):
        if decision.act is Act.SET_ASIDE:
            _note_standing(work, one, decision)
        if decision.reason == FOUND_ON_LIST:
            people.found_on_list(work.store, one.account_id, one.person or b"", work.list_id)
        if decision.act is Act.SUPPRESS:
            step = Step(one.person or b"", one.account_id, decision.act.value, decision.reason)
            history.append(work.store, work.run_id, work.now(), [step])
        if decision.act not in (Act.ADD, Act.UPDATE):
            work.counts[decision.act.value] += 1
        elif not (outgoing := _outgoing(one, decision)).is_long:
            yield outgoing


def iter_outgoing_long(work: Work, *, is_retry: bool) -> Iterator[Outgoing]:
    """The rows with long addresses: they go last and by themselves, because they are looked for afterwards."""
    for one, decision in iter_decisions(work, is_retry=is_retry):
        if decision.act in (Act.ADD, Act.UPDATE) and (outgoing := _outgoing(one, decision)).is_long:
            yield outgoing


def address_of(one: Staged) -> str:
    """The address of a staged person."""
    return str(json.loads(one.row or "{}").get("email", ""))


def _outgoing(one: Staged, decision: Decision) -> Outgoing:
    content, mark, encoded = json.loads(one.row or "{}"), one.fingerprint or b"", (one.row or "{}").encode()
    if decision.is_email_only:
        content = _email_only(one)
        mark, encoded = fingerprint(content), encode_row(content)
    names = " ".join(sorted(content))
    is_new = decision.act is Act.ADD
    row = BatchRow(one.person or b"", one.account_id, content["email"], mark, is_new, names, decision.reason)
    return Outgoing(row, encoded)


def _email_only(one: Staged) -> dict[str, str | int]:
    return {"email": address_of(one)}


def _note_standing(work: Work, one: Staged, decision: Decision) -> None:
    standing = set_aside.standing(work.store, one.account_id)
    record = RejectedRecord(
        one.account_id,
        address_of(one),
        standing[0] if standing else "refused",
        f"Constant Contact {decision.reason}; mend it in Kibo, or: ccsync export --retry-failed",
        work.now(),
    )
    with work.store.transaction():
        runs.add_rejected(work.store, work.run_id, [record])
