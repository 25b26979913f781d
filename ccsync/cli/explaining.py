"""What a new setting means, said where it bites: after `ccsync configure` has written it."""

import shlex
import sys
from pathlib import Path

from ccsync.cli import screen
from ccsync.config import Config
from ccsync.jobs.export import EXPORTED_LIST
from ccsync.models import ContactList
from ccsync.state import Store, meta


def explain(
    config: Config, store: Store, chosen: ContactList | None, welcome_email: bool | None, opt_out: str | None
) -> None:
    """Say what the change means; `config` is as it was before, and what was not changed is `None`."""
    if chosen is not None:
        screen.print_line(f'The contact list is "{screen.clean(chosen.name)}".')
        before = config.sync.list_id
        if before is not None and before != chosen.list_id:
            name = screen.clean(config.sync.list_name or before)
            screen.print_line(f'Whoever is on "{name}" stays there; ccsync no longer touches that list.')
        if meta.get(store, EXPORTED_LIST) != chosen.list_id:
            screen.print_line("An export is due: ccsync export --dry-run, then ccsync export.")
    if welcome_email:
        screen.print_line(
            "Welcome e-mails: imports send none. Switch Kibo's own off: Admin > System > Settings > General >\n"
            "Notifications, Enable Transactional Emails > Shoppers > Welcome."
        )
    if opt_out == "unsubscribe":
        screen.print_line("An opt-out in the store will unsubscribe from every list, and ccsync cannot undo that.")


def print_cron_line(config: Config) -> None:
    """Print the line for `crontab -e`, with absolute paths."""
    program = Path(sys.argv[0]).absolute()
    words = [sys.executable, "-m", "ccsync"] if program.name == "__main__.py" else [str(program)]
    command = shlex.join([*words, "--config", str(config.path.absolute())])
    screen.print_line("For cron (crontab -e):")
    screen.print_line(f"17 3 * * *  {command} export --no-progress")
