"""Decides about each staged person, when it is asked for."""

import json
from collections.abc import Iterator
from datetime import timedelta

from ccsync.consent.decisions import Decision, Target, decide, needs_a_look
from ccsync.mapping import fingerprint
from ccsync.run.context import Context
from ccsync.state.staging import Staged
from ccsync.state.views.staged_people import StagedPerson, iter_staged_people

FRESH = timedelta(minutes=10)
"""How old a sighting of a contact may be when an import relies on it."""


def target_of(context: Context) -> Target:
    """Where to, by which settings, and how old a sighting may be."""
    now = context.constant_contact.transport.dates.read(context.clock.monotonic(), context.now()).latest
    return Target(context.list_id, context.config.sync.overwrite_existing, now - FRESH)


def iter_decisions(context: Context, *, is_retry: bool) -> Iterator[tuple[Staged, Decision]]:
    """Each staged person with the decision about them, made when it is asked for.

    `is_retry` gives a row another try that Constant Contact has refused before.
    """
    target, judged_at = target_of(context), context.clock.monotonic()
    for one in iter_staged_people(context.store, context.list_id, context.now()):
        # What is fresh is judged by the time of each decision: sending may take hours.
        if context.clock.monotonic() - judged_at >= 1:
            target, judged_at = target_of(context), context.clock.monotonic()
        yield one.staged, _decide(one, target, is_retry=is_retry)


def iter_to_look_at(context: Context, *, is_retry: bool) -> Iterator[tuple[Staged, bool]]:
    """Each staged person whose contact has to be looked at before an import, and whether ccsync has it on the list."""
    target = target_of(context)
    for one in iter_staged_people(context.store, context.list_id, context.now()):
        if needs_a_look(one.known, _decide(one, target, is_retry=is_retry), target):
            yield one.staged, one.known is not None and one.known.is_on(context.list_id)


def _decide(one: StagedPerson, target: Target, *, is_retry: bool) -> Decision:
    known = one.known
    return decide(
        known,
        one.suppressions,
        target,
        fingerprint=one.staged.fingerprint or b"",
        # Nobody else is sent the address alone.
        email_only_fingerprint=fingerprint(address_alone(one.staged)) if known and not known.is_ours else b"",
        refused_fingerprint=None if is_retry else one.refused,
    )


def address_alone(one: Staged) -> dict[str, str | int]:
    """The import row of another source's contact."""
    return {"email": address_of(one)}


def address_of(one: Staged) -> str:
    """The address of a staged person."""
    return str(json.loads(one.row or "{}").get("email", ""))
