"""Pure decisions about one person, and about mass changes."""
