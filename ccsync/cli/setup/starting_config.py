"""The first config file: the example with the operator's own values, written where ccsync finds it, 0600."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ccsync.config.editing import Change, changed
from ccsync.config.reading import FILE_NAME
from ccsync.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "examples"
"""Files installed with the package; the copies at the top of the repository are identical."""


def example() -> str:
    """The example config, with every key there is."""
    return (EXAMPLES / "ccsync.toml.example").read_text("utf-8")


def home_of_config(explicit: Path | None, environ: Mapping[str, str], *, is_root: bool) -> Path:
    """Where to write a new config: the path given, else /etc for root, else the user's own config folder."""
    named = explicit or (Path(environ["CCSYNC_CONFIG"]) if environ.get("CCSYNC_CONFIG") else None)
    if named is not None:
        return named.absolute()
    if is_root:
        return Path("/etc/ccsync") / FILE_NAME
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():
        base = Path.home() / ".config"
    return base / "ccsync" / FILE_NAME


def write_new(path: Path, changes: Sequence[Change]) -> None:
    """Write the example with `changes`, for its owner alone. Raises `ConfigError`; never replaces a file."""
    text = changed(example(), changes)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(
            f"The config file {path} exists already; nothing was changed.",
            "",
            "Edit it, or name another: --config FILE",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"The config file {path} cannot be written.", f"{error.strerror}.", "Name another place: --config FILE"
        ) from error
