"""Erases what the state file holds about a person or an account; a suppression stays, as a keyed hash."""

from ccsync.state.store import Store


def erase_account(store: Store, account_id: int) -> None:
    """Forget a Kibo account, inside the caller's transaction; its person is another matter."""
    for table in ("accounts", "links", "set_aside", "rejected", "staged", "kibo_writes"):
        store.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)  # noqa: S608 - our own table names


def erase_person(store: Store, person: bytes) -> None:
    """Forget a person, inside the caller's transaction: contact, history, and the rows of the consent ledger.

    This is the only way by which rows of the ledger go. Suppressions stay: without them an erased person could
    be sent again.
    """
    store.run("INSERT OR IGNORE INTO erasing VALUES (?)", person)
    for table in ("consent", "history", "contacts", "links", "removals", "batch_rows"):
        store.run(f"DELETE FROM {table} WHERE person = ?", person)  # noqa: S608 - our own table names
    store.run("DELETE FROM untold WHERE person = ? AND told_at IS NOT NULL", person)
    # What Kibo has not been told yet still has to be: the accounts that have the address are found there.
    for table in ("suppressions", "untold"):
        store.run(f"UPDATE {table} SET contact_id = NULL WHERE person = ?", person)  # noqa: S608 - our own table names
    store.run("DELETE FROM erasing")


def is_somebodys(store: Store, person: bytes) -> bool:
    """Does any account that ccsync knows of have this address?"""
    return store.one("SELECT 1 FROM accounts WHERE person = ?", person) is not None
