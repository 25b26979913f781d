"""The log of runs, the ledger of calls, and what was decided about each person."""
