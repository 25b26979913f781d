"""Doubles for what comes from outside: a clock that never sleeps, a gate that is always open."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Time that passes only by being slept away; shared by ccsync and the sandbox. Satisfies `transport.Clock`."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []
        self.left: float | None = None

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def check(self) -> None:
        return None

    def is_stopping(self) -> bool:
        return False

    @contextmanager
    def calling(self) -> Iterator[None]:
        yield

    def seconds_left(self) -> float | None:
        return self.left


class OpenGate:
    """A gate without limits; notes what the vendor asked for. Satisfies `transport.Gate`."""

    def __init__(self) -> None:
        self.admitted = 0
        self.holds: list[float] = []
        self.is_closed = False

    def admit(self) -> float:
        self.admitted += 1
        return 0.0

    def give_back(self) -> None:
        self.admitted -= 1

    def hold(self, seconds: float) -> None:
        self.holds.append(seconds)

    def close_for_today(self) -> None:
        self.is_closed = True


class FixedToken:
    """A token that can be renewed once. Satisfies `transport.Token`."""

    def __init__(self) -> None:
        self.value = "first-token"
        self.renewals = 0

    def current(self) -> str:
        return self.value

    def renew(self, refused: str) -> str:
        assert refused == self.value
        self.renewals += 1
        self.value = "second-token"
        return self.value
