"""The tags themselves: found or created at Constant Contact. One that somebody deleted is not made again unasked."""

import logging

from ccsync.errors import RefusedError
from ccsync.mapping.tags import EVERY
from ccsync.models import Tag
from ccsync.run.context import Context
from ccsync.state import person_tags
from ccsync.state.person_tags import ManagedTag

log = logging.getLogger(__name__)


def ensure(context: Context) -> dict[int, str]:
    """Find or create every tag that somebody is to get; the ids of those that there are, by number.

    A tag is bound to its id, so that staff may rename it. One that Constant Contact does not create costs only itself.
    """
    shown = list(context.constant_contact.iter_tags())
    ids, gone = dict[int, str](), list[str]()
    for tag in person_tags.managed(context.store):
        if tag.tag_id is not None and any(one.tag_id == tag.tag_id for one in shown):
            ids[tag.number] = tag.tag_id
            continue
        was_there = tag.tag_id is not None or tag.is_gone
        # Also where staff have made another one of its name: nobody has that yet.
        if was_there:
            person_tags.note_gone(context.store, tag.number, context.now())
        found = next((one for one in shown if one.name == tag.name), None)
        if found is None and was_there:
            gone.append(tag.name)
        elif found is None and tag.is_open:
            found = _create(context, tag)
        if found is not None:
            person_tags.note_id(context.store, tag.number, found.tag_id)
            ids[tag.number] = found.tag_id
    _notify(context, gone)
    return ids


def _create(context: Context, tag: ManagedTag) -> Tag | None:
    try:
        return context.constant_contact.create_tag(tag.name)
    except RefusedError as error:
        if error.status not in (400, 409, 422):
            raise
        log.warning("the tag was not created: %s %s", error.what, error.why)
        context.notices["tags-refused"] = (
            f'Constant Contact did not create the tag "{tag.name}": {error.why}'
            " An account holds a limited number of tags; people who should have this one get it once it can be created."
        )
        return None


def _notify(context: Context, gone: list[str]) -> None:
    if gone:
        names = ", ".join(f'"{one}"' for one in gone)
        context.notices["tags-gone"] = (
            f"Deleted in Constant Contact: the tag{'' if len(gone) == 1 else 's'} {names}. ccsync does not recreate a"
            " deleted tag by itself. To get them back: ccsync configure --create-tags. To do without them: take them"
            " out of [tags]."
        )
    mapped = context.config.tags
    rest = [one.name for one in person_tags.managed(context.store) if one.name not in mapped.values()]
    if rest and EVERY not in mapped:
        names = ", ".join(f'"{one}"' for one in rest)
        context.notices["tags-unmapped"] = (
            f"No longer in [tags]: {names}. ccsync takes them off those whom it gave them, each when the customer is"
            " read next; a whole export reads everybody. The tags themselves stay; delete them in Constant Contact."
        )
