"""Seeds each bug into a copy of ccsync; the tests that are named for it must fail there, and pass without it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.seeded_bugs import BUGS
from tests.seeded_bugs.bug import ROOT, SeededBug

LEFT_BEHIND = (".venv", ".git")
PASSED, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How pytest ended, which tests failed, and what it printed."""

    code: int
    failed: tuple[str, ...]
    printed: str


def play(bug: SeededBug) -> Outcome:
    """Run the tests that are named for the bug in a copy of the project that has it, up to the first failure."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "copy"
        folder.mkdir()
        for one in ROOT.iterdir():
            if one.name == "ccsync":  # compiled files come along: only the module with the bug is compiled anew
                shutil.copytree(one, folder / one.name)
            elif one.name not in LEFT_BEHIND:
                (folder / one.name).symlink_to(one)
        bug.seed(folder)
        return _run(folder, ["-x", *bug.caught_by])


def _run(folder: Path, words: Sequence[str]) -> Outcome:
    with tempfile.TemporaryDirectory() as cache:
        environ = os.environ | {"PYTHONPATH": str(folder)}
        command = [sys.executable, "-m", "pytest", "-q", "--deep", "-n", "0", "-o", f"cache_dir={cache}", *words]
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        noted = Path(cache) / "v" / "cache" / "lastfailed"
        failed = tuple(json.loads(noted.read_text())) if noted.is_file() else ()
    return Outcome(done.returncode, failed, done.stdout + done.stderr)


def _verdict(outcome: Outcome) -> str:
    if outcome.code == PASSED:
        return "MISSED"
    return "caught" if outcome.code == FAILED and outcome.failed else "BROKEN"


def main(names: list[str]) -> int:
    """Run the bugs of these names, or all; print what became of each."""
    chosen = [bug for bug in BUGS if not names or bug.name in names]
    caught_by: dict[str, tuple[str, ...]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for bug, outcome in zip(chosen, pool.map(play, chosen), strict=True):
            verdict = _verdict(outcome)
            print(f"{verdict}  {bug.name}  ({' '.join(bug.caught_by)})", flush=True)
            if verdict == "caught":
                caught_by[bug.name] = outcome.failed
            elif verdict == "BROKEN":  # trouble of the run's own says nothing about the bug
                print(outcome.printed)
    tests = sorted({test for failed in caught_by.values() for test in failed})
    without = _run(ROOT, tests) if tests else Outcome(PASSED, (), "")
    if without.code != PASSED:
        print(f"Without the bugs, these tests must pass:\n{without.printed}")
    caught = sum(not set(failed) & set(without.failed) for failed in caught_by.values())
    print(f"{caught} of {len(chosen)} caught")
    return 0 if caught == len(chosen) and without.code == PASSED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
