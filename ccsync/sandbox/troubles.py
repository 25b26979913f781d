"""Calls that a vendor refuses although nothing is wrong with them, and incomplete pages.

Unlike `faults`, which break single exchanges, a trouble belongs to an operation or to one record, lasts for a time
of the vendor's clock or until it is told to end, and gives the vendor's own kind of answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ccsync.sandbox.wire import Clock

PAGE_FAULTS = ("short", "repeat")
""""short": a page with fewer rows, like a last page; "repeat": a page that shows the first rows again."""


@dataclass(slots=True)
class Refusal:
    """One rule. Without an `operation` it covers all, without a `record` every record."""

    operation: str | None
    status: int
    record: str | None = None
    ends_at: datetime | None = None
    every: int = 1  # only every n-th call
    retry_after: int | None = None
    code: str | None = None
    seen: int = field(default=0, init=False)


class Refusals:
    """The refusals of one vendor."""

    def __init__(self, clock: Clock, operations: frozenset[str]) -> None:
        self._clock = clock
        self._operations = operations
        self._all: list[Refusal] = []

    def add(
        self,
        operation: str | None,
        status: int,
        *,
        record: object = None,
        seconds: float | None = None,
        every: int = 1,
        retry_after: int | None = None,
        code: str | None = None,
    ) -> Refusal:
        """Refuse an operation for some seconds, or for good. Raises `ValueError` for values that can never apply."""
        if operation is not None and operation not in self._operations:
            raise ValueError(f"operation must be one of {', '.join(sorted(self._operations))}")
        if every < 1 or not 400 <= status <= 599:
            raise ValueError("every counts from 1, status is 400 to 599")
        ends_at = None if seconds is None else self._clock() + timedelta(seconds=seconds)
        named = None if record is None else str(record).lower()
        refusal = Refusal(operation, status, named, ends_at, every, retry_after, code)
        self._all.append(refusal)
        return refusal

    def end(self, operation: str | None = None) -> None:
        """Accept this operation again, or all of them."""
        self._all = [one for one in self._all if operation is not None and one.operation != operation]

    def met(self, operation: str, names: Callable[[str], bool]) -> Refusal | None:
        """The refusal for this call; `names` says whether the call is about a record."""
        if not self._all:
            return None
        now = self._clock()
        self._all = [one for one in self._all if one.ends_at is None or now < one.ends_at]
        for one in self._all:
            if one.operation in (None, operation) and (one.record is None or names(one.record)):
                one.seen += 1
                if one.seen % one.every == 0:
                    return one
        return None


class PageFaults:
    """Faulty pages of a listing, counted from when they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, int, int]] = []

    def add(self, how: str, nth: int = 1, times: int = 1) -> None:
        """Spoil `times` pages from the n-th on. Raises `ValueError` for an unknown fault."""
        if how not in PAGE_FAULTS or nth < 1 or times < 1:
            raise ValueError(f"a page fault is one of {', '.join(PAGE_FAULTS)}; nth and times count from 1")
        self._waiting.append((how, nth, times))

    def clear(self) -> None:
        """Spoil no more pages."""
        self._waiting.clear()

    def next(self) -> str | None:
        """What is wrong with this page."""
        met, left = None, []
        for how, nth, times in self._waiting:
            if nth > 1:
                left.append((how, nth - 1, times))
                continue
            met = met or how
            if times > 1:
                left.append((how, 1, times - 1))
        self._waiting = left
        return met
