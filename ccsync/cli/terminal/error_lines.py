"""An error as an operator meets it: what happened, why, and what to do, a line each; as JSON for programs."""

import json

from ccsync.cli import logging_setup
from ccsync.cli.terminal.screen import clean, say
from ccsync.errors import CcsyncError, ConfigError


def show(error: CcsyncError) -> None:
    """Say it on stderr, without secrets and whole addresses."""
    parts = [("Error: ", error.what), ("Why:   ", error.why), ("Fix:   ", error.fix)]
    if isinstance(error, ConfigError) and error.problems:
        parts[1:2] = [("       ", problem) for problem in error.problems]
    for label, text in parts:
        if text:
            say(label + clean(logging_setup.redact(text)))


def show_in_one_line(error: CcsyncError) -> None:
    """Say it where a line is all that is wanted."""
    say(f"Error: {clean(logging_setup.redact(' '.join(filter(None, (error.what, error.why, error.fix)))))}")


def show_json(error: CcsyncError, code: int) -> None:
    """The last line on stderr under --json."""
    say(logging_setup.redact(json.dumps({"error": facts(error, code)})))


def facts(error: CcsyncError, code: int | None = None) -> dict[str, object]:
    """What `--json` tells of an error."""
    why = "; ".join(error.problems) if isinstance(error, ConfigError) and error.problems else error.why
    code = error.exit_code if code is None else code
    return {"code": code, "what": error.what, "why": why, "fix": error.fix}
