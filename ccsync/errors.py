"""The error tree and its exit codes; imports nothing.

    CcsyncError                1  unforeseen
    ├── NotAgreed              2  a person has to agree first, and nobody can be asked
    ├── InputError             2  what the command was given cannot be used
    ├── Declined              11  a person was asked and said no; nothing was changed
    ├── ConfigError            4  config missing or wrong
    │   └── EnvironmentWrong       a variable or file of this machine keeps calls from going out
    ├── LoginNeeded            5  log in again
    ├── StateError             6  state file missing, unreadable, not writable, damaged, or newer
    ├── LockedError            7  another run holds the lock
    ├── TemporaryError         8  the next run continues where this one stopped
    │   ├── VendorUnreachable
    │   │   ├── AnswerLost         the request may or may not have taken effect
    │   │   └── NoWayOut           this machine's network, and not the vendor: nothing was sent
    │   ├── VendorThrottling
    │   │   └── TooLate            a request was not sent: what it says may be out of date
    │   ├── QuotaSpent
    │   └── OutOfTime
    ├── RefusedError           9  a vendor refused the run
    ├── SafetyLimitError      10  too much would change at once
    └── Interrupted     130, 143  a person or the system stopped the run

A message has three parts, a line each: what happened, why, and what to do about it.
None of them ever holds a response body, a token or a whole e-mail address.
"""

SOME_REJECTED = 3
"""No error: the run did its work, but records were newly rejected."""


class CcsyncError(Exception):
    """Something an operator has to know, in three lines: what happened, why, and what to do."""

    exit_code = 1

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    @property
    def sentence(self) -> str:
        """What happened and why, in one sentence."""
        return f"{self.what.rstrip('.')}: {self.why}" if self.why else self.what


class NotAgreed(CcsyncError):
    """A person has to agree first, and there is no terminal to ask on."""

    exit_code = 2


class InputError(CcsyncError):
    """What the command was given cannot be used, such as a file that is too long."""

    exit_code = 2


class Declined(CcsyncError):
    """A person said no at a prompt; nothing was changed."""

    exit_code = 11


class ConfigError(CcsyncError):
    """The config file is missing or wrong; `problems` has one line for each thing to mend."""

    exit_code = 4

    def __init__(self, what: str, why: str = "", fix: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(what, why, fix)
        self.problems = problems


class EnvironmentWrong(ConfigError):
    """A variable or a file of this machine keeps calls from going out; waiting does not mend it."""


class LoginNeeded(CcsyncError):
    """A vendor no longer takes the saved login; only a person can mend it."""

    exit_code = 5


class StateError(CcsyncError):
    """The state file is missing, unreadable, not writable, damaged, hard linked, or newer than this program."""

    exit_code = 6


class LockedError(CcsyncError):
    """Another run holds the lock; nothing was done."""

    exit_code = 7


class TemporaryError(CcsyncError):
    """Waiting helps: the next run continues where this one stopped."""

    exit_code = 8


class VendorUnreachable(TemporaryError):
    """A vendor could not be reached, kept failing, or gave an answer that nothing can be made of."""

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(
            what,
            why or "its answer has another shape than described.",
            fix or "Nothing is lost; try again later. If it persists: ccsync -vv --log-file ccsync.log login --check",
        )


class AnswerLost(VendorUnreachable):
    """A request that must not be repeated blindly went out and its answer did not come back."""


class NoWayOut(VendorUnreachable):
    """This machine's DNS, route or proxy did not let a call out; nothing was sent."""


class VendorThrottling(TemporaryError):
    """A vendor asks for a longer wait than this run may take."""


class TooLate(VendorThrottling):
    """A vendor asks for a wait, after which the request must not be sent as it is: the caller builds a new one."""


class QuotaSpent(TemporaryError):
    """The day's calls are used up, by our own count or by the vendor's."""


class OutOfTime(TemporaryError):
    """The run has used up its time."""


class RefusedError(CcsyncError):
    """A vendor refused the run for a reason that waiting does not mend."""

    exit_code = 9

    def __init__(self, what: str, why: str = "", fix: str = "", status: int = 0) -> None:
        super().__init__(what, why, fix)
        self.status = status


CallFailure = RefusedError | VendorUnreachable
"""What a call about one record may end with; whether the record or the vendor is to blame, `run.control` finds out."""


class SafetyLimitError(CcsyncError):
    """Too much would change at once; a person decides."""

    exit_code = 10


class Interrupted(CcsyncError):
    """The run was stopped by a signal; what was done is saved."""

    exit_code = 130

    def __init__(self, what: str, why: str = "", fix: str = "", exit_code: int = exit_code) -> None:
        super().__init__(what, why, fix)
        self.exit_code = exit_code
