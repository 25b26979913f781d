"""What a run has read and not sent yet: a temporary table of the process, outside the state file.

It disappears with the run, blocks no other process, and leaves no free pages in the file.
"""

STAGED = (
    """CREATE TEMP TABLE IF NOT EXISTS staged (
    account_id INTEGER PRIMARY KEY,
    person BLOB,                      -- NULL: nothing to send
    updated_at REAL NOT NULL,        -- seconds since 1970; 0: not known
    fingerprint BLOB,
    row TEXT,                         -- the import row as JSON
    is_own_sign_up INTEGER NOT NULL DEFAULT 0,
    tags TEXT                         -- the names as a JSON array; NULL: not known
) STRICT""",
    "DELETE FROM temp.staged",  # emptied, not dropped: a drop makes SQLite prepare all statements again
)
BY_PERSON = (
    "CREATE INDEX IF NOT EXISTS temp.staged_by_person ON staged (person, updated_at DESC, account_id DESC)",
    "CREATE INDEX IF NOT EXISTS temp.staged_at_hand ON staged (person) WHERE row NOT NULL",
)
"""Made once all is read, when people are gone through for the first time: sorting is cheaper than a place for each."""
