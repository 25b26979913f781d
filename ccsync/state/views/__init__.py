"""What is read over several tables at once: status, `why`, comparisons, decisions about many people."""
