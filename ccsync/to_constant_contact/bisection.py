"""Finds the bad records of a bulk job that was refused as a whole, without blaming anybody for the vendor's refusal.

A refused group is halved, down to single records that are refused while others pass. When nothing passes at all, every
part is refused alike: then it is the vendor that refuses, and the search ends early.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ccsync.errors import AnswerLost, CallFailure

T = TypeVar("T")

MOST_BLIND = 100
"""This many refusals before anything has passed are the vendor's; searching everybody would cost a day's calls."""
MOST_REFUSALS = 1_000
"""More refusals than this in one run are not single bad records, even if others pass."""
_COST_OF_LOST_ANSWER = 10


@dataclass(slots=True)
class Tried(Generic[T]):
    """What became of one group: `failure` is why the vendor refused it, `is_open` that it is not over yet."""

    group: Sequence[T]
    failure: CallFailure | None = None
    is_open: bool = False


@dataclass(slots=True)
class Bisection(Generic[T]):
    """One search. `carry_out` tries groups and returns their results; `has_passed`: another job has passed.

    `seed` is another one in every run: a search that met only bad records and gave up is not followed by its like.
    """

    carry_out: Callable[[list[Sequence[T]]], Iterable[Tried[T]]]
    seed: int
    has_passed: bool = False
    refused: list[tuple[T, CallFailure]] = field(default_factory=list)
    """The single records that were refused."""
    first_failure: CallFailure | None = None
    _blind: int = 0
    _refusals: int = 0

    @property
    def is_cut_short(self) -> bool:
        """Were there too many refusals to find them all?"""
        return self._refusals >= MOST_REFUSALS

    def run(self, groups: Iterable[Sequence[T]]) -> None:
        """Try these groups, and the halves of those that are refused."""
        stack = list(groups)
        first = True
        while stack and self._blind < MOST_BLIND and not self.is_cut_short:
            # While nothing has passed, one part after another: the way down to a single record is short.
            now = stack if first or self.has_passed else [stack.pop()]
            stack = [] if now is stack else stack
            for tried in self.carry_out(now):
                stack += self._halves(tried)
            first = False

    def _halves(self, tried: Tried[T]) -> list[Sequence[T]]:
        if tried.failure is None:
            self.has_passed = self.has_passed or not tried.is_open
            return []
        self.first_failure = self.first_failure or tried.failure
        self._refusals += 1
        if not self.has_passed:
            self._blind += _COST_OF_LOST_ANSWER if isinstance(tried.failure, AnswerLost) else 1
        if len(tried.group) == 1:
            self.refused.append((tried.group[0], tried.failure))
            return []
        mixed = random.Random(self.seed).sample(tried.group, len(tried.group))  # noqa: S311 - no secret
        middle = len(mixed) // 2
        return [mixed[middle:], mixed[:middle]]
