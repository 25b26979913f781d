"""The sixth migration: the tags that ccsync manages, who has them and who should have them."""

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
