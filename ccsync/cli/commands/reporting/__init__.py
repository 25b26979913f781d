"""Commands that only answer: what ran, what waits, how things stand, and why."""
