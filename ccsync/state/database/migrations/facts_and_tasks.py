"""The fourth migration: facts that no conclusion changes, suppressions that name theirs, and one outbox of tasks.

Before it, one row held what ccsync sent, what a pass saw and what was concluded; a departure that turned out to be
none had erased what was sent. Work waited in three tables with three retry rules.
"""

FOURTH = """
CREATE TABLE account_addresses (      -- every address with which an account has opted in, while ccsync knew it
    account_id INTEGER NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (account_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_addresses_by_person ON account_addresses (person);
INSERT INTO account_addresses SELECT account_id, person FROM links;
INSERT OR IGNORE INTO account_addresses SELECT account_id, person FROM accounts WHERE accepts_marketing;
DROP TABLE links;

ALTER TABLE accounts ADD COLUMN kind TEXT NOT NULL DEFAULT '';  -- '' a shopper or guest, b2b
ALTER TABLE accounts ADD COLUMN since TEXT;  -- the consent holds since then at least, by Kibo's clock
UPDATE accounts SET since = (SELECT max(happened_at) FROM consent WHERE consent.account_id = accounts.account_id
    AND change = CASE WHEN accepts_marketing THEN 'opted-in' ELSE 'opted-out' END);

CREATE TABLE sent (                   -- what ccsync put on a list, or found there: kept whatever follows
    person BLOB NOT NULL,
    list_id TEXT NOT NULL,
    fingerprint BLOB,                 -- of the row as last sent; NULL: found on the list, not sent
    account_id INTEGER,               -- the account it was sent for
    sent_at TEXT NOT NULL,            -- by Constant Contact's clock
    removed_at TEXT,                  -- since when ccsync has taken it off again
    PRIMARY KEY (person, list_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sent SELECT person, list_id, fingerprint,
    (SELECT min(account_id) FROM account_addresses WHERE account_addresses.person = contacts.person),
    coalesce(prepared_at, (SELECT min(started_at) FROM runs), '2015-01-01T00:00:00.000Z'), NULL
    FROM contacts WHERE list_id IS NOT NULL;

CREATE TABLE sightings (              -- contacts as Constant Contact last showed them, by address
    person BLOB PRIMARY KEY,
    is_ours INTEGER NOT NULL,         -- first put there by ccsync, or adopted
    contact_id TEXT,
    permission TEXT,                  -- NULL: not shown yet
    member_of TEXT,                   -- the active list, when it was seen on it or an import has put it there
    seen_at TEXT,                     -- by Constant Contact's clock; NULL: before this was kept
    prepared_at TEXT,                 -- when ccsync first set out to send it
    moved_to BLOB                     -- the contact has another address now: whose
) STRICT, WITHOUT ROWID;
INSERT INTO sightings
    SELECT person, is_ours, contact_id, NULL, coalesce(list_id, seen_list_id), NULL, prepared_at, NULL FROM contacts;
DROP TABLE contacts;
ALTER TABLE sightings RENAME TO contacts;
CREATE INDEX contacts_by_contact_id ON contacts (contact_id);

CREATE TABLE contact_addresses (      -- the addresses of contacts that have had more than one
    contact_id TEXT NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (contact_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_addresses_by_person ON contact_addresses (person);

ALTER TABLE suppressions ADD COLUMN account_id INTEGER;  -- the account whose opt-out it rests on

CREATE TABLE tasks (                  -- the outbox: work that has to reach a vendor, until it has
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,               -- read an account, remove from the list, write back to Kibo
    account_id INTEGER,
    person BLOB,
    list_id TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',  -- remove: opted-out, deleted; write back: unsubscribed, departed, resubscribed
    email TEXT,                       -- as far as Kibo still shows it
    contact_id TEXT,
    happened_at TEXT NOT NULL DEFAULT '', -- when the person did it, by that vendor's clock; '' where it gives no date
    source TEXT,                      -- whose act it was, where the vendor shows it: Contact
    is_checked INTEGER NOT NULL DEFAULT 0,  -- a departure: the contact was looked at, and has left
    was_on_list INTEGER NOT NULL DEFAULT 0, -- the safety limit counts these
    is_wanted INTEGER NOT NULL DEFAULT 0,   -- an account was found that has to be written
    status TEXT NOT NULL,             -- pending, retrying, failed (parked until something changes), done
    queued_at TEXT NOT NULL,
    next_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    activity_id TEXT,                 -- the bulk job that carries it
    read_upto INTEGER,                -- read: the newest event known when the run under way read the account
    done_at TEXT,
    outcome TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX tasks_to_read ON tasks (account_id) WHERE kind = 'read';
CREATE UNIQUE INDEX tasks_to_remove ON tasks (person, list_id) WHERE kind = 'remove';
CREATE UNIQUE INDEX tasks_to_write_back ON tasks (person, reason, list_id, happened_at) WHERE kind = 'write-back';
CREATE INDEX tasks_by_turn ON tasks (kind, done_at, next_at);

INSERT INTO tasks (kind, account_id, status, queued_at, next_at, attempts, last_error)
    SELECT 'read', account_id, status, queued_at, next_at, attempts, last_error FROM queue ORDER BY queued_at;
DROP TABLE queue;
INSERT INTO tasks (kind, account_id, person, list_id, reason, email, status, queued_at, next_at, activity_id)
    SELECT 'remove', account_id, person, list_id, reason, email, 'pending', asked_at, asked_at, activity_id
    FROM removals ORDER BY asked_at, person;
DROP TABLE removals;
INSERT INTO tasks (kind, person, list_id, reason, contact_id, happened_at, source, is_checked, was_on_list, is_wanted,
    status, queued_at, next_at, attempts, last_error, done_at, outcome)
    SELECT 'write-back', person, list_id, kind, contact_id, happened_at, CASE source WHEN 'Contact' THEN source END,
    is_checked, was_on_list, is_wanted,
    CASE WHEN told_at IS NOT NULL THEN 'done' WHEN attempts THEN 'retrying' ELSE 'pending' END,
    seen_at, next_at, attempts, last_error, told_at, outcome FROM untold ORDER BY id;
DROP TABLE untold;

ALTER TABLE set_aside RENAME TO parked;
ALTER TABLE parked ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE parked ADD COLUMN expires_at TEXT;  -- a refusal without a reason is tried again then
UPDATE parked SET expires_at = since WHERE fingerprint NOT NULL;  -- a vendor's refusal stood for ever before
"""
