"""Copies the state file with SQLite's backup API: a consistent snapshot, even while a job writes."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ccsync.errors import StateError
from ccsync.state.database.opening import explained, sync
from ccsync.state.database.store import Store


def back_up(store: Store, target: Path) -> int:
    """Copy everything to `target`, 0600, whole or not at all; the copy's size in bytes. Raises `StateError`.

    https://www.sqlite.org/backup.html
    """
    draft = target.with_name(f".{target.name}.new")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _copy(store, draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync(target.parent)
        return target.stat().st_size
    except sqlite3.Error as error:
        raise explained(error, target) from error
    except OSError as error:
        raise StateError(
            f"The copy {target} cannot be written.",
            f"{error.strerror}.",
            "Give a path in a folder of yours.",
        ) from error


def _copy(store: Store, draft: Path) -> None:
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        store.copy_to(Store(connection, draft))
        connection.execute("PRAGMA journal_mode = DELETE")  # the copy is a single file
        ((result,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
    if result != "ok":
        raise StateError("The copy is damaged, so the state file is.", f"{result}.", "ccsync doctor")
    sync(draft)
