"""Extract: events, changed accounts and full sweeps, from Kibo into the state file."""
