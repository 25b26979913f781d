"""The vendors' client secrets: from the environment, the config file, or a command."""

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence

from ccsync.config.schema import Config
from ccsync.errors import ConfigError

KIBO_VARIABLE = "CCSYNC_KIBO_CLIENT_SECRET"
CONSTANT_CONTACT_VARIABLE = "CCSYNC_CC_CLIENT_SECRET"
COMMAND_SECONDS = 30.0
_DRAIN_SECONDS = 1.0


def kibo_secret(config: Config, environ: Mapping[str, str], timeout_seconds: float = COMMAND_SECONDS) -> str:
    """Kibo's shared secret: $CCSYNC_KIBO_CLIENT_SECRET, else client_secret, else what client_secret_command prints.

    Raises `ConfigError` when there is none, or when its command fails or takes longer than `timeout_seconds`.
    """
    settings = config.kibo
    key, command = settings.client_secret, settings.client_secret_command
    found = _from_environment(environ, KIBO_VARIABLE) or _find(key, command, "kibo", timeout_seconds)
    if found is None:
        raise ConfigError(
            "There is no secret for Kibo.",
            f"neither ${KIBO_VARIABLE}, nor client_secret or client_secret_command in [kibo] of {config.path}.",
            "Set one of them; the shared secret is in Kibo's Dev Center.",
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
    found = _from_environment(environ, CONSTANT_CONTACT_VARIABLE)
    return found or _find(key, command, "constant_contact", timeout_seconds)


def _from_environment(environ: Mapping[str, str], name: str) -> str | None:
    """The variable's value. A line end in it is reported here: the vendor would only say that the secret is wrong."""
    value = environ.get(name)
    if value and (value != value.strip() or not value.isprintable()):
        raise ConfigError(
            f"${name} has a line end or a blank where a secret has none.",
            "it was probably read from a file together with the line end.",
            f'Set it without, for example: {name}="$(cat FILE)"',
        )
    return value or None


def _find(key: str | None, command: Sequence[str] | None, section: str, timeout_seconds: float) -> str | None:
    return key or (_run(command, section, timeout_seconds) if command else None)


def _run(command: Sequence[str], section: str, timeout_seconds: float) -> str:
    """The output of the command. Neither it nor the arguments appear in an error."""
    try:
        status, printed = _output(command, timeout_seconds)
    except subprocess.TimeoutExpired:
        why = f"did not end within {timeout_seconds:g} seconds"
    except OSError as error:
        why = f"could not be started: {error.strerror}"
    else:
        why = _refusal(status, printed)
        if not why:
            return printed.decode().strip()
    # Outside of the handlers, because their errors hold what the command printed.
    raise ConfigError(
        "The command for a client secret did not work.",
        f"{command[0]} {why}.",
        f"Try it by hand: {command[0]} …; it stands in [{section}] client_secret_command.",
    )


def _output(command: Sequence[str], timeout_seconds: float) -> tuple[int, bytes]:
    """The status of the command, and what it printed until it ended.

    A child that it leaves behind (gpg-agent, ssh-agent) may hold its stdout open for hours: that is not waited for.
    """
    reading, writing = os.pipe()
    printed = bytearray()

    def read() -> None:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while chunk := pipe.read(65_536):
                printed.extend(chunk)

    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,  # a program that prompts must use the terminal, not our stdin
            stdout=writing,
            stderr=subprocess.DEVNULL,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        status = process.wait(timeout_seconds)
    except BaseException:
        process.kill()
        process.wait()
        raise
    reader.join(_DRAIN_SECONDS)
    return status, bytes(printed)


def _refusal(status: int, printed: bytes) -> str:
    """Why the command's answer is not a secret, or ""."""
    if status < 0:
        return f"was ended by signal {-status}"
    if status:
        return f"ended with status {status}"
    try:
        secret = printed.decode().strip()
    except UnicodeDecodeError:
        return "printed something that is not UTF-8"
    if not secret:
        return "printed nothing"
    return "printed more than one line" if len(secret.splitlines()) > 1 else ""
