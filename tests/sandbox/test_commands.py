"""`python -m ccsync.sandbox serve | demo | bench`, as the README calls them."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

ENVIRON = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


def sandbox(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ccsync.sandbox", *words]
    return subprocess.run(
        command, cwd=folder, env=ENVIRON | {"HOME": str(folder)} | environ, text=True, capture_output=True, timeout=120
    )


@pytest.mark.deep  # it waits for the paces that it shows
def test_the_demo(tmp_path: Path) -> None:
    """Login, configure, two exports and the log end well, and show the list's members and the log, on any terminal."""
    done = sandbox(tmp_path, "demo", "--customers", "40", COLUMNS="72")
    assert done.returncode == 0, done.stdout + done.stderr
    words = ("$ ccsync login", "$ ccsync configure", "$ ccsync export", "$ ccsync logs", "are 2", "COMPLETE", "Done.")
    for word in words:
        assert word in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert max(len(line) for line in done.stdout.splitlines() if line.startswith("--")) <= 72
    assert list(tmp_path.iterdir()) == []


def test_serve_writes_a_ready_config(tmp_path: Path) -> None:
    """It prints its URLs, writes a config that only its owner can read, serves, and ends at Ctrl-C."""
    command = [sys.executable, "-m", "ccsync.sandbox", "serve", "--customers", "5", "--directory", "box"]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRON, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = []
        while "Ctrl-C" not in (line := process.stdout.readline()):
            assert line or process.poll() is None, "".join(lines)
            lines.append(line)
        config = tmp_path / "box" / "ccsync.toml"
        assert stat.S_IMODE(config.stat().st_mode) == 0o600
        urls = [word for line in lines for word in line.split() if word.startswith("http://")]
        assert urls
        assert any(requests.get(url + "/state", timeout=5).ok for url in urls)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_serve_leaves_a_real_config_alone(tmp_path: Path) -> None:
    """A config or a state file that no sandbox wrote is not touched."""
    (tmp_path / "ccsync.toml").write_text("[kibo]\n")
    done = sandbox(tmp_path, "serve", "--directory", ".")
    assert done.returncode == 1
    assert "not a sandbox's" in done.stderr
    assert (tmp_path / "ccsync.toml").read_text() == "[kibo]\n"


@pytest.mark.parametrize("words", [["--set", "colour=red"], ["--set", "customers=many"], ["--port-base", "70000"]])
def test_serve_with_a_wrong_setting(tmp_path: Path, words: list[str]) -> None:
    """A setting that cannot be is one line, not a traceback."""
    done = sandbox(tmp_path, "serve", *words)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


@pytest.mark.deep  # it measures, which takes its time
@pytest.mark.parametrize(
    ("words", "columns"),
    [
        ([], ["first export", "nothing changed"]),
        (["--single-reads"], ["first export", "nothing changed"]),
        (
            ["--events", "20", "--opt-outs", "20", "--people", "300"],
            ["flush", "poll", "status", "consent", "reconcile"],
        ),
    ],
)
def test_the_bench(tmp_path: Path, words: list[str], columns: list[str]) -> None:
    """It prints one table a run with the figures and the ratio to the floor, and the same as JSON."""
    asked = ["bench", "--customers", "150", "--latency-ms", "1..5", "--kibo-requests-per-second", "100", *words]
    done = sandbox(tmp_path, *asked)
    assert done.returncode == 0, done.stderr
    for word in (*columns, "calls to Kibo", "floor", "ratio", "CPU", "lock"):
        assert word in done.stdout, done.stdout
    found = json.loads(sandbox(tmp_path, *asked, "--json").stdout)
    assert set(columns) <= {one["name"] for one in found["results"]}
    assert all(one["peak_megabytes"] > 1 and one["cpu_seconds"] > 0 for one in found["results"])
