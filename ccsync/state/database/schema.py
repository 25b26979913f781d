"""The format of the state file: its migrations are applied in one transaction together with the new number.

`tables.sql` shows what they add up to.
"""

import secrets
import sqlite3

from ccsync.state.database.migrations import MIGRATIONS

APPLICATION_ID = 0x63637379  # "ccsy"

TABLES = frozenset(
    [
        *("meta", "tokens", "calls", "gates", "runs", "rejected", "parked", "accounts", "contacts"),
        *("suppressions", "consent", "batches", "batch_rows", "bookmarks", "events", "account_addresses"),
        *("contact_addresses", "sent", "tasks", "history", "field_sets", "erasing", "kibo_writes", "days"),
        *("tags", "person_tags", "consent_evidence"),
    ]
)
"""The tables of the present format."""

VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Migrate a state file in one transaction: a crash leaves the file unchanged."""
    if _version(connection) >= VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have brought it up to date meanwhile.
        for script in MIGRATIONS[_version(connection) :]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('person_secret', ?)", (secrets.token_hex(32),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> list[str]:
    """Split a script into statements; `executescript` would commit behind our back."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
