"""One writer at a time: a kernel lock on a file beside the state file, released when its process ends.

The file also keeps what the newest writer noted there: an older copy of the state file, put back, does not match it.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ccsync.errors import LockedError, StateError
from ccsync.state.database.times import from_text
from ccsync.words import local_time


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of the lock, as it described itself."""

    command: str
    since: str  # ISO-8601 UTC
    process: str


class Lock:
    """The writers' lock; a context manager. Raises `LockedError` at once when another run holds it."""

    def __init__(self, state_path: Path, command: str, since: str) -> None:
        self._path = state_path.with_name(state_path.name + ".lock")
        self._holder = Holder(command, since, this_process())
        self._handle: int | None = None
        self.noted = ""
        """What the newest writer noted beside the state file; "" if nothing."""

    def __enter__(self) -> "Lock":
        for _ in range(10):
            self._handle = self._take()
            # The file may have been deleted between opening and locking it.
            try:
                if os.fstat(self._handle).st_ino == self._path.stat().st_ino:
                    break
            except FileNotFoundError:
                pass
            os.close(self._handle)
            self._handle = None
        if self._handle is None:
            raise StateError(f"The lock file {self._path} keeps being replaced.", "", "Find out what deletes it.")
        self.noted = _read(self._path)[3]
        self._write(self._holder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._write(Holder("", "", ""))
            os.close(self._handle)
            self._handle = None

    def note(self, text: str) -> None:
        """Keep `text` beside the state file, on the disk before this returns. Raises `StateError` if it cannot be."""
        self.noted = text
        try:
            self._write(self._holder)
            os.fsync(self._handle or 0)
        except OSError as error:
            raise StateError(
                f"The lock file {self._path} could not be written.",
                f"{error.strerror}.",
                f"Make room on the disk (df -h {self._path.parent}) and run again.",
            ) from error

    def _write(self, holder: Holder) -> None:
        if self._handle is None:
            return
        text = json.dumps([holder.command, holder.since, holder.process, self.noted]).encode()
        # Write first and truncate afterwards, so that the note is in the file at every moment.
        os.pwrite(self._handle, text, 0)
        os.ftruncate(self._handle, len(text))

    def _way_out(self, error: OSError) -> str:
        if isinstance(error, IsADirectoryError):
            return f"Remove that folder: rmdir {self._path}"
        if isinstance(error, FileNotFoundError):
            return f"Make the folder {self._path.parent}, or correct [state] path and $CCSYNC_STATE."
        return f"Make {self._path.parent} and that file writable for this user."

    def _take(self) -> int:
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"The lock file {self._path} cannot be opened.",
                f"{error.strerror}.",
                self._way_out(error),
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            holder = read_holder(self._path)
            number = holder.process.partition(":")[0] if holder else ""
            who = (
                f"`ccsync {holder.command}` since {_shown(holder.since)}, process {number}" if holder else "another run"
            )
            raise LockedError(
                "Another run holds the lock; nothing was done.",
                f"{who}.",
                "Wait until it has ended; `ccsync logs` shows it.",
            ) from None
        except OSError as error:
            os.close(handle)
            raise StateError(
                f"The lock file {self._path} cannot be locked.",
                f"{error.strerror}; network file systems often cannot.",
                "Keep the state file on a local disk.",
            ) from error
        return handle


def read_holder(path: Path) -> Holder | None:
    """What the holder wrote into the lock file at `path`, if it is readable."""
    command, since, process, _ = _read(path)
    return Holder(command, since, process) if process else None


def _read(path: Path) -> tuple[str, str, str, str]:
    """The command, its start, its process, and what is noted; "" for each that the file does not tell."""
    try:
        items = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return "", "", "", ""
    texts = [str(one) for one in items] if isinstance(items, list) else []
    if len(texts) not in (3, 4):  # three: by ccsync 0.2
        return "", "", "", ""
    command, since, process, noted = (*texts, "")[:4]
    return command, since, process, noted


def this_process() -> str:
    """This process's number and start, so that a reused number is not taken for it."""
    return f"{os.getpid()}:{_start_of(os.getpid())}"


def is_alive(process: str) -> bool:
    """Does the process described by `this_process` still run on this machine?"""
    number, _, start = process.partition(":")
    try:
        os.kill(int(number), 0)
    except PermissionError:
        pass
    except (OSError, ValueError):
        return False
    return _start_of(int(number)) == start


def _start_of(number: int) -> str:
    """The process's start in clock ticks since boot if /proc has it (Linux), else ""."""
    try:
        text = Path(f"/proc/{number}/stat").read_text()
        return text.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _shown(since: str) -> str:
    try:
        at = from_text(since)
    except ValueError:  # the lock file may contain anything
        at = None
    return local_time(at) if at else since
