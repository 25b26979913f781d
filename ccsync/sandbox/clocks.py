"""A vendor's clock: it need not be right, and its `Date` headers need not say what it shows."""

from datetime import datetime, timedelta

from ccsync.sandbox.wire import Clock


class VendorClock:
    """The time at one vendor, as much ahead of the sandbox's (or behind) as it is told to be."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._ahead = timedelta()
        self._date_ahead = timedelta()
        self._dates_left: int | None = 0

    def __call__(self) -> datetime:
        return self._base() + self._ahead

    def set_ahead(self, seconds: float) -> None:
        """Everything that this vendor dates is so much ahead from now on; 0 puts it right."""
        self._ahead = timedelta(seconds=seconds)

    def set_date_ahead(self, seconds: float, answers: int | None = 1) -> None:
        """The `Date` header of the next answers is wrong, and nothing else; without a number, of all until told."""
        self._date_ahead = timedelta(seconds=seconds)
        self._dates_left = answers

    def next_date(self) -> datetime:
        """What the header of one more answer says."""
        if self._dates_left == 0:
            return self()
        if self._dates_left is not None:
            self._dates_left -= 1
        return self() + self._date_ahead
