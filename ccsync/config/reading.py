"""Reads a config file and says everything that is wrong with it at once."""

import os
import shlex
import stat
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from ccsync.config.lines import Outline, outline
from ccsync.config.schema import DEFAULT_MAPPING, MAPPING, SCHEMA, SECRETS, SECTIONS
from ccsync.config.settings import (
    Config,
    ConstantContactSettings,
    KiboSettings,
    LimitSettings,
    StateSettings,
    SyncSettings,
)
from ccsync.errors import ConfigError

FILE_NAME = "ccsync.toml"
Document = Mapping[str, Mapping[str, object]]


def find_config(explicit: Path | None, environ: Mapping[str, str], working_directory: Path) -> Path:
    """The config file in force: --config, $CCSYNC_CONFIG, or the first that exists of the usual places.

    Raises `ConfigError` when there is none, or when the named one is missing.
    """
    named = explicit or (Path(environ["CCSYNC_CONFIG"]) if environ.get("CCSYNC_CONFIG") else None)
    if named is not None:
        path = working_directory / named
        if not path.exists():
            by = "--config" if explicit else "$CCSYNC_CONFIG"
            raise ConfigError(f"There is no config file {path}.", f"{by} names it.", "Check its spelling.")
        return path
    places = _usual_places(environ, working_directory)
    for path in places:
        if path.exists():
            return path
    raise ConfigError(
        "There is no config file.",
        f"looked for {', '.join(str(path) for path in places)}.",
        "Copy ccsync.toml.example to one of these, fill it in, and chmod 600 it; or give --config FILE.",
    )


def _usual_places(environ: Mapping[str, str], working_directory: Path) -> list[Path]:
    places = [working_directory / FILE_NAME]
    base = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    if base:
        places.append(Path(base) / "ccsync" / FILE_NAME)
    return [*places, Path("/etc/ccsync") / FILE_NAME]


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check the config file at `path`.

    Raises `ConfigError` with one line in `problems` for each thing that is wrong; never with a secret's value.
    """
    text = read_text(path)
    document = parse(path, text)
    found = outline(text.splitlines())
    problems = list(_problems(document, found, path.name))
    if problems:
        number = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        raise ConfigError(f"{path} has {number}.", "", "Correct the file; nothing was done.", tuple(problems))
    _check_permissions(path, document)
    return _to_config(path, document, environ)


def read_text(path: Path) -> str:
    """The file's text, line ends as they are. Raises `ConfigError` when it cannot be read as UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The config file {path} cannot be read.", f"{error.strerror}.", "Check the path and its permissions."
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"The config file {path} is not UTF-8.", f"line {line} has another encoding.", "Save it as UTF-8."
        ) from error


def parse(path: Path, text: str) -> Document:
    """The file as TOML. Raises `ConfigError` with the line where it is not."""
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # The parser's words may quote the line, and the line may hold a secret: only the place is told.
        place = str(error).rpartition("(")[2].rstrip(")") if "(" in str(error) else "somewhere"
        what = str(error).partition(" (")[0] if isinstance(error, tomllib.TOMLDecodeError) else "nested too deeply"
        raise ConfigError(
            f"The config file {path} is not valid TOML.", f"{what}, {place}.", "Correct that line; texts go in quotes."
        ) from error


def _problems(document: Document, found: Outline, name: str) -> Iterator[str]:
    def at(section: str, key: str | None = None) -> str:
        line = found.line_of(section, key)
        return f"{name}:{line}:" if line else f"{name}:"

    for section, values in document.items():
        if section not in SECTIONS:
            yield f"{at(section, None) if section in found.sections else at('', section)} {_unknown_section(section)}"
        elif not isinstance(values, Mapping):
            yield f"{at('', section)} [{section}] must be a section"
        elif section == MAPPING:
            for key, value in values.items():
                if not isinstance(value, str) or not value.strip() or not key.strip():
                    yield f"{at(section, key)} '{key}' in [mapping] must be the name of a Kibo field in quotes"
        else:
            for key, value in values.items():
                if problem := _key_problem(section, key, value):
                    yield f"{at(section, key)} {problem}"
    for section, keys in SCHEMA.items():
        values = document.get(section, {})
        for key, rule in keys.items():
            if rule.is_required and isinstance(values, Mapping) and key not in values:
                yield f"{at(section)} '{key}' is missing in [{section}]"
    yield from (f"{at(section, key)} {text}" for section, key, text in _contradictions(document))


def _key_problem(section: str, key: str, value: object) -> str | None:
    rule = SCHEMA[section].get(key)
    if rule is not None:
        wrong = rule.check(value)
        return f"'{key}' in [{section}] {wrong}" if wrong else None
    hint = ""
    if near := get_close_matches(key, SCHEMA[section], n=1, cutoff=0.6):
        hint = f"; did you mean '{near[0]}'?"
    elif homes := [other for other, keys in SCHEMA.items() if key in keys]:
        hint = f"; it belongs in [{homes[0]}]"
    elif near := get_close_matches(key, [one for keys in SCHEMA.values() for one in keys], n=1, cutoff=0.7):
        home = next(other for other, keys in SCHEMA.items() if near[0] in keys)
        hint = f"; did you mean '{near[0]}' in [{home}]?"
    return f"unknown key '{key}' in [{section}]{hint or '; allowed are ' + ', '.join(SCHEMA[section])}"


def _unknown_section(section: str) -> str:
    near = get_close_matches(section, SECTIONS, n=1, cutoff=0.5)
    homes = [other for other, keys in SCHEMA.items() if section in keys]
    if homes:
        return f"'{section}' stands outside of its section; it belongs in [{homes[0]}]"
    hint = f"did you mean [{near[0]}]?" if near else f"allowed are {', '.join(f'[{one}]' for one in SECTIONS)}"
    return f"unknown section [{section}]; {hint}"


def _contradictions(document: Document) -> Iterator[tuple[str, str, str]]:
    for section in ("kibo", "constant_contact"):
        values = document.get(section, {})
        if isinstance(values, Mapping) and {"client_secret", "client_secret_command"} <= values.keys():
            yield section, "client_secret_command", f"[{section}] has both client_secret and client_secret_command"
    contact = document.get("constant_contact", {})
    if isinstance(contact, Mapping) and contact.get("flow") in ("pkce", "code") and "redirect_uri" not in contact:
        yield "constant_contact", "flow", f'flow = "{contact["flow"]}" needs redirect_uri in [constant_contact]'
    limits = document.get("limits", {})
    if isinstance(limits, Mapping):
        reserve = limits.get("reserve_per_day", SCHEMA["limits"]["reserve_per_day"].default)
        per_day = limits.get("requests_per_day", SCHEMA["limits"]["requests_per_day"].default)
        if isinstance(reserve, int) and isinstance(per_day, int) and reserve >= per_day:
            yield "limits", "reserve_per_day", f"'reserve_per_day' must be below requests_per_day ({per_day:,})"


def _check_permissions(path: Path, document: Document) -> None:
    """A file that holds a secret is its owner's alone."""
    has_secret = any(key in document.get(section, {}) for section in SCHEMA for key in SECRETS)
    facts = path.stat()
    if not has_secret:
        return
    if stat.S_IMODE(facts.st_mode) & 0o077:
        raise ConfigError(
            f"The config file {path} holds a secret and others may read it.",
            f"its mode is {stat.S_IMODE(facts.st_mode):o}.",
            f"chmod 600 {shlex.quote(str(path))}",
        )
    if facts.st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise ConfigError(
            f"The config file {path} holds a secret and belongs to another user.",
            f"user {facts.st_uid}.",
            f"Run ccsync as that user, or: chown {os.geteuid()} {shlex.quote(str(path))}",
        )


def _to_config(path: Path, document: Document, environ: Mapping[str, str]) -> Config:
    values = {
        section: {key: document.get(section, {}).get(key, rule.default) for key, rule in keys.items()}
        for section, keys in SCHEMA.items()
    }
    for section in ("kibo", "constant_contact"):
        for key, value in values[section].items():
            if key.endswith("_url") and isinstance(value, str):
                values[section][key] = value.rstrip("/")
            if key.endswith("_command") and isinstance(value, list):
                values[section][key] = tuple(value)
    values["kibo"]["event_url"] = values["kibo"]["event_url"] or values["kibo"]["home_url"]
    folder = path.absolute().parent
    state = environ.get("CCSYNC_STATE") or values["state"]["path"] or "ccsync.db"
    base = Path.cwd() if environ.get("CCSYNC_STATE") else folder
    values["state"]["path"] = (base / Path(str(state)).expanduser()).absolute()
    return Config(
        path=path,
        kibo=KiboSettings(**values["kibo"]),  # type: ignore[arg-type]
        constant_contact=ConstantContactSettings(**values["constant_contact"]),  # type: ignore[arg-type]
        sync=SyncSettings(**values["sync"]),  # type: ignore[arg-type]
        limits=LimitSettings(**values["limits"]),  # type: ignore[arg-type]
        mapping=dict(document[MAPPING]) if MAPPING in document else dict(DEFAULT_MAPPING),  # type: ignore[arg-type]
        state=StateSettings(**values["state"]),  # type: ignore[arg-type]
    )
