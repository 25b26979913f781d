"""The pace and the daily quota of one Constant Contact API key.

https://developer.constantcontact.com/api_guide/rate_limits.html: 4 requests a second, 10,000 a day,
the day ends at 00:00 UTC.
"""

from collections import deque
from datetime import date, datetime, timedelta

from ccsync.sandbox.constant_contact.errors import quota_exceeded, throttled
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock


class Limits:
    """Counts the calls of one key; a call that is refused here costs nothing."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._recent: deque[datetime] = deque()
        self._day: date | None = None
        self._calls = 0
        self.throttled_count = 0

    def admit(self) -> None:
        """Count one call, or raise the fitting 429."""
        now = self._clock()
        self._turn_the_page(now)
        per_second, per_day = self._settings.cc_requests_per_second, self._settings.cc_requests_per_day
        while self._recent and now - self._recent[0] >= timedelta(seconds=1):
            self._recent.popleft()
        if per_second and len(self._recent) >= per_second:
            self.throttled_count += 1
            raise throttled()
        if per_day and self._calls >= per_day:
            raise quota_exceeded()
        self._recent.append(now)
        self._calls += 1

    @property
    def calls_today(self) -> int:
        """Calls counted since 00:00 UTC."""
        self._turn_the_page(self._clock())
        return self._calls

    @calls_today.setter
    def calls_today(self, calls: int) -> None:
        self._turn_the_page(self._clock())
        self._calls = calls

    def reset(self) -> None:
        """Forget all calls."""
        self._recent.clear()
        self._calls = 0
        self.throttled_count = 0

    def _turn_the_page(self, now: datetime) -> None:
        if self._day != now.date():
            self._day, self._calls = now.date(), 0
