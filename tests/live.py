"""A shop for real processes: the sandbox runs here, and `ccsync` runs as an operator or cron would run it."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request
from tests import processes
from tests.doubles import FakeClock
from tests.harness import FAST, Shop
from tests.shared_clock import Ahead
from tests.terminal import Session, on_terminal


class AheadClock(FakeClock):
    """The sandbox's side of the clock that it shares with real processes."""

    def __init__(self) -> None:
        super().__init__()
        descriptor, self.path = tempfile.mkstemp(prefix="clock-")
        os.close(descriptor)
        self._ahead = Ahead(self.path)

    def now(self) -> datetime:
        return self._ahead.now()

    def monotonic(self) -> float:
        return self._ahead.seconds()

    def advance(self, seconds: float) -> None:
        self._ahead.add(seconds)

    def close(self) -> None:
        self._ahead.close()
        Path(self.path).unlink()


class LiveShop(Shop):
    """Nothing waits here: the vendors' limits are off, imports are done at once, and who sleeps sets the clock ahead.

    A shop that `waits` gives its processes the real clock: for what somebody does to a process meanwhile.
    """

    is_direct_beside_the_wire = True
    keeps_open = False

    def __init__(
        self,
        folder: Path,
        settings: SandboxSettings,
        config_changes: str = FAST,
        *,
        logs_in: bool = True,
        waits: bool = False,
        has_wire: bool = True,
    ) -> None:
        fast = replace(settings, cc_requests_per_second=0, import_seconds=0.0)
        self.shared = AheadClock()
        super().__init__(folder, fast, config_changes, clock=self.shared, logs_in=logs_in, has_wire=has_wire)
        self.waits = waits
        self._processes: list[subprocess.Popen[str]] = []
        self._open.callback(self._end)

    def _end(self) -> None:
        """No process is left behind, whatever became of the test."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait(10)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        self.shared.close()

    def start(self, *words: str, **options: object) -> subprocess.Popen[str]:
        """Start the real `ccsync`, in an environment with nothing of the operator's in it but `environ`."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONWARNINGS": "error", "COLUMNS": "120"}
        environ["CCSYNC_CONFIG"] = str(self.config_path)
        environ |= options.pop("environ", {})  # type: ignore[arg-type,operator]
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        process = processes.start(
            words,
            environ,
            self.folder,
            clock=None if self.waits else self.shared.path,
            text=True,
            **options,
        )
        self._processes.append(process)
        return process

    def ccsync(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the real `ccsync` to its end."""
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def on_terminal(self, *words: str, **options: Any) -> Session:
        """Run it on a terminal; see `tests.terminal`."""
        return on_terminal(self.config_path, *words, clock=None if self.waits else self.shared.path, **options)

    def after_each_call(self, hook: Callable[[], None]) -> None:
        """Call `hook` after a call took effect, before its answer goes out."""

        def wrapped(real: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
            def handle(request: Request) -> Reply:
                reply = real(request)
                hook()
                return reply

            return handle

        servers = self.box._servers
        servers._handlers = {name: wrapped(one) for name, one in servers._handlers.items()}
