"""How tables and facts give way on a narrow screen, and when there is color."""

import pytest

from ccsync.cli.terminal.screen import width_of
from ccsync.cli.terminal.tables import column_widths, print_facts, print_table

HEADERS = ("Id", "Total Contacts", "Job", "Last Error")
ROW = ("4e19a907d76d89bc741bc3b3ece214b7", "12", "poll-unsubscribes", "Kibo answered something that is not JSON")
FULL = [32, 14, 17, 40]


def columns_for(widths: list[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def printed(capfd: pytest.CaptureFixture[str], columns: int, monkeypatch: pytest.MonkeyPatch, **options: object) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(HEADERS, [ROW], **options)  # type: ignore[arg-type]
    return capfd.readouterr().out


def test_a_table_that_fits_is_left_alone() -> None:
    """Nothing wraps without need."""
    assert column_widths(HEADERS, [ROW], columns_for(FULL)) == FULL


def test_headers_give_way_first() -> None:
    """A header goes over two lines before a cell wraps."""
    assert column_widths(HEADERS, [ROW], columns_for(FULL) - 1) == [32, 8, 17, 40]


@pytest.mark.parametrize("last", range(24, 40))
def test_then_the_last_column_wraps(last: int) -> None:
    """A sentence in the last column gives way before an id or a name is broken."""
    widths = [32, 8, 17, last]
    assert column_widths(HEADERS, [ROW], columns_for(widths)) == widths


def test_then_words_are_broken() -> None:
    """Narrower than its words, a table is still one: down to ten columns a cell."""
    assert column_widths(HEADERS, [ROW], columns_for([10, 8, 10, 10])) == [10, 8, 10, 10]
    assert column_widths(HEADERS, [ROW], columns_for([10, 8, 10, 10]) - 1) is None


def test_a_spare_column_goes_before_a_word_is_broken(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of the spare columns is left out first, and none without need."""
    assert "Total" in printed(capfd, 90, monkeypatch, spare=("Job", "Total Contacts"))
    narrow = printed(capfd, 80, monkeypatch, spare=("Job", "Total Contacts"))
    assert "Total" not in narrow
    assert "poll-unsubscribes" in narrow
    assert ROW[0] in printed(capfd, 60, monkeypatch, spare=("Job", "Total Contacts"))


def test_a_row_is_a_block_where_a_table_does_not_fit(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cell has a line with its header, and nothing is lost."""
    shown = printed(capfd, 30, monkeypatch)
    assert all(len(line) <= 30 for line in shown.splitlines())
    assert "".join(ROW).replace(" ", "") in "".join(line[16:] for line in shown.splitlines()).replace(" ", "")


@pytest.mark.parametrize(("columns", "is_table"), [(80, True), (64, True), (60, False), (40, False)])
def test_a_long_address_does_not_squeeze_the_reason(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int, is_table: bool
) -> None:
    """Where a long address leaves a reason a word or two on a line, each record is a block of lines."""
    monkeypatch.setenv("COLUMNS", str(columns))
    reason = "emailAddress has 90 characters where Constant Contact takes 80: give the account a shorter address"
    print_table(("Account", "E-mail", "Reason"), [("1024", f"grete{'x' * 70}@example.com", reason)])
    out = capfd.readouterr().out
    assert out.startswith("Account  E-mail" if is_table else "Account  1024\nE-mail   grete")
    assert ("Reason   emailAddress has 90" in out) is not is_table
    assert max(map(width_of, out.splitlines())) <= columns


def test_a_short_last_column_may_be_narrow(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A date wraps in two before a table becomes blocks."""
    monkeypatch.setenv("COLUMNS", "60")
    print_table(("Job", "Last Result", "Next Run"), [("poll-unsubscribes", "x" * 36, "11-27 23:14")])
    assert capfd.readouterr().out.startswith("Job ")


def test_wide_wraps_nothing(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--wide` a row is one line, however narrow the screen."""
    assert printed(capfd, 20, monkeypatch, is_wide=True).splitlines()[2].split("  ")[0] == ROW[0]


def test_wide_letters_take_two_columns(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """East Asian text is laid out by its columns on the screen."""
    monkeypatch.setenv("COLUMNS", "40")
    print_table(("Name", "What"), [("山田太郎", "漢字カタカナ" * 6), ("Pat", "x")])
    lines = capfd.readouterr().out.splitlines()
    assert all(width_of(line) <= 40 for line in lines)
    assert lines[2].startswith("山田太郎  漢字")
    assert lines[-1] == "Pat       x"


def test_a_fact_goes_on_below_its_value(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Values wrap at words; a path is never broken, and a long name has a line of its own."""
    monkeypatch.setenv("COLUMNS", "40")
    path = "/var/lib/" + "x" * 60
    print_facts({"Sync": "one two three four five six seven eight", "A name that is far too long": "v", "File": path})
    assert capfd.readouterr().out.splitlines() == [
        "Sync  one two three four five six seven",
        "      eight",
        "A name that is far too long",
        "      v",
        f"File  {path}",
    ]
