"""Numbers about everybody; it only reads, over the tables of its neighbours."""

from ccsync.state.database.store import Store
from ccsync.state.outbox.tasks import FAILED, READ


def suppressed_by_kind(store: Store, list_id: str) -> dict[str, int]:
    """How many people are suppressed for the list, by kind; a person may be counted in several."""
    sql = "SELECT kind, count(DISTINCT person) FROM suppressions WHERE list_id IN ('', ?) GROUP BY kind"
    return dict(store.rows(sql, list_id))


def count_suppressed(store: Store, list_id: str) -> int:
    """How many people are suppressed for the list."""
    return store.number("SELECT count(DISTINCT person) FROM suppressions WHERE list_id IN ('', ?)", list_id)


def count_rejected(store: Store) -> int:
    """How many accounts are rejected now."""
    return store.number("SELECT count(*) FROM parked")


def count_given_up(store: Store) -> int:
    """How many accounts of the queue are not tried again, for another reason than that their record is rejected."""
    parked = "account_id IN (SELECT account_id FROM parked)"
    return store.number(f"SELECT count(*) FROM tasks WHERE kind = ? AND status = ? AND NOT {parked}", READ, FAILED)


def count_ours(store: Store) -> int:
    """How many contacts ccsync may overwrite."""
    return store.number("SELECT count(*) FROM contacts WHERE is_ours")
