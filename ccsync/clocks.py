"""Three clocks, each with its own type: ours, Kibo's, Constant Contact's. None of them need be right.

Times of two clocks cannot be compared: the type checker refuses it, and so does Python. Bookmarks and acts are in the
time of the vendor where they happened; ours is for pacing, due times and display.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self


@dataclass(frozen=True, order=True, slots=True)
class Time:
    """A time by one of the clocks, aware UTC."""

    at: datetime

    def __sub__(self, span: timedelta) -> Self:
        return type(self)(self.at - span)


class OurTime(Time):
    """A time by the clock of this machine."""

    __slots__ = ()


class KiboTime(Time):
    """A time by Kibo's clock."""

    __slots__ = ()


class ContactTime(Time):
    """A time by Constant Contact's clock."""

    __slots__ = ()
