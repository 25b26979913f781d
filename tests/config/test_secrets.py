"""A secret comes from the environment, the key or the command, and never into an error."""

import sys
import time
from pathlib import Path

import pytest

from ccsync.config.schema import Config
from ccsync.config.secrets import constant_contact_secret, kibo_secret
from ccsync.errors import ConfigError
from tests.config.files import LEAST, SECRET, load


def with_command(folder: Path, code: str) -> Config:
    """A config whose commands run this Python."""
    line = f"client_secret_command = ['{sys.executable}', '-c', '''{code}''']\n"
    return load(folder, LEAST.replace("client_id", f"{line}client_id"))


def failure(config: Config, timeout_seconds: float = 30) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        kibo_secret(config, {}, timeout_seconds)
    assert SECRET not in repr(vars(caught.value)) + repr(caught.value.__context__) + repr(caught.value.__cause__)
    return caught.value


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """Each vendor's variable wins over its key; an empty one counts as unset."""
    config = load(tmp_path, LEAST.replace("client_id", 'client_secret = "of file"\nclient_id'))
    assert kibo_secret(config, {"CCSYNC_KIBO_CLIENT_SECRET": "k"}) == "k"
    assert constant_contact_secret(config, {"CCSYNC_CC_CLIENT_SECRET": "c"}) == "c"
    assert kibo_secret(config, {"CCSYNC_KIBO_CLIENT_SECRET": "", "CCSYNC_CC_CLIENT_SECRET": "c"}) == "of file"
    assert constant_contact_secret(config, {"CCSYNC_KIBO_CLIENT_SECRET": "k"}) == "of file"


def test_a_command_is_run_last_and_without_a_shell(tmp_path: Path) -> None:
    """The command's one line is the secret; when the variable is set, it is not run."""
    config = with_command(tmp_path, 'import sys; print("$HOME `x`", len(sys.stdin.read()))')
    assert kibo_secret(config, {}) == "$HOME `x` 0"
    assert constant_contact_secret(config, {}) == "$HOME `x` 0"
    assert kibo_secret(with_command(tmp_path, "exit(1)"), {"CCSYNC_KIBO_CLIENT_SECRET": "k"}) == "k"


def test_without_any_kibo_is_an_error_and_constant_contact_is_not(tmp_path: Path) -> None:
    """Kibo always needs its secret; only Constant Contact's flow "code" has one."""
    config = load(tmp_path)
    assert constant_contact_secret(config, {}) is None
    error = failure(config)
    assert error.what == "There is no secret for Kibo."
    assert "$CCSYNC_KIBO_CLIENT_SECRET" in error.why


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (f'import sys; print("{SECRET}"); print("{SECRET}", file=sys.stderr); exit(3)', "ended with status 3"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9"),
        ("print()", "printed nothing"),
        (f'print("{SECRET}"); print("b")', "printed more than one line"),
        (f'import sys; sys.stdout.buffer.write(b"{SECRET}" + bytes([255]))', "printed something that is not UTF-8"),
    ],
)
def test_a_command_that_fails_is_named_without_its_output(code: str, why: str, tmp_path: Path) -> None:
    """The program and its status are told; what it printed, and its arguments, are not."""
    error = failure(with_command(tmp_path, code))
    assert error.why == f"{sys.executable} {why}."
    assert "[kibo] client_secret_command" in error.fix


def test_a_child_that_is_left_behind_is_not_waited_for(tmp_path: Path) -> None:
    """A program that starts an agent in the background has ended when it has ended, whoever holds its stdout."""
    config = with_command(tmp_path, 'import subprocess; print("k", flush=True); subprocess.Popen(["sleep", "20"])')
    began = time.monotonic()
    assert kibo_secret(config, {}) == "k"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("value", ["k\n", "k\r\n", " k", "k\nl", "\n"])
def test_a_variable_with_a_line_end_is_named(tmp_path: Path, value: str) -> None:
    """A vendor would only say that it is a wrong secret."""
    with pytest.raises(ConfigError) as caught:
        kibo_secret(load(tmp_path), {"CCSYNC_KIBO_CLIENT_SECRET": value})
    assert "$CCSYNC_KIBO_CLIENT_SECRET" in caught.value.what


def test_a_command_that_hangs_is_given_up(tmp_path: Path) -> None:
    """After its time (30 seconds in earnest) the command is ended."""
    code = f'import time; print("{SECRET}", flush=True); time.sleep(60)'
    assert failure(with_command(tmp_path, code), 0.5).why.endswith("did not end within 0.5 seconds.")


@pytest.mark.parametrize(("name", "why"), [("no-such-program", "No such file"), ("plain.txt", "Permission denied")])
def test_a_program_that_cannot_be_started_is_named(name: str, why: str, tmp_path: Path) -> None:
    """A program that is not there, or is none, is told by its name."""
    (tmp_path / "plain.txt").write_text("")
    command = f'client_secret_command = ["{tmp_path / name}"]\nclient_id'
    error = failure(load(tmp_path, LEAST.replace("client_id", command, 1)))
    assert error.why.startswith(f"{tmp_path / name} could not be started: {why}")
