"""Reads every opted-in customer of a store whose rows move while they are paged.

An opt-out takes a row away and shifts what follows to the left; an old account's opt-in puts one in and shifts
to the right. Nobody may be skipped by either. Several pages are under way at once, and may have been served in another
order than they are read in: two pages that meet have nobody between them, whichever of them was served first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.kibo.client import CustomerPage, Kibo
from ccsync.kibo.events import PAGE_SIZE
from ccsync.kibo.paging import PagesAhead, Place, may_be_capped
from ccsync.models import Customer
from ccsync.run import quirks
from ccsync.run.context import Context
from ccsync.shapes import query_time
from ccsync.words import counted

FILTER = "acceptsMarketing eq true"
LEAST_DEPTH = 1_000
"""A list that ends before this many rows, though its total says more, is miscounted; no depth is as small."""
_TOO_DEEP = (400, 404, 413, 416, 422)
"""How a page that lies too deep may be refused: whether there is such a depth is not documented."""
SKEW = timedelta(minutes=15)
"""How far Kibo's clock and its index may lag behind a change."""


@dataclass(frozen=True, slots=True)
class SweepPage:
    """A page of customers as it was read. Rows may come twice. `unreadable` rows had no id."""

    customers: Sequence[Customer]
    total: int
    unreadable: int


class Sweep:
    """One pass over all opted-in accounts (or all that `filter` names), oldest first; iterate it once.

    `first` is its first page where that was read already, `expected` about how many accounts there are. `on_last` is
    called once the last page is under way. Where Kibo shows no rows beyond some depth, the rest is read in windows,
    each from the creation of the last row that was seen.
    """

    def __init__(
        self,
        context: Context,
        is_anonymous: bool | None = None,
        *,
        filter: str | None = FILTER,
        first: CustomerPage | None = None,
        expected: int = 0,
        on_last: Callable[[], None] | None = None,
    ) -> None:
        self._context = context
        self._on_last = on_last
        self._kibo = context.kibo
        self._is_anonymous = is_anonymous
        self._filter = self._everything = filter
        self._first = first
        self._calls = self._first_total = 0
        self._deepest = int(quirks.recall(context, quirks.DEEPEST_ROW) or 0)
        self._ahead = self._read_ahead()
        self._ahead.total = self._shown_of(expected)
        self._supposed = 0
        self._since: datetime | None = None
        """The window: its rows were created since then."""
        self._before = 0
        """How many accounts lie before the window."""
        self._last: Sequence[Customer] = ()
        self._place = Place()
        self.total = 0
        """How many accounts the latest page said there are."""
        self.position = 0
        """How far it has come."""
        self.has_moved_right = False
        """Did rows come in behind us? They were not read then."""
        self.surplus = 0
        """How many accounts the total counts beyond the end, which was seen twice."""

    def __iter__(self) -> Iterator[SweepPage]:
        try:
            yield from self._pages()
        finally:
            self._ahead.close()

    def _pages(self) -> Iterator[SweepPage]:
        place = self._place
        hidden = 0  # so many more are counted than shown: is it the depth?
        is_look_beyond = False  # all that are counted were shown: are there more?
        while True:
            try:
                page = self._read(place.start)
            except RefusedError as error:
                if is_look_beyond:
                    break
                if not place.start or error.status not in _TOO_DEEP or not self._open_window(place.start + 1):
                    raise
                continue
            rows = len(page.customers) + page.unreadable
            reached = place.start + rows
            self.position = self._before + reached
            yield SweepPage(page.customers, self.total, page.unreadable)
            ids = [customer.account_id for customer in page.customers]
            is_nothing_new = place.last_ids.issuperset(ids)
            if hidden and is_nothing_new:
                self.surplus, self.total = hidden, self.position + hidden
                return
            hidden = 0
            self._learn_depth()
            if place.has_lost_touch(ids):
                place.step_back()
                continue
            self.has_moved_right = self.has_moved_right or place.has_moved_right(ids)
            is_look_beyond = reached >= page.total
            # A full page is no end, whatever the total says: one that is too low would hide everybody after it.
            may_hide_more = rows >= PAGE_SIZE and not is_nothing_new
            if is_look_beyond and (may_be_capped(page.total) or not may_hide_more):
                self._keep(page, ids)
                if not may_be_capped(page.total) or not self._open_window(0):
                    break
                self._kibo.begin_customers(size=1, filter=self._everything, is_anonymous=self._is_anonymous)
            elif rows < PAGE_SIZE and is_nothing_new:
                # Nothing new, though the total says more. A full page shown before proves no end: as many rows may
                # have come in before it.
                if not place.has_seen_end:
                    place.has_seen_end = True  # one page may be cut short: it is read again
                    continue
                hidden = page.total - reached
                if self.position < LEAST_DEPTH or not self._open_window(reached):
                    self.surplus = hidden
                    return
            else:
                self._keep(page, ids)
                place.step_on(rows)
                if 0 < self._deepest < place.start + PAGE_SIZE:
                    self._open_window(self._deepest)
        if self._since is not None:
            self.count_again()

    def _keep(self, page: CustomerPage, ids: Sequence[int]) -> None:
        self._last, self._place.last_ids, self._place.last_id = page.customers, frozenset(ids), ids[-1] if ids else None

    def _open_window(self, deepest: int) -> bool:
        """Go on from the creation of the last row that was seen; false where that leads nowhere."""
        dates = [one.created_at for one in self._last if one.created_at is not None]
        since = max(dates, default=datetime.min.replace(tzinfo=UTC)).replace(microsecond=0)
        if not dates or since == self._since:
            return False
        self._before = self.position - sum(one >= since for one in dates)
        self._since, self._supposed, self._calls = since, deepest, 0
        bound = f"createDate ge {query_time(since)}"
        self._filter = f"{self._everything} and {bound}" if self._everything else bound
        self._ahead.close()
        self._ahead = self._read_ahead()
        self._place.begin_anew()
        return True

    def _learn_depth(self) -> None:
        """A window has shown more: Kibo shows no rows deeper than was supposed."""
        if self._supposed:
            self._deepest, self._supposed = self._supposed, 0
            quirks.note(self._context, quirks.DEEPEST_ROW, str(self._deepest))

    def _read_ahead(self) -> PagesAhead:
        ask = partial(self._kibo.pages_ahead, filter=self._filter, is_anonymous=self._is_anonymous)
        return PagesAhead(ask, PAGE_SIZE - 1, overlap=1)

    def _shown_of(self, total: int) -> int:
        """As many of these rows as whole pages show."""
        return min(total, self._deepest - PAGE_SIZE + 2) if self._deepest else total

    def count_again(self) -> None:
        """Ask how many accounts there are now: the last page may have been served before some others."""
        kibo, filter_text = self._kibo, self._everything
        self.total = kibo.get_customers(start=0, size=1, filter=filter_text, is_anonymous=self._is_anonymous).total

    def _read(self, start: int) -> CustomerPage:
        page, self._first = self._first, None
        is_given = page is not None
        if page is None:
            self._ahead.go_to(start)
            page = self._kibo.get_customers(start=start, filter=self._filter, is_anonymous=self._is_anonymous)
        self._calls += 1
        self.total = self._before + page.total
        self._ahead.total = self._shown_of(page.total)
        rows = len(page.customers) + page.unreadable
        if is_given and PAGE_SIZE <= rows < page.total:
            self._ahead.expect(rows - 1)
        may_go_on = self._deepest or may_be_capped(page.total)  # in windows
        if self._ahead.is_last_out and not may_go_on and (on_last := self._on_last):
            self._on_last = None
            on_last()
        self._first_total = self._first_total if self._calls > 1 else page.total
        if self._calls > 50 + 4 * (self._first_total // PAGE_SIZE + 1):
            raise VendorUnreachable(
                "Kibo's pages of customers never end.",
                f"{counted(self._calls, 'page')} were read for {counted(self.total, 'customer')}.",
                "Nothing was sent; try again later.",
            )
        return page


_GROUPS = (None, False, True)


def begin_counts(kibo: Kibo, filter: str | None) -> None:
    """Send the calls of `count_by_group`, which takes the answers."""
    for group in _GROUPS:
        kibo.begin_customers(size=1, filter=filter, is_anonymous=group)


def count_by_group(kibo: Kibo, filter: str | None = None) -> tuple[int, int, int]:
    """How many accounts a listing shows: as it is by default, those with a login, and guests."""
    begin_counts(kibo, filter)
    everybody, named, guests = (
        kibo.get_customers(start=0, size=1, filter=filter, is_anonymous=one).total for one in _GROUPS
    )
    return everybody, named, guests


@dataclass(frozen=True, slots=True)
class Changed:
    """The accounts changed since some time: how many Kibo counts, and their pages, of which the first is read."""

    total: int
    pages: Iterator[Sequence[Customer]]


UPDATE_DATES = ("updateDate", "auditInfo.updateDate")
_NO_UPDATE_DATE = "none"


def read_changed_since(context: Context, at: datetime, is_anonymous: bool | None = None) -> Changed | None:
    """The accounts changed since `at`, whatever their consent; `None` when Kibo cannot tell.

    Filtering accounts by their update date is not documented: it may be refused, or ignored. By the pattern of
    createDate its name is flattened; one published program has the nested name.
    """
    known = quirks.recall(context, quirks.UPDATE_DATE)
    if known == _NO_UPDATE_DATE:
        return None
    for name in _update_dates(known):
        changed = _changed_since(context, name, at - SKEW, is_anonymous)
        if changed is not None:
            if known is not None or name != UPDATE_DATES[0]:
                quirks.note(context, quirks.UPDATE_DATE, name)
            return changed
    quirks.note(context, quirks.UPDATE_DATE, _NO_UPDATE_DATE)
    return None


def begin_changed_since(context: Context, at: datetime, is_anonymous: bool | None = None) -> None:
    """Send the first call of `read_changed_since`, which takes the answer."""
    known = quirks.recall(context, quirks.UPDATE_DATE)
    if known != _NO_UPDATE_DATE:
        text = _since(_update_dates(known)[0], at - SKEW)
        context.kibo.begin_customers(filter=text, is_anonymous=is_anonymous)


def _update_dates(known: str | None) -> list[str]:
    return sorted(UPDATE_DATES, key=lambda one: one != known)


def _since(name: str, bound: datetime) -> str:
    return f"{name} ge {query_time(bound)}"


def _changed_since(context: Context, name: str, bound: datetime, is_anonymous: bool | None) -> Changed | None:
    text = _since(name, bound)
    try:
        first = context.kibo.get_customers(start=0, filter=text, is_anonymous=is_anonymous)
    except RefusedError as error:
        if error.status == 400:
            return None
        raise
    if any(customer.updated_at is None or customer.updated_at < bound for customer in first.customers):
        return None  # ignored

    sweep = Sweep(context, is_anonymous, filter=text, first=first)
    return Changed(first.total, (page.customers for page in sweep))
