"""The tables of the state file, as numbered migrations.

`person` is the keyed hash of an address (see `people.person_key`): most tables know people only by it.
Times are ISO-8601 UTC texts, which sort as they should.
"""

import secrets
import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x63637379  # "ccsy"

TABLES = frozenset(
    {
        "meta",
        "tokens",
        "calls",
        "gates",
        "runs",
        "rejected",
        "set_aside",
        "accounts",
        "contacts",
        "suppressions",
        "consent",
        "staged",
        "batches",
        "batch_rows",
        "bookmarks",
    }
)

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    vendor TEXT PRIMARY KEY,          -- kibo, constant_contact
    access_token TEXT NOT NULL,
    refresh_token TEXT,
    scope TEXT NOT NULL,
    obtained_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE calls (                  -- the ledger of calls: one row a vendor and UTC day
    day TEXT NOT NULL,
    vendor TEXT NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (day, vendor)
) STRICT, WITHOUT ROWID;

CREATE TABLE gates (                  -- when the next call to a vendor may go out, for all processes
    vendor TEXT PRIMARY KEY,
    next_at REAL NOT NULL,            -- seconds since 1970
    closed_until TEXT                 -- the vendor said that the day's quota is spent
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    direction TEXT NOT NULL,          -- to, from
    status TEXT NOT NULL,             -- RUNNING, COMPLETE, FAILED, INTERRUPTED
    started_at TEXT NOT NULL,
    finished_at TEXT,
    process TEXT NOT NULL,            -- tells whether its process still lives
    total_contacts INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    counts TEXT NOT NULL DEFAULT '{}',
    message TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE rejected (               -- every record a run could not use, for `logs ID --errors`
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    account_id INTEGER,
    email TEXT,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (run_id, account_id)
) STRICT;

CREATE TABLE set_aside (              -- what stays rejected until the record changes
    account_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    fingerprint BLOB,                 -- of the row that was refused; NULL when our own check refused it
    since TEXT NOT NULL,
    run_id INTEGER NOT NULL           -- the run that met it first
) STRICT;

CREATE TABLE accounts (               -- Kibo accounts as last observed
    account_id INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    accepts_marketing INTEGER NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;
CREATE INDEX accounts_by_person ON accounts (person);

CREATE TABLE contacts (               -- Constant Contact contacts as far as ccsync knows them
    person BLOB PRIMARY KEY,
    is_ours INTEGER NOT NULL,         -- first put there by ccsync, or adopted
    contact_id TEXT,
    list_id TEXT,                     -- the list on which ccsync put it, once confirmed
    fingerprint BLOB,                 -- of the row as last sent, once confirmed
    prepared_at TEXT,                 -- when ccsync first set out to send it
    seen_list_id TEXT                 -- found on this list by the latest pass over contacts
) STRICT, WITHOUT ROWID;

CREATE TABLE suppressions (
    person BLOB NOT NULL,
    kind TEXT NOT NULL,               -- unsubscribed, departed, opted-out
    list_id TEXT NOT NULL,            -- '' for the whole account
    contact_id TEXT,
    since TEXT,                       -- when the person said so, if the vendor tells
    source TEXT,
    seen_at TEXT NOT NULL,
    run_id INTEGER,
    PRIMARY KEY (person, kind, list_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (                -- append-only: what changed in a person's consent, and how we know
    id INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    email TEXT,
    account_id INTEGER,
    contact_id TEXT,
    change TEXT NOT NULL,             -- opted-in, opted-out, unsubscribed, resubscribed, left-list
    source TEXT NOT NULL,
    happened_at TEXT,
    seen_at TEXT NOT NULL,
    run_id INTEGER,
    evidence TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX consent_by_person ON consent (person);
CREATE TRIGGER consent_is_never_updated BEFORE UPDATE ON consent
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END;
CREATE TRIGGER consent_is_never_deleted BEFORE DELETE ON consent
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END;

CREATE TABLE staged (                 -- what an export has read, until it is sent
    account_id INTEGER PRIMARY KEY,
    person BLOB,                      -- NULL: nothing to send
    updated_at TEXT NOT NULL,
    fingerprint BLOB,
    row TEXT                          -- the import row as JSON
) STRICT;
CREATE INDEX staged_by_person ON staged (person, updated_at DESC, account_id DESC);

CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL,
    list_id TEXT NOT NULL,
    state TEXT NOT NULL,              -- prepared, running, adopted, done, failed
    activity_id TEXT,
    rows INTEGER NOT NULL,
    prepared_at TEXT NOT NULL,        -- by the vendor's clock
    finished_at TEXT
) STRICT;

CREATE TABLE batch_rows (             -- what is in each batch that is not yet done
    batch_id INTEGER NOT NULL,
    person BLOB NOT NULL,
    account_id INTEGER NOT NULL,
    email TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    is_new INTEGER NOT NULL,
    PRIMARY KEY (batch_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_rows_by_person ON batch_rows (person);

CREATE TABLE bookmarks (stream TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


def _first(connection: sqlite3.Connection) -> None:
    """Everything from login to export."""
    for statement in _statements(_FIRST):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('person_secret', ?)", (secrets.token_hex(32),))


_MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first,)
VERSION = len(_MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a state file to `VERSION`, each step in one transaction with its number."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, step in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _statements(script: str) -> list[str]:
    """Cut a script at the ends of its statements; `executescript` would commit behind our back."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
