"""`ccsync backup FILE`: a consistent copy of the state file while jobs run."""

from contextlib import closing
from pathlib import Path

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen
from ccsync.state import open_store
from ccsync.state.database.backup import back_up


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(app: App, target: Path) -> None:
    """Copy the state file to FILE.

    The copy is complete and checked; jobs may run meanwhile. An older FILE is replaced. The copy holds the login, so
    only you can read it (0600). To restore it, stop cron, copy it over the state file, remove the -wal and -shm files
    beside that, and run any job.

    \b
    Example:  ccsync backup /var/backups/ccsync.db
    """
    config = app.load(only_reads=True)
    target = target.absolute()
    if target.resolve() == config.state.path.resolve():
        raise click.UsageError("FILE is the state file itself; give another path.")
    # Of whatever format: an upgrade of ccsync is what a copy is made for.
    with closing(open_store(config.state.path, is_reader=True, takes_older=True)) as store:
        size = back_up(store, target)
    if screen.wants_summary(app.verbosity, app.is_quiet):
        screen.say(f"Copied {config.state.path} to {target} ({size:,} bytes).")
