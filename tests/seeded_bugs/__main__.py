"""Seeds each bug into a copy of ccsync; the tests that are named for it must fail there and pass without it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.seeded_bugs import BUGS
from tests.seeded_bugs.bug import ROOT, SeededBug


def is_caught(bug: SeededBug) -> bool:
    """Seed the bug into a copy of the project; do the named tests, which pass without it, fail?"""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "copy"
        ignored = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "build", "*.egg-info", "sandbox")
        shutil.copytree(ROOT, folder, ignore=lambda at, names: ignored(at, names) if at == str(ROOT) else set())
        passes = _run(folder, bug.caught_by) == 0
        bug.seed(folder)
        return passes and _run(folder, bug.caught_by) == 1  # any other code is trouble of the run's own


def _run(folder: Path, words: tuple[str, ...]) -> int:
    environ = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False).returncode


def main(names: list[str]) -> int:
    """Run the bugs of these names, or all; print what became of each."""
    chosen = [bug for bug in BUGS if not names or bug.name in names]
    missed = 0
    for bug in chosen:
        caught = is_caught(bug)
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}  {bug.name}  ({' '.join(bug.caught_by)})", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
