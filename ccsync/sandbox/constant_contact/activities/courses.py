"""How the next bulk jobs go, where a test wants trouble.

States: https://v3.developer.constantcontact.com/api_guide/import_contacts.html; how long a job may take is not said.
"""

from dataclasses import dataclass

KINDS = ("import", "removal", "addition", "export", "tagging")
ENDS = ("completed", "failed", "cancelled", "timed_out")


@dataclass(slots=True)
class Course:
    """One rule for jobs of a kind; `record`: only for those that name an id or an address."""

    kind: str
    seconds: float | None  # None: it never ends
    state: str  # with which it ends
    takes_effect: bool  # whether the work is done anyway, at the usual time
    message: str
    record: str | None
    times: int | None  # None: every one


class Courses:
    """The rules that are left."""

    def __init__(self) -> None:
        self._all: list[Course] = []

    def add(
        self,
        kind: str,
        *,
        seconds: float | None,
        state: str = "completed",
        takes_effect: bool = False,
        message: str = "",
        record: str | None = None,
        times: int | None = 1,
    ) -> None:
        """Set how the next jobs of this kind go. Raises `ValueError` for values that can never apply."""
        if kind not in KINDS or state not in ENDS or (times is not None and times < 1):
            raise ValueError(f"kind is one of {', '.join(KINDS)}, state of {', '.join(ENDS)}, times counts from 1")
        named = None if record is None else record.lower()
        self._all.append(Course(kind, seconds, state, takes_effect, message, named, times))

    def clear(self) -> None:
        """Let jobs go as usual again."""
        self._all.clear()

    def take(self, kind: str, body: bytes) -> Course | None:
        """The rule for a job that is about to start."""
        for one in self._all:
            if one.kind == kind and (one.record is None or names(body, one.record)):
                if one.times is not None:
                    one.times -= 1
                    if not one.times:
                        self._all.remove(one)
                return one
        return None


def names(body: bytes, record: str) -> bool:
    """Does a JSON body hold this text, an id or an address in lower case, as a value of its own?"""
    return f'"{record}"'.encode() in body.lower()
