"""Finds the positions of a TOML file's sections, keys and values: tomllib does not report them.

It also reads invalid files as well as it can, because their problems need line numbers, too.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]\]?")
_KEY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=[ \t]*")
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}'''  # a text may itself end in two quotes
    r"""|'''.*?'{3,5}"""
    r'''|"(?:\\.|[^"\\\n])*"'''
    r"""|'[^'\n]*'"""
    r"""|\#[^\n]*|[ \t\r]+|.""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A section's header, or a key with its value; positions are offsets into the text.

    `names` lead there from the root; `section` is the header it stands under. A header's value is empty.
    `end` is past the last line's end.
    """

    names: tuple[str, ...]
    section: tuple[str, ...]
    line: int
    start: int
    value_start: int
    value_end: int
    end: int

    @property
    def is_header(self) -> bool:
        return self.names == self.section


@dataclass(frozen=True, slots=True)
class Outline:
    """A file's statements, in its order."""

    statements: tuple[Statement, ...]

    def line_of(self, *names: str) -> int | None:
        """The 1-based line of a section (one name) or a key (section, key); else that of its section."""
        for length in range(len(names), 0, -1):
            for one in self.statements:
                if one.names[:length] == names[:length]:
                    return one.line
        return None

    def key(self, section: str, key: str) -> Statement | None:
        """The key, if it stands directly below its section's header."""
        wanted = (section, key)
        return next((one for one in self.statements if one.names == wanted and one.section == (section,)), None)

    def last_of(self, section: str) -> Statement | None:
        """The last key under the section's header, else the header."""
        return next((one for one in reversed(self.statements) if one.section == (section,)), None)

    def repeated(self, line: int) -> tuple[Statement, Statement] | None:
        """The statement that reaches to `line`, and an earlier one of the same name."""
        latest = [one for one in self.statements if one.line <= line][-1:]
        for second in latest:
            for first in self.statements:
                if first.names == second.names and first.line < second.line:
                    return second, first
        return None


def outline(text: str) -> Outline:
    """Find the statements in the text of a TOML file; line ends are LF or CRLF."""
    statements = []
    section: tuple[str, ...] = ()
    position, line = 0, 1
    while position < len(text):
        value_start = value_end = position
        if found := _HEADER.match(text, position):
            section = names = _names(found[1])
            value_start = value_end = found.end()
        elif found := _KEY.match(text, position):
            names = (*section, *_names(found[1]))
            value_start, value_end = found.end(), _end_of_value(text, found.end())
        end = text.find("\n", value_end) + 1 or len(text)
        if found:
            statements.append(Statement(names, section, line, position, value_start, value_end, end))
        line += text.count("\n", position, end)
        position = end
    return Outline(tuple(statements))


def _end_of_value(text: str, start: int) -> int:
    """Past the value's last character: before the blanks and the comment that may follow it."""
    depth, end, position = 0, start, start
    while found := _TOKEN.match(text, position):
        piece = found[0]
        if piece == "\n" and depth <= 0:
            break
        position = found.end()
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(piece, 0)
        if not piece.isspace() and piece[0] != "#":
            end = position
    return end


def _names(dotted: str) -> tuple[str, ...]:
    try:
        value: object = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return (dotted,)
    names = []
    while isinstance(value, Mapping):
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names)
