"""The fifth migration: numbers by day, which outlive the runs they were counted from."""

FIFTH = """
CREATE TABLE days (                   -- a few numbers for each UTC day; nothing about any person
    day TEXT NOT NULL,
    what TEXT NOT NULL,               -- members, "count flush-events added", "consent opted-in kibo", …
    number INTEGER NOT NULL,
    PRIMARY KEY (day, what)
) STRICT, WITHOUT ROWID;
"""
