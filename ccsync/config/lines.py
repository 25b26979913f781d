"""Finds the lines of a TOML file's sections and keys: tomllib tells no line numbers, and rewriting loses comments."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

_SECTION = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*\]\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*')\s*=")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's lines in the file, 0-based; `end` is one past the last line of its value."""

    section: str
    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Outline:
    """Where a file's sections begin and its keys stand."""

    sections: dict[str, int]
    entries: tuple[Entry, ...]

    def line_of(self, section: str, key: str | None = None) -> int | None:
        """The 1-based line of a key, else of its section."""
        for entry in self.entries:
            if (entry.section, entry.key) == (section, key):
                return entry.start + 1
        return self.sections[section] + 1 if section in self.sections else None


def outline(lines: Sequence[str]) -> Outline:
    """Read the outline of a file that `tomllib` accepts; `lines` are without their ends."""
    sections: dict[str, int] = {}
    entries = []
    section, index = "", 0
    while index < len(lines):
        if found := _SECTION.match(lines[index]):
            section = _name(found[1])
            sections.setdefault(section, index)
        elif found := _KEY.match(lines[index]):
            end = _end_of_value(lines, index)
            entries.append(Entry(section, _name(found[1]), index, end))
            index = end
            continue
        index += 1
    return Outline(sections, tuple(entries))


def _end_of_value(lines: Sequence[str], start: int) -> int:
    """One past the value's last line: the shortest stretch that is TOML by itself."""
    for end in range(start + 1, min(len(lines), start + 200) + 1):
        try:
            tomllib.loads("\n".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return start + 1


def _name(token: str) -> str:
    return next(iter(tomllib.loads(f"{token} = 0"))) if token[0] in "\"'" else token
