"""A shop whose `ccsync` runs inside the test's process, whole command lines on a clock that nobody waits for."""

import contextlib
import io
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ccsync.cli import app
from ccsync.cli.clock import RealClock
from ccsync.sandbox.settings import SandboxSettings
from tests.doubles import FakeClock
from tests.harness import FAST, Shop


class CommandClock(FakeClock):
    """The fake clock as a command line has it."""

    def listen(self) -> None:
        """No signal is taken from the test; a new run has no limit."""
        self.left = None

    def limit(self, most_seconds: float) -> None:
        """This run may take so long."""
        self.left = most_seconds


class SkewedClock(CommandClock):
    """A machine whose clock is wrong by so many seconds; time passes for it as for the vendors."""

    def __init__(self, vendors: FakeClock, skew: float = 0.0) -> None:
        super().__init__()
        self._vendors = vendors
        self.skew = skew

    def now(self) -> datetime:
        return self._vendors.now() + timedelta(seconds=self.skew)

    def monotonic(self) -> float:
        return self._vendors.monotonic()

    def advance(self, seconds: float) -> None:
        self._vendors.advance(seconds)


class InsideShop(Shop):
    """A shop for tables of faults: a command takes a few hundredths of a second. What it does to a real process,
    its streams and its signals is for `tests.live`.
    """

    keeps_open = False

    def __init__(
        self,
        folder: Path,
        settings: SandboxSettings,
        config_changes: str = "",
        *,
        logs_in: bool = True,
        start: datetime | None = None,
        has_wire: bool = False,
    ) -> None:
        clock = CommandClock(start) if start else CommandClock()
        unlimited = replace(settings, cc_requests_per_second=0)
        if has_wire and "[limits]" not in config_changes:
            config_changes += FAST  # calls that go out ahead wait for their turn in threads, by a real clock
        super().__init__(folder, unlimited, config_changes, clock, logs_in=logs_in, has_wire=has_wire)

        self.own_clock: CommandClock = self.clock  # type: ignore[assignment]
        """What `ccsync` goes by; the vendors go by `clock`."""

    def __enter__(self) -> "InsideShop":
        super().__enter__()
        self.box.cc.approve_automatically = True
        return self

    def ccsync(
        self, *words: str, environ: Mapping[str, str] | None = None, config: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as cron would: no terminal, nothing of the operator's environment."""
        return run_inside(self.folder, config or self.config_path, words, self.own_clock, environ)

    def edit(self, old: str, new: str) -> None:
        """Change the config file."""
        text = self.config_path.read_text()
        assert old in text
        self.config_path.write_text(text.replace(old, new))


def run_inside(
    folder: Path,
    config: Path,
    words: Sequence[str],
    clock: RealClock | CommandClock,
    environ: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command line inside this process, with `folder` as home."""
    out, err = io.StringIO(), io.StringIO()
    with (
        _environment(folder, {"CCSYNC_CONFIG": str(config), **(environ or {})}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = app.run(words, clock)  # type: ignore[arg-type]
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _environment(folder: Path, changes: Mapping[str, str]) -> Iterator[None]:
    before, mask = dict(os.environ), os.umask(0o077)
    os.environ.clear()
    os.environ.update({"PATH": before["PATH"], "HOME": str(folder), "COLUMNS": "120", **changes})
    try:
        yield
    finally:
        os.umask(mask)
        os.environ.clear()
        os.environ.update(before)
