"""Where the bars and lines of a picture stand, in the units of its drawing. Pure; the templates draw them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 400, 220
LEFT, RIGHT, TOP, BOTTOM = 50, 8, 10, 28
_ROOM_X, _ROOM_Y = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of thing, a number for each span; `is_below`: drawn downward, as who left is."""

    name: str
    values: Sequence[int | None]
    is_below: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a series (by its place among them)."""

    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture: its marks, and the table that says the same."""

    name: str
    title: str
    sentence: str
    labels: Sequence[str]
    series: Sequence[Series]
    bars: Sequence[Bar] = ()
    lines: Sequence[tuple[int, str]] = ()
    dots: Sequence[tuple[int, float, float]] = ()
    ticks: Sequence[tuple[float, str]] = ()
    limit: tuple[float, str] | None = None
    zero: float = float(HEIGHT - BOTTOM)

    @property
    def is_empty(self) -> bool:
        """Is there nothing to show?"""
        return not any(value for one in self.series for value in one.values)

    @property
    def ends(self) -> tuple[str, str]:
        """The labels below the first and the last mark."""
        return (self.labels[0], self.labels[-1]) if len(self.labels) > 1 else ("", self.labels[0])


def columns(
    name: str,
    title: str,
    sentence: str,
    labels: Sequence[str],
    series: Sequence[Series],
    limit: tuple[int, str] | None = None,
) -> Chart:
    """Columns, stacked: what is below grows down from the zero line. `limit` is a line across, with its name."""
    up = [sum(one.values[at] or 0 for one in series if not one.is_below) for at in range(len(labels))]
    down = [sum(one.values[at] or 0 for one in series if one.is_below) for at in range(len(labels))]
    step = _step(max([*up, limit[0] if limit else 0, 1]) + max([*down, 0]))
    highest = max(step, math.ceil(max([*up, limit[0] if limit else 0]) / step) * step)
    lowest = -math.ceil(max([*down, 0]) / step) * step
    slot = _ROOM_X / len(labels)
    bars = list[Bar]()
    for at in range(len(labels)):
        above, below = 0, 0
        for number, one in enumerate(series):
            value = one.values[at] or 0
            if not value:
                continue
            begin, above, below = (below, above, below - value) if one.is_below else (above, above + value, below)
            top, bottom = (begin, below) if one.is_below else (above, begin)
            y = _y(top, lowest, highest)
            height = max(_y(bottom, lowest, highest) - y, 0.5)
            bars.append(Bar(LEFT + at * slot + slot * 0.12, y, slot * 0.76, height, number))
    drawn = (_y(limit[0], lowest, highest), limit[1]) if limit else None
    ticks = _ticks(lowest, highest, step)
    return Chart(name, title, sentence, labels, series, bars, (), (), ticks, drawn, _y(0, lowest, highest))


def lines(name: str, title: str, sentence: str, labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """A line for each series, broken where there is no number. The scale begins at zero only where that is near."""
    known = [value for one in series for value in one.values if value is not None] or [0]
    spread = max(known) - min(known)
    begin = min(known) - spread if 0 < 4 * spread < min(known) else 0
    step = _step(max(known) - begin or 1)
    lowest = math.floor(begin / step) * step
    highest = max(math.ceil(max(known) / step) * step, lowest + step)
    drawn, dots = list[tuple[int, str]](), list[tuple[int, float, float]]()
    slot = _ROOM_X / len(labels)
    for number, one in enumerate(series):
        path = ""
        for at, value in enumerate(one.values):
            if value is None:
                path = _ended(path, number, drawn)
                continue
            x, y = LEFT + (at + 0.5) * slot, _y(value, lowest, highest)
            path += f"{'L' if path else 'M'}{x:.1f} {y:.1f}"
            dots.append((number, x, y))
        _ended(path, number, drawn)
    ticks = _ticks(lowest, highest, step)
    return Chart(name, title, sentence, labels, series, (), drawn, dots, ticks)


def _ended(path: str, number: int, drawn: list[tuple[int, str]]) -> str:
    if "L" in path:
        drawn.append((number, path))
    return ""


def _step(spread: float) -> int:
    """A round distance between about four lines: 1, 2 or 5 times a power of ten."""
    rough = max(spread / 4, 1)
    power = 10 ** math.floor(math.log10(rough))
    return int(next(one * power for one in (1, 2, 5, 10) if one * power >= rough))


def _ticks(lowest: int, highest: int, step: int) -> list[tuple[float, str]]:
    return [(_y(at, lowest, highest), _short(abs(at))) for at in range(lowest, highest + 1, step)]


def _short(number: int) -> str:
    """A number that fits beside a picture; the table has it whole."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= 10 * size or (number >= size and unit == "M"):
            return f"{number / size:g}{unit}"
    return f"{number:,}"


def _y(value: float, lowest: int, highest: int) -> float:
    return TOP + _ROOM_Y * (highest - value) / (highest - lowest)
