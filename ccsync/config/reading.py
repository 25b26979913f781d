"""Finds and reads the config file, or refuses it with all its problems at once."""

import os
import re
import shlex
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccsync.config.checking import content_problems
from ccsync.config.lines import outline
from ccsync.config.schema import DEFAULT_MAPPING, MAPPING, SCHEMA, SETTINGS, TAGS, Config, is_placeholder
from ccsync.errors import ConfigError

FILE_NAME = "ccsync.toml"
BOM = b"\xef\xbb\xbf"
Document = dict[str, Any]
"""What tomllib returns."""


@dataclass(frozen=True, slots=True)
class Source:
    """A config file as it lies on the disk: its text without the byte order mark, line ends as they are."""

    text: str
    has_bom: bool
    facts: os.stat_result


def find_config(explicit: Path | None, environ: Mapping[str, str], working_directory: Path) -> Path:
    """The config file in force: --config, $CCSYNC_CONFIG, or the first that is there of the usual places.

    A named path is relative to `working_directory`, an absolute path. A dangling link counts as present: the file in
    the next place may belong to another shop. Raises `ConfigError` when there is none, naming every place looked at, or
    when the named one is missing.
    """
    named = explicit or (Path(environ["CCSYNC_CONFIG"]) if environ.get("CCSYNC_CONFIG") else None)
    if named is not None:
        path = working_directory / named
        if _is_there(path) is False:
            by = "--config" if explicit else "$CCSYNC_CONFIG"
            fix = "Check its spelling; or write a new one: ccsync init"
            raise ConfigError(f"There is no config file {path}.", f"{by} names it.", fix)
        return path
    places = {path: _is_there(path) for path in _usual_places(environ, working_directory)}
    for path, is_there in places.items():
        if is_there:
            return path
    looked = [str(path) if known is False else f"{path} (no permission)" for path, known in places.items()]
    raise ConfigError(
        "There is no config file.",
        f"looked for {', '.join(looked)}.",
        "ccsync init        (writes one; or give --config FILE)",
    )


def _is_there(path: Path) -> bool | None:
    """`None` if this user has no access: `sudo -u ccsync` from /root must still find /etc/ccsync."""
    try:
        path.lstat()
    except PermissionError:
        return None
    except (OSError, ValueError):
        return False
    return True


def _usual_places(environ: Mapping[str, str], working_directory: Path) -> list[Path]:
    """Relative paths in $XDG_CONFIG_HOME are to be ignored: https://specifications.freedesktop.org/basedir-spec/"""
    home = Path(environ.get("HOME", ""))
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():
        base = home / ".config"
    personal = [base / "ccsync" / FILE_NAME] if base.is_absolute() else []
    return [working_directory / FILE_NAME, *personal, Path("/etc/ccsync") / FILE_NAME]


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check the config file at `path`, with the defaults filled in.

    Of `environ` only CCSYNC_STATE and nothing secret is read. Raises `ConfigError` when the file cannot be read,
    is not TOML, or holds a secret that others may read; and with one line in `problems` for each thing that is
    wrong in it, never with a secret's value.
    """
    source = read(path)
    document = parse(path, source.text)
    problems = content_problems(document, outline(source.text), path.name)
    exposed = _exposure(path, document, source.facts)
    if problems:
        if exposed:
            problems = (*problems, f"{path.name}: it holds a secret and {exposed[0]}: {exposed[2]}")
        number = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        raise ConfigError(f"{path} has {number}.", "", "Correct the file. Nothing was done.", problems)
    if exposed:
        what, why, fix = exposed
        raise ConfigError(f"The config file {path} holds a secret and {what}.", f"{why}.", fix)
    return _to_config(path, document, environ)


def read(path: Path) -> Source:
    """The file's text and facts. Raises `ConfigError` when it cannot be read, or not as UTF-8."""
    try:
        with path.open("rb") as file:
            data, facts = file.read(), os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        return Source(data.removeprefix(BOM).decode("utf-8"), data.startswith(BOM), facts)
    except UnicodeDecodeError as error:
        line = data.removeprefix(BOM).count(b"\n", 0, error.start) + 1
    # Outside of the handler, because the error holds the whole file.
    raise ConfigError(
        f"The config file {path} is not UTF-8.",
        "",
        "Save it as UTF-8.",
        (f"{path.name}:{line}: this line has another encoding",),
    )


def line_of(path: Path, section: str, key: str) -> int | None:
    """The 1-based line of a key in the file, for problems found later."""
    return outline(read(path).text).line_of(section, key)


def _unreadable(path: Path, error: OSError | ValueError) -> ConfigError:
    what, why = f"The config file {path} cannot be read.", "its name is not one a file can have."
    if isinstance(error, OSError):
        why = f"{error.strerror}."
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return ConfigError(what, "it is a link to a file that does not exist.", "Fix the link, or remove it.")
    if isinstance(error, IsADirectoryError):
        return ConfigError(what, why, f"Name the file in it, such as --config {shlex.quote(str(path / FILE_NAME))}")
    return ConfigError(what, why, "Check the path and its permissions, for the user that runs ccsync.")


def parse(path: Path, text: str) -> Document:
    """The file as TOML. Raises `ConfigError` with the line where it is not."""
    try:
        return tomllib.loads(text)
    # A plain ValueError comes from a number of more than 4,300 digits.
    except (ValueError, RecursionError) as error:
        problem = _toml_problem(path.name, text, error)
    raise ConfigError(
        f"The config file {path} is not valid TOML.",
        "",
        "Correct that line; texts go in quotes, and each key stands once.",
        (problem,),
    )


def _toml_problem(name: str, text: str, error: Exception) -> str:
    """The parser's reason, which never quotes a value, with its line."""
    if not isinstance(error, tomllib.TOMLDecodeError):
        return f"{name}: {'nested too deeply' if isinstance(error, RecursionError) else 'a number is too long'}"
    reason, _, place = str(error).rpartition(" (")
    found = re.match(r"at line (\d+)", place)
    line = int(found[1]) if found else text.count("\n") + 1
    if reason.startswith(("Cannot overwrite", "Cannot declare")) and (pair := outline(text).repeated(line)):
        second, first = pair
        title = f"[{second.names[0]}]" if second.is_header else f"'{second.names[-1]}'"
        return f"{name}:{second.line}: {title} stands twice, first in line {first.line}"
    lines = text.split("\n")
    hint = "; a key with a colon goes in quotes" if re.match(r"\s*cf:", lines[line - 1]) else ""
    return f"{name}:{line}: {reason}{hint}"


def holds_secret(document: Mapping[str, object]) -> bool:
    """Does the file hold a secret, even under a misplaced or misspelled key?"""
    tables = [document, *(values for values in document.values() if isinstance(values, Mapping))]
    return any("secret" in key.lower() and not key.lower().endswith("command") for table in tables for key in table)


def _exposure(path: Path, document: Document, facts: os.stat_result) -> tuple[str, str, str] | None:
    """What is wrong, why, and the fixing command, if others can read a secret."""
    if not holds_secret(document):
        return None
    mode, user = stat.S_IMODE(facts.st_mode), os.geteuid()
    if mode & 0o077:
        return "others may read it", f"its mode is {mode:o}", f"chmod 600 {shlex.quote(str(path))}"
    if facts.st_uid not in (user, 0) and user != 0:
        return "belongs to another user", f"user {facts.st_uid}", f"chown {user} {shlex.quote(str(path))}"
    return None


def _to_config(path: Path, document: Document, environ: Mapping[str, str]) -> Config:
    values: dict[str, dict[str, Any]] = {
        section: {key: document.get(section, {}).get(key, rule.default) for key, rule in keys.items()}
        for section, keys in SCHEMA.items()
    }
    for section in ("kibo", "constant_contact"):
        for key, value in values[section].items():
            if key.endswith("_url") and isinstance(value, str):
                values[section][key] = value.rstrip("/")
            if key.endswith("_command") and isinstance(value, list):
                values[section][key] = tuple(value)
            if key == "client_secret" and is_placeholder(section, key, value):
                values[section][key] = None
    values["kibo"]["event_url"] = values["kibo"]["event_url"] or values["kibo"]["home_url"]
    values["state"]["path"] = _state_path(path, values["state"]["path"], environ)
    metrics_file = values["monitor"]["metrics_file"]
    values["monitor"]["metrics_file"] = path.absolute().parent / metrics_file if metrics_file else None
    settings = {section: kind(**values[section]) for section, kind in SETTINGS.items()}
    return Config(path, dict(document.get(MAPPING, DEFAULT_MAPPING)), dict(document.get(TAGS, {})), **settings)


def _state_path(path: Path, configured: str | None, environ: Mapping[str, str]) -> Path:
    """Links are followed: two names of one state file must share one lock."""
    named = environ.get("CCSYNC_STATE")
    try:
        base = Path.cwd() if named else path.absolute().parent
        return (base / Path(named or configured or "ccsync.db").expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # no such home, or a loop of links
        raise ConfigError(
            "The path of the state file leads nowhere.",
            f"{'$CCSYNC_STATE' if named else f'path in [state] of {path}'}: {str(error).rstrip('.')}.",
            "Set it to an absolute path.",
        ) from error
