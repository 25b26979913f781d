"""Words in, words out: the only place that prints, exits and reads the clock. One file per command."""
