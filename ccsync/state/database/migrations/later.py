"""The migrations since the fourth, each small."""

FIFTH = """
CREATE TABLE days (                   -- a few numbers for each UTC day; nothing about any person
    day TEXT NOT NULL,
    what TEXT NOT NULL,               -- members, "count flush-events added", "consent opted-in kibo", …
    number INTEGER NOT NULL,
    PRIMARY KEY (day, what)
) STRICT, WITHOUT ROWID;
"""
"""Numbers by day, which outlive the runs they were counted from."""

SIXTH = """
CREATE TABLE tags (                   -- the tags that ccsync sets for segments
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    tag_id TEXT,                      -- at Constant Contact; NULL: not made yet
    gone_at TEXT                      -- somebody deleted it there: it is made again only on a yes
) STRICT;

CREATE TABLE person_tags (
    person BLOB NOT NULL,
    tag INTEGER NOT NULL,
    is_wanted INTEGER NOT NULL,       -- the segments of the person's account say so
    is_set INTEGER NOT NULL,          -- ccsync has set it, and has not taken it off since
    PRIMARY KEY (person, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_tags_open ON person_tags (tag) WHERE is_wanted != is_set;

ALTER TABLE staged ADD COLUMN tags TEXT;  -- the names as a JSON array; NULL: not known
CREATE INDEX tasks_by_activity ON tasks (activity_id) WHERE activity_id NOT NULL;
CREATE UNIQUE INDEX tasks_to_tag ON tasks (person, reason) WHERE kind = 'tag';
"""
"""The tags that ccsync manages, who has them and who should have them."""

SEVENTH = """
DROP TABLE staged;
DROP INDEX contacts_by_contact_id;    -- most contacts are known by their address alone
CREATE INDEX contacts_by_contact_id ON contacts (contact_id) WHERE contact_id NOT NULL;
"""
"""What a run has read and not sent yet is a temporary table since (`staged`)."""

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
