"""The command line: global options, commands, and how an error is shown and becomes an exit code."""

import errno
import logging
import os
import shlex
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from io import StringIO
from pathlib import Path

import click

from ccsync import __version__
from ccsync.cli import global_options, logging_setup
from ccsync.cli.clock import RealClock
from ccsync.cli.command_line import App
from ccsync.cli.cron import mail, monitor
from ccsync.cli.terminal import error_lines, named_config
from ccsync.cli.terminal.screen import clean, mute, open_missing_streams, put, say
from ccsync.errors import SOME_REJECTED, CcsyncError, Interrupted, StateError
from ccsync.run.job_names import CRON_JOBS
from ccsync.state import explained

log = logging.getLogger(__name__)

_FULL = 100_000
"""A disk with fewer free bytes than this takes nothing that is worth writing."""


COMMANDS = {
    **dict.fromkeys(("init", "login", "configure", "export", "flush-events", "poll-unsubscribes"), "commands"),
    **dict.fromkeys(("events", "logs", "status", "why", "consent"), "commands.reporting"),
    **dict.fromkeys(("forget", "reconcile", "campaign"), "commands"),
    "report": "commands.reporting",
    **dict.fromkeys(("doctor", "backup", "completion"), "commands"),
    "help": "commands.reporting",
}
"""Every command in the order of `--help`, with the package of its module, which is imported on first use."""


class Commands(click.Group):
    """The commands, each imported when it is needed: a TAB or `--version` should answer at once."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        if name not in self.commands:
            module = import_module(f"ccsync.cli.{COMMANDS[name]}.{name.replace('-', '_')}")
            command = next(one for one in vars(module).values() if isinstance(one, click.Command) and one.name == name)
            global_options.add_to(command)
            self.add_command(command)
        return self.commands[name]

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, arguments)
        except click.UsageError as error:
            begun = [name for name in COMMANDS if arguments[0] and name.startswith(arguments[0])]
            near = begun or get_close_matches(arguments[0], COMMANDS, n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", context) from None

    def all(self) -> dict[str, click.Command]:
        """Every command by its name."""
        found = {name: self.get_command(click.Context(self), name) for name in COMMANDS}
        return {name: command for name, command in found.items() if command is not None}


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=global_options.options(is_hidden=False),
)
@click.version_option(__version__, prog_name="ccsync")
@click.pass_obj
def cli(app: App) -> None:
    """Keep a Constant Contact list in step with a Kibo eCommerce store.

    \b
    First time:  ccsync init
                 ccsync login
                 ccsync configure --list "Web shop customers" --create-list
                 ccsync export --dry-run
                 ccsync export
    """
    logging_setup.set_up(app.verbosity, app.log_file)


def run(arguments: Sequence[str], clock: RealClock | None = None) -> int:
    """Run one command and return the exit code; prints errors, never a traceback."""
    os.umask(0o077)
    open_missing_streams()
    app = App(clock=clock or RealClock())
    app.wants_json = "--json" in arguments
    app.clock.listen()
    named_config.use(None)
    if "_CCSYNC_COMPLETE" in os.environ:  # a TAB: click finds the scripts of the shells once they are imported
        import_module("ccsync.cli.shell_completion")
    code = _run(app, arguments)
    monitor.end(app, code)
    return code


def _run(app: App, arguments: Sequence[str]) -> int:
    try:
        code = cli.main(_as_utf_8(arguments), prog_name="ccsync", obj=app, standalone_mode=False)
        put(nl=False)
        code = code if isinstance(code, int) else 0
        if code in (0, SOME_REJECTED):
            mail.say_recovery(app)
        return code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        _show_usage(error)
        _show_json(app, CcsyncError(error.format_message()), error.exit_code)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return show_error(app, Interrupted("Stopped by Ctrl-C."))
    except CcsyncError as error:
        return show_error(app, error)
    except sqlite3.Error as error:
        log.exception("the state file")
        return show_error(app, explained(error, app.state_path or Path("ccsync.db")))
    except (BrokenPipeError, SystemExit):
        # The reader went away (`| head`); click turns that into a SystemExit.
        mute(sys.stdout)
        return 0
    except OSError as error:
        mute(sys.stdout)
        return show_error(app, _of_operating_system(app, error))
    except Exception as error:
        log.exception("unforeseen")
        return show_error(app, _unforeseen(error))


def _as_utf_8(arguments: Sequence[str]) -> list[str]:
    """The arguments as UTF-8 whatever the locale says; only a path may hold other bytes."""
    found = list[str]()
    for argument in arguments:
        try:
            found.append(os.fsencode(argument).decode())
        except UnicodeDecodeError:
            if not (found and found[-1] in ("--config", "--log-file")):
                raise click.UsageError("an argument is not UTF-8; set the terminal's encoding to UTF-8.") from None
            found.append(argument)
    return found


def show_error(app: App, error: CcsyncError) -> int:
    """Say what happened, why, and what to do; return the exit code."""
    mail.show(app, error)
    log.info("exit %d: %s", error.exit_code, error.what)
    _show_json(app, error, error.exit_code)
    return error.exit_code


def _show_usage(error: click.ClickException) -> None:
    """Show click's message with addresses redacted: an extra argument may be an address."""
    text = StringIO()
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None and context.info_name in CRON_JOBS and not sys.stderr.isatty():
        text.write(f"Error: {error.format_message()}")  # cron mails it
    else:
        error.show(text)
    say("\n".join(clean(line) for line in logging_setup.redact(text.getvalue()).rstrip().split("\n")))


def _show_json(app: App, error: CcsyncError, code: int) -> None:
    """With --json, the last line on stderr is for programs."""
    if app.wants_json:
        error_lines.show_json(error, code)


def _of_operating_system(app: App, error: OSError) -> CcsyncError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        folders = shlex.join(map(str, _full_folders(app)))
        fix = f"Make room on the disk (df -h {folders}) and run again." if folders else "Make room."
        return StateError("Something could not be written.", "the disk is full; what was done is saved.", fix)
    log.exception("unforeseen")
    return _unforeseen(error)


def _full_folders(app: App) -> list[Path]:
    """Where ccsync writes and nothing fits any more: the error of a write does not name its file."""
    written = [one.absolute().parent for one in (app.state_path, app.log_file) if one is not None]
    folders = dict.fromkeys([*written, Path(tempfile.gettempdir())])
    return [one for one in folders if one.is_dir() and shutil.disk_usage(one).free < _FULL]


def _unforeseen(error: Exception) -> CcsyncError:
    return CcsyncError(
        f"Unforeseen: {type(error).__name__}. This is a bug in ccsync {__version__}.",
        "",
        "Run again with --log-file FILE and report the traceback in it (it holds no addresses or secrets).",
    )
