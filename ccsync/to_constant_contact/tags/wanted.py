"""Notes which tags the staged people are to have, as the segments of their accounts say."""

import json
from itertools import islice

from ccsync.run.context import Context
from ccsync.state import person_tags, staging

_AT_ONCE = 500


def note(context: Context) -> None:
    """Note the tags of everybody staged, and queue what follows. An account that shows no segments changes nothing."""
    if not context.config.tags:
        return
    found = (
        (one.person, one.email, json.loads(one.tags))
        for one in staging.iter_people(context.store)
        if one.tags is not None
    )
    while part := list(islice(found, _AT_ONCE)):
        with context.store.transaction():
            person_tags.note_wanted(context.store, part, context.now())


def count(context: Context) -> None:
    """Count for a dry run what of it is open; its state file is thrown away."""
    note(context)
    if context.config.tags:
        added, removed = person_tags.count_open(context.store, context.list_id)
        context.counts["tags_added"], context.counts["tags_removed"] = added, removed
        context.remarks.append(f"Tags: {added:,} would be set, and {removed:,} taken off.")
