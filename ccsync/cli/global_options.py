"""--config, -v, -q and --log-file: every command takes them, before its name and after it."""

from pathlib import Path

import click

from ccsync.cli import logging_setup
from ccsync.cli.command_line import App
from ccsync.cli.terminal import named_config

NAMED_CONFIG = "ccsync.config"
"""Where a click context keeps the config file that was named, also while a shell completes."""
EPILOG = "Every command also takes --config FILE, -v, -q and --log-file FILE."


def options(*, is_hidden: bool) -> list[click.Parameter]:
    """The options, new each time: a command keeps its own."""
    path = click.Path(path_type=Path)
    places = "$CCSYNC_CONFIG, ./ccsync.toml, ~/.config/ccsync/ccsync.toml, /etc/ccsync/ccsync.toml"
    shared = {"callback": _take, "expose_value": False, "hidden": is_hidden}
    return [
        click.Option(
            ["--config"],
            metavar="FILE",
            type=path,
            help=f"Config file. Otherwise {places}.",
            **shared,  # type: ignore[arg-type]
        ),
        click.Option(["-v", "--verbose"], count=True, help="Show what is done; -vv shows every call.", **shared),  # type: ignore[arg-type]
        click.Option(["-q", "--quiet"], is_flag=True, help="Print errors only.", **shared),  # type: ignore[arg-type]
        click.Option(
            ["--log-file"],
            metavar="FILE",
            type=path,
            help="Append every log line to FILE.",
            **shared,  # type: ignore[arg-type]
        ),
    ]


def add_to(command: click.Command) -> None:
    """Let a command, and those below it, take the options after its name as well."""
    command.params += options(is_hidden=True)
    command.epilog = EPILOG
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        add_to(one)


def _take(context: click.Context, parameter: click.Parameter, value: object) -> None:
    if isinstance(value, Path) and parameter.name == "config":
        context.meta[NAMED_CONFIG] = value
    app = context.find_object(App)
    if app is None or not value:  # none while a shell completes
        return
    if isinstance(value, Path):
        if parameter.name == "config":
            named_config.use(value)
        setattr(app, "config_option" if parameter.name == "config" else "log_file", value)
    elif parameter.name == "quiet":
        app.is_quiet = True
    elif isinstance(value, int):
        app.talkativeness += value
    logging_setup.set_up(app.verbosity, app.log_file)
