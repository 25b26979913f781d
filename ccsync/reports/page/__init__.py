"""The report: one page about the list's life, for people who never saw a terminal. It names nobody."""
