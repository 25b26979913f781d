"""Which of reliability.md B.5's axes the histories vary, and how often each kind of step comes."""

ENABLED = ("people", "identities", "jobs", "crashes", "faults", "records", "halves", "clocks", "copies", "tags")
"""people (the plain acts), identities (A4), jobs (A5), crashes, faults (single ones), records (A1), halves (A2), clocks
(A3), copies (A5: an older state file), tags (where segments are mapped)."""
