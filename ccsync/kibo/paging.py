"""Pages by record offset, read ahead of a reader who may step back or read a page again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ccsync.kibo.events import PAGE_SIZE
from ccsync.transport.ahead import Ahead

ROUND = 1_000


def may_be_capped(total: int) -> bool:
    """May there be more than this `totalCount`? Some search indexes stop counting at a round number, such as 10,000.

    Whether Kibo's do is not documented.
    """
    return total > 0 and total % ROUND == 0


class PagesAhead:
    """Reads the next pages ahead, as long as the reader goes on in equal steps.

    When the reader goes elsewhere, pages under way are dropped, so a page that is read again is fresh. `total` is the
    known number of records; nothing is read beyond it, but one page where it `may_be_capped`, if pages share no
    records. Pages share `overlap` records.
    """

    def __init__(self, ahead: Callable[[Iterator[int]], Ahead[int]], step: int, overlap: int = 0) -> None:
        self._ahead, self._step, self._overlap = ahead, step, overlap
        self._starts: Ahead[int] | None = None
        self._expected: int | None = None
        self.total = 0
        self.is_last_out = False
        """Is the last page under way?"""

    def expect(self, start: int) -> None:
        """The reader will go to this record next, after other calls: pages from there on are read meanwhile."""
        if self._starts is None:
            self.go_to(start)
            self._expected = start

    def go_to(self, start: int) -> None:
        """The reader is about to read the page that begins at this record."""
        expected, self._expected = self._expected, None
        if self._starts is None or (start != expected and next(self._starts, None) != start):
            self.close()
            self._starts = self._ahead(self._from(start))
            next(self._starts)

    def close(self) -> None:
        """The reader has come to its end."""
        if self._starts is not None:
            self._starts.close()

    def _from(self, start: int) -> Iterator[int]:
        yield start
        while (start := start + self._step) + self._overlap < self._end():
            yield start
        self.is_last_out = True

    def _end(self) -> int:
        return self.total + (1 if may_be_capped(self.total) and not self._overlap else 0)


@dataclass(slots=True)
class Place:
    """Where a reader has come whose pages share a row, so that rows that move between two calls are noticed."""

    start: int = 0
    last_ids: frozenset[int] = frozenset()
    last_id: int | None = None
    is_second_look: bool = False
    """Were rows of the next page read before?"""
    has_seen_end: bool = False
    """Did the page show nothing new, once?"""

    def has_lost_touch(self, ids: Sequence[int]) -> bool:
        """Did rows before this page go away, and take the shared row with them?"""
        return self.start > 0 and bool(self.last_ids) and self.last_ids.isdisjoint(ids)

    def has_moved_right(self, ids: Sequence[int]) -> bool:
        """Did rows come in before this page?"""
        return not self.is_second_look and self.last_id in ids and ids[0] != self.last_id

    def step_back(self) -> None:
        """Read on further up, until pages meet again."""
        self.start, self.is_second_look = max(0, self.start - (PAGE_SIZE - 1)), True

    def step_on(self, rows: int) -> None:
        """The next page begins with the last row of this one."""
        self.start += max(rows - 1, 1)
        self.is_second_look = self.has_seen_end = False

    def begin_anew(self) -> None:
        """Another listing follows, whose first rows were read before."""
        self.start, self.is_second_look, self.has_seen_end = 0, True, False
