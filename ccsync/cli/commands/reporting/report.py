"""`ccsync report`: one page about the list's life, for people who never saw a terminal."""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen
from ccsync.errors import InputError, StateError
from ccsync.reports.page.facts import collect
from ccsync.reports.page.render import render

MOST_DAYS = 3_650
_READABLE = 0o644
"""The page has no personal data and may be shared."""


@click.command()
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default="ccsync-report.html",
    show_default=True,
    help="Where the page is written; - prints it.",
)
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=90, show_default=True, help="How many days it looks back."
)
@click.pass_obj
def report(app: App, output: Path, days: int) -> None:
    """Write an HTML page about the list.

    It shows members, who joined and left, consent, runs, and what needs attention. It holds no address and no
    customer's name, loads nothing, and has no script. It uses what ccsync remembers and asks neither vendor.

    \b
    Example:  ccsync report
              ccsync report --output /var/www/list.html --days 365
    """
    config = app.load(only_reads=True)
    with app.reading(config) as store:
        page = render(collect(store, config, app.clock.now(), days))
    if output == Path("-"):
        screen.put(page, nl=False)
        return
    _write(output, page)
    if not app.is_quiet and sys.stdout.isatty():
        screen.print_line(f"Wrote the report to {screen.clean(output.resolve())}")


def _write(path: Path, page: str) -> None:
    """Write all of it or nothing: the previous page stays in place until the new one is complete."""
    is_other = path.exists() and not path.is_file()  # a pipe or a device is written, not replaced
    part = path if is_other else path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(page.encode())
        if not is_other:
            part.chmod(_READABLE)
            part.replace(path)
    except OSError as error:
        with suppress(OSError):
            if not is_other:
                part.unlink()
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = StateError if is_full else InputError
        raise kind(
            f"The report could not be written to {path}.",
            f"{error.strerror}; a report from before is still there." if path.is_file() else f"{error.strerror}.",
            f"Make room on the disk (df -h {path.parent})." if is_full else "Name another file: --output FILE",
        ) from error
