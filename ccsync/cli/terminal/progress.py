"""One line of progress on a terminal's stderr: phase, count, calls used, time left. Nothing under cron."""

import sys
import time

from ccsync.cli.terminal.screen import clean, draw, duration
from ccsync.run.context import Progress

SECONDS_APART = 0.25


class ProgressLine:
    """Draws progress at most four times a second; whatever is printed next takes its place."""

    def __init__(self, is_wanted: bool) -> None:
        self._is_wanted = is_wanted and sys.stderr.isatty()
        self._drawn_at = 0.0
        self._phase = ""
        self._phase_began = (0.0, 0)

    def __call__(self, progress: Progress) -> None:
        """Show `progress`, unless the last line is too fresh."""
        at = time.monotonic()
        if progress.phase != self._phase:
            self._phase, self._phase_began = progress.phase, (at, progress.done)
        if self._is_wanted and at - self._drawn_at >= SECONDS_APART:
            self._drawn_at = at
            draw(self._text(progress, at))

    def _text(self, progress: Progress, at: float) -> str:
        parts = [clean(progress.phase) + (f" {progress.done:,}" if progress.done or progress.total else "")]
        if progress.total is not None:
            parts[0] += f" of {progress.total:,}"
        if progress.sent:
            parts.append(f"{progress.sent:,} sent")
        if progress.calls_per_day:
            parts.append(f"{progress.calls_today:,} of {progress.calls_per_day:,} calls today")
        left = self._seconds_left(progress, at)
        if left is not None:
            parts.append(f"{duration(left)} left")
        return " · ".join(parts)

    def _seconds_left(self, progress: Progress, at: float) -> float | None:
        began, done_before = self._phase_began
        done = progress.done - done_before
        if progress.total is None or done <= 0 or at - began < 1:
            return None
        return (at - began) / done * max(0, progress.total - progress.done)
