"""Config files to try things on."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccsync.config.reading import load_config
from ccsync.config.schema import Config
from ccsync.errors import ConfigError

SECRET = "s3cr3t-shared-value"
LEAST = """\
[kibo]
tenant_id = 12345
client_id = "app.key"

[constant_contact]
client_id = "api-key"
"""
WITH_SECRET = LEAST.replace("client_id", f'client_secret = "{SECRET}"\nclient_id', 1)
NOBODY = 65534


def write(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    """A config file in `folder`."""
    path = folder / "ccsync.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def load(folder: Path, content: str | bytes = LEAST, mode: int = 0o600) -> Config:
    """The settings that a file with this content gives."""
    return load_config(write(folder, content, mode), {})


def refusal(folder: Path, content: str | bytes, mode: int = 0o600) -> ConfigError:
    """The error that a file with this content gives; it never holds the secret."""
    with pytest.raises(ConfigError) as caught:
        load(folder, content, mode)
    assert SECRET not in repr(vars(caught.value))
    assert caught.value.exit_code == 4
    assert caught.value.what
    assert caught.value.fix
    return caught.value


def problems(folder: Path, content: str | bytes) -> tuple[str, ...]:
    """The problems of a file with this content."""
    return refusal(folder, content).problems


def with_line(section: str, line: str) -> tuple[str, int]:
    """The least file with `line` in `section` (any line there that sets the same key goes), and its number."""
    key = line.partition("=")[0].strip()
    lines = [one for one in LEAST.splitlines() if not (one.startswith(f"{key} ") and _section(one) == section)]
    if f"[{section}]" not in lines:
        lines.append(f"[{section}]")
    place = lines.index(f"[{section}]") + 1
    lines.insert(place, line)
    return "\n".join(lines) + "\n", place + 1


def _section(line: str) -> str:
    return LEAST[: LEAST.index(line)].rpartition("[")[2].partition("]")[0]


@contextmanager
def plain_user() -> Iterator[Path]:
    """A folder of a user who is not root: root reads and writes whatever the mode says."""
    with tempfile.TemporaryDirectory() as name:
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(name, NOBODY, NOBODY)
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            if is_root:
                os.seteuid(0)
                os.setegid(0)
            Path(name).chmod(0o700)
