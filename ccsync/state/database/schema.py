"""The format of the state file: numbered migrations, applied in one transaction together with the new number."""

import secrets
import sqlite3

from ccsync.state.database.days import FIFTH
from ccsync.state.database.facts_and_tasks import FOURTH
from ccsync.state.database.segment_tags import SIXTH
from ccsync.state.database.staged import SEVENTH
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
        "tags",
        "person_tags",
        "consent_evidence",
    }
)

EIGHTH = "CREATE INDEX suppressions_by_contact ON suppressions (contact_id) WHERE contact_id NOT NULL;\n"
"""Each page of contacts asks which of them are unsubscribed; without the index that scanned every unsubscribe."""
NINTH = "ALTER TABLE suppressions ADD COLUMN last_on_list_at TEXT;\n"
"""Of a departure: when the person was last known to be on the list, by Constant Contact's clock."""
TENTH = """
CREATE TABLE consent_evidence (       -- what Kibo's audit log shows of a row of the ledger; found after it was written
    consent_id INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    found TEXT NOT NULL
) STRICT;
CREATE TRIGGER consent_evidence_is_never_updated BEFORE UPDATE ON consent_evidence
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END;
CREATE TRIGGER consent_evidence_is_never_deleted BEFORE DELETE ON consent_evidence
WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE erasing.person = OLD.person)
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END;
"""
ELEVENTH = "ALTER TABLE accounts ADD COLUMN row_hash BLOB;\n"
"""Of an account that says yes: knows the row of Kibo's list again that was mapped last."""
TWELFTH = """
CREATE INDEX tasks_by_person ON tasks (person, kind) WHERE person NOT NULL;
CREATE INDEX contacts_by_move ON contacts (moved_to) WHERE moved_to NOT NULL;
"""
"""A list that lost thousands has as many tasks; without the index each question about a person read all of them."""
THIRTEENTH = """
ALTER TABLE contacts ADD COLUMN opt_ins_until TEXT;  -- by the records' dates: later opt-ins came after the sighting
ALTER TABLE sent ADD COLUMN took_seconds INTEGER;    -- so much earlier than sent_at it may have arrived
"""
"""What puts a person's return before or after they were last known to be on a list. NULL: `seen_at`, and at once."""
FOURTEENTH = "ALTER TABLE suppressions ADD COLUMN opt_in_shown TEXT;\n"
"""Of an unsubscribe: the opt-in that its contact showed, for a later one is a return. NULL: by when it was seen."""

_MIGRATIONS = (
    *(FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH),
    *(EIGHTH, NINTH, TENTH, ELEVENTH, TWELFTH, THIRTEENTH, FOURTEENTH),
)
VERSION = len(_MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Migrate a state file in one transaction: a crash leaves the file unchanged."""
    if _version(connection) >= VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have brought it up to date meanwhile.
        for script in _MIGRATIONS[_version(connection) :]:
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
