"""Decides about each staged person, when it is asked for."""

import json
from collections.abc import Iterator

from ccsync.consent.decisions import Decision, Target, decide
from ccsync.mapping import fingerprint
from ccsync.run.context import Context
from ccsync.state.staging import Staged
from ccsync.state.views.staged_people import iter_prospects


def iter_decisions(context: Context, *, is_retry: bool) -> Iterator[tuple[Staged, Decision]]:
    """Each staged person with the decision about them, made when it is asked for.

    `is_retry` gives a row another try that Constant Contact has refused before.
    """
    target = Target(context.list_id, context.config.sync.overwrite_existing)
    for one in iter_prospects(context.store):
        staged, known = one.staged, one.known
        decision = decide(
            known,
            one.suppressions,
            target,
            fingerprint=staged.fingerprint or b"",
            # Nobody else is sent the address alone.
            email_only_fingerprint=fingerprint(address_alone(staged)) if known and not known.is_ours else b"",
            refused_fingerprint=None if is_retry else one.refused,
        )
        yield staged, decision


def address_alone(one: Staged) -> dict[str, str | int]:
    return {"email": address_of(one)}


def address_of(one: Staged) -> str:
    """The address of a staged person."""
    return str(json.loads(one.row or "{}").get("email", ""))
