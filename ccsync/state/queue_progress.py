"""The queued accounts that a run has read, from then until what follows from them is done at both vendors.

What a run that died had read is read again: only what was carried through is settled.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import to_text
from ccsync.state.events import FAILED


def begin(store: Store) -> None:
    """Forget what a run that died had read."""
    store.run("UPDATE queue SET dealt = NULL WHERE dealt IS NOT NULL")


def mark(store: Store, account_ids: Iterable[int]) -> None:
    """These accounts were read, with every event about them that is known by now."""
    with store.transaction():
        store.run_many(
            "UPDATE queue SET dealt = coalesce((SELECT max(number) FROM events WHERE account_id = queue.account_id), 0)"
            " WHERE account_id = ?",
            [(one,) for one in account_ids],
        )


def mark_staged(store: Store) -> None:
    """Accounts that were staged were read, whatever brought them; those that are set aside stay as they are.

    Inside the caller's transaction.
    """
    store.run(
        "UPDATE queue SET dealt = coalesce((SELECT max(number) FROM events WHERE account_id = queue.account_id), 0)"
        " WHERE account_id IN (SELECT account_id FROM staged WHERE person IS NOT NULL)"
        " AND account_id NOT IN (SELECT account_id FROM set_aside)"
    )


def release_staged(store: Store) -> None:
    """What was staged is not sent yet: its accounts go on waiting. Inside the caller's transaction."""
    store.run("UPDATE queue SET dealt = NULL WHERE account_id IN (SELECT account_id FROM staged WHERE person NOT NULL)")


def account_ids(store: Store) -> list[int]:
    """The queued accounts that this run has read."""
    return [int(str(row[0])) for row in store.rows("SELECT account_id FROM queue WHERE dealt IS NOT NULL ORDER BY 1")]


def give_up_rejected(store: Store, run_id: int) -> None:
    """Accounts whose record this run has rejected wait for a change, inside the caller's transaction."""
    store.run(
        "UPDATE queue SET status = ?1, attempts = attempts + 1, dealt = NULL, last_error ="
        " (SELECT reason FROM rejected WHERE run_id = ?2 AND rejected.account_id = queue.account_id)"
        " WHERE dealt IS NOT NULL AND account_id IN (SELECT account_id FROM rejected WHERE run_id = ?2)",
        FAILED,
        run_id,
    )


def settle(store: Store, at: datetime) -> Counter[str]:
    """What was read is dealt with, inside the caller's transaction; how many events that were, by topic.

    An account with an event that came after it was read stays in the queue.
    """
    dealt = "done_at IS NULL AND number <= (SELECT dealt FROM queue WHERE queue.account_id = events.account_id)"
    counted = store.rows(f"SELECT topic, count(*) FROM events WHERE {dealt} GROUP BY topic")  # noqa: S608 - our own text
    store.run(f"UPDATE events SET done_at = ? WHERE {dealt}", to_text(at))  # noqa: S608 - our own text
    store.run(
        "DELETE FROM queue WHERE dealt IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM events WHERE events.account_id = queue.account_id AND done_at IS NULL)"
    )
    store.run("UPDATE queue SET dealt = NULL WHERE dealt IS NOT NULL")
    return Counter({str(topic): int(str(number)) for topic, number in counted})
