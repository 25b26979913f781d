"""The vendors' client secrets: from the environment, the config file, or a command."""

import subprocess
from collections.abc import Mapping, Sequence

from ccsync.config.settings import Config
from ccsync.errors import ConfigError

KIBO_VARIABLE = "CCSYNC_KIBO_CLIENT_SECRET"
CONSTANT_CONTACT_VARIABLE = "CCSYNC_CC_CLIENT_SECRET"
COMMAND_SECONDS = 30


def kibo_secret(config: Config, environ: Mapping[str, str]) -> str:
    """Kibo's shared secret. Raises `ConfigError` when there is none or its command fails."""
    settings = config.kibo
    found = _find(environ.get(KIBO_VARIABLE), settings.client_secret, settings.client_secret_command, "kibo")
    if found is None:
        raise ConfigError(
            "There is no secret for Kibo.",
            f"neither ${KIBO_VARIABLE}, nor client_secret or client_secret_command in [kibo] of {config.path}.",
            "Set one of them; the shared secret stands in Kibo's Dev Center.",
        )
    return found


def constant_contact_secret(config: Config, environ: Mapping[str, str]) -> str | None:
    """Constant Contact's client secret, if there is one: only the flow "code" has one."""
    settings = config.constant_contact
    variable = environ.get(CONSTANT_CONTACT_VARIABLE)
    return _find(variable, settings.client_secret, settings.client_secret_command, "constant_contact")


def _find(variable: str | None, key: str | None, command: Sequence[str] | None, section: str) -> str | None:
    return variable or key or (_run(command, section) if command else None)


def _run(command: Sequence[str], section: str) -> str:
    fix = f"Try it by hand: {command[0]} …; it stands in [{section}] client_secret_command."
    try:
        done = subprocess.run(list(command), capture_output=True, timeout=COMMAND_SECONDS, check=False, text=True)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        why = f"{command[0]}: {type(error).__name__}."
        raise ConfigError("The command for a client secret did not work.", why, fix) from None
    secret = done.stdout.strip()
    if done.returncode != 0 or not secret or "\n" in secret:
        why = f"{command[0]} ended with status {done.returncode}" + ("." if secret else " and printed nothing.")
        if "\n" in secret:
            why = f"{command[0]} printed more than one line."
        raise ConfigError("The command for a client secret did not work.", why, fix)
    return secret
