"""The SQLite file itself: opened strictly, migrated in steps, locked for one writer."""
