"""Which Kibo accounts ccsync has observed."""

from ccsync.state.store import Store


def of_person(store: Store, person: bytes) -> list[int]:
    """The accounts that had this address when last seen."""
    rows = store.rows("SELECT account_id FROM accounts WHERE person = ? ORDER BY account_id", person)
    return [int(str(row[0])) for row in rows]


def count(store: Store) -> int:
    """How many accounts there are."""
    return store.number("SELECT count(*) FROM accounts")
