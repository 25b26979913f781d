"""Load: batches, imports, removals and welcome creates, from the state file to Constant Contact."""
