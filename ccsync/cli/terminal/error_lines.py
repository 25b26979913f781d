"""Prints an error: what happened, why, and what to do, one line each; as JSON for programs."""

import json

from ccsync.cli import logging_setup
from ccsync.cli.terminal import named_config
from ccsync.cli.terminal.screen import clean, put, say
from ccsync.errors import CcsyncError, ConfigError


def show(error: CcsyncError) -> None:
    """Print the error on stderr without secrets or whole addresses; long lines wrap below their text."""
    parts = [("Error: ", error.what), ("Why:   ", error.why), ("Fix:   ", error.fix)]
    if isinstance(error, ConfigError) and error.problems:
        parts[1:2] = [("       ", problem) for problem in error.problems]
    for label, text in parts:
        if text:
            say(label + clean(logging_setup.redact(text)), indent=len("Error: "))


def show_in_one_line(error: CcsyncError) -> None:
    """Print the error as a single line."""
    say(f"Error: {clean(logging_setup.redact(f'{what_and_why(error)} {error.fix}'.rstrip()))}")


def show_json(error: CcsyncError, code: int) -> None:
    """The last line on stderr under --json: one line, however narrow the terminal."""
    put(logging_setup.redact(json.dumps({"error": facts(error, code)})), is_talk=True)


def what_and_why(error: CcsyncError) -> str:
    """The error as one sentence, without what to do about it."""
    why = _why(error)
    return f"{error.what.rstrip('.')}: {why}" if why else error.what


def _why(error: CcsyncError) -> str:
    return "; ".join(error.problems) if isinstance(error, ConfigError) and error.problems else error.why


def facts(error: CcsyncError, code: int | None = None) -> dict[str, object]:
    """An error as `--json` prints it."""
    return {
        "code": code or error.exit_code,
        "what": error.what,
        "why": _why(error),
        "fix": named_config.repeat(error.fix),
    }
