"""A vendor's clock, which may be wrong, as may its `Date` headers."""

from datetime import datetime, timedelta

from ccsync.sandbox.wire import Clock


class VendorClock:
    """The time at one vendor, ahead of the sandbox's or behind it."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._ahead = timedelta()
        self._date_ahead = timedelta()
        self._dates_left: int | None = 0

    def __call__(self) -> datetime:
        return self._base() + self._ahead

    def set_ahead(self, seconds: float) -> None:
        """From now on, every date of this vendor is this far ahead; 0 is right."""
        self._ahead = timedelta(seconds=seconds)

    def set_date_ahead(self, seconds: float, answers: int | None = 1) -> None:
        """Only the `Date` header is wrong, in this many answers; without a number, until it is set again."""
        self._date_ahead = timedelta(seconds=seconds)
        self._dates_left = answers

    def next_date(self) -> datetime:
        """The header of the next answer."""
        if self._dates_left == 0:
            return self()
        if self._dates_left is not None:
            self._dates_left -= 1
        return self() + self._date_ahead
