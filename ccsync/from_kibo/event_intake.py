"""Fills the queue from Kibo's events, or compares all accounts when events may be missing."""

from contextlib import suppress
from dataclasses import dataclass

from ccsync.clocks import KiboTime
from ccsync.errors import RefusedError, TemporaryError
from ccsync.from_kibo import events
from ccsync.from_kibo.changed_accounts import catch_up
from ccsync.run import clocks
from ccsync.run.clocks import Moment
from ccsync.run.context import Context
from ccsync.state import properties

NO_EVENTS = (
    "Kibo has never shown an event about a customer. That is right only as long as no customer has changed."
    " In Dev Center (Packages > Events) the application must subscribe to customeraccount.created,"
    " customeraccount.updated and customeraccount.deleted; after a change there, install and enable it again."
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How it went: what went wrong in the end, if anything.

    `swept_from` is the start of the sweep over all accounts, if there was one: events from then on are still to be
    pulled.
    """

    trouble: TemporaryError | None = None
    swept_from: KiboTime | None = None


def take_in(context: Context, begun_at: Moment, *, is_exported: bool) -> Taken:
    """Pull events, or compare all accounts. Raises what `ccsync.errors` lists; what was pulled before is kept.

    `begun_at` is what `events.begin` returned.
    """
    if is_exported and events.is_too_old(context):
        early: TemporaryError | None = None
        # The sweep only shows accounts that opt in. Opt-outs are found through the events that Kibo still has.
        with suppress(RefusedError):  # the next run, which needs nothing but events, reports it
            early = events.pull(context, begun_at, moves_bookmark=False).trouble
        swept_from, trouble = catch_up(context)
        return Taken(trouble or early, swept_from)
    trouble = events.pull(context, begun_at).trouble
    if properties.get(context.store, events.EVER_SEEN) is None:
        context.notices["no-events"] = NO_EVENTS
    return Taken(trouble)


def note_done(context: Context, taken: Taken) -> None:
    """Everything taken in has been processed. After a full sweep, events are read from the start of the sweep on."""
    if taken.swept_from is not None and taken.trouble is None:
        clocks.advance(context, events.STREAM, taken.swept_from)
