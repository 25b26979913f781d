"""A shop for real processes: the sandbox runs here, and `ccsync` runs as an operator or cron would run it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request
from tests.doubles import FakeClock
from tests.harness import Shop

FAST = "\n[limits]\nrequests_per_second = 100\nkibo_requests_per_second = 1000\n"


class AheadClock(FakeClock):
    """Real time, and as far ahead of it as was slept away."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._seconds)


class LiveShop(Shop):
    """Nothing waits here: the vendors' limits are off, and imports are done at once."""

    def __init__(
        self, folder: Path, settings: SandboxSettings, config_changes: str = FAST, *, logs_in: bool = True
    ) -> None:
        fast = replace(settings, cc_requests_per_second=0, import_seconds=0.0)
        super().__init__(folder, fast, config_changes, clock=AheadClock(), logs_in=logs_in, has_wire=True)

    def start(self, *words: str, **options: object) -> subprocess.Popen[str]:
        """Start the real `ccsync`, in an environment with nothing of the operator's in it but `environ`."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONWARNINGS": "error", "COLUMNS": "120"}
        environ |= options.pop("environ", {})  # type: ignore[arg-type,operator]
        command = [sys.executable, "-m", "ccsync", "--config", str(self.config_path), *words]
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(command, cwd=self.folder, env=environ, text=True, **options)  # type: ignore[call-overload,no-any-return]

    def ccsync(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the real `ccsync` to its end."""
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

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
