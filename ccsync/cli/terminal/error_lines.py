"""Prints an error: what happened, why, and what to do, one line each; as JSON for programs."""

import json

from ccsync.cli import logging_setup
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
    what = f"{error.what.rstrip('.')}: {error.why}" if error.why else error.what
    say(f"Error: {clean(logging_setup.redact(' '.join(filter(None, (what, error.fix)))))}")


def show_json(error: CcsyncError, code: int) -> None:
    """The last line on stderr under --json: one line, however narrow the terminal."""
    put(logging_setup.redact(json.dumps({"error": facts(error, code)})), is_talk=True)


def facts(error: CcsyncError, code: int | None = None) -> dict[str, object]:
    """An error as `--json` prints it."""
    why = "; ".join(error.problems) if isinstance(error, ConfigError) and error.problems else error.why
    code = error.exit_code if code is None else code
    return {"code": code, "what": error.what, "why": why, "fix": error.fix}
