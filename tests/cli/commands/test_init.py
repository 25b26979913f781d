"""`ccsync init`: the first config from a terminal, from options, from stdin; and what cron and systemd need."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from ccsync.cli.setup.systemd import calendar
from ccsync.config.reading import load_config
from tests.inside import CommandClock, run_inside
from tests.processes import start
from tests.terminal import END_OF_INPUT, INTERRUPT, on_terminal

SECRET = "s3cr3t-of-kibo"
WORDS = ["init", "--tenant-id", "77", "--kibo-client-id", "app.key", "--cc-client-id", "api-key"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the config is to be; the folder is not there yet."""
    return tmp_path / "etc" / "ccsync.toml"


def run(path: Path, *words: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run it without a terminal."""
    return run_inside(path.parents[1], path, words, CommandClock(), environ)


def piped(path: Path, *words: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run it with a text on stdin."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(path.parents[1])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(["--config", str(path), *words], environ, path.parents[1], clock=None, text=True, **pipes)
    out, err = process.communicate(text, timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def test_at_a_terminal_it_asks(tmp_path: Path) -> None:
    """Each value until it can be right, the secret unseen; the file is its owner's alone; what comes next is said."""
    path = tmp_path / "ccsync.toml"
    seen = on_terminal(
        path,
        "init",
        script=[
            ("tenant number", "seven"),
            ("It must be a whole number", "77"),
            ("application key", "app.key"),
            ("API key", "api-key"),
            ("shared secret (not shown)", SECRET),
        ],
    )
    assert seen.code == 0, seen.screen
    assert SECRET not in seen.screen
    assert "ccsync" in seen.screen
    assert "login" in seen.screen.partition("Next:")[2]
    assert "phone support" in seen.screen
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = load_config(path, {})
    assert (config.kibo.tenant_id, config.kibo.client_id, config.kibo.client_secret) == (77, "app.key", SECRET)
    assert (config.constant_contact.client_id, config.constant_contact.flow) == ("api-key", "device")


def test_secrets_come_through_stdin(path: Path) -> None:
    """A line for Kibo, and one more for the flow that has a second secret."""
    redirect = ["--flow", "code", "--redirect-uri", "https://example.com/callback"]
    done = piped(path, *WORDS, *redirect, "--secrets-stdin", text=f"{SECRET}\nsecond\n")
    assert done.returncode == 0, done.stderr
    config = load_config(path, {})
    assert (config.kibo.client_secret, config.constant_contact.client_secret) == (SECRET, "second")
    assert config.constant_contact.redirect_uri == "https://example.com/callback"


def test_a_secret_stays_where_it_is(path: Path) -> None:
    """A command or a variable is enough: then the file holds no secret, and no placeholder of one."""
    assert run(path, *WORDS, "--kibo-secret-command", "pass show 'my kibo'").returncode == 0
    config = load_config(path, {})
    assert config.kibo.client_secret_command == ("pass", "show", "my kibo")
    assert config.kibo.client_secret is None
    path.unlink()
    done = run(path, *WORDS, environ={"CCSYNC_KIBO_CLIENT_SECRET": SECRET})
    assert done.returncode == 0
    assert "$CCSYNC_KIBO_CLIENT_SECRET" in done.stdout
    assert SECRET not in path.read_text()
    assert "your-shared-secret" not in path.read_text()


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["init"], 2, "--tenant-id"),
        (WORDS, 2, "--secrets-stdin"),
        ([*WORDS, "--kibo-secret-command", "x", "--flow", "pkce"], 2, "--redirect-uri"),
        ([*WORDS, "--kibo-secret-command", "x", "--kibo-home-url", "http://example.com"], 4, "home_url in [kibo] must"),
        ([*WORDS, "--kibo-secret-command", "x", "--cc-api-url", "nowhere"], 4, "api_url in [constant_contact] must"),
        ([*WORDS, "--kibo-secret-command", "x", "--tenant-id", "0"], 4, "tenant_id in [kibo] must"),
    ],
)
def test_without_a_terminal_nothing_is_asked(path: Path, words: list[str], code: int, text: str) -> None:
    """What is missing is named as the option that says it, and nothing is written."""
    done = run(path, *words)
    assert done.returncode == code
    assert text in done.stderr
    assert not path.exists()


def test_the_addresses_of_a_sandbox(path: Path) -> None:
    """Every address that a login needs can be given: an EU tenant has another, and so have a sandbox's vendors."""
    urls = ("--kibo-home-url", "http://127.0.0.1:1"), ("--cc-api-url", "http://127.0.0.1:2/v3")
    words = [*WORDS, "--kibo-secret-command", "echo x", "--cc-auth-url", "http://127.0.0.1:3/v1"]
    assert run(path, *words, *(word for pair in urls for word in pair)).returncode == 0
    config = load_config(path, {})
    found = (config.kibo.home_url, config.constant_contact.api_url, config.constant_contact.auth_url)
    assert found == ("http://127.0.0.1:1", "http://127.0.0.1:2/v3", "http://127.0.0.1:3/v1")


def test_a_config_that_is_there_stays(path: Path) -> None:
    """It is never replaced."""
    path.parent.mkdir()
    path.write_text("mine")
    done = run(path, *WORDS, "--kibo-secret-command", "x")
    assert done.returncode == 4
    assert "already" in done.stderr
    assert path.read_text() == "mine"


def test_where_it_belongs(tmp_path: Path) -> None:
    """Without --config in the user's own folder, which is made; the next command finds it there."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "conf")}
    if os.geteuid() == 0:
        environ["CCSYNC_CONFIG"] = str(tmp_path / "conf" / "ccsync" / "ccsync.toml")
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = start([*WORDS, "--kibo-secret-command", "echo x"], environ, tmp_path, clock=None, **pipes)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    path = tmp_path / "conf" / "ccsync" / "ccsync.toml"
    assert str(path) in out
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    del environ["XDG_CONFIG_HOME"]
    next_one = start(["logs"], environ | {"XDG_CONFIG_HOME": str(tmp_path / "conf")}, tmp_path, clock=None, **pipes)
    assert "There is no state file" in next_one.communicate(timeout=60)[1]


@pytest.mark.parametrize("key", [INTERRUPT, END_OF_INPUT])
def test_stopped_at_a_question_nothing_is_written(tmp_path: Path, key: str) -> None:
    """It says that there is no config file yet, and not that what was typed is saved."""
    path = tmp_path / "ccsync.toml"
    seen = on_terminal(path, "init", script=[("tenant number", "77"), ("application key", key)])
    assert seen.code == 130
    assert "Stopped; no config file was written." in seen.screen
    assert "ccsync init begins again." in seen.screen
    assert not path.exists()


def test_the_lines_for_cron(path: Path) -> None:
    """One for each job with absolute paths, also before there is a config; nothing is written."""
    done = run(path, "init", "--print-crontab")
    lines = done.stdout.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["flush-events", "poll-unsubscribes", "reconcile"]
    assert all(f"--config {path} " in line for line in lines)
    assert not path.exists()


def test_the_units_for_systemd(path: Path, tmp_path: Path) -> None:
    """A service and a timer for each job, and what mails a failure; systemd itself finds nothing wrong in them."""
    done = run(path, "init", "--print-systemd")
    assert done.returncode == 0, done.stderr
    _, *parts = done.stdout.split("# /etc/systemd/system/")
    units = dict(part.split("\n", 1) for part in parts)
    jobs = ("flush-events", "poll-unsubscribes", "reconcile")
    assert set(units) == {
        *(f"ccsync-{job}.{kind}" for job in jobs for kind in ("service", "timer")), "ccsync-failure@.service"
    }  # fmt: skip
    service = units["ccsync-flush-events.service"]
    for line in ("Type=oneshot", "SuccessExitStatus=7 8", "OnFailure=ccsync-failure@%n.service", "UMask=0077",
                 "NoNewPrivileges=yes", "ProtectSystem=strict", f"ReadWritePaths={path.parent}"):  # fmt: skip
        assert line in service.splitlines()
    if shutil.which("systemd-analyze") is None:
        return
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    for name in units:
        if "@" not in name:
            checked = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / name)],
                capture_output=True, text=True, timeout=60, check=False,
                env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
            )  # fmt: skip
            assert "ccsync" not in checked.stderr, checked.stderr


@pytest.mark.parametrize(
    ("cron", "systemd"),
    [
        ("12,42 * * * *", "*-*-* *:12,42:00"),
        ("2-59/10 * * * *", "*-*-* *:2/10:00"),
        ("* * * * *", "*-*-* *:*:00"),
        ("12 */4 * * *", "*-*-* 0/4:12:00"),
        ("12 3 * * *", "*-*-* 03:12:00"),
        ("7 4 * * 1", "Mon *-*-* 04:07:00"),
    ],
)
def test_a_schedule_as_systemd_writes_it(cron: str, systemd: str) -> None:
    """The same times in the other notation."""
    assert calendar(cron) == systemd


def test_the_examples_are_in_the_package() -> None:
    """Those at the top level are the same text as those that pip installs."""
    top = Path(__file__).parents[3]
    for name in ("ccsync.toml.example", "crontab.example"):
        assert (top / name).read_bytes() == (top / "ccsync" / "examples" / name).read_bytes()
    assert '"examples/*"' in (top / "pyproject.toml").read_text()
