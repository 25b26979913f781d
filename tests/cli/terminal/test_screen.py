"""How a document too long for memory is printed, and how short a time is shown."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ccsync.cli.terminal.screen import draw, long_json, say, short_time


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


def test_a_short_time_says_the_year_only_when_it_is_not_near() -> None:
    """Within half a year a table shows day and time; further away, before or after, the date."""
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    near = now - timedelta(days=20)
    assert short_time(near, now) == f"{near.astimezone():%m-%d %H:%M}"
    for far in (now - timedelta(days=200), now + timedelta(days=200)):
        assert short_time(far, now) == f"{far.astimezone():%Y-%m-%d}"
    assert short_time(None, now) == ""


def test_a_message_takes_the_place_of_progress(capfd: pytest.CaptureFixture[str]) -> None:
    """A message or a question during a run stands where the line of progress was, not behind it."""
    draw("customers 200")
    say("Go on?")
    say("Done.")
    assert capfd.readouterr().err == "\r\x1b[Kcustomers 200\r\x1b[KGo on?\nDone.\n"
