"""Reads every opted-in customer of a store whose rows move while they are paged.

An opt-out takes a row away and shifts what follows to the left; an old account's opt-in puts one in and shifts
to the right. Nobody may be skipped by either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.kibo import Kibo
from ccsync.kibo.events import PAGE_SIZE
from ccsync.models import Customer

FILTER = "acceptsMarketing eq true"
SKEW = timedelta(minutes=15)
"""How far Kibo's clock and its index may lag behind a change."""


@dataclass(frozen=True, slots=True)
class SweepPage:
    """A page of customers as it was read. Rows may come twice. `unreadable` rows had no id."""

    customers: Sequence[Customer]
    total: int
    unreadable: int


class Sweep:
    """One pass over all opted-in accounts (or all that `filter` names), oldest first; iterate it once."""

    def __init__(self, kibo: Kibo, is_anonymous: bool | None = None, *, filter: str | None = FILTER) -> None:
        self._kibo = kibo
        self._is_anonymous = is_anonymous
        self._filter = filter
        self.total = 0
        """How many accounts the latest page said there are."""
        self.position = 0
        """How far it has come."""
        self.has_moved_right = False
        """Did rows come in behind us? They were not read then."""

    def __iter__(self) -> Iterator[SweepPage]:
        start = 0
        last_ids: set[int] = set()
        last_id: int | None = None
        calls = first_total = 0
        has_stepped_back = False
        while True:
            page = self._kibo.get_customers(start=start, filter=self._filter, is_anonymous=self._is_anonymous)
            calls += 1
            self.total = page.total
            first_total = page.total if calls == 1 else first_total
            self._check_end(calls, first_total)
            rows = len(page.customers) + page.unreadable
            self.position = start + rows
            yield SweepPage(page.customers, page.total, page.unreadable)
            ids = [customer.account_id for customer in page.customers]
            if last_ids and not last_ids.intersection(ids) and start > 0:
                # Rows before us went away and took the overlap with them: step back until pages meet again.
                start, has_stepped_back = max(0, start - (PAGE_SIZE - 1)), True
                continue
            if last_id in ids and ids.index(last_id) > 0 and not has_stepped_back:
                self.has_moved_right = True
            has_stepped_back = False
            if start + rows >= page.total or rows == 0:
                return
            last_ids, last_id = set(ids), ids[-1] if ids else None
            # The next page begins with the last row of this one.
            start += max(rows - 1, 1)

    def _check_end(self, calls: int, first_total: int) -> None:
        if calls > 50 + 4 * (first_total // PAGE_SIZE + 1):
            raise VendorUnreachable(
                "Kibo's pages of customers do not come to an end.",
                f"{calls} pages were read for {self.total} customers.",
                "Nothing was sent; try again later.",
            )


@dataclass(frozen=True, slots=True)
class Changed:
    """The accounts changed since some time: how many Kibo counts, and their pages, of which the first is read."""

    total: int
    pages: Iterator[Sequence[Customer]]


def read_changed_since(kibo: Kibo, at: datetime, is_anonymous: bool | None = None) -> Changed | None:
    """The accounts changed since `at`, whatever their consent; `None` when Kibo cannot tell.

    Filtering accounts by updateDate is not documented: it may be refused, or ignored.
    """
    bound = at - SKEW
    text = f"updateDate ge {bound:%Y-%m-%dT%H:%M:%SZ}"
    try:
        first = kibo.get_customers(start=0, filter=text, is_anonymous=is_anonymous)
    except RefusedError as error:
        if error.status == 400:
            return None
        raise
    if any(customer.updated_at is None or customer.updated_at < bound for customer in first.customers):
        return None  # ignored

    def pages() -> Iterator[Sequence[Customer]]:
        page, start = first, 0
        while True:
            yield page.customers
            rows = len(page.customers) + page.unreadable
            if rows == 0 or start + rows >= page.total:
                return
            start += max(rows - 1, 1)
            page = kibo.get_customers(start=start, filter=text, is_anonymous=is_anonymous)

    return Changed(first.total, pages())
