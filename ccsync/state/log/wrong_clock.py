"""What a clock that was ahead has left behind is brought back, once our clock agrees with the vendors' again."""

from datetime import datetime, timedelta

from ccsync.state.database.store import Store
from ccsync.state.database.times import to_text
from ccsync.state.outbox.tasks import FAILED
from ccsync.state.suppressions import UNSUBSCRIBED

SLACK = timedelta(hours=1)
LONGEST_BACKOFF = timedelta(hours=12)
"""Between two attempts at a task."""
LONGEST_EXPIRY = timedelta(days=7)
"""Of a refusal without a reason, and of a task that waits for a change."""
_CHUNK = 1_000


def bring_back(store: Store, now: datetime) -> None:
    """A due time further ahead than its own interval is due; what was seen or done later than now was so by now.

    Of the suppressions only those that ccsync itself dates: an unsubscribe has Constant Contact's date.
    """
    text, later = to_text(now), to_text(now + SLACK)
    beyond = to_text(now + LONGEST_BACKOFF + SLACK)
    _update(store, "tasks", "next_at", text, f"done_at IS NULL AND status != '{FAILED}' AND next_at > ?", beyond)
    beyond = to_text(now + LONGEST_EXPIRY + SLACK)
    _update(store, "tasks", "next_at", text, f"done_at IS NULL AND status = '{FAILED}' AND next_at > ?", beyond)
    _update(store, "parked", "expires_at", text, "expires_at > ?", beyond)
    _update(store, "suppressions", "seen_at", text, "seen_at > ?", later)
    _update(store, "suppressions", "since", text, f"kind != '{UNSUBSCRIBED}' AND since > ?", later)


def _update(store: Store, table: str, column: str, value: str, where: str, beyond: str) -> None:
    """Set the column of such rows, a few at a time."""
    key = "rowid" if table != "suppressions" else "(person, kind, list_id)"
    of_key = key.strip("()")
    sql = f"UPDATE {table} SET {column} = ? WHERE {key} IN (SELECT {of_key} FROM {table} WHERE {where} LIMIT {_CHUNK})"
    while store.one(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", beyond) is not None:
        store.run(sql, value, beyond)
