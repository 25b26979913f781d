"""What a call is, what answers it, and what a transport needs from outside."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit


class Clock(Protocol):
    """Time from outside. `sleep` raises `Interrupted` when the run is asked to stop."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def check(self) -> None:
        """Raise `Interrupted` or `OutOfTime` when no new call may start."""

    def is_stopping(self) -> bool: ...

    def calling(self) -> AbstractContextManager[None]:
        """While a request is under way, a wish to stop waits for its answer."""

    def seconds_left(self) -> float | None:
        """How long this run may still take; `None` when it has no limit."""


class Gate(Protocol):
    """Paces and counts the calls to one vendor, across processes."""

    def admit(self) -> float:
        """Count one call; return the seconds to wait before it. Raises `QuotaSpent`."""

    def give_back(self) -> None:
        """One counted call was not made after all."""

    def hold(self, seconds: float) -> None:
        """The vendor asked for a wait: no call to it before that, in any process."""

    def close_for_today(self) -> None:
        """The vendor says today's quota is spent."""


class Token(Protocol):
    """A bearer token and the way to get a new one."""

    def current(self) -> str: ...

    def renew(self, refused: str) -> str:
        """Return another token than `refused`. Raises `LoginNeeded` when only a person can get one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers (any case), the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request to make.

    `is_repeatable` says that doing it twice is harmless; otherwise a lost answer raises `AnswerLost`.
    `may_wait` is false for a body that is right only now: instead of being sent later it raises `TooLate`.
    `accepts` lists the statuses beyond 2xx that the caller wants to see instead of an error.
    `shown` is the path as logs and errors may show it: without query, without ids of people.
    """

    method: str
    url: str
    params: Mapping[str, str] | None = None
    json: object = None
    body: bytes | BinaryIO | None = None  # ready JSON
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    basic: str | None = None  # a ready "Basic …" value
    is_repeatable: bool = True
    may_wait: bool = True
    accepts: frozenset[int] = frozenset()
    sink: BinaryIO | None = None  # takes the body of a 2xx, which may be large

    @property
    def shown(self) -> str:
        return f"{self.method} {urlsplit(self.url).path}"


def origin(url: str) -> str:
    """Scheme, host and port of `url`, as one comparable text."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"
