"""Checks that need more than the config file: the mapping, and whether the secrets can be read."""

from collections.abc import Mapping
from dataclasses import replace

from ccsync.config.reading import line_of
from ccsync.config.schema import Config
from ccsync.config.secrets import CONSTANT_CONTACT_VARIABLE, KIBO_VARIABLE, constant_contact_secret, kibo_secret
from ccsync.errors import ConfigError
from ccsync.mapping.checks import mapping_problems


def check_mapping(config: Config) -> None:
    """Raise `ConfigError` for a mapping that cannot work."""
    problems = mapping_problems(config.mapping, None)
    if problems:
        lines = tuple(_located(config, problem) for problem in problems)
        raise ConfigError(f"{config.path} has a mapping that cannot work.", "", "Correct it; nothing was done.", lines)


def with_secrets(config: Config, environ: Mapping[str, str], *, runs_commands: bool) -> Config:
    """The config with the output of its secret commands filled in, so that each runs only once.

    Without `runs_commands`, only check that a secret is configured: commands that only read the state file need none,
    and a password store may ask for a passphrase. Raises `ConfigError` where one is missing, or its command fails.
    """
    kibo, contact = config.kibo, config.constant_contact
    if runs_commands or not (kibo.client_secret_command and not environ.get(KIBO_VARIABLE)):
        kibo = replace(kibo, client_secret=kibo_secret(config, environ))
    if contact.flow == "code" and (runs_commands or not contact.client_secret_command):
        contact = replace(contact, client_secret=_contact_secret(config, environ))
    return replace(config, kibo=kibo, constant_contact=contact)


def _contact_secret(config: Config, environ: Mapping[str, str]) -> str:
    found = constant_contact_secret(config, environ)
    if found is None:
        raise ConfigError(
            "There is no secret for Constant Contact.",
            f'flow = "code" needs one, and neither ${CONSTANT_CONTACT_VARIABLE}, nor client_secret or'
            f" client_secret_command in [constant_contact] of {config.path} is set.",
            "Set one of them; the secret stands in the developer portal, with the app.",
        )
    return found


def _located(config: Config, problem: str) -> str:
    """A problem of the mapping with its file and line in front."""
    starts = {key: (f"[mapping] {key}: ", f"[mapping] {key} = ") for key in config.mapping}
    key = next((key for key, both in starts.items() if problem.startswith(both)), None)
    line = line_of(config.path, "mapping", key) if key is not None else None
    return f"{config.path.name}:{line}: {problem}" if line else f"{config.path.name}: {problem}"
