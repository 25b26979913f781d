"""The vendors' client secrets: from the environment, the config file, or a command."""

import subprocess
from collections.abc import Mapping, Sequence

from ccsync.config.settings import Config
from ccsync.errors import ConfigError

KIBO_VARIABLE = "CCSYNC_KIBO_CLIENT_SECRET"
CONSTANT_CONTACT_VARIABLE = "CCSYNC_CC_CLIENT_SECRET"
COMMAND_SECONDS = 30.0


def kibo_secret(config: Config, environ: Mapping[str, str], timeout_seconds: float = COMMAND_SECONDS) -> str:
    """Kibo's shared secret: $CCSYNC_KIBO_CLIENT_SECRET, else client_secret, else what client_secret_command prints.

    Raises `ConfigError` when there is none, or when its command fails or takes longer than `timeout_seconds`.
    """
    settings = config.kibo
    key, command = settings.client_secret, settings.client_secret_command
    found = _find(environ.get(KIBO_VARIABLE), key, command, "kibo", timeout_seconds)
    if found is None:
        raise ConfigError(
            "There is no secret for Kibo.",
            f"neither ${KIBO_VARIABLE}, nor client_secret or client_secret_command in [kibo] of {config.path}.",
            "Set one of them; the shared secret stands in Kibo's Dev Center.",
        )
    return found


def constant_contact_secret(
    config: Config, environ: Mapping[str, str], timeout_seconds: float = COMMAND_SECONDS
) -> str | None:
    """Constant Contact's client secret, if there is one: only the flow "code" has one.

    $CCSYNC_CC_CLIENT_SECRET, else client_secret, else what client_secret_command prints. Raises `ConfigError` when
    the command fails or takes longer than `timeout_seconds`.
    """
    settings = config.constant_contact
    key, command = settings.client_secret, settings.client_secret_command
    return _find(environ.get(CONSTANT_CONTACT_VARIABLE), key, command, "constant_contact", timeout_seconds)


def _find(
    variable: str | None, key: str | None, command: Sequence[str] | None, section: str, timeout_seconds: float
) -> str | None:
    return variable or key or (_run(command, section, timeout_seconds) if command else None)


def _run(command: Sequence[str], section: str, timeout_seconds: float) -> str:
    """What the command prints, which goes nowhere else: neither it nor the arguments are in an error."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,  # a program that asks must ask on the terminal, not eat our input
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"did not end within {timeout_seconds:g} seconds"
    except OSError as error:
        why = f"could not be started: {error.strerror}"
    else:
        why = _refusal(done)
        if not why:
            return done.stdout.decode().strip()
    # Outside of the handlers, because their errors hold what the command printed.
    raise ConfigError(
        "The command for a client secret did not work.",
        f"{command[0]} {why}.",
        f"Try it by hand: {command[0]} …; it stands in [{section}] client_secret_command.",
    )


def _refusal(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why the command's answer is not a secret, or ""."""
    if done.returncode < 0:
        return f"was ended by signal {-done.returncode}"
    if done.returncode:
        return f"ended with status {done.returncode}"
    try:
        secret = done.stdout.decode().strip()
    except UnicodeDecodeError:
        return "printed something that is not UTF-8"
    if not secret:
        return "printed nothing"
    return "printed more than one line" if len(secret.splitlines()) > 1 else ""
