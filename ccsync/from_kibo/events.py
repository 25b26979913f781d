"""Pulls Kibo's events into the state file. Seen ids are remembered, and each account is queued once."""

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from ccsync.clocks import KiboTime, OurTime
from ccsync.config.schema import Config
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.kibo.events import NO_EVENTS, PAGE_SIZE, PREFIX, SEGMENT_TOPICS, TOPICS, EventPage
from ccsync.kibo.paging import PagesAhead, may_be_capped
from ccsync.mapping.contact import needed_sections
from ccsync.mapping.tags import SEGMENTS
from ccsync.models import Event
from ccsync.run import clocks, quirks
from ccsync.run.clocks import Moment
from ccsync.run.context import Context
from ccsync.shapes import query_time
from ccsync.state import events, properties
from ccsync.state.properties import Stream

log = logging.getLogger(__name__)

STREAM = Stream("events", KiboTime)
DEEP_STREAM = Stream("events-deep", OurTime)
EVER_SEEN = "events_ever_seen"
AT_TENANT = "events_at_tenant"

TOO_OLD = timedelta(days=7)
"""How long Kibo keeps events for pulling is not documented; what it pushes expires after 14 days."""
OVERLAP = timedelta(hours=1)
DEEP_EVERY = timedelta(hours=24)
DEEP_OVERLAP = timedelta(hours=48)
"""How far back to look once a day: how late an event can become visible is not documented either.

Two days, so that nothing is missed even if the clocks by which the bookmark moved were ahead by a day.
"""
MOST_PAGES = 20_000
MOST_COMPARED = 20
"""A page shows nothing new if it holds what the first one held, or the latest ones: more are not kept in memory."""


_BEST, _NEWEST = "filtered-oldest-first", "newest-first"
QUERIES: dict[str, tuple[bool, str | None]] = {
    _BEST: (True, "createDate asc"),
    _NEWEST: (False, "createDate desc"),
    "filtered": (True, None),
    "plain": (False, None),
}
"""The ways to ask for events, best first: with the filter or without, and the sort order."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull found: events not seen before, and what went wrong in the end, if anything."""

    new: int
    trouble: VendorUnreachable | None = None


def pull(context: Context, begun_at: Moment | None = None, *, moves_bookmark: bool = True) -> Pulled:
    """Pull the events since the bookmark; it moves with the last page, in one transaction, unless a sweep moves it.

    `begun_at` is what `begin` returned: the first page may be as old. What was pulled before a failure is kept.
    Raises what `ccsync.errors` lists.
    """
    started_at = begun_at or clocks.moment(context)
    new, pages = 0, _Pages(context, _since(context))
    for page in pages:
        with context.store.transaction():
            new += events.take_in(context.store, pages.wanted(page), context.now())
            if pages.has_ended and moves_bookmark:
                _move_bookmark(context, started_at)
        context.show("events", new)
    if new:
        properties.put(context.store, EVER_SEEN, "yes")
    return Pulled(new, pages.trouble)


def begin(context: Context) -> Moment:
    """Send the first call of `pull`, which takes the answer; return when that was."""
    begun_at = clocks.moment(context)
    _Pages(context, _since(context)).begin()
    return begun_at


def is_too_old(context: Context) -> bool:
    """Is the bookmark missing, or from so long ago that events may have expired since?"""
    at = clocks.bookmark(context, STREAM)
    return at is None or at < clocks.kibo_time(context) - TOO_OLD


def _since(context: Context) -> datetime:
    at = clocks.bookmark(context, STREAM)
    if at is None:
        return (clocks.kibo_time(context) - TOO_OLD).at
    return (at - (DEEP_OVERLAP if _is_deep_due(context, clocks.our_time(context)) else OVERLAP)).at


def _is_deep_due(context: Context, now: OurTime) -> bool:
    deep = clocks.bookmark(context, DEEP_STREAM)
    return deep is None or deep <= now - DEEP_EVERY


def _move_bookmark(context: Context, started_at: Moment) -> None:
    if clocks.bookmark(context, STREAM) is None:
        return  # only an export or a sweep may start it: they know what was before
    clocks.advance(context, STREAM, clocks.kibo_time(context, started_at))
    began = OurTime(started_at.ours)
    if _is_deep_due(context, began):
        clocks.advance(context, DEEP_STREAM, began)


class _Pages:
    """The pages of events since a time, whichever filters and sort orders Kibo accepts.

    Best: filtered, oldest first. Filter refused or ignored: newest first, down to the time. Neither: everything. What
    works is remembered, so that not every run is refused again.
    """

    def __init__(self, context: Context, since: datetime) -> None:
        self._context = context
        self._since = since
        self.has_ended = False
        """Was the latest page the last one?"""
        self.trouble: VendorUnreachable | None = None

    def wanted(self, page: EventPage) -> list[Event]:
        """The page's events that belong to this pull, whatever the filter did."""
        topics = TOPICS | (SEGMENT_TOPICS if maps_segments(self._context.config) else frozenset())
        recent = (one for one in page.events if one.created_at is None or one.created_at >= self._since)
        return [one for one in recent if one.topic in topics]

    def begin(self) -> None:
        """Send the call that is the first to be made."""
        is_filtered, sort = QUERIES[self._names()[0]]
        filter_text = filter_since(self._since) if is_filtered else None
        self._context.kibo.begin_events(filter=filter_text, sort=sort, is_at_tenant=self._is_at_tenant())

    def _names(self) -> list[str]:
        """The ways to ask; what worked lately is tried first."""
        known = quirks.recall(self._context, quirks.EVENT_QUERY)
        return sorted(QUERIES, key=lambda one: one != known)

    def _is_at_tenant(self) -> bool:
        return properties.get(self._context.store, AT_TENANT) == "yes"

    def __iter__(self) -> Iterator[EventPage]:
        filter_text = filter_since(self._since)
        known = quirks.recall(self._context, quirks.EVENT_QUERY)
        for name in self._names():
            is_filtered, sort = QUERIES[name]
            page = self._first(filter_text if is_filtered else None, sort)
            if page is not None and not (name == _BEST and is_unfiltered(page, self._since)):
                if name != _BEST or known is not None:
                    quirks.note(self._context, quirks.EVENT_QUERY, name)
                stops_at_old = name == _NEWEST and _falls(page)
                yield from self._follow(page, filter_text if is_filtered else None, sort, stops_at_old=stops_at_old)
                return
        raise RefusedError("Kibo refuses every way of pulling events.", "400.", "Check [kibo] event_url.", status=400)

    def _first(self, filter_text: str | None, sort: str | None) -> EventPage | None:
        try:
            return self._read(0, filter_text, sort)
        except RefusedError as error:
            if error.status != 400:
                raise
            return None

    def _follow(
        self, page: EventPage, filter_text: str | None, sort: str | None, *, stops_at_old: bool
    ) -> Iterator[EventPage]:
        start, first, latest = 0, frozenset[str](), deque[frozenset[str]](maxlen=MOST_COMPARED)
        at_tenant = self._is_at_tenant()
        ask = partial(self._context.kibo.events_ahead, filter=filter_text, sort=sort, is_at_tenant=at_tenant)
        # Only if new events come last: otherwise one could slip between two pages that are in flight at once.
        ahead = PagesAhead(ask, PAGE_SIZE) if _rises(page) else None
        for _ in range(MOST_PAGES):
            if start and page.keys and page.keys <= first.union(*latest):
                break
            first = first or page.keys
            latest.append(page.keys)
            start += page.rows
            is_old = stops_at_old and all(one.created_at and one.created_at < self._since for one in page.events)
            # A full page is no end, whatever the total says.
            is_whole = start >= page.total and page.rows < PAGE_SIZE and not may_be_capped(page.total)
            self.has_ended = page.rows == 0 or is_whole or (is_old and bool(page.events))
            yield page
            if self.has_ended:
                return
            if ahead is not None:
                ahead.total = page.total
                ahead.go_to(start)
            try:
                page = self._read(start, filter_text, sort)
            except RefusedError:
                if start < page.total:
                    raise
                page = NO_EVENTS  # there is nothing beyond the total
        self.trouble = VendorUnreachable(
            "Kibo's pages of events never end.",
            "Kibo showed a page that was already read.",
            "What was read is processed; the next run reads the same period again.",
        )

    def _read(self, start: int, filter_text: str | None, sort: str | None) -> EventPage:
        """One page, from the host that serves events."""
        context = self._context
        is_at_tenant = self._is_at_tenant()
        for at_tenant in (is_at_tenant, not is_at_tenant):
            page = context.kibo.get_events(start=start, filter=filter_text, sort=sort, is_at_tenant=at_tenant)
            if page is not None:
                if at_tenant != is_at_tenant:
                    properties.put(context.store, AT_TENANT, "yes" if at_tenant else "no")
                return page
        raise RefusedError(
            "Neither of Kibo's hosts serves events.",
            "404 from the home host and from the tenant's.",
            "Check [kibo] event_url.",
        )


def maps_segments(config: Config) -> bool:
    """Are segments mapped, to a field or to tags?"""
    return bool(config.tags) or SEGMENTS in needed_sections(config.mapping)


def filter_since(since: datetime) -> str:
    """The filter for the events about customers since a time."""
    return f"topic sw {PREFIX} and createDate ge {query_time(since)}"


def is_unfiltered(page: EventPage, since: datetime) -> bool:
    """Does a page show that the filter was ignored?"""
    return page.has_other_topics or (page.oldest is not None and page.oldest < since)


def _falls(page: EventPage) -> bool:
    """Is the page really sorted, newest first?"""
    dates = _dates(page)
    return dates == sorted(dates, reverse=True)


def _rises(page: EventPage) -> bool:
    """Is it sorted the other way round?"""
    dates = _dates(page)
    return dates == sorted(dates) != dates[::-1]


def _dates(page: EventPage) -> list[datetime]:
    return [one.created_at for one in page.events if one.created_at is not None]
