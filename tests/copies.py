"""Worlds that are made once and copied for every case: a fork has all that is in memory, and the files are put back.

A case can do to its copy whatever it likes, die included; the next one finds the world as it was made.
"""

import gc
import os
import pickle
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.exchanges.watch import WATCH

T = TypeVar("T")
MOST_SECONDS = 120


def fork() -> int:
    """Fork; threads of others stay with the parent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on, where any thread is about
        return os.fork()


class World:
    """A folder, and everything in memory, as they are now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def in_copy(self, case: Callable[[], T]) -> T:
        """What `case` returns in a copy of the world; a failure there is one here."""
        reading, writing = os.pipe()
        pid = fork()
        if pid == 0:
            os.close(reading)
            _report(case, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            report = pipe.read()
        _, status = os.waitpid(pid, 0)
        self._restore()
        assert report, f"the copy died with status {status}"
        trouble, found = pickle.loads(report)  # noqa: S301 - from our own child
        assert not trouble, trouble
        return found  # type: ignore[no-any-return]

    def _restore(self) -> None:
        for path in list(self._folder.rglob("*")):
            if path.is_file() and path not in self._files:
                path.unlink()
            elif path.is_dir() and not any(path in kept.parents for kept in self._files):
                shutil.rmtree(path)
        for path, content in self._files.items():
            if not path.is_file() or path.read_bytes() != content:
                path.write_bytes(content)
                path.chmod(0o600)


def _report(case: Callable[[], object], pipe: int) -> None:
    """Play the case, tell how it went, and end without any of the test's own endings."""
    gc.disable()  # looking for garbage would copy most of what is shared with the parent, and the end is near
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(MOST_SECONDS)
    try:
        report = pickle.dumps(("", case()))
        assert not (misfits := WATCH.take()), misfits
    except BaseException:
        report = pickle.dumps((traceback.format_exc(), None))
    with os.fdopen(pipe, "wb") as told:
        told.write(report)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
