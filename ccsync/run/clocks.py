"""What the three clocks show in a run, and how far streams have been read by them."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from ccsync.clocks import ContactTime, KiboTime, OurTime, Time
from ccsync.errors import CcsyncError, Interrupted, OutOfTime
from ccsync.run.context import Context
from ccsync.state import properties
from ccsync.state.database.times import to_text
from ccsync.state.properties import Stream
from ccsync.transport.vendor_clock import SAME, Reading

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Time)

AGREE = timedelta(days=1)
"""If clocks differ by more, nothing is deleted by date."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a run, by our clock, which may be adjusted, and by one that never goes back."""

    ours: datetime
    monotonic: float


def moment(context: Context) -> Moment:
    """This moment."""
    return Moment(context.now(), context.clock.monotonic())


def our_time(context: Context) -> OurTime:
    """What our clock shows."""
    return OurTime(context.now())


def kibo_time(context: Context, when: Moment | None = None) -> KiboTime:
    """What Kibo's clock showed, or ours where that was earlier: a bookmark never lies ahead of either."""
    when = when or moment(context)
    return KiboTime(min(_kibo(context, when).earliest, when.ours))


def contact_time(context: Context, when: Moment | None = None) -> ContactTime:
    """What Constant Contact's clock showed, or ours where that was earlier."""
    when = when or moment(context)
    return ContactTime(min(_constant_contact(context, when).earliest, when.ours))


def vendor_now(context: Context) -> datetime:
    """The time by Constant Contact's clock."""
    return context.constant_contact.transport.server_time(context.now())


_ENDED_AT = "ended_at_by_constant_contact"


def note_end(context: Context) -> None:
    """A run has ended: remember when, by Constant Contact's clock, if that has answered.

    Not of a run that could not look whether the state file is an older copy.
    """
    has_looked = properties.looked_for_restore(context.store) == context.run_id
    if has_looked and context.constant_contact.transport.dates.answers:
        properties.put(context.store, _ENDED_AT, to_text(vendor_now(context)))


def last_end(context: Context, ended_at: datetime) -> datetime:
    """When the latest run ended, by Constant Contact's clock; by ours, which was perhaps wrong, it was `ended_at`."""
    now = vendor_now(context)
    noted = properties.get(context.store, _ENDED_AT)
    by_ours = now - (context.now() - ended_at)
    # One that is ahead was read from a wrong header.
    known = [one for one in [datetime.fromisoformat(noted)] if one <= now + SAME] if noted else []
    return max([by_ours, *known])


def kibo_now(context: Context) -> KiboTime:
    """What Kibo's clock shows, by as many answers as it takes to be sure; to date an act that has to be outweighed.

    Where Kibo does not answer, or its answers have no date, the latest that it can be.
    """
    try:
        # An answer without a date that can be read adds none: how many are asked for must not depend on it.
        for _ in range(context.kibo.transport.dates.answers, 2):
            context.kibo.get_customers(start=0, size=1)
    except (Interrupted, OutOfTime):
        raise
    except CcsyncError as error:
        log.info("Kibo's clock is not known: %s", error.what)
    return KiboTime(_kibo(context, moment(context)).latest)


def kibo_at_most(context: Context) -> KiboTime:
    """What Kibo's clock shows at most; the headers that tell it have whole seconds, and may be wrong."""
    when = moment(context)
    return KiboTime(max(_kibo(context, when).latest, when.ours) + SAME)


def latest_at_kibo(context: Context, at: ContactTime) -> KiboTime:
    """The latest that Kibo's clock can have shown at a time of Constant Contact's.

    Where Constant Contact's clock seems to be ahead, its headers may be wrong and its records right.
    """
    when = moment(context)
    kibo, contact = _kibo(context, when), _constant_contact(context, when)
    return KiboTime(at.at + max(kibo.latest - contact.earliest, timedelta(0)) + SAME)


def do_agree(context: Context) -> bool:
    """Does our clock show what the vendors' clocks show, those of both, as far as their answers tell?

    Ours and one of theirs may be wrong alike.
    """
    when = moment(context)
    both = (_kibo, context.kibo.transport), (_constant_contact, context.constant_contact.transport)
    found = [read(context, when) for read, transport in both if transport.dates.answers]
    were_asked = all(transport.calls for _, transport in both)
    return bool(were_asked and found) and all(
        abs(one.earliest - when.ours) <= AGREE and abs(one.latest - when.ours) <= AGREE for one in found
    )


def bookmark(context: Context, stream: Stream[T]) -> T | None:
    """How far `stream` has been read; `None` when it never was, or when that lies ahead of all clocks that tell."""
    return properties.bookmark(context.store, stream, _horizon(context, stream))


def advance(context: Context, stream: Stream[T], at: T) -> None:
    """Move a stream's bookmark; it moves back only from where a wrong clock had set it."""
    properties.advance(context.store, stream, at, _horizon(context, stream))


def _horizon(context: Context, stream: Stream[T]) -> datetime:
    """The latest time that any of the clocks shows: what is dated later was written by a wrong clock.

    What is dated by ours is measured by ours alone: where that has gone back, what was due would wait until it is there
    again.
    """
    when = moment(context)
    if stream.clock is OurTime:
        return when.ours
    return max(when.ours, _kibo(context, when).latest, _constant_contact(context, when).latest)


def _kibo(context: Context, when: Moment) -> Reading:
    return context.kibo.transport.dates.read(when.monotonic, when.ours)


def _constant_contact(context: Context, when: Moment) -> Reading:
    return context.constant_contact.transport.dates.read(when.monotonic, when.ours)
