"""Numbers about everybody, for `status`; it only reads, over the tables of its neighbours."""

from ccsync.state.database.store import Store
from ccsync.state.outbox.tasks import FAILED, READ


def suppressed_by_kind(store: Store, list_id: str) -> dict[str, int]:
    """How many people may not be sent to the list, by kind; somebody may be in several."""
    sql = "SELECT kind, count(DISTINCT person) FROM suppressions WHERE list_id IN ('', ?) GROUP BY kind"
    return dict(store.rows(sql, list_id))


def count_suppressed(store: Store, list_id: str) -> int:
    """How many people may not be sent to the list."""
    return store.number("SELECT count(DISTINCT person) FROM suppressions WHERE list_id IN ('', ?)", list_id)


def count_only_rejected(store: Store) -> int:
    """How many accounts stay rejected and are not among the failed of the queue as well."""
    failed = "SELECT account_id FROM tasks WHERE kind = ? AND status = ?"
    return store.number(f"SELECT count(*) FROM parked WHERE account_id NOT IN ({failed})", READ, FAILED)
