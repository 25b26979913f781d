"""Sets up logging. No secret and no address gets into a log line."""

import contextlib
import logging
import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ccsync.cli.terminal.screen import clean
from ccsync.errors import ConfigError
from ccsync.words import local_time

_ADDRESS = re.compile(r"[^\s@<>\"'(),;:=]+(?:@|%40)[^\s@<>\"'(),;:=]+")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+")
_SECRETS: set[str] = set()


def protect(secrets: Iterable[str | None]) -> None:
    """Keep these values out of log lines and errors."""
    _SECRETS.update(one for one in secrets if one and len(one) >= 6)


def redact(text: str) -> str:
    """The text without secrets and without whole addresses."""
    for secret in _SECRETS:
        text = text.replace(secret, "<secret>")
    return _ADDRESS.sub("<address>", _BEARER.sub(r"\1 <secret>", text))


class _Redacting(logging.Formatter):
    """Redacts the finished line, tracebacks included."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time in the same format as everywhere else."""
        return local_time(datetime.fromtimestamp(record.created, UTC))

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(clean(line) for line in redact(super().format(record)).split("\n"))


def set_up(verbosity: int, log_file: Path | None) -> None:
    """Send log lines to stderr (-v: what is done, -vv: every call) and to `log_file` (always everything)."""
    logging.raiseExceptions = False  # a full disk must not print a traceback
    root = logging.getLogger("ccsync")
    for old in root.handlers:
        with contextlib.suppress(OSError):
            old.close()
    root.handlers.clear()
    root.propagate = False
    root.setLevel(logging.DEBUG)
    root.addHandler(logging.NullHandler())
    if verbosity:
        screen = logging.StreamHandler()
        screen.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
        screen.setFormatter(_Redacting("%(message)s"))
        root.addHandler(screen)
    if log_file is not None:
        root.addHandler(_file_handler(log_file))


_HONOURED = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def log_environment(environ: Mapping[str, str]) -> None:
    """Log once which variables change how the vendors are reached. Their values may hold a proxy's password."""
    found = [name for name in _HONOURED if environ.get(name) or environ.get(name.lower())]
    if found:
        logging.getLogger("ccsync.environment").info("the environment sets %s", ", ".join(found))


def _file_handler(path: Path) -> logging.Handler:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600))
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(
            f"The log file {path} cannot be written.", f"{error.strerror}.", "Give --log-file another path."
        ) from error
    handler.setFormatter(_Redacting("%(asctime)s %(process)d %(levelname)s %(message)s"))
    return handler
