"""Asks a person at a terminal, on stderr. An answer is one line; Ctrl-C and the end of the input end it all."""

import io
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from ccsync.cli import screen
from ccsync.errors import Interrupted

MOST_SHOWN = 20
"""Lines of a choice; an account has up to 1,000 lists."""


class Talk:
    """One conversation. `made` names what was created in Constant Contact on the way."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self.made: list[str] = []
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")  # a terminal in another encoding must not end in a traceback

    def ask(self, question: str) -> str:
        """The typed line, without blanks around it. Raises `click.Abort` at the end of the input."""
        self._check()  # Ctrl-C during a call waits for its answer; it was not meant for the next question
        click.echo(f"{question} ", err=True, nl=False)
        line = sys.stdin.readline()
        if not line:
            raise click.Abort
        return line.strip()

    def agrees(self, question: str) -> bool:
        """Ask for what cannot be taken back; only a typed yes counts."""
        screen.say(question)
        return self.ask("Type yes to go on:").lower() == "yes"

    def yes_or_no(self, question: str, now: bool) -> bool:
        """Ask for a yes or a no; Enter keeps what it is `now`."""
        while True:
            answer = self.ask(f"{question} (yes or no; Enter: {'yes' if now else 'no'})").lower()
            if answer in ("", "y", "yes", "n", "no"):
                return now if not answer else answer.startswith("y")
            screen.say("Type yes or no, or only Enter.")


@contextmanager
def conversation(config_path: Path, check: Callable[[], None]) -> Iterator[Talk]:
    """A conversation before the config file is written: stopping it says that nothing was changed there."""
    talk = Talk(check)
    try:
        yield talk
    except (click.Abort, Interrupted) as error:
        click.echo(err=True)
        raise _stopped(error, config_path, talk.made) from None


def _stopped(error: click.Abort | Interrupted, config_path: Path, made: Sequence[str]) -> Interrupted:
    what = error.what.rstrip(".") if isinstance(error, Interrupted) else "The input ended"
    code = error.exit_code if isinstance(error, Interrupted) else 130
    return Interrupted(
        f"{what}; nothing was changed in {config_path.name}.",
        f"in Constant Contact there is now {' and '.join(made)}." if made else "",
        "ccsync configure begins again.",
        exit_code=code,
    )


def say_numbered(names: Sequence[str], numbers: Sequence[int], chosen: int | None = None) -> None:
    """Show names with their numbers, at most 20; a star marks the chosen number."""
    room = max(shutil.get_terminal_size().columns - 8, 20)
    for name, number in list(zip(names, numbers, strict=True))[:MOST_SHOWN]:
        first, *others = screen.wrapped(screen.clean(name), room)
        mark = "*" if number == chosen else " "
        click.echo("\n".join([f" {mark}{number:>4}  {first}", *(" " * 8 + one for one in others)]), err=True)
    if len(names) > MOST_SHOWN:
        screen.say(f"and {len(names) - MOST_SHOWN:,} more.")


def numbered(typed: str, most: int) -> int | None:
    """The number that was typed, when it is one from 1 to `most`."""
    is_one = typed.isascii() and typed.isdigit() and len(typed) <= 6 and 1 <= int(typed) <= most
    return int(typed) if is_one else None
