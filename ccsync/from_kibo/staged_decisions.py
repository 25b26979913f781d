"""Makes the decision about each staged person on demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from ccsync.consent.decisions import Act, Decision, Target, decide, needs_a_look
from ccsync.mapping.contact import fingerprint
from ccsync.run.context import Context
from ccsync.state import staging
from ccsync.state.outbox import queue
from ccsync.state.staging import Staged
from ccsync.state.views.staged_people import StagedPerson, iter_staged_people

FRESH = timedelta(minutes=10)
"""How old a sighting of a contact may be when an import relies on it."""


def target_of(context: Context) -> Target:
    """Where to, by which settings, and how old a sighting may be."""
    now = context.constant_contact.transport.dates.read(context.clock.monotonic(), context.now()).latest
    return Target(context.list_id, context.config.sync.overwrite_existing, now - FRESH, now + FRESH)


def iter_decisions(context: Context, *, is_retry: bool, longer_than: int = 0) -> Iterator[tuple[Staged, Decision]]:
    """Each staged person with the decision about them, made when it is asked for.

    `is_retry` gives a row another try that Constant Contact has refused before. Only people whose address is
    `longer_than` so many characters are decided on.
    """
    target, judged_at = target_of(context), context.clock.monotonic()
    for one in iter_staged_people(context.store, context.list_id, context.now(), longer_than=longer_than):
        # Freshness is judged at the time of each decision, because sending may take hours.
        if context.clock.monotonic() - judged_at >= 1:
            target, judged_at = target_of(context), context.clock.monotonic()
        decision = _decide(one, target, is_retry=is_retry)
        if not _is_put_off(context, one.staged, decision):
            yield one.staged, decision


@dataclass(frozen=True, slots=True)
class Judged:
    """A staged person, the decision as things stand, and whether their contact has to be looked at before an import."""

    staged: Staged
    decision: Decision
    needs_a_look: bool
    is_on_list: bool
    """Does ccsync have them on the list, as far as it has seen?"""


def iter_judged(context: Context, *, is_retry: bool) -> Iterator[Judged]:
    """Each staged person with something to send and of whom a contact is known, judged by one target."""
    target = target_of(context)
    for one in iter_staged_people(context.store, context.list_id, context.now(), only_contacts=True):
        decision = _decide(one, target, is_retry=is_retry)
        if _is_put_off(context, one.staged, decision):
            continue
        is_on_list = one.known is not None and one.known.is_on(context.list_id)
        yield Judged(one.staged, decision, needs_a_look(one.known, decision, target), is_on_list)


def _is_put_off(context: Context, one: Staged, decision: Decision) -> bool:
    """Of a row that was known again nothing is at hand: if more is to be done now, its account is read by itself.

    That takes a change at Constant Contact since the row was read, some minutes ago at most; the next flush does it.
    """
    if one.row is not None or decision.act in (Act.UNCHANGED, Act.SUPPRESS):
        return False
    with context.store.transaction():
        queue.enqueue(context.store, [one.account_id], context.now())
        staging.drop_person(context.store, one.person)
    return True


def _decide(one: StagedPerson, target: Target, *, is_retry: bool) -> Decision:
    known = one.known
    return decide(
        known,
        one.suppressions,
        target,
        fingerprint=one.staged.fingerprint,
        # Nobody else is sent with the address only.
        email_only_fingerprint=fingerprint({"email": one.staged.email}) if known and not known.is_ours else b"",
        refused_fingerprint=None if is_retry else one.refused,
    )
