"""Since when Constant Contact has refused every import, across runs.

While it does, a single refused record is not blamed: nothing shows that others pass. Who was blamed at its beginning is
tried again when imports pass.
"""

from ccsync.clocks import OurTime
from ccsync.run import clocks
from ccsync.run.context import Context
from ccsync.state import parked, properties
from ccsync.state.properties import Stream

STREAM = Stream("imports-refused", OurTime)


def note_passed(context: Context) -> None:
    """An import has completed: the vendor takes them."""
    since = clocks.bookmark(context, STREAM)
    if since is not None:
        with context.store.transaction():
            parked.expire_since(context.store, since.at)
            properties.reset(context.store, STREAM)


def note_refused(context: Context) -> None:
    """An import was refused and none has passed."""
    if clocks.bookmark(context, STREAM) is None:
        clocks.advance(context, STREAM, clocks.our_time(context))


def are_everybodys(context: Context) -> bool:
    """Has every import been refused for some time?"""
    return clocks.bookmark(context, STREAM) is not None
