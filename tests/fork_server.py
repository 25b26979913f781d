"""A Python that is started once and forked for every `ccsync` that a test runs as a real process.

A child has its own streams, environment, folder, terminal and signals. What only a whole start and end can show
(encodings, odd streams, the first import) is for a cold one: see `tests.processes`.
"""

import atexit
import gc
import importlib
import os
import pickle
import pkgutil
import signal
import socket
import sys
import termios
import threading
import time
from dataclasses import dataclass
from fcntl import ioctl

MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """One process to fork; its three streams come beside it."""

    words: list[str]
    environ: dict[str, str]
    folder: str
    clock: str | None
    """The file of a clock that is shared with the test; otherwise time is real."""
    has_own_session: bool
    takes_terminal: bool


def serve(connection: socket.socket) -> None:
    """Fork whatever is ordered, until the other side closes; returns an exit code in a child only."""
    while True:
        message, streams, *_ = socket.recv_fds(connection, MOST_BYTES, 3)
        if not message:
            return
        pid = _fork_orphan()
        if pid == 0:
            connection.close()
            _become(pickle.loads(message), streams)  # noqa: S301 - from the test itself
            return
        for one in streams:
            os.close(one)
        connection.send(str(pid).encode())


def _fork_orphan() -> int:
    """Fork a process whose parent is whoever adopts orphans: the test, which waits for it as for its own child."""
    reading, writing = os.pipe()
    between = os.fork()
    if between == 0:
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            os.close(writing)
            return 0
        os.write(writing, str(pid).encode())
        os._exit(0)
    os.close(writing)
    pid = int(os.read(reading, 32))
    os.close(reading)
    os.waitpid(between, 0)
    return pid


def _become(order: Order, streams: list[int]) -> None:
    """Be the ordered process, up to its exit."""
    if order.has_own_session:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if order.takes_terminal:
        ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environ)
    time.tzset()
    _open_streams()
    import ccsync.__main__ as entry
    from ccsync.cli.app import run
    from tests.shared_clock import ProcessClock

    sys.argv = [entry.__file__, *order.words]
    _end(run(sys.argv[1:], ProcessClock(order.clock) if order.clock else None))


def _end(code: int) -> None:
    """End as any Python does, but for taking apart what was imported: that takes longer than most commands.

    What the command left open is heard of all the same. Streams that cannot be flushed are for Python to report.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    # A run that fails calls off what is under way. Each such call closes its connection once it has its answer, and
    # whether that comes before the end of the process would be chance.
    for one in threading.enumerate():
        if one.name == "ccsync-call":
            one.join(3)
    atexit._run_exitfuncs()
    gc.collect()
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)


def _open_streams() -> None:
    """What Python makes of the first three files at its start; whether they can seek, and are terminals, differs."""
    how = {"encoding": sys.stdout.encoding, "closefd": False}
    sys.stdin = sys.__stdin__ = open(0, errors=sys.stdin.errors, **how)  # type: ignore[misc,call-overload]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", errors=sys.stdout.errors, newline="\n", **how)  # type: ignore[misc,call-overload]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", 1, errors="backslashreplace", newline="\n", **how)  # type: ignore[misc,call-overload]  # noqa: SIM115


def _import_all() -> None:
    """What a command may import, it shall find."""
    import ccsync

    for module in pkgutil.walk_packages(ccsync.__path__, "ccsync."):
        if not module.name.startswith("ccsync.sandbox") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("requests", "tests.shared_clock", "encodings.idna"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # no child looks through it


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the tests' terminal is theirs
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        _import_all()
        serve(orders)
