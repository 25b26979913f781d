"""Reads who is on the list from the files of contact exports: few calls, however long the list is."""

import csv
import logging
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from ccsync.constant_contact.export_file import ExportedContact, read_export
from ccsync.errors import RefusedError
from ccsync.from_constant_contact import sightings
from ccsync.from_constant_contact.activities import await_activities
from ccsync.models import Activity, ContactList
from ccsync.run import quirks
from ccsync.run.context import Context

log = logging.getLogger(__name__)

_CHUNK = 2_000
LEAST_SHARE = 0.9
"""A file with fewer of the list's members was cut off on the way."""
_File = tuple[Iterator[ExportedContact] | None, datetime | None]


def unmistakable_name(context: Context) -> str | None:
    """The active list's name, if no other list's name can be mistaken for it where names are joined by commas."""
    names = {one.list_id: one.name.lower() for one in context.constant_contact.iter_lists()}
    own = names.pop(context.list_id, None)
    if own is None or "," in own or any(own in part.split(", ") for part in names.values() if "," in part):
        return None
    return own


def exported_members(context: Context, contact_ids: Sequence[str], name: str) -> set[bytes] | None:
    """Those of the contacts who are on the list; `None` when the export does not show lists."""
    with _exported(context, lambda: context.constant_contact.export_contacts(contact_ids)) as (rows, _):
        try:
            found = list(rows or ())
        except csv.Error:
            found = []
    if not any(row.lists for row in found):
        log.info("the export of contacts shows no lists")
        return None
    return {context.person_of(row.email) for row in found if row.is_on(context.list_id, name)}


def read_exported_list(
    context: Context, members: int | None, started_at: datetime, among: Set[bytes] | None = None
) -> bool:
    """Note the members of the list (`among` these people) by one export; false where the pages have to be read.

    A file with much fewer than the list's `members` was cut off on the way.

    The file shows no ids. When each contact was made tells whether it is still the one that ccsync has sent: without
    a date with its zone that is not known, and a later look does not ask for a file again for a week.
    """
    if context.is_dry_run or quirks.recall(context, quirks.EXPORT_DATES) == "none":
        return False
    seen = 0
    with _exported(context, lambda: _export_with_dates(context)) as (rows, made_at):
        try:
            while part := list(islice(rows or (), _CHUNK)):
                if any(one.created_at is None for one in part):
                    quirks.note(context, quirks.EXPORT_DATES, "none")
                    return False
                sightings.note_exported(context, part, started_at, among, made_at)
                seen += len(part)
                context.show("members of the list", seen)
        except csv.Error:
            log.warning("the export of the list is damaged; the list is read page by page")
            return False
    return members is not None and seen >= members * LEAST_SHARE


def _export_with_dates(context: Context) -> Activity:
    try:
        return context.constant_contact.export_list(context.list_id, with_dates=True)
    except RefusedError as error:
        if error.status == 400:  # it may not know this field
            quirks.note(context, quirks.EXPORT_DATES, "none")
        raise


def read_export_of_list(
    context: Context, contact_list: ContactList, take: Callable[[list[str]], int], least_share: float
) -> bool:
    """Hand all members' addresses to `take`, some at a time, by one export.

    False where no export can be read. `take` returns how many members there were so far. A file with less than
    `least_share` of the list was cut off on the way.
    """
    count = 0
    with _exported(context, lambda: context.constant_contact.export_list(context.list_id)) as (rows, _):
        try:
            addresses = (row.email for row in rows or ())
            while part := list(islice(addresses, _CHUNK)):
                count = take(part)
                context.show("members of the list", count, contact_list.membership_count)
        except csv.Error:
            log.warning("the export of the list is damaged; the list is read page by page")
            return False
    return count >= (contact_list.membership_count or 0) * least_share


@contextmanager
def _exported(context: Context, start: Callable[[], Activity]) -> Iterator[_File]:
    """The rows of a contact export, read from a nameless file, and when it was started by Constant Contact's records.

    `None` for the rows when there is no readable file in time.

    Iterating them raises `csv.Error` where the file is damaged.
    """
    with TemporaryFile(dir=context.store.path.parent) as opened:
        file = cast(BinaryIO, opened)
        try:
            activity_id = start().activity_id
        except RefusedError as error:
            log.info("contacts cannot be exported: %s", error.why)
            yield None, None
            return
        activity = await_activities(context, [activity_id]).get(activity_id)
        if activity is None:
            log.info("the export %s has not ended; it is done without", activity_id)
        has_file = (
            activity is not None and activity.has_completed and context.constant_contact.fetch_export(activity, file)
        )
        yield read_export(file) if has_file else None, activity.created_at if activity else None
