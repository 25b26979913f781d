"""The format of the state file: numbered migrations, all that a file lacks in one transaction with its number."""

import secrets
import sqlite3
from collections.abc import Callable

from ccsync.state.database.days import FIFTH
from ccsync.state.database.facts_and_tasks import FOURTH
from ccsync.state.database.tables import FIRST, SECOND, THIRD

APPLICATION_ID = 0x63637379  # "ccsy"

TABLES = frozenset(
    {
        "meta",
        "tokens",
        "calls",
        "gates",
        "runs",
        "rejected",
        "parked",
        "accounts",
        "contacts",
        "suppressions",
        "consent",
        "staged",
        "batches",
        "batch_rows",
        "bookmarks",
        "events",
        "account_addresses",
        "contact_addresses",
        "sent",
        "tasks",
        "history",
        "field_sets",
        "erasing",
        "kibo_writes",
        "days",
    }
)


def _first(connection: sqlite3.Connection) -> None:
    """Everything from login to export."""
    for statement in _statements(FIRST):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('person_secret', ?)", (secrets.token_hex(32),))


def _second(connection: sqlite3.Connection) -> None:
    """The queue of events, removals, and what `why` tells."""
    for statement in _statements(SECOND):
        connection.execute(statement)


def _third(connection: sqlite3.Connection) -> None:
    """What Kibo is to be told, opt-outs found by earlier versions included, and what ccsync set there."""
    for statement in _statements(THIRD):
        connection.execute(statement)


def _fourth(connection: sqlite3.Connection) -> None:
    """Facts, suppressions and one outbox; see `facts_and_tasks`."""
    for statement in _statements(FOURTH):
        connection.execute(statement)


def _fifth(connection: sqlite3.Connection) -> None:
    """Numbers by day; see `days`."""
    for statement in _statements(FIFTH):
        connection.execute(statement)


_MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first, _second, _third, _fourth, _fifth)
VERSION = len(_MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a state file up to date in one transaction: whoever dies in it leaves the file as it was."""
    newest = len(_MIGRATIONS)
    if _version(connection) >= newest:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have brought it up to date meanwhile.
        for step in _MIGRATIONS[_version(connection) :]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> list[str]:
    """Cut a script at the ends of its statements; `executescript` would commit behind our back."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
