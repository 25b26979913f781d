"""Commands in messages repeat `--config FILE` where the operator gave it, so that they work when they are copied."""

import re
import shlex
from pathlib import Path

COMMANDS = (
    *("init", "login", "configure", "export", "flush-events", "poll-unsubscribes"),
    *("events", "logs", "status", "why", "consent"),
    *("forget", "reconcile", "campaign", "report", "doctor", "backup"),
)
"""Those that work on a config file."""
_COMMAND = re.compile(rf"\bccsync (?=(?:{'|'.join(COMMANDS)})\b)")


class _Named:
    path: Path | None = None


def use(path: Path | None) -> None:
    """From now on this is the file that was named; `None`: none was."""
    _Named.path = path


def repeat(text: str) -> str:
    """The text with the option in each command; the file by its whole path, for a message is read elsewhere, too."""
    if _Named.path is None:
        return text
    option = f"--config {shlex.quote(str(_Named.path.absolute()))} "
    return _COMMAND.sub(lambda found: found.group() + option, text)
