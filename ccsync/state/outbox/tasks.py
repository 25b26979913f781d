"""The outbox: work that has to reach a vendor, with its attempts, its next attempt and its last error.

There are four kinds, each with a module that enqueues and reads them: accounts to be read (`queue`), people to be
taken off the list (`removals`), changes to be written back to Kibo (`write_backs`), tags (`tag_tasks`). How a task is
retried is the same for all.
"""

from datetime import datetime, timedelta

from ccsync.state.database.store import Store
from ccsync.state.database.times import storable

READ = "read"
REMOVE = "remove"
WRITE_BACK = "write-back"
TAG = "tag"

PENDING = "pending"
RETRYING = "retrying"
FAILED = "failed"
"""Parked: not tried again until something changes or a person asks for it."""
DONE = "done"

LONGEST_BACKOFF = timedelta(hours=12)
"""Between two attempts at a task."""
LONGEST_EXPIRY = timedelta(days=7)
"""Of a refusal without a reason, and of a task that is parked."""


def note_failure(
    store: Store, task_id: int, attempts: int, next_at: datetime, error: str, *, is_parked: bool = False
) -> None:
    """A task could not be done for the `attempts`-th time; it comes again at `next_at`.

    One that `is_parked` has failed too often to be tried with every run: it waits until something changes, or a person
    asks for it; what withdraws consent also comes again at `next_at`.
    """
    status = FAILED if is_parked else RETRYING
    assigned = "status = ?, attempts = ?, next_at = ?, last_error = ?, read_upto = NULL"
    store.run(f"UPDATE tasks SET {assigned} WHERE id = ?", status, attempts, next_at, storable(error), task_id)


def count_by_status(store: Store, kind: str) -> dict[str, int]:
    """How many tasks of a kind are pending, retrying, failed."""
    sql = "SELECT status, count(*) FROM tasks WHERE kind = ? AND done_at IS NULL GROUP BY status"
    return dict(store.rows(sql, kind))
