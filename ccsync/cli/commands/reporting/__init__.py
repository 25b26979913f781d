"""Commands that only report: what ran, what is queued, the current state, and why."""
