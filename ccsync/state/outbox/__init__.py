"""The outbox: work that has to reach a vendor, one table of tasks under one retry policy."""
