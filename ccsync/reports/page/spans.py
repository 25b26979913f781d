"""Cuts a period into at most 31 equal spans of days, so that pictures and tables stay readable. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

MOST_SPANS = 31
_SIZES = (1, 7, 28, 91, 364)  # in days; whole weeks, because shops have a weekly rhythm


@dataclass(frozen=True, slots=True)
class Span:
    """From `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def label(self) -> str:
        """The days as people write them."""
        end = f"{self.last:%b} {self.last.day}"
        return end if self.first == self.last else f"{self.first:%b} {self.first.day} – {end}"


def cut(days: int, today: date) -> list[Span]:
    """The last `days` days up to `today`; the first span may be shorter."""
    size = next((one for one in _SIZES if days <= one * MOST_SPANS), _SIZES[-1])
    first, spans, last = today - timedelta(days=days - 1), list[Span](), today
    while last >= first:
        begin = max(first, last - timedelta(days=size - 1))
        spans.append(Span(begin, last))
        last = begin - timedelta(days=1)
    return spans[::-1]
