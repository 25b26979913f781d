"""One clock for real processes and their sandbox: real time, and as far ahead of it as any of them slept."""

import fcntl
import os
import struct
import sys
import time
from datetime import UTC, datetime, timedelta

from ccsync.cli import clock as real
from ccsync.cli.clock import RealClock


class Ahead:
    """Seconds in a file that several processes add to."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def add(self, seconds: float) -> None:
        """Let so much more time have passed."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            os.pwrite(self._file, struct.pack("d", self.seconds() + seconds), 0)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def seconds(self) -> float:
        """How much was slept away so far."""
        found = os.pread(self._file, 8, 0)
        return float(struct.unpack("d", found)[0]) if found else 0.0

    def now(self) -> datetime:
        """The time that all of them share."""
        return datetime.now(UTC) + timedelta(seconds=self.seconds())

    def close(self) -> None:
        os.close(self._file)


class ProcessClock(RealClock):
    """The real clock of a process, signals and all, but for sleep: that lets time pass for everybody at once."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._ahead = Ahead(path)
        for module in list(sys.modules.values()):
            if getattr(module, "now", None) is real.now:
                module.now = self._ahead.now  # type: ignore[attr-defined]

    def limit(self, most_seconds: float) -> None:
        self._ends_at = self.monotonic() + most_seconds

    def now(self) -> datetime:
        return self._ahead.now()

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead.seconds()

    def sleep(self, seconds: float) -> None:
        self.check()
        self._ahead.add(max(0.0, seconds))
        self.check()

    def seconds_left(self) -> float | None:
        return None if self._ends_at is None else self._ends_at - self.monotonic()
