"""What a run has in hand: its context, its row in the log, access to the vendors."""
