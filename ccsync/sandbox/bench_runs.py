"""Runs real commands for the bench, and measures what each takes."""

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.serve import environ_for
from ccsync.sandbox.wire import Request

Floor = Callable[[Sandbox, float, int, int], float]
WENT_WELL = (0, 1, 3, 10)
"""Done; `status` found something; records were rejected; the safety limit holds people back."""
MOST_DECODED = 10_000
_ACCOUNTS = "/api/commerce/customer/accounts"
_TICKETS = "/api/platform/applications/authtickets/oauth"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one or several commands took. `floor` is 0 if there is none."""

    name: str
    seconds: float
    floor: float
    cpu_seconds: float
    kibo_calls: int
    cc_calls: int
    megabytes: float
    peak_megabytes: float
    longest_lock_seconds: float
    state_bytes: int


class Measuring:
    """Runs commands against one sandbox. `rate` is the number of calls a second that Kibo allows."""

    def __init__(self, box: Sandbox, folder: Path, rate: float) -> None:
        self._box = box
        self._folder = folder
        self._rate = rate

    def run(self, name: str, *commands_and_floor: str | Floor | int) -> Measured:
        """Run commands one after the other and add up what they take; a floor and its number may follow them."""
        commands = [one for one in commands_and_floor if isinstance(one, str)]
        floor = next((one for one in commands_and_floor if callable(one)), None)
        number = next((one for one in commands_and_floor if isinstance(one, int)), 0)
        requests, imports = self._box.requests, self._imports()
        calls, size = dict(requests.calls), sum(requests.bytes.values())
        started = time.monotonic()
        with _Probe(self._folder / "ccsync.db") as probe:
            taken = [_ccsync(self._folder, words) for words in commands]
        seconds = time.monotonic() - started
        made = {vendor: count - calls.get(vendor, 0) for vendor, count in requests.calls.items()}
        return Measured(
            name=name,
            seconds=seconds,
            floor=floor(self._box, self._rate, number, self._imports() - imports) if floor else 0.0,
            cpu_seconds=sum(cpu for cpu, _ in taken),
            kibo_calls=made.get("kibo_tenant", 0) + made.get("kibo_home", 0),
            cc_calls=made.get("cc_api", 0),
            megabytes=(sum(requests.bytes.values()) - size) / 1e6,
            peak_megabytes=max(peak for _, peak in taken) / 1024,
            longest_lock_seconds=probe.longest,
            state_bytes=(self._folder / "ccsync.db").stat().st_size,
        )

    def _imports(self) -> int:
        return sum(one.path.endswith("contacts_json_import") for one in self._box.requests.records)


class _Probe:
    """Asks for the state file's write lock again and again, as a second writer would, and notes the longest wait."""

    EVERY_SECONDS = 0.01

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.longest = 0.0

    def __enter__(self) -> "_Probe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._path.exists():
            if self._is_over.wait(self.EVERY_SECONDS):
                return
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        free_at = time.monotonic()
        with sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0) as connection:
            while not self._is_over.wait(self.EVERY_SECONDS):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("ROLLBACK")
                    free_at = time.monotonic()
                except sqlite3.OperationalError:
                    self.longest = max(self.longest, time.monotonic() - free_at)
        connection.close()


def decoding_seconds(box: Sandbox) -> float:
    """The CPU seconds per customer that the standard library takes to decode Kibo's first pages."""
    bodies = [_page(box, start) for start in range(0, MOST_DECODED, 200)]
    began = time.process_time()
    customers = sum(len(json.loads(body)["items"]) for body in bodies)
    return (time.process_time() - began) / max(customers, 1)


def _page(box: Sandbox, start: int) -> bytes:
    settings = box.settings
    secret = {"client_id": settings.kibo_client_id, "client_secret": settings.kibo_client_secret}
    ticket = Request(
        "kibo_home", "POST", _TICKETS, (), {"content-type": "application/json"}, json.dumps(secret).encode()
    )
    token = json.loads(box.exchange(ticket)[0].body)["access_token"]
    query = {"startIndex": str(start), "pageSize": "200", "sortBy": "createDate asc"}
    headers = {"authorization": f"Bearer {token}", "x-vol-tenant": str(settings.tenant_id)}
    return box.exchange(Request("kibo_tenant", "GET", _ACCOUNTS, tuple(query.items()), headers, b""))[0].body


def _ccsync(folder: Path, words: str) -> tuple[float, int]:
    """Run one real command; its CPU seconds, and its peak resident memory in kB (0 where /proc does not tell)."""
    command = [sys.executable, "-m", "ccsync", *shlex.split(words)]
    # The first command compiles it for all, as an installation does.
    environ = environ_for(folder) | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=errors)
        number = peak = 0
        # Not from the resource usage of the ended child, which starts at the size of this process.
        while not number:
            peak = max(peak, _peak_of(process.pid))
            time.sleep(0.02)
            number, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in WENT_WELL:
            errors.seek(0)
            text = errors.read().decode(errors="replace")
            raise SystemExit(f"ccsync {words} ended with {process.returncode}:\n{text}")
    return usage.ru_utime + usage.ru_stime, peak


def _peak_of(number: int) -> int:
    try:
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
