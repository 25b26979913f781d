"""Reads the list's own record: that the list is still there, and whether it counts the members that it should.

What it should count is what it counted at the last comparison, changed by whom ccsync has put on the list, taken off
it, or seen leave it since. So somebody who leaves only the list is noticed by one call.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from ccsync.clocks import ContactTime, OurTime
from ccsync.from_constant_contact.opt_outs import DAILY
from ccsync.models import KnownContact
from ccsync.run import clocks
from ccsync.run.contact_list import list_is_gone
from ccsync.run.context import Context
from ccsync.state import contacts, properties
from ccsync.state.log import days
from ccsync.state.properties import Stream

SHARE_OF_DAY = 10
"""Comparisons cost at most this part of the day's calls."""
COUNTED = "active"
"""Who may be mailed: whether those who unsubscribed stay on their lists is not documented, and does not matter so.
https://developer.constantcontact.com/api_guide/lists_get_single.html"""
_REFERENCE = "list_count"


@dataclass(frozen=True, slots=True)
class ListRecord:
    """How many members the list counts, if known, and whether its members must be compared now."""

    count: int | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class _Reference:
    """The count at the last comparison, the people ccsync had on the list then, and the calls it took."""

    count: int | None
    on_list: int
    cost: int


def stream(context: Context) -> Stream[OurTime]:
    """The bookmark of the comparisons of the active list."""
    return Stream(f"members {context.list_id}", OurTime)


def read(context: Context) -> ListRecord:
    """Read the list's record. Raises `RefusedError` when the list no longer exists."""
    found = context.constant_contact.get_list(context.list_id, counted=COUNTED)
    if found is None:
        raise list_is_gone(context)
    if found.membership_count is not None:
        days.note_members(context.store, context.list_id, context.now(), found.membership_count)
    compared_at = clocks.bookmark(context, stream(context))
    if compared_at is None or compared_at <= clocks.our_time(context) - DAILY:
        return ListRecord(found.membership_count, True)
    before = _reference(context)
    is_due = before is None or (
        _is_off(context, before, found.membership_count) and _may_cost(context, before.cost, compared_at)
    )
    return ListRecord(found.membership_count, is_due)


def note_comparison(context: Context, record: ListRecord | None, cost: int, *, is_explained: bool) -> None:
    """Note that the list was compared after its `record` was read, with this many calls.

    Not `is_explained`: what the record counts was not explained by that, so that the next run compares again.
    """
    count = record.count if record is not None and is_explained else None
    properties.put(context.store, _REFERENCE, json.dumps([context.list_id, count, _on_list(context), cost]))


def _reference(context: Context) -> _Reference | None:
    list_id, *numbers = json.loads(properties.get(context.store, _REFERENCE) or "[null]")
    return _Reference(*numbers) if list_id == context.list_id else None


def _is_off(context: Context, before: _Reference, count: int | None) -> bool:
    if count is None:
        return False  # the vendor does not say, so the daily comparison must do
    return before.count is None or count - before.count != _on_list(context) - before.on_list


def _on_list(context: Context) -> int:
    return contacts.count_on_list(context.store, context.list_id)


def _may_cost(context: Context, cost: int, compared_at: OurTime) -> bool:
    """Has enough of the day gone by for another comparison, so that all of them stay within their share of it?"""
    share = cost * SHARE_OF_DAY / context.config.limits.requests_per_day
    return compared_at <= clocks.our_time(context) - timedelta(days=1) * share


def all_seen(context: Context) -> Stream[ContactTime]:
    """The bookmark of the comparisons after which nobody was missing about whom nothing was concluded."""
    return Stream(f"all seen on {context.list_id}", ContactTime)


def last_on_list_at(context: Context, known: KnownContact | None) -> datetime | None:
    """When somebody who is gone was last known to be on the list, by Constant Contact's clock."""
    compared_at = clocks.bookmark(context, all_seen(context))
    # The earliest, where that is in doubt: whoever says yes after it may have left before.
    times = [known.sent.earliest_at] if known and known.sent else []
    return max(times + ([compared_at.at] if compared_at else []), default=None)
