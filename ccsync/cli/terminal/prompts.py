"""Asks a person at a terminal, on stderr. An answer is one line."""

import getpass
import io
import shutil
import sys
from collections.abc import Callable, Sequence

import click

from ccsync.cli.terminal import screen


class Talk:
    """Asks questions on the terminal."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        # Input in another encoding must not cause a traceback. Once something was read, Python refuses to set it again.
        if isinstance(sys.stdin, io.TextIOWrapper) and sys.stdin.errors != "replace":
            sys.stdin.reconfigure(errors="replace")

    def ask(self, question: str) -> str:
        """The typed line, stripped. Raises `click.Abort` at the end of the input."""
        self._check()  # a Ctrl-C that arrived during a call is not an answer to the next question
        screen.put(f"{screen.fitted(question)} ", nl=False, is_talk=True)
        line = ""
        try:
            line = sys.stdin.readline()
        finally:
            if not line.endswith("\n"):
                click.echo(err=True)  # start the next message on a line of its own
        if not line:
            raise click.Abort
        return line.strip()

    def ask_hidden(self, question: str) -> str:
        """The typed line, without echoing it."""
        self._check()
        return getpass.getpass(f"{screen.fitted(question)} ", stream=sys.stderr).strip()

    def confirm(self, question: str, *, now: bool = False) -> bool:
        """Ask until the answer is yes or no. Enter means no, or the current value `now`."""
        while True:
            answer = self.ask(f"{question} [{'Y/n' if now else 'y/N'}]").lower()
            if answer in ("", "y", "yes", "n", "no"):
                return now if not answer else answer.startswith("y")
            screen.say("Type y or n.")

    def choose(self, question: str, names: Sequence[str], now: int) -> int:
        """Ask for one of a few names and return its index, from 0. Enter takes the one at `now`."""
        say_numbered(names, range(1, len(names) + 1), now + 1)
        while True:
            typed = self.ask(f"{question} (1 to {len(names)}; Enter: {now + 1}):")
            number = numbered(typed, len(names))
            if number is not None or not typed:
                return now if number is None else number - 1
            screen.say(f"Type a number from 1 to {len(names)}.")


def say_numbered(names: Sequence[str], numbers: Sequence[int], chosen: int) -> None:
    """Show names with their numbers; a star marks the chosen one."""
    room = max(shutil.get_terminal_size().columns - 8, 20)
    for name, number in zip(names, numbers, strict=True):
        first, *others = screen.wrapped(screen.clean(name), room)
        mark = "*" if number == chosen else " "
        click.echo("\n".join([f" {mark}{number:>4}  {first}", *(" " * 8 + one for one in others)]), err=True)


def numbered(typed: str, most: int) -> int | None:
    """The typed number if it is between 1 and `most`."""
    is_one = typed.isascii() and typed.isdigit() and len(typed) <= 6 and 1 <= int(typed) <= most
    return int(typed) if is_one else None
