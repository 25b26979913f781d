"""The config file: finding it, reading it with all problems at once, and changing it without losing comments."""
