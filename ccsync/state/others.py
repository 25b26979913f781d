"""Contacts of other sources: found on the list, or adopted."""

from ccsync.state.store import Store


def found_on_list(store: Store, account_id: int, person: bytes, list_id: str) -> None:
    """Another source had put this account's person on the list before ccsync came."""
    with store.transaction():
        store.run("INSERT OR IGNORE INTO links VALUES (?, ?)", account_id, person)
        store.run("UPDATE contacts SET list_id = ? WHERE person = ?", list_id, person)


def count_ours(store: Store) -> int:
    """How many contacts ccsync may overwrite."""
    return store.number("SELECT count(*) FROM contacts WHERE is_ours")
