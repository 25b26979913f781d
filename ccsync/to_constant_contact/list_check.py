"""Finds people who left the list since ccsync put them there: an import would put them back."""

from ccsync.consent.decisions import Act
from ccsync.from_constant_contact import members, restored
from ccsync.from_constant_contact.departures import record_departure
from ccsync.from_kibo.staged_decisions import address_of, iter_decisions, iter_to_look_at
from ccsync.run.context import Context
from ccsync.state import batches, staging
from ccsync.state.staging import Staged


def find_departures(context: Context, *, is_retry: bool) -> tuple[list[Staged], int]:
    """Look at the contacts that imports would update or put on the list again; return who has left, of how many.

    Whose sighting is fresh is not looked at, nor who is in an import that is under way.
    """
    looked_at = iter_to_look_at(context, is_retry=is_retry)
    due = [one for one in looked_at if not batches.holds(context.store, one[0].person or b"")]
    members.read_membership(context, [(one.person or b"", address_of(one)) for one, _ in due])
    gone = [one for one, decision in iter_decisions(context, is_retry=is_retry) if decision.act is Act.DEPARTED]
    if restored.known_until(context) is not None:
        # By whose act they are off the list nobody knows.
        for one in gone:
            person = one.person or b""
            restored.settle_absence(context, person, staging.changed_at(context.store, person))
        gone = []
    return gone, len({one.person for one, was_on_list in due if was_on_list} | {one.person for one in gone})


def record_departures(context: Context, gone: list[Staged]) -> None:
    """Remember that these people left the list: they are not sent to it again, and the next poll writes it back."""
    for one in gone:
        record_departure(context, one.person or b"", address_of(one), account_id=one.account_id)
    context.counts["departed"] += len(gone)
