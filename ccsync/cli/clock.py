"""The real clock, and signals: a run stops before its next call, and immediately at the second signal."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

from ccsync.errors import Interrupted, OutOfTime


def now() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)


class RealClock:
    """Time for a run; satisfies `transport.Clock`."""

    def __init__(self) -> None:
        self._ends_at: float | None = None
        self._signal = 0
        self._calling = 0
        self._wake = threading.Event()

    def limit(self, most_seconds: float) -> None:
        """Limit this run to so many seconds from now."""
        self._ends_at = time.monotonic() + most_seconds

    def listen(self) -> None:
        """Turn SIGINT and SIGTERM into `Interrupted`."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        is_second = self._signal != 0
        self._signal = number
        if self._calling and not is_second:
            if number == signal.SIGINT and sys.stderr.isatty():
                sys.stderr.write("\nStopping after this request. Press Ctrl-C again to quit now.\n")
            return
        raise self._interrupted()

    def _interrupted(self) -> Interrupted:
        by = "Ctrl-C" if self._signal == signal.SIGINT else "SIGTERM"
        return Interrupted(
            f"Stopped by {by}.",
            "everything done so far is saved.",
            "Run it again to continue.",
            exit_code=128 + self._signal,
        )

    @contextmanager
    def calling(self) -> Iterator[None]:
        """While a request is under way, the first signal waits for its answer; there may be several."""
        self._calling += 1
        try:
            yield
        finally:
            self._calling -= 1

    def now(self) -> datetime:
        """The present, aware UTC."""
        return now()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; a signal ends the wait with `Interrupted`."""
        self.check()
        self._wake.wait(max(0.0, seconds))
        self.check()

    def check(self) -> None:
        """Raise `Interrupted` after a signal, `OutOfTime` when the run has used up its time."""
        if self._signal:
            raise self._interrupted()
        left = self.seconds_left()
        if left is not None and left <= 0:
            raise OutOfTime(
                "The run has used up its time.", "cron starts the next one soon.", "The next run continues."
            )

    def is_stopping(self) -> bool:
        """Has a signal arrived?"""
        return self._signal != 0

    def seconds_left(self) -> float | None:
        """How long the run may still take; `None` without a limit."""
        return None if self._ends_at is None else self._ends_at - time.monotonic()
