"""Changes single keys of a config file; everything else, including comments, stays unchanged."""

import errno
import os
import shlex
import stat
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from ccsync.config.lines import outline
from ccsync.config.reading import BOM, Document, holds_secret, parse, read
from ccsync.errors import ConfigError

Value = str | bool | int | float | list[str]


@dataclass(frozen=True, slots=True)
class Change:
    """A key's new value; `None` removes the key."""

    section: str
    key: str
    value: Value | None


def edit_config(path: Path, changes: Sequence[Change]) -> None:
    """Write `changes` into the file at `path`, whole or not at all; a link stays one, its target is written.

    Only the changed values' characters change; comments beside them, line ends and a byte order mark stay. A
    removed key takes its lines with it. A new key goes below its section's last one, a new section to the end.
    The result is read back before it is written: when it is not what was meant (inline tables, dotted keys),
    nothing is written. Raises `ConfigError` when the file cannot be read, changed safely, or written.
    """
    edit = _edited(path, changes)
    if edit is not None:
        _write(edit)


def changed(text: str, changes: Sequence[Change]) -> str:
    """The text of a config file with `changes` made."""
    for change in changes:
        text = _changed(text, change)
    return text


def check_edit(path: Path, changes: Sequence[Change]) -> None:
    """Raise what `edit_config` would raise, and write nothing: for callers that first change something elsewhere."""
    edit = _edited(path, changes)
    if edit is not None:
        with _draft(edit):
            pass


@dataclass(frozen=True, slots=True)
class _Edit:
    """A file's new content, ready to be written."""

    target: Path
    data: bytes
    facts: os.stat_result
    mode: int


def _edited(path: Path, changes: Sequence[Change]) -> _Edit | None:
    """The file with the changes made; `None` where they change nothing."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a loop of links
        target = path
    if any("\ud800" <= one <= "\udfff" for change in changes for one in f"{change.key}{change.value}"):
        raise ConfigError("The new setting cannot be written; nothing was changed.", "it is not UTF-8.", "Correct it.")
    source = read(target)
    wanted = parse(path, source.text)
    for change in changes:
        _note(wanted, change)
    text = changed(source.text, changes)
    if _typed(_parsed(text)) != _typed(wanted):
        names = ", ".join(f"{one.key} in [{one.section}]" for one in changes)
        raise ConfigError(
            f"{path} is written in a way that ccsync cannot change safely; nothing was written.",
            "inline tables or dotted keys stand where a section is expected.",
            f"Set {names} by hand.",
        )
    if text == source.text:
        return None
    mode = 0o600 if holds_secret(wanted) else stat.S_IMODE(source.facts.st_mode)
    return _Edit(target, (BOM if source.has_bom else b"") + text.encode(), source.facts, mode)


def _parsed(text: str) -> Document | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _typed(value: object) -> object:
    """The value in a form whose `==` distinguishes true, 1 and 1.0."""
    if isinstance(value, Mapping):
        return {key: _typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    return type(value), repr(value)


def _note(document: Document, change: Change) -> None:
    """Make the change in the parsed document."""
    section = document.get(change.section)
    if section is None and change.value is not None:
        section = document[change.section] = {}
    if not isinstance(section, dict):
        return
    if change.value is None:
        section.pop(change.key, None)
    else:
        section[change.key] = change.value


def _changed(text: str, change: Change) -> str:
    places = outline(text)
    old = places.key(change.section, change.key)
    if old is not None:
        if change.value is None:
            return text[: old.start] + text[old.end :]
        now = text[old.value_start : old.value_end]
        if _typed(_parsed(f"x = {now}")) == _typed({"x": change.value}):
            return text
        return text[: old.value_start] + _toml("x", change.value)[4:] + text[old.value_end :]
    if change.value is None:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    line = _toml(change.key, change.value) + end
    above = places.last_of(change.section)
    if above is None:
        gap = "" if not text.strip() else end if text.endswith("\n") else end + end
        return f"{text}{gap}[{change.section}]{end}{line}"
    kept = text[above.start : above.end]
    indent = "" if above.is_header else kept[: len(kept) - len(kept.lstrip(" \t"))]
    gap = "" if kept.endswith("\n") else end
    return text[: above.end] + gap + indent + line + text[above.end :]


def _toml(key: str, value: Value) -> str:
    return tomli_w.dumps({key: value}).rstrip("\n")


def _write(edit: _Edit) -> None:
    """Replace the file atomically; it keeps its owner, who may be the user that cron runs as."""
    with _draft(edit) as draft:
        draft.replace(edit.target)
        _sync_folder(edit.target.parent)


@contextmanager
def _draft(edit: _Edit) -> Iterator[Path]:
    """The new content in a file beside the target, on the disk; what is left of it at the end goes."""
    target = edit.target
    if not edit.facts.st_mode & stat.S_IWUSR:
        raise ConfigError(
            f"The config file {target} is read-only; nothing was changed.",
            f"its mode is {stat.S_IMODE(edit.facts.st_mode):o}.",
            f"chmod u+w {shlex.quote(str(target))}",
        )
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                _give_to_owner(file.fileno(), edit.facts)
                os.fchmod(file.fileno(), edit.mode)
                file.write(edit.data)
                file.flush()
                os.fsync(file.fileno())
            _check_replaceable(target, Path(f"{name}.link"))
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The config file {target} cannot be written.",
            f"{error.strerror}.",
            f"Make {target.parent} writable for this user, or make room on its disk; nothing was changed.",
        ) from error


def _check_replaceable(target: Path, probe: Path) -> None:
    """Raise `ConfigError` for a file that is a mount of its own: the kernel does not allow renaming over it.

    A hard link beside it would cross mounts, which detects that before anything is changed.
    """
    try:
        os.link(target, probe)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise ConfigError(
                f"The config file {target} is a mount of its own, so it cannot be replaced; nothing was changed.",
                "ccsync writes a new file and puts it in the place of the old one, so that none is ever half written.",
                f"Mount its folder {target.parent} instead of the one file.",
            ) from error
    else:
        probe.unlink()


def _give_to_owner(handle: int, facts: os.stat_result) -> None:
    """Raises `ConfigError` if the file belongs to another user; a group that cannot be kept is ignored."""
    mine = os.fstat(handle)
    if mine.st_uid != facts.st_uid:
        try:
            os.fchown(handle, facts.st_uid, -1)
        except PermissionError as error:
            raise ConfigError(
                "The config file belongs to another user; nothing was changed.",
                f"its owner is user {facts.st_uid}, and would lose it.",
                "Run this command as that user.",
            ) from error
    if mine.st_gid != facts.st_gid:
        with suppress(PermissionError):
            os.fchown(handle, -1, facts.st_gid)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
