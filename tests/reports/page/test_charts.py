"""The pictures of the report: marks stand where their numbers are, whatever the numbers."""

from datetime import date
from itertools import pairwise

import pytest

from ccsync.reports.page.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, columns, lines
from ccsync.reports.page.spans import MOST_SPANS, cut

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize("length", [1, 2, 7, 31, 32, 90, 217, 218, 365, 3650])
def test_a_period_is_cut_into_few_spans_without_a_gap(length: int) -> None:
    """The spans end today, cover every day once, and are few enough for a table."""
    spans = cut(length, TODAY)
    assert 1 <= len(spans) <= MOST_SPANS
    assert spans[-1].last == TODAY
    assert sum((one.last - one.first).days + 1 for one in spans) == length
    assert all((after.first - before.last).days == 1 for before, after in pairwise(spans))
    assert TODAY in spans[-1]


@pytest.mark.parametrize("values", [[0, 0], [1], [3, 0, 7], [1_000_000, 5], [10**9] * 31])
def test_every_mark_is_within_its_picture(values: list[int]) -> None:
    """Columns, lines, ticks and the limit stay inside, also for numbers of any size."""
    labels = [str(at) for at in range(len(values))]
    series = [Series("up", values), Series("down", values[::-1], is_below=True)]
    chart = columns("c", "C", "", labels, series, (max(values) * 3 + 1, "limit"))
    for bar in chart.bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= WIDTH - RIGHT
        assert TOP - 0.01 <= bar.y <= bar.y + bar.height <= HEIGHT - BOTTOM + 0.51
    drawn = lines("l", "L", "", labels, series)
    assert chart.limit
    heights = [y for _, _, y in drawn.dots] + [y for y, _ in (*drawn.ticks, *chart.ticks, chart.limit)]
    for y in heights:
        assert TOP - 0.01 <= y <= HEIGHT - BOTTOM + 0.01
    assert 2 <= len(chart.ticks) <= 12


def test_columns_have_the_height_of_their_numbers() -> None:
    """Twice the number is twice the height; who left hangs below the zero line."""
    chart = columns("c", "C", "", ["a", "b"], [Series("up", [10, 20]), Series("down", [0, 5], is_below=True)])
    ten, twenty, five = chart.bars
    assert twenty.height == pytest.approx(2 * ten.height)
    assert five.y == pytest.approx(chart.zero)
    assert ten.y + ten.height == pytest.approx(chart.zero)
    assert five.height == pytest.approx(ten.height / 2)


def test_a_line_is_broken_where_nothing_is_known() -> None:
    """A day without a number is a gap, never a zero."""
    chart = lines("l", "L", "", list("abcde"), [Series("x", [1, 2, None, 3, 4])])
    assert len(chart.lines) == 2
    assert len(chart.dots) == 4
    assert lines("l", "L", "", ["a"], [Series("x", [None])]).is_empty
