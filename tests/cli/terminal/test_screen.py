"""How tables give way on a narrow screen, and how a document too long for memory is printed."""

import json
from collections.abc import Iterator

import pytest

from ccsync.cli.terminal.screen import column_widths, long_json

HEADERS = ("Id", "Job", "Last Error")
ROW = ("4e19a907d76d89bc741bc3b3ece214b7", "poll-unsubscribes", "Kibo answered something that is not JSON")


def test_a_table_that_fits_is_left_alone() -> None:
    """Nothing wraps without need."""
    assert column_widths(HEADERS, [ROW], sum(map(len, ROW))) is None


@pytest.mark.parametrize("room", range(59, 89))
def test_words_stay_whole_while_they_can(room: int) -> None:
    """A sentence gives way before an id or a name is broken."""
    widths = column_widths(HEADERS, [ROW], room)
    assert widths is not None
    assert sum(widths) == room
    assert widths[:2] == [32, 17]


def test_then_words_are_broken() -> None:
    """Narrower than its words, a table is still one: down to ten columns a cell."""
    assert column_widths(HEADERS, [ROW], 45) is not None
    assert column_widths(HEADERS, [ROW], 30) == [10, 10, 10]
    assert column_widths(HEADERS, [ROW], 29) == []


def test_what_is_to_be_copied_is_never_broken() -> None:
    """Rather than break a word of such a column, a table becomes blocks."""
    assert (column_widths(HEADERS, [ROW], 52, ("Id",)) or [])[0] == 32
    assert column_widths(HEADERS, [ROW], 51, ("Id",)) == []


@pytest.mark.parametrize("number", [0, 1, 2, 1_000])
def test_a_long_document(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    """It is the same document as from memory, an item a line, in ASCII."""
    items = [{"id": n, "text": "ü\n"} for n in range(number)]
    with long_json("events", iter(items), next_run_at=None, more="ü") as print_it:
        print_it()
    out = capfd.readouterr().out
    assert json.loads(out) == {"next_run_at": None, "more": "ü", "events": items}
    assert out.isascii()
    assert sum('"id"' in line for line in out.splitlines()) == number


def test_a_document_that_cannot_be_finished(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing of it is printed."""

    def items() -> Iterator[int]:
        yield 1
        raise KeyError

    with pytest.raises(KeyError), long_json("events", items()) as print_it:
        print_it()
    assert capfd.readouterr().out == ""
