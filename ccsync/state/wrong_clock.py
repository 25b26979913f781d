"""What a clock that was ahead has left behind is brought back, once our clock agrees with the vendors' again."""

from datetime import datetime, timedelta

from ccsync.state.database.store import Store
from ccsync.state.outbox.tasks import FAILED, LONGEST_BACKOFF, LONGEST_EXPIRY
from ccsync.state.suppressions import UNSUBSCRIBED

SLACK = timedelta(hours=1)


def bring_back(store: Store, now: datetime) -> None:
    """A due time further ahead than its own interval is due; what was seen or done later than now was so by now.

    Of the suppressions only those that ccsync itself dates: an unsubscribe has Constant Contact's date.
    """
    later, backoff, expiry = now + SLACK, now + LONGEST_BACKOFF + SLACK, now + LONGEST_EXPIRY + SLACK
    for table, column, where, beyond in (
        ("tasks", "next_at", f"done_at IS NULL AND status != '{FAILED}' AND next_at > ?2", backoff),
        ("tasks", "next_at", f"done_at IS NULL AND status = '{FAILED}' AND next_at > ?2", expiry),
        ("parked", "expires_at", "expires_at > ?2", expiry),
        ("suppressions", "seen_at", "seen_at > ?2", later),
        ("suppressions", "since", f"kind != '{UNSUBSCRIBED}' AND since > ?2", later),
    ):
        key = "person, kind, list_id" if table == "suppressions" else "rowid"
        some = f"SELECT {key} FROM {table} WHERE {where} LIMIT 1000"
        if store.exists(some, now, beyond):
            store.run_in_pieces(f"UPDATE {table} SET {column} = ?1 WHERE ({key}) IN ({some})", now, beyond)
