"""The first three migrations: the tables.

`person` is the keyed hash of an address (see `people.person_key`): most tables know people only by it. Times are
ISO-8601 UTC texts, which sort chronologically.
"""

FIRST = """
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


SECOND = """
CREATE TABLE events (                 -- every event that was pulled, until it is pruned
    number INTEGER PRIMARY KEY,       -- in the order in which ccsync saw them
    event_id TEXT NOT NULL UNIQUE,    -- lower case, without dashes
    account_id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    created_at TEXT,                  -- by Kibo's clock
    seen_at TEXT NOT NULL,
    done_at TEXT                      -- when its account was dealt with
) STRICT;
CREATE INDEX events_by_account ON events (account_id, done_at);
CREATE INDEX events_by_time ON events (seen_at);

CREATE TABLE queue (                  -- accounts to be read and dealt with
    account_id INTEGER PRIMARY KEY,
    status TEXT NOT NULL,             -- pending, retrying, failed
    queued_at TEXT NOT NULL,
    next_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    dealt INTEGER                     -- the newest event known when the run under way read it; NULL: not yet
) STRICT;

CREATE TABLE links (                  -- the addresses that ccsync put on a list for each account
    account_id INTEGER NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (account_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_person ON links (person);
INSERT INTO links SELECT account_id, person FROM accounts
    WHERE person IN (SELECT person FROM contacts WHERE list_id IS NOT NULL);

CREATE TABLE removals (               -- who is to be taken off the list, until the vendor has done it
    person BLOB NOT NULL,
    list_id TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    email TEXT,                       -- as far as Kibo still shows it
    reason TEXT NOT NULL,             -- opted-out, deleted
    asked_at TEXT NOT NULL,
    activity_id TEXT,                 -- the bulk job that does it
    PRIMARY KEY (person, list_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE staged ADD COLUMN is_own_sign_up INTEGER NOT NULL DEFAULT 0;

CREATE TABLE field_sets (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE) STRICT;
ALTER TABLE batch_rows ADD COLUMN field_set INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batch_rows ADD COLUMN reason TEXT NOT NULL DEFAULT '';

CREATE TABLE history (                -- what was decided and done about each person, for `why`
    id INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    account_id INTEGER,
    run_id INTEGER NOT NULL,
    at TEXT NOT NULL,
    act TEXT NOT NULL,                -- added, updated, suppressed, removed, …
    reason TEXT NOT NULL,
    field_set INTEGER NOT NULL DEFAULT 0,
    fingerprint BLOB
) STRICT;
CREATE INDEX history_by_person ON history (person, id);

CREATE TABLE erasing (person BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
DROP TRIGGER consent_is_never_deleted;
CREATE TRIGGER consent_is_never_deleted BEFORE DELETE ON consent
WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE erasing.person = OLD.person)
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END;
"""


THIRD = """
CREATE TABLE untold (                 -- what people did at Constant Contact, until Kibo has been told
    id INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    kind TEXT NOT NULL,               -- unsubscribed, departed, resubscribed
    list_id TEXT NOT NULL,            -- the list that was left; '' for the whole account
    happened_at TEXT NOT NULL,        -- '' where Constant Contact gives no date
    contact_id TEXT,
    source TEXT,                      -- whose act it was, as the vendor shows it: Contact, Account
    is_checked INTEGER NOT NULL,      -- of a departure: the contact was looked at, and is not merely deleted
    was_on_list INTEGER NOT NULL,     -- ccsync had put the person on a list: the safety limit counts these
    seen_at TEXT NOT NULL,
    is_wanted INTEGER NOT NULL DEFAULT 0, -- an account was found that has to be written
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TEXT NOT NULL,
    last_error TEXT NOT NULL DEFAULT '',
    told_at TEXT,
    outcome TEXT NOT NULL DEFAULT '',
    UNIQUE (person, kind, list_id, happened_at)
) STRICT;
CREATE INDEX untold_by_turn ON untold (told_at, is_wanted, next_at);
INSERT INTO untold (person, kind, list_id, happened_at, contact_id, source, is_checked, was_on_list, seen_at, next_at)
    SELECT person, kind, list_id, coalesce(since, ''), contact_id, source, kind = 'unsubscribed',
        EXISTS (SELECT 1 FROM contacts WHERE contacts.person = suppressions.person AND contacts.list_id IS NOT NULL),
        seen_at, seen_at FROM suppressions WHERE kind IN ('unsubscribed', 'departed');

CREATE TABLE kibo_writes (            -- what ccsync last set at Kibo, noted before it is set
    account_id INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    accepts_marketing INTEGER NOT NULL,
    reason TEXT NOT NULL,             -- unsubscribed, departed, resubscribed
    set_out_at TEXT NOT NULL,
    done_at TEXT,                     -- Kibo's answer showed it
    updated_at TEXT                   -- the account's update date in that answer, by Kibo's clock
) STRICT;
CREATE INDEX kibo_writes_by_person ON kibo_writes (person);
"""
