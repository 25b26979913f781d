"""Opt-outs, list members, departures and returns, from Constant Contact into the state file."""
