"""Lets a run continue after a step has failed; the first error is raised at the end."""

import logging
from collections.abc import Callable
from typing import TypeVar

from ccsync.errors import CcsyncError, Interrupted, OutOfTime

log = logging.getLogger(__name__)

T = TypeVar("T")


class Troubles:
    """The errors of one run."""

    def __init__(self) -> None:
        self._first: CcsyncError | None = None

    def keep(self, step: Callable[[], T], *, may_be_too_long: bool = False) -> T | None:
        """Take a step; `None` when it failed. A run that is interrupted, or out of time, takes no other one.

        `may_be_too_long`: the step may only have found that there is no time for it, and others may have theirs.
        """
        try:
            return step()
        except CcsyncError as error:
            if isinstance(error, Interrupted) or (isinstance(error, OutOfTime) and not may_be_too_long):
                raise
            log.warning("%s", error.sentence)
            self._first = self._first or error
            return None

    def raise_first(self, *others: CcsyncError | None) -> None:
        """Raise the first error, if any; `others` come last."""
        for error in (self._first, *others):
            if error is not None:
                raise error
