"""One finding of `ccsync doctor`, and how a check becomes one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ccsync.cli.terminal.error_lines import what_and_why
from ccsync.errors import (
    CcsyncError,
    ConfigError,
    Interrupted,
    LockedError,
    LoginNeeded,
    RefusedError,
    SafetyLimitError,
    StateError,
    TemporaryError,
)

OK, WRONG, SKIPPED = "ok", "wrong", "skipped"
_GRAVITY = (StateError, ConfigError, LoginNeeded, RefusedError, SafetyLimitError, TemporaryError, LockedError)
GRAVEST_FIRST = (*(one.exit_code for one in _GRAVITY), CcsyncError.exit_code)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: what is fine, or what is wrong and how to fix it; `code` is 0 if all is well."""

    check: str
    status: str
    what: str
    fix: str = ""
    code: int = 0


class Wrong(CcsyncError):
    """A problem that no run would report as an error."""


class Skipped(Exception):
    """A check that cannot be made, with the reason."""


Check = Callable[[], str]
"""Return what is fine. Raise a `CcsyncError` for a problem, `Skipped` when it cannot be checked."""


def examine(checks: Mapping[str, Check]) -> Iterator[Finding]:
    """Run every check, even after others failed."""
    for name, check in checks.items():
        try:
            yield Finding(name, OK, check())
        except Skipped as skipped:
            yield Finding(name, SKIPPED, str(skipped))
        except Interrupted:
            raise
        except CcsyncError as error:
            yield Finding(name, WRONG, what_and_why(error), error.fix, error.exit_code)
        except OSError as error:  # a folder that is missing or closed to this user
            what = f"{error.filename}: {error.strerror}"
            yield Finding(name, WRONG, what, "Check the path and its permissions.", StateError.exit_code)


def gravest(codes: set[int]) -> int:
    """The exit code of all findings together; 0 when nothing is wrong."""
    return next((code for code in GRAVEST_FIRST if code in codes), 0)
