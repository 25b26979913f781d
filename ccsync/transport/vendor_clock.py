"""A vendor's clock, as the `Date` headers of its answers show it. One wrong header among them does no harm."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from ccsync.transport.classification import http_date

MOST_ANSWERS = 9
SAME = timedelta(minutes=1)
"""How far answers may differ and still show the same clock: they take time, and `Date` has whole seconds."""
YEARS = range(1970, 9000)
"""No clock shows another one; sums with such a date leave what Python can count."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The vendor's clock was between these two times. They are equal unless there is doubt."""

    earliest: datetime
    latest: datetime


class VendorClock:
    """One vendor's clock, from its latest answers; each is brought to another moment by seconds that never go back."""

    def __init__(self) -> None:
        self._answers = deque[tuple[datetime, float]](maxlen=MOST_ANSWERS)

    @property
    def answers(self) -> int:
        """How many answers with a date there were, as far as they are kept."""
        return len(self._answers)

    def note(self, header: str | None, monotonic: float) -> None:
        """An answer came at this moment with this `Date` header."""
        at = http_date(header)
        if at is not None and at.year in YEARS:
            self._answers.append((at, monotonic))

    def read(self, monotonic: float, ours: datetime) -> Reading:
        """What it showed at a moment at which our clock showed `ours`.

        Where several answers agree, that. Where they contradict one another, the one nearest to our clock. A single
        one may be wrong, and so may we.
        """
        shown = [_moved(at, monotonic - then) for at, then in self._answers]
        if not shown:
            return Reading(ours, ours)
        agreeing = max(([two for two in shown if abs(two - one) <= SAME] for one in shown), key=len)
        if len(agreeing) > 1:
            at = datetime.fromtimestamp(median(one.timestamp() for one in agreeing), ours.tzinfo)
            return Reading(at, at)
        nearest = min(shown, key=lambda one: abs(one - ours))
        if len(shown) > 1:
            return Reading(nearest, nearest)
        return Reading(min(nearest, ours), max(nearest, ours))

    def ahead(self, monotonic: float, ours: datetime) -> timedelta:
        """By how much our clock, which shows `ours`, is ahead of the vendor's, as far as its answers tell."""
        shown = self.read(monotonic, ours)
        return max(ours - shown.earliest, ours - shown.latest, key=abs)


def _moved(at: datetime, seconds: float) -> datetime:
    try:
        return at + timedelta(seconds=seconds)
    except OverflowError:
        return at
