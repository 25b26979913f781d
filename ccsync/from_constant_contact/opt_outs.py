"""Brings the opt-outs at Constant Contact up to date in the state file. Writes nothing at either vendor."""

from datetime import timedelta

from ccsync.clocks import ContactTime, OurTime
from ccsync.from_constant_contact import returns, unsubscribes
from ccsync.run import clocks
from ccsync.run.context import Context
from ccsync.shapes import query_time
from ccsync.state.properties import Stream

STREAM = Stream("opt-outs", ContactTime)
FULL_STREAM = Stream("opt-outs-full", OurTime)
OVERLAP = timedelta(hours=24)
"""How soon an opt-out becomes visible is undocumented, and so is whether `optout_after` is inclusive."""
DAILY = timedelta(hours=23, minutes=45)
"""Once a day, even if cron runs a few minutes earlier than yesterday."""


def pull(context: Context, *, is_full: bool = False) -> None:
    """Pull what is new, and once a day, or when asked to, everything."""
    bookmark, at = clocks.bookmark(context, STREAM), clocks.our_time(context)
    if bookmark is not None:
        pull_recent(context)
    full = clocks.bookmark(context, FULL_STREAM)
    if is_full or bookmark is None or full is None or full <= at - DAILY:
        pull_all(context)


def pull_all(context: Context) -> None:
    """Read everybody who is unsubscribed, and find out who of those no longer shown is back.

    `updated_after` would miss most of them: an opt-out does not touch the contact's own `updated_at`.
    """
    started_at = clocks.moment(context)
    with context.gate.for_opt_outs():
        seen = _pull(context, status="unsubscribed")
        returns.find(context)
    clocks.advance(context, STREAM, clocks.contact_time(context, started_at))
    clocks.advance(context, FULL_STREAM, OurTime(started_at.ours))
    context.show("opt-outs", seen, seen)


def pull_recent(context: Context) -> None:
    """The opt-outs since the bookmark, with an overlap, or everything the first time.

    The bookmark moves once all pages were applied.
    """
    started_at = clocks.moment(context)
    bookmark = clocks.bookmark(context, STREAM)
    if bookmark is None:
        pull_all(context)  # the date is not known
        return
    with context.gate.for_opt_outs():
        _pull(context, status="all", optout_after=query_time((bookmark - OVERLAP).at))
    clocks.advance(context, STREAM, clocks.contact_time(context, started_at))


def _pull(context: Context, **filters: str) -> int:
    seen = 0
    for page in context.constant_contact.iter_contact_pages(**filters):
        with context.store.transaction():
            seen += unsubscribes.record(context, page)
        context.show("opt-outs", seen)
    return seen
