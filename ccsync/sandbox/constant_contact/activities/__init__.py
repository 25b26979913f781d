"""The asynchronous bulk jobs."""
