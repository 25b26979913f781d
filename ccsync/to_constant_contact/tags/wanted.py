"""Notes which tags the staged people are to have, as the segments of their accounts say."""

import json
from collections.abc import Iterable
from itertools import islice

from ccsync.mapping.tags import tags_of
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import accounts, contacts, person_tags, staging

_AT_ONCE = 500


def note(context: Context) -> None:
    """Note the tags of everybody staged, and queue what follows. An account that shows no segments changes nothing."""
    if not context.config.tags:
        return
    found = (
        (one.person or b"", str(json.loads(one.row or "{}").get("email", "")), json.loads(one.tags))
        for one in staging.iter_people(context.store)
        if one.tags is not None
    )
    while part := list(islice(found, _AT_ONCE)):
        with context.store.transaction():
            person_tags.note_wanted(context.store, part, context.now())


def note_accounts(context: Context, customers: Iterable[Customer]) -> None:
    """Note the tags of accounts that were only compared: those of the account that the contact was sent for."""
    if not context.config.tags:
        return
    found = list[tuple[bytes, str, list[str]]]()
    for one in customers:
        names = tags_of(one.raw, context.config.tags)
        # A row of a list may lack its segments: from one that shows none nothing is concluded.
        if not names or not one.email or one.accepts_marketing is not True:
            continue
        person = context.person_of(one.email)
        known = contacts.known(context.store, person, context.list_id)
        accounts_there = accounts.of_person(context.store, person)
        if known is not None and known.is_on(context.list_id) and accounts_there == [one.account_id]:
            found.append((person, one.email, names))
    with context.store.transaction():
        person_tags.note_wanted(context.store, found, context.now())


def count(context: Context) -> None:
    """Count for a dry run what of it is open; its state file is thrown away."""
    note(context)
    if context.config.tags:
        added, removed = person_tags.count_open(context.store, context.list_id)
        context.counts["tags_added"], context.counts["tags_removed"] = added, removed
        context.remarks.append(f"Tags: {added:,} would be set, and {removed:,} taken off.")
