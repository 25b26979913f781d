"""The report: one page about the list for people who do not use a terminal. It contains no personal data."""
