"""Changes single keys of a config file; whatever else stands in it, comments included, stays as it is."""

import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from ccsync.config.lines import Entry, outline
from ccsync.config.reading import parse
from ccsync.errors import ConfigError

Value = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Change:
    """A key's new value; `None` removes the key."""

    section: str
    key: str
    value: Value | None


def edit_config(path: Path, changes: Sequence[Change]) -> None:
    """Write `changes` into the file, whole or not at all.

    The result is read back before it is written: when it is not what was meant (inline tables, dotted keys),
    nothing is written. Raises `ConfigError`.
    """
    target = path.resolve()
    try:
        data = target.read_bytes()
    except OSError as error:
        raise ConfigError(f"The config file {path} cannot be read.", f"{error.strerror}.", "Check the path.") from error
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    before = data[len(mark) :].decode("utf-8")
    after = before
    for change in changes:
        after = _apply(after, change)
    if after == before:
        return
    if _parsed(after) != _expected(parse(path, before), changes):
        wanted = ", ".join(f"{one.key} in [{one.section}]" for one in changes)
        raise ConfigError(
            f"{path} is written in a way that ccsync cannot change safely; nothing was written.",
            "inline tables or dotted keys stand where a section is expected.",
            f"Set {wanted} by hand.",
        )
    _write(target, mark + after.encode("utf-8"))


def _parsed(text: str) -> object:
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError:
        return None


def _expected(document: Mapping[str, Mapping[str, object]], changes: Sequence[Change]) -> object:
    result: dict[str, object] = {
        section: dict(values) if isinstance(values, Mapping) else values for section, values in document.items()
    }
    for change in changes:
        section = result.setdefault(change.section, {}) if change.value is not None else result.get(change.section, {})
        if not isinstance(section, dict):
            return None
        if change.value is None:
            section.pop(change.key, None)
        else:
            section[change.key] = change.value
    return result


def _apply(text: str, change: Change) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    found = outline(lines)
    entry = next((one for one in found.entries if (one.section, one.key) == (change.section, change.key)), None)
    if entry is not None:
        lines[entry.start : entry.end] = _replaced(lines, entry, change)
    elif change.value is not None:
        place = _place_for(lines, change.section, found.sections, found.entries)
        new = [_line(change.key, change.value)]
        if place is None:
            new = [*([""] if lines and lines[-1].strip() else []), f"[{change.section}]", *new]
            place = len(lines)
        lines[place:place] = new
    return end.join(lines) + (end if lines else "")


def _replaced(lines: Sequence[str], entry: Entry, change: Change) -> list[str]:
    if change.value is None:
        return []
    old = lines[entry.start : entry.end]
    if len(old) == 1 and _parsed(old[0]) == {change.key: change.value}:
        return list(old)
    indent = re.match(r"\s*", old[0])
    return [(indent[0] if indent else "") + _line(change.key, change.value) + _trailing_comment(old[-1])]


def _trailing_comment(line: str) -> str:
    """The comment after a value, with the blanks before it: the longest cut that still is the same TOML."""
    value = _parsed(line)
    for index, one in enumerate(line):
        if one == "#" and value is not None and _parsed(line[:index]) == value:
            kept = line[:index]
            return kept[len(kept.rstrip()) :] + line[index:]
    return ""


def _place_for(lines: Sequence[str], section: str, sections: Mapping[str, int], entries: Sequence[Entry]) -> int | None:
    """Right after the section's last key, or its header: comments below may belong to the next section."""
    ends = [entry.end for entry in entries if entry.section == section]
    if ends:
        return max(ends)
    return sections[section] + 1 if section in sections else None


def _line(key: str, value: Value) -> str:
    return tomli_w.dumps({key: value}).rstrip("\n")


def _write(target: Path, data: bytes) -> None:
    """Replace the file in one step, with the mode it had."""
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigError(
            f"The config file {target} cannot be written.",
            f"{error.strerror}.",
            f"Make {target.parent} writable for this user, or make room on its disk; nothing was changed.",
        ) from error
