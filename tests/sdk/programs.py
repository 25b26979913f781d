"""Runs the vendors' own clients, each once for all of its tests; `tests/sdk/install` brings them."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = HERE.parent.parent / ".sdks"
PYTHON, NODE_MODULES = FOLDER / "python/bin/python", FOLDER / "node/node_modules"
PROGRAMS = {"cc": HERE / "constant_contact_program.py", "kibo": HERE / "kibo_program.js"}
MOST_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client made of one operation: the value it gave, or why it failed."""

    value: str
    failure: str


def driven(vendor: str) -> tuple[str, ...]:
    """The operations that a vendor's client drives, as the description names them."""
    names = re.findall(r"^ +['\"]([A-Z]+ /[^'\"]+)['\"]: ", PROGRAMS[vendor].read_text(), re.M)
    assert names
    return tuple(names)


def require(*things: Path | str) -> None:
    """Skip where a client is not installed; never in CI."""
    missing = [str(one) for one in things if not (one.exists() if isinstance(one, Path) else shutil.which(one))]
    if missing:
        assert not os.environ.get("CCSYNC_TESTS_NEED_SDKS"), f"CI has every client; {missing[0]} is missing"
        pytest.skip("the vendors' clients are not here (Debian: apt-get install nodejs npm; then tests/sdk/install)")


def run(*command: str | Path, given: dict[str, object]) -> dict[str, Outcome]:
    """Run a program to its end; its outcomes by operation."""
    environ = {"PATH": os.environ["PATH"], "HOME": os.devnull}
    words = [*map(str, command), json.dumps(given)]
    done = subprocess.run(words, capture_output=True, text=True, env=environ, timeout=MOST_SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["operation"]: Outcome(one.get("value", ""), one.get("failure", "")) for one in lines}
