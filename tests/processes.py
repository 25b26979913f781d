"""Real processes of `ccsync` for tests: forked from one that is warm, or started cold where the start matters."""

import atexit
import ctypes
import functools
import inspect
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.fork_server import MOST_BYTES, Order

ROOT = Path(__file__).parent.parent
STARTS_OTHERWISE = ("LC_", "LANG", "PYTHON", "LD_")
"""What these variables say, Python reads at its start."""
_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>


def start(
    words: Sequence[str | bytes],
    environ: Mapping[str, str],
    folder: Path,
    *,
    clock: str | None = None,
    takes_terminal: bool = False,
    **options: Any,
) -> subprocess.Popen[Any]:
    """Start `ccsync`; `options` are those of `Popen`."""
    command = [sys.executable, "-m", "ccsync", *words]
    environ = {name: value for name, value in environ.items() if (name, value) != ("PYTHONWARNINGS", "error")}
    is_odd = any(name.startswith(STARTS_OTHERWISE) for name in environ) or "preexec_fn" in options
    if is_odd or sys.platform != "linux":
        if takes_terminal:
            options["preexec_fn"] = _take_terminal
        return subprocess.Popen(command, cwd=folder, env={"PYTHONWARNINGS": "error", **environ}, **options)
    return _Forked(command, clock, takes_terminal, cwd=folder, env=environ, **options)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class _Forked(subprocess.Popen[Any]):
    """A `Popen` whose process is forked from the warm one, and adopted."""

    def __init__(self, command: Sequence[str | bytes], clock: str | None, takes_terminal: bool, **options: Any) -> None:
        self._clock, self._takes_terminal = clock, takes_terminal
        super().__init__(command, **options)

    def _execute_child(self, *given: object) -> None:
        asked = inspect.signature(subprocess.Popen._execute_child).bind(self, *given).arguments  # type: ignore[attr-defined]
        ours = ("p2cread", "c2pwrite", "errwrite")
        streams = [number if asked[name] == -1 else asked[name] for number, name in enumerate(ours)]
        words = [os.fsdecode(one) for one in asked["args"][3:]]
        order = Order(
            words, asked["env"], str(asked["cwd"]), self._clock, asked["start_new_session"], self._takes_terminal
        )
        try:
            self.pid = _server().fork(order, streams)
            self._child_created = True
        finally:
            ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
            self._close_pipe_fds(*(asked[name] for name in ends))  # type: ignore[attr-defined]


class _Server:
    """The warm process of this test process."""

    def __init__(self) -> None:
        ctypes.CDLL(None, use_errno=True).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environ = {"PATH": os.environ["PATH"], "HOME": "/", "PYTHONWARNINGS": "error"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self.of = os.getpid()
        atexit.register(self.stop)

    def fork(self, order: Order, streams: list[int]) -> int:
        """The process id of a new child of ours."""
        socket.send_fds(self._ours, [pickle.dumps(order)], streams)
        answer = self._ours.recv(MOST_BYTES)
        assert answer, "the process to fork from has ended"
        return int(answer)

    def stop(self) -> None:
        if os.getpid() == self.of:
            self._ours.close()
            self._process.wait(10)


@functools.cache
def _server() -> _Server:
    return _Server()
