"""Since when Constant Contact has refused every import, across runs.

While it does, a single refused record is not blamed: nothing shows that others pass. Who was blamed at its beginning is
tried again when imports pass.
"""

from ccsync.run.context import Context
from ccsync.state import parked, properties

STREAM = "imports-refused"


def note_passed(context: Context) -> None:
    """An import has completed: the vendor takes them."""
    since = properties.bookmark(context.store, STREAM)
    if since is not None:
        with context.store.transaction():
            parked.expire_since(context.store, since)
            properties.reset(context.store, STREAM)


def note_refused(context: Context) -> None:
    """An import was refused and none has passed."""
    if properties.bookmark(context.store, STREAM) is None:
        properties.advance(context.store, STREAM, context.now())


def are_everybodys(context: Context) -> bool:
    """Has every import been refused for some time?"""
    return properties.bookmark(context.store, STREAM) is not None
