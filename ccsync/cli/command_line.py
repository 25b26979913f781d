"""What every command gets from the command line: the global options, the config and the state file.

It imports no vendor client, so commands that make no calls start fast.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ccsync.cli import config_check, idle_login, logging_setup, owner
from ccsync.cli.clock import RealClock
from ccsync.cli.terminal import screen
from ccsync.config.reading import find_config, load_config
from ccsync.config.schema import Config
from ccsync.errors import LockedError
from ccsync.run.vendor_names import CONSTANT_CONTACT, KIBO
from ccsync.state import Lock, Store, open_store, tokens
from ccsync.state.database import copies
from ccsync.state.database.times import to_text
from ccsync.state.log import runs

LOCK_SECONDS = 1.0
"""Between two attempts to take a lock."""


@dataclass(slots=True)
class App:
    """The global options, for the command to use."""

    config_option: Path | None = None
    talkativeness: int = 0
    """How often -v was given."""
    is_quiet: bool = False
    log_file: Path | None = None
    wants_json: bool = False
    clock: RealClock = field(default_factory=RealClock)
    state_path: Path | None = None
    """Set when the config has been read, so that SQLite errors can name the file."""
    monitored: Config | None = None
    """The config of a cron job that reports to a monitor."""
    cron_job: str | None = None
    """Which cron job this is; set when the job is about to do its work."""

    @property
    def verbosity(self) -> int:
        """0 to 2. At 1 the steps are logged, at 2 every call."""
        return 0 if self.is_quiet else self.talkativeness

    def find(self) -> Path:
        """The config file in force."""
        return find_config(self.config_option, os.environ, Path.cwd())

    def load(self, *, only_reads: bool = False, mends_mapping: bool = False) -> Config:
        """Read the config file in force and check all of it before the state file is opened.

        A command that `only_reads` the state file needs no secret. The secret's command runs only when there is no
        state file, so that the first of two problems is reported first. With `mends_mapping` a wrong mapping is
        allowed.
        """
        logging_setup.log_environment(os.environ)
        config = load_config(self.find(), os.environ)
        self.state_path = config.state.path
        if not mends_mapping:
            config_check.check_mapping(config)
        runs_commands = not (only_reads and config.state.path.exists())
        config = config_check.with_secrets(config, os.environ, runs_commands=runs_commands)
        logging_setup.protect([config.kibo.client_secret, config.constant_contact.client_secret])
        return config

    @contextmanager
    def writing(self, config: Config, command: str, wait_seconds: float = 0.0) -> Iterator[Store]:
        """The state file, open for writing, with the writers' lock held. Waits for the lock up to the given seconds."""
        with self._locked(config, command, wait_seconds) as lock, closing(open_store(config.state.path)) as store:
            owner.check_tenant(config, store)
            self._check_alone(store)
            if copies.begin(store, lock) and not self.is_quiet:
                screen.say(f"{copies.RESTORED} {copies.WHAT_FOLLOWS}")
            protect_tokens(store)
            if command != "login":
                idle_login.warn_once(store, self.clock.now())
            with copies.ending(store, lock):
                yield store

    @contextmanager
    def checking(self, config: Config) -> Iterator[Store]:
        """The state file, open for writing without the lock: only for single, independent transactions."""
        with closing(open_store(config.state.path)) as store:
            owner.check_tenant(config, store)
            protect_tokens(store)
            yield store

    @contextmanager
    def _locked(self, config: Config, command: str, wait_seconds: float) -> Iterator[Lock]:
        ends_at = self.clock.monotonic() + wait_seconds
        with ExitStack() as stack:
            while True:
                try:
                    lock = stack.enter_context(self.lock(config, command))
                    break
                except LockedError:
                    left = ends_at - self.clock.monotonic()
                    if left <= 0:
                        raise
                self.clock.sleep(min(left, LOCK_SECONDS))
            yield lock

    def lock(self, config: Config, command: str) -> Lock:
        """The writers' lock, not taken yet."""
        return Lock(config.state.path, command, to_text(self.clock.now()))

    def _check_alone(self, store: Store) -> None:
        """If someone deletes a running job's lock file, a second job can start. The log still shows the first."""
        other = runs.other_alive(store)
        if other is not None:
            raise LockedError(
                "Another run is in progress; nothing was done.",
                f"`ccsync {other.job}` since {screen.local_time(other.started_at)}; its lock file is gone.",
                "Wait until it has ended; `ccsync logs` shows it.",
            )

    @contextmanager
    def reading(self, config: Config) -> Iterator[Store]:
        """The state file, open for reading; never waits for a writer."""
        with closing(open_store(config.state.path, is_reader=True)) as store:
            owner.check_tenant(config, store)
            idle_login.warn(store, self.clock.now())
            yield store


def protect_tokens(store: Store) -> None:
    """Keep the saved tokens out of log lines."""
    for vendor in (KIBO, CONSTANT_CONTACT):
        saved = tokens.get(store, vendor)
        if saved:
            logging_setup.protect([saved.access_token, saved.refresh_token])
