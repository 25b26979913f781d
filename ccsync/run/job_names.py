"""The jobs, as the log and the operator name them, and which way their data goes."""

EXPORT = "export"
FLUSH_EVENTS = "flush-events"
POLL_UNSUBSCRIBES = "poll-unsubscribes"
RECONCILE = "reconcile"
FORGET = "forget"

CRON_JOBS = (FLUSH_EVENTS, POLL_UNSUBSCRIBES)
"""What cron runs every `interval_minutes`."""
DIRECTIONS = {EXPORT: "to", FLUSH_EVENTS: "to", POLL_UNSUBSCRIBES: "from", RECONCILE: "from", FORGET: "to"}
"""`to` Constant Contact or `from` it."""
