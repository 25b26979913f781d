"""`ccsync init`: writes the first config file, and prints what cron or systemd needs."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ccsync.cli.command_line import App
from ccsync.cli.setup import crontab, systemd
from ccsync.cli.setup.sign_in import PRIVATE_APP
from ccsync.cli.setup.starting_config import home_of_config, write_new
from ccsync.cli.terminal import screen
from ccsync.cli.terminal.prompts import Talk
from ccsync.config.editing import Change, Value
from ccsync.config.reading import load_config
from ccsync.config.schema import SCHEMA
from ccsync.config.secrets import CONSTANT_CONTACT_VARIABLE, KIBO_VARIABLE
from ccsync.errors import ConfigError, Interrupted

_PLACES = {
    "tenant_id": ("kibo", "Kibo tenant number (the 12345 of https://t12345.tp1.mozu.com)"),
    "kibo_client_id": ("kibo", "Kibo application key (Dev Center, such as ab12cd3.ccsync.1.0.0.Release)"),
    "cc_client_id": ("constant_contact", "Constant Contact API key (developer portal)"),
    "redirect_uri": ("constant_contact", "Redirect URI of the app (such as http://localhost:8484/callback)"),
}


@click.command()
@click.option("--tenant-id", type=int, metavar="N", help="Kibo's tenant number.")
@click.option("--kibo-client-id", metavar="KEY", help="The application key from Kibo's Dev Center.")
@click.option("--kibo-home-url", metavar="URL", help="Kibo's home host.  [https://home.mozu.com]")
@click.option("--cc-client-id", metavar="KEY", help="The API key of your app at Constant Contact.")
@click.option("--cc-api-url", metavar="URL", help="Where Constant Contact's API is, for a test.")
@click.option("--cc-auth-url", metavar="URL", help="Where its login is, for a test.")
@click.option("--flow", type=click.Choice(["device", "pkce", "code"]), help="How that app was set up.  [device]")
@click.option("--redirect-uri", metavar="URL", help="For pkce and code: as it stands in the developer portal.")
@click.option("--kibo-secret-command", metavar="COMMAND", help="A command that prints Kibo's shared secret.")
@click.option("--cc-secret-command", metavar="COMMAND", help="The same for Constant Contact; flow code only.")
@click.option("--secrets-stdin", is_flag=True, help="Read the secrets from stdin: a line for Kibo, one for code.")
@click.option("--print-crontab", "prints_crontab", is_flag=True, help="Print the lines for cron; change nothing.")
@click.option("--print-systemd", "prints_systemd", is_flag=True, help="Print units for systemd; change nothing.")
@click.pass_obj
def init(
    app: App,
    tenant_id: int | None,
    kibo_client_id: str | None,
    kibo_home_url: str | None,
    cc_client_id: str | None,
    cc_api_url: str | None,
    cc_auth_url: str | None,
    flow: str | None,
    redirect_uri: str | None,
    kibo_secret_command: str | None,
    cc_secret_command: str | None,
    secrets_stdin: bool,
    prints_crontab: bool,
    prints_systemd: bool,
) -> None:
    """Write the first config file.

    Only you can read it (0600). Then it lists the next steps.

    It asks for what the options do not say. A secret comes from a hidden prompt, a command, the environment or stdin.

    \b
    Example:  ccsync init
              pass show kibo | ccsync init --tenant-id 12345 --kibo-client-id KEY --cc-client-id KEY --secrets-stdin
              ccsync init --print-crontab
    """
    path = home_of_config(app.config_option, os.environ, is_root=os.geteuid() == 0)
    if prints_crontab or prints_systemd:
        _print_schedule(_in_force(app) or path, prints_crontab, prints_systemd)
        return
    other = _in_force(app)
    if other is not None:
        raise ConfigError(f"The config file {other} exists already; nothing was changed.", "", "Edit it by hand.")
    given: dict[str, object] = {
        "tenant_id": tenant_id,
        "kibo_client_id": kibo_client_id,
        "cc_client_id": cc_client_id,
        "redirect_uri": redirect_uri,
    }
    if flow in (None, "device"):
        given.pop("redirect_uri")
    talk = Talk(app.clock.check) if screen.may_ask() and not secrets_stdin else None
    with _unwritten():
        changes = [_value(name, value, talk) for name, value in given.items()]
    as_they_are = (
        ("kibo", "home_url", kibo_home_url),
        ("constant_contact", "api_url", cc_api_url),
        ("constant_contact", "auth_url", cc_auth_url),
        ("constant_contact", "flow", flow),
    )
    changes += [Change(section, key, value) for section, key, value in as_they_are if value]
    with _unwritten():
        changes.append(_secret("kibo", KIBO_VARIABLE, kibo_secret_command, talk, from_stdin=secrets_stdin))
        if flow == "code":
            variable = CONSTANT_CONTACT_VARIABLE
            changes.append(_secret("constant_contact", variable, cc_secret_command, talk, from_stdin=secrets_stdin))
        app.clock.check()
    _check(changes)
    write_new(path, [*changes, *_without_placeholder(changes)])
    _say_next(app, path)


@contextmanager
def _unwritten() -> Iterator[None]:
    """Until the file is written, nothing of what was typed is kept."""
    try:
        yield
    except (click.Abort, Interrupted) as error:
        code = error.exit_code if isinstance(error, Interrupted) else Interrupted.exit_code
        raise Interrupted("Stopped; no config file was written.", "", "ccsync init begins again.", code) from None


def _in_force(app: App) -> Path | None:
    """The existing config file, if any."""
    try:
        return app.find()
    except ConfigError:
        return None


def _value(name: str, given: object, talk: Talk | None) -> Change:
    """A setting; asks until it is valid. Raises `click.UsageError` without a terminal."""
    section, question = _PLACES[name]
    key = "client_id" if name.endswith("client_id") else name
    while given is None:
        if talk is None:
            raise click.UsageError(f"no terminal to ask on; use --{name.replace('_', '-')}.")
        typed = talk.ask(f"{question}:")
        value = int(typed) if name == "tenant_id" and typed.isascii() and typed.isdigit() else typed
        problem = SCHEMA[section][key].check(value)
        if problem is None:
            given = value
        else:
            screen.say(f"It {problem}.")
    return Change(section, key, given if isinstance(given, int) else str(given))


def _secret(section: str, variable: str, command: str | None, talk: Talk | None, *, from_stdin: bool) -> Change:
    """Where a secret comes from; `None` in the change leaves it out of the file."""
    if command:
        return Change(section, "client_secret_command", shlex.split(command))
    value: Value | None = None
    if from_stdin:
        value = sys.stdin.readline().rstrip("\r\n")
        if not value:
            raise click.UsageError("--secrets-stdin: a line with a secret is missing.")
    elif not os.environ.get(variable):
        if talk is None:
            raise click.UsageError("no terminal to ask on; use --secrets-stdin or --kibo-secret-command.")
        vendor = "Kibo's shared secret" if section == "kibo" else "Constant Contact's client secret"
        while not value:
            value = talk.ask_hidden(f"{vendor} (not shown):")
    return Change(section, "client_secret", value)


def _check(changes: list[Change]) -> None:
    """Raise `ConfigError` for values that the config could not have, each with what is allowed."""
    problems = tuple(
        f"{one.key} in [{one.section}] {problem}"
        for one in changes
        if one.value is not None and (problem := SCHEMA[one.section][one.key].check(one.value))
    )
    if problems:
        raise ConfigError("The config would not be right; nothing was written.", "", "Correct it.", problems)


def _without_placeholder(changes: list[Change]) -> list[Change]:
    """Remove the example's placeholder when the secret comes from a command or the environment."""
    has_command = any(one.key == "client_secret_command" and one.section == "kibo" for one in changes)
    return [Change("kibo", "client_secret", None)] if has_command else []


def _say_next(app: App, path: Path) -> None:
    screen.print_line(f"Wrote {screen.clean(path)}, readable by you alone.")
    for variable in crontab.missing_variables():
        screen.print_line(f"${variable} stays in your environment: cron and systemd need it, too.")
    screen.print_line(PRIVATE_APP)
    program = "ccsync" if shutil.which("ccsync") else shlex.join(crontab.command_line(path)[:-2])
    if app.config_option is not None:
        program += f" --config {shlex.quote(str(path))}"
    screen.print_line("Next:")
    for words in ("login", 'configure --list "Web shop customers" --create-list', "export --dry-run", "export"):
        screen.print_line(f"    {program} {words}")
    screen.print_line(f"    {program} init --print-crontab")


def _print_schedule(path: Path, prints_crontab: bool, prints_systemd: bool) -> None:
    """Print the schedule for the existing config, or for the one that `init` would write."""
    interval, state, also = SCHEMA["sync"]["interval_minutes"].default, path.parent / "ccsync.db", None
    if path.exists():
        config = load_config(path, os.environ)
        interval, state, metrics = config.sync.interval_minutes, config.state.path, config.monitor.metrics_file
        also = metrics.parent if metrics else None
    minutes = interval if isinstance(interval, int) else 30
    if prints_crontab:
        screen.print_line("\n".join(crontab.lines(path, minutes)))
    if prints_systemd:
        screen.print_line(systemd.units(path, state, minutes, also_writable=also).rstrip())
    needed = crontab.missing_variables()
    if needed:
        screen.say(f"Your {' and '.join(needed)} must be set there, too.")
