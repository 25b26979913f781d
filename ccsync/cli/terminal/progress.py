"""One line of progress on a terminal's stderr: phase, count, calls used, time left. Nothing under cron."""

import shutil
import sys
import time

from ccsync.cli.terminal.screen import clean, duration
from ccsync.run.context import Progress

SECONDS_APART = 0.25


class ProgressLine:
    """Draws progress at most four times a second and erases it at the end."""

    def __init__(self, is_wanted: bool) -> None:
        self._is_wanted = is_wanted and sys.stderr.isatty()
        self._drawn_at = 0.0
        self._phase = ""
        self._phase_began = (0.0, 0)
        self._is_drawn = False

    def __call__(self, progress: Progress) -> None:
        """Show `progress`, unless the last line is too fresh; a new phase is always shown."""
        at = time.monotonic()
        is_new_phase = progress.phase != self._phase
        if is_new_phase:
            self._phase, self._phase_began = progress.phase, (at, progress.done)
        if not self._is_wanted or (not is_new_phase and at - self._drawn_at < SECONDS_APART):
            return
        if is_new_phase and at - self._drawn_at < SECONDS_APART and self._is_drawn:
            return
        self._drawn_at = at
        self._draw(self._text(progress, at))

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

    def _draw(self, text: str) -> None:
        room = max(10, shutil.get_terminal_size().columns - 1)
        sys.stderr.write("\r\x1b[K" + text[:room])
        sys.stderr.flush()
        self._is_drawn = True

    def erase(self) -> None:
        """Erase the line."""
        if self._is_drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_drawn = False
