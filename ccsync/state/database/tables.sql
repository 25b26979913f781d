-- The tables of the state file as they are now: to be read, and executed only by the test that compares them with what
-- the migrations make (tests/state/test_migration.py). People are known by a keyed hash of their address (`person`);
-- times are UTC. A run has one table more, in a file that is thrown away (staged.py).

-- The file and its logins: who it belongs to, what it may call, how far streams were read

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

CREATE TABLE bookmarks (stream TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Facts: what Kibo and Constant Contact showed, and what ccsync did

CREATE TABLE accounts (               -- Kibo accounts as last observed
    account_id INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    accepts_marketing INTEGER NOT NULL,
    seen_at TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT '',    -- '' a shopper or guest, b2b
    since TEXT,                       -- the consent holds since then at least, by Kibo's clock
    row_hash BLOB                     -- where it says yes: knows the row of Kibo's list again that was mapped last
) STRICT;
CREATE INDEX accounts_by_person ON accounts (person);

CREATE TABLE account_addresses (      -- every address with which an account has opted in, while ccsync knew it
    account_id INTEGER NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (account_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_addresses_by_person ON account_addresses (person);

CREATE TABLE contacts (              -- contacts as Constant Contact last showed them, by address
    person BLOB PRIMARY KEY,
    is_ours INTEGER NOT NULL,         -- first put there by ccsync, or adopted
    contact_id TEXT,
    permission TEXT,                  -- NULL: not shown yet
    member_of TEXT,                   -- the active list, when it was seen on it or an import has put it there
    seen_at TEXT,                     -- by Constant Contact's clock; NULL: before this was kept
    prepared_at TEXT,                 -- when ccsync first set out to send it
    moved_to BLOB,                    -- the contact has another address now: whose
    opt_ins_until TEXT                -- by the records' dates: later opt-ins came after the sighting
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_contact_id ON contacts (contact_id) WHERE contact_id NOT NULL;
CREATE INDEX contacts_by_move ON contacts (moved_to) WHERE moved_to NOT NULL;

CREATE TABLE contact_addresses (      -- the addresses of contacts that have had more than one
    contact_id TEXT NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (contact_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_addresses_by_person ON contact_addresses (person);

CREATE TABLE sent (                   -- what ccsync put on a list, or found there: kept whatever follows
    person BLOB NOT NULL,
    list_id TEXT NOT NULL,
    fingerprint BLOB,                 -- of the row as last sent; NULL: found on the list, not sent
    account_id INTEGER,               -- the account it was sent for
    sent_at TEXT NOT NULL,            -- by Constant Contact's clock
    removed_at TEXT,                  -- since when ccsync has taken it off again
    took_seconds INTEGER,             -- so much earlier than sent_at it may have arrived
    PRIMARY KEY (person, list_id)
) STRICT, WITHOUT ROWID;

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

-- Conclusions, and the ledger of how consent changed

CREATE TABLE suppressions (           -- why an address may not be sent, each with the fact it rests on
    person BLOB NOT NULL,
    kind TEXT NOT NULL,               -- unsubscribed, departed, opted-out, forgotten
    list_id TEXT NOT NULL,            -- '' for the whole account
    contact_id TEXT,
    since TEXT,                       -- when the person said so, if the vendor tells
    source TEXT,
    seen_at TEXT NOT NULL,
    run_id INTEGER,                   -- the run that saw it; 0: a full pass no longer finds the contact
    account_id INTEGER,               -- the account whose opt-out it rests on
    last_on_list_at TEXT,             -- a departure: when they were last known to be there, by Constant Contact's clock
    opt_in_shown TEXT,                -- an unsubscribe: the opt-in that its contact showed; a later one is a return
    PRIMARY KEY (person, kind, list_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppressions_by_contact ON suppressions (contact_id) WHERE contact_id NOT NULL;

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
WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE erasing.person = OLD.person)
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END;

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

CREATE TABLE erasing (person BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Work: the outbox, imports under way, events that were pulled, tags

CREATE TABLE tasks (                  -- the outbox: work that has to reach a vendor, until it has
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,               -- read an account, remove from the list, write-back to Kibo, tag
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
    activity_id TEXT,                 -- the bulk job that carries it; of a removal perhaps several (outbox/removals.py)
    read_upto INTEGER,                -- read: the newest event known when the run under way read the account
    done_at TEXT,
    outcome TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX tasks_to_read ON tasks (account_id) WHERE kind = 'read';
CREATE UNIQUE INDEX tasks_to_remove ON tasks (person, list_id) WHERE kind = 'remove';
CREATE UNIQUE INDEX tasks_to_write_back ON tasks (person, reason, list_id, happened_at) WHERE kind = 'write-back';
CREATE INDEX tasks_by_turn ON tasks (kind, done_at, next_at);
CREATE INDEX tasks_by_activity ON tasks (activity_id) WHERE activity_id NOT NULL;
CREATE UNIQUE INDEX tasks_to_tag ON tasks (person, reason) WHERE kind = 'tag';
CREATE INDEX tasks_by_person ON tasks (person, kind) WHERE person NOT NULL;

CREATE TABLE batches (                -- imports, from before they are sent until they have ended
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
    field_set INTEGER NOT NULL DEFAULT 0, -- for the history: which fields were sent
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (batch_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_rows_by_person ON batch_rows (person);

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

CREATE TABLE tags (                   -- the tags that ccsync sets for segments
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    tag_id TEXT,                      -- at Constant Contact; NULL: not made yet
    gone_at TEXT                      -- somebody deleted it there: it is made again only on a yes
) STRICT;

CREATE TABLE person_tags (            -- the tags of a person: as wanted, and as set
    person BLOB NOT NULL,
    tag INTEGER NOT NULL,
    is_wanted INTEGER NOT NULL,       -- the segments of the person's account say so
    is_set INTEGER NOT NULL,          -- 1: ccsync has set it, 0: it has not, 2: a job may have done so
    PRIMARY KEY (person, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_tags_open ON person_tags (tag) WHERE is_wanted != is_set;

-- The log of runs, and what they could not use

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

CREATE TABLE parked (              -- what stays rejected until the record changes
    account_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    fingerprint BLOB,                 -- of the row that was refused; NULL when our own check refused it
    since TEXT NOT NULL,
    run_id INTEGER NOT NULL,          -- the run that met it first
    attempts INTEGER NOT NULL DEFAULT 1,
    expires_at TEXT                   -- a refusal without a reason is tried again then
) STRICT;

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

CREATE TABLE field_sets (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE days (                   -- a few numbers for each UTC day; nothing about any person
    day TEXT NOT NULL,
    what TEXT NOT NULL,               -- members, "count flush-events added", "consent opted-in kibo", …
    number INTEGER NOT NULL,
    PRIMARY KEY (day, what)
) STRICT, WITHOUT ROWID;
