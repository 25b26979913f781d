"""Tables, progress, prompts, errors, safe text."""
