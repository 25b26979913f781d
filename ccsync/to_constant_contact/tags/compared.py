"""Compares the tags that ccsync has set with those that Constant Contact shows."""

from collections.abc import Iterator

from ccsync.run.context import Context
from ccsync.state import person_tags
from ccsync.state.outbox import tag_tasks
from ccsync.words import counted


def compare(context: Context) -> None:
    """Find tags that staff took off or that segments changed unseen, and queue what follows; the run's remarks say it.

    So are those of a tag that staff deleted: nobody has one that they made of the same name.

    One call tells how many contacts have each tag. They are read only where fewer have one than may have it from
    ccsync: without those of whom that is unsure, the count would hide that others lost it.
    """
    if not context.config.tags:
        return
    shown = {one.tag_id: one for one in context.constant_contact.iter_tags(counted=True)}
    for tag in person_tags.managed(context.store):
        given = person_tags.count_given(context.store, tag.number)
        found = shown.get(tag.tag_id or "")
        if found is None and tag.tag_id is not None:
            person_tags.note_gone(context.store, tag.number, context.now())
        if found is None or found.count is None or found.count >= given:
            continue
        having = set(_having(context, found.tag_id))  # all of it before the transaction: it makes calls
        lost = person_tags.note_taken_off(context.store, tag.number, having)
        if lost:
            context.remarks.append(
                f'Somebody took the tag "{tag.name}" off {counted(lost, "contact")}; it is set again.'
            )
    with context.store.transaction():
        tag_tasks.enqueue_back(context.store, context.list_id, context.now())
    context.counts["tags_waiting"] = waiting = tag_tasks.count(context.store)
    if waiting:
        context.remarks.append(f"Tags differ from segments: {counted(waiting, 'contact')}; flush-events sets them.")


def _having(context: Context, tag_id: str) -> Iterator[bytes]:
    for page in context.constant_contact.iter_contact_pages(tags=tag_id):
        yield from (context.person_of(one.email) for one in page if one.email)
