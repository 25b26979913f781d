"""The lines for cron: at least as often as the interval says, the two jobs never together, paths that cron reads."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.cli.setup.crontab import print_lines, schedules
from ccsync.config.reading import load_config
from tests.config.files import LEAST, write


@pytest.mark.parametrize(
    ("interval", "flush", "poll"),
    [
        (30, "12,42 * * * *", "22,52 * * * *"),
        (60, "12 * * * *", "32 * * * *"),
        (20, "12,32,52 * * * *", "18,38,58 * * * *"),
        (15, "12,27,42,57 * * * *", "2,17,32,47 * * * *"),
        (10, "2-59/10 * * * *", "5-59/10 * * * *"),
        (5, "2-59/5 * * * *", "3-59/5 * * * *"),
        (2, "0-59/2 * * * *", "1-59/2 * * * *"),
        (1, "* * * * *", "* * * * *"),
        (45, "12,42 * * * *", "22,52 * * * *"),
        (7, "0-59/6 * * * *", "2-59/6 * * * *"),
        (90, "12 * * * *", "32 * * * *"),
        (120, "12 */2 * * *", "32 */2 * * *"),
        (300, "12 */4 * * *", "32 */4 * * *"),
        (1_440, "12 3 * * *", "32 3 * * *"),
    ],
)
def test_intervals(interval: int, flush: str, poll: str) -> None:
    """Cron restarts its count each hour and day, so an interval that does not fit becomes the next shorter one."""
    assert schedules(interval) == (flush, poll)


def minutes(schedule: str) -> set[int]:
    """The minutes of a day in which a schedule runs, as cron reads it."""
    first, hours = schedule.split()[:2]
    return {60 * hour + minute for hour in _field(hours, 24) for minute in _field(first, 60)}


def _field(text: str, size: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        numbers = range(size) if span == "*" else range(int(begin), int(end or begin) + 1)
        found |= set(numbers[:: int(step or 1)])
    return found


def test_every_interval_is_kept() -> None:
    """No gap, midnight's included, is longer than the interval; the two jobs never start in the same minute."""
    for interval in range(1, 1_441):
        flush, poll = (minutes(one) for one in schedules(interval))
        for runs in (flush, poll):
            times = sorted(runs)
            gaps = [after - before for before, after in zip(times, [*times[1:], times[0] + 1_440], strict=True)]
            assert max(gaps) <= interval
        assert interval == 1 or not flush & poll


def test_paths_are_written_for_cron(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Absolute, quoted for the shell, and without the bare % that cron takes for a line's end."""
    config = replace(load_config(write(tmp_path, LEAST), {}), path=Path("/srv/50% off/it's.toml"))
    monkeypatch.setattr(sys, "argv", ["bin/ccsync", "configure"])
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "bin" / "ccsync"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("CCSYNC_STATE", "/elsewhere")
    print_lines(config)
    out, err = capfd.readouterr()
    line = out.splitlines()[1]
    assert line == f"""12,42 * * * *  {tmp_path}/bin/ccsync --config '/srv/50\\% off/it'"'"'s.toml' flush-events"""
    assert "does not know your CCSYNC_STATE" in err
