"""The questions of `login` and `configure`."""
