"""The state file is one SQLite database: created completely, opened strictly, never recreated by accident.

Write-ahead log with `synchronous=FULL`: what is committed is on the disk before the next line runs,
so "committed, then sent" holds even when the machine loses power.
"""

import os
import shlex
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ccsync.errors import StateError
from ccsync.state.database.schema import APPLICATION_ID, TABLES, VERSION, migrate
from ccsync.state.database.store import Store

BUSY_SECONDS = 10
STATEMENTS = 1_000
"""Statements that stay prepared: a run uses more than Python's 128, which would be prepared again and again."""


def open_store(
    path: Path,
    *,
    is_reader: bool = False,
    takes_older: bool = False,
    on_boundary: Callable[[str], None] = lambda _: None,
) -> Store:
    """Open an existing state file, bring it up to date unless `is_reader`, and check that it is ours.

    A reader that `takes_older` gets one of an older format as it is: it may be copied, and no more.
    Raises `StateError` when it is missing, empty, damaged, not ours, newer, or, for a writer, not writable or hard
    linked. A missing file is never created here: losing track of who opted out is an incident, not a fresh start.
    """
    _check_file(path, is_reader)
    try:
        connection = _connect(path)
        try:
            _check_ours(connection, path, refuses_older=is_reader and not takes_older)
            _set_up(connection)
            if is_reader:
                connection.execute("PRAGMA query_only = ON")
            else:
                migrate(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explained(error, path) from error
    return Store(connection, path, on_boundary)


def create_store(path: Path) -> Store:
    """Create a new state file (0600) and open it. It appears complete or not at all.

    Raises `StateError` when the folder is missing or not writable, or the disk is full.
    """
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_connect(draft)) as connection:
            _set_up(connection)
            migrate(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for orphan in ("-wal", "-shm"):  # left by a deleted state file: SQLite would replay it into the new one
            path.with_name(path.name + orphan).unlink(missing_ok=True)
        draft.rename(path)
        sync(path.parent)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except OSError as error:
        raise StateError(
            f"The state file {path} cannot be made.",
            f"{error.strerror}.",
            f"Make the folder {path.parent} writable for this user, or set [state] path.",
        ) from error
    return open_store(path)


def scratch_store() -> Store:
    """An empty store in memory and temporary files, gone when closed."""
    connection = sqlite3.connect("", isolation_level=None, cached_statements=STATEMENTS)
    return Store(connection, Path("scratch"))


def _connect(path: Path) -> sqlite3.Connection:
    """Open the existing file without changing anything: it may belong to another program."""
    uri = path.absolute().as_uri() + "?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS, cached_statements=STATEMENTS)


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA recursive_triggers = ON")  # INSERT OR REPLACE would bypass the ledger's triggers
    connection.execute("PRAGMA temp_store = FILE")


def _check_file(path: Path, is_reader: bool) -> None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        raise StateError(
            f"There is no state file {path}.",
            "it is made by the first login and remembers everything since, opt-outs included.",
            "First time here: ccsync login. Otherwise put the file back from a backup, or check [state] path.",
        ) from None
    except OSError as error:
        raise StateError(f"The state file {path} cannot be read.", f"{error.strerror}.", _OWNER_FIX) from error
    if not stat.S_ISREG(facts.st_mode):
        raise StateError(f"The state file {path} is not a file.", "", "Check [state] path and $CCSYNC_STATE.")
    if facts.st_size == 0:
        raise StateError(
            f"The state file {path} is empty.",
            "it was cut off; taking it for a new one would forget who opted out.",
            f"Put it back from a backup. If there is none: rm {path} && ccsync login",
        )
    if facts.st_nlink > 1 and not is_reader:
        raise StateError(
            f"The state file {path} has another name, too (a hard link).",
            "each name has its own lock and write-ahead log, so two runs could write at once and damage it.",
            f"Stop cron, and delete every name but the one in use: find / -samefile {shlex.quote(str(path))}",
        )
    needed = os.R_OK if is_reader else os.R_OK | os.W_OK
    folder_needed = os.X_OK if is_reader else os.W_OK | os.X_OK
    if not _may(path, needed) or not _may(path.parent, folder_needed):
        raise StateError(
            f"The state file {path} is not writable." if not is_reader else f"The state file {path} is not readable.",
            f"it has mode {stat.S_IMODE(facts.st_mode):o} and belongs to user {facts.st_uid};"
            " its folder must be writable too.",
            _OWNER_FIX,
        )


_OWNER_FIX = (
    "Run ccsync as the user who made the file, or give it to this user, with its -wal, -shm and .lock, and its folder."
)


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _check_ours(connection: sqlite3.Connection, path: Path, *, refuses_older: bool) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if ours and version > VERSION:
        raise StateError(
            f"The state file {path} was written by a newer ccsync.",
            f"its format is {version}, this program knows {VERSION}.",
            "Install the newer ccsync again.",
        )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not ours or version < 1 or (version == VERSION and not tables >= TABLES):
        raise StateError(
            f"The state file {path} is not a whole ccsync state file.",
            "another program's database, or a damaged one.",
            "Put it back from a backup, or check [state] path and $CCSYNC_STATE.",
        )
    if refuses_older and version < VERSION:
        raise StateError(
            f"The state file {path} was written by an older ccsync.",
            f"its format is {version}, this program's is {VERSION}; reading does not change it.",
            "ccsync login --check        (any command that writes brings it up to date)",
        )


def explained(error: sqlite3.Error, path: Path) -> StateError:
    """Explain SQLite's error in the operator's words."""
    text, name = str(error), getattr(error, "sqlite_errorname", "")
    is_shared = name.startswith("SQLITE_IOERR_SHM") and name != "SQLITE_IOERR_SHMSIZE"  # that one: the disk is full
    if is_shared or name in ("SQLITE_IOERR_MMAP", "SQLITE_PROTOCOL"):
        return StateError(
            f"The disk of the state file {path} cannot share memory between programs.",
            f"{text} ({name}); network folders and shared folders of virtual machines and containers often cannot.",
            "Move the state file to a local disk: set [state] path.",
        )
    if "full" in text or "disk I/O" in text:
        return StateError(
            f"The state file {path} could not be written.",
            f"{text}: the disk is probably full; everything saved before is kept.",
            f"Make room on the disk (df -h {path.parent}) and run again.",
        )
    if "locked" in text or "busy" in text:
        return StateError(
            f"The state file {path} is held by another program.",
            f"{text} for more than {BUSY_SECONDS} seconds.",
            "Close other programs that have it open (backup, sqlite3), and run again.",
        )
    if "readonly" in text or "unable to open" in text:
        return StateError(f"The state file {path} is not writable.", f"{text}.", _OWNER_FIX)
    return StateError(
        f"The state file {path} is damaged.",
        f"{text}.",
        "Restore a backup (ccsync help state-file). Without it ccsync would forget who opted out.",
    )


def sync(path: Path) -> None:
    """Flush a file to the disk, or a folder: without that a renamed file would not survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
