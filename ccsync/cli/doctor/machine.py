"""What can be wrong on this machine: the config, its permissions and secrets, the state file, disk, lock, cron."""

import os
import shlex
import shutil
import stat
from collections.abc import Mapping

from ccsync.cli import config_check, owner
from ccsync.cli.command_line import App
from ccsync.cli.doctor.findings import Check, Skipped, Wrong
from ccsync.cli.terminal import screen
from ccsync.config.reading import load_config
from ccsync.config.schema import Config
from ccsync.errors import ConfigError, LockedError, StateError
from ccsync.reports.attention import is_silent
from ccsync.reports.status import gather
from ccsync.run.job_names import CRON_JOBS
from ccsync.state import Store, open_store

LEAST_FREE = 100_000_000
"""In bytes. Dry runs and migrations copy the state file, so its size must be free on top of this."""


class Machine:
    """The checks of this machine. Later checks use what earlier ones found."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.config: Config | None = None
        self.store: Store | None = None

    def checks(self) -> Mapping[str, Check]:
        """In dependency order."""
        return {
            "config": self._config,
            "permissions": self._permissions,
            "secrets": self._secrets,
            "state file": self._state,
            "disk": self._disk,
            "lock": self._lock,
            "cron": self._cron,
        }

    def _config(self) -> str:
        path = self._app.find()
        config = load_config(path, os.environ)
        config_check.check_mapping(config)
        self.config, self._app.state_path = config, config.state.path
        return str(path)

    def known_config(self) -> Config:
        """The config. Raises `Skipped` when it cannot be used."""
        if self.config is None:
            raise Skipped("the config cannot be used")
        return self.config

    def known_store(self) -> Store:
        """The state file. Raises `Skipped` when it cannot be used."""
        self.known_config()
        if self.store is None:
            raise Skipped("the state file cannot be used")
        return self.store

    def _permissions(self) -> str:
        config = self.known_config()
        for path in (config.path, config.state.path):
            if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise ConfigError(f"Others may read {path}.", "", f"chmod 600 {shlex.quote(str(path))}")
        return "the config and the state file are this user's alone"

    def _secrets(self) -> str:
        config = self.known_config()
        self.config = config_check.with_secrets(config, os.environ, runs_commands=True)
        return "found"

    def _state(self) -> str:
        config = self.known_config()
        store = open_store(config.state.path)
        owner.check_tenant(config, store)
        ((result,),) = store.rows("PRAGMA quick_check(1)")
        if result != "ok":
            path = shlex.quote(str(config.state.path))
            raise StateError(
                f"The state file {config.state.path} is damaged.",
                str(result),
                f"Stop cron, put a copy back (made with ccsync backup): cp COPY {path}; rm -f {path}-wal {path}-shm",
            )
        self.store = store
        return f"{config.state.path}, whole"

    def _disk(self) -> str:
        folder = self.known_config().state.path.parent
        free = shutil.disk_usage(folder).free
        path = self.known_config().state.path
        if free < LEAST_FREE + (path.stat().st_size if path.exists() else 0):
            raise StateError(
                f"Only {free / 1e6:,.0f} MB are free in {folder}.",
                "the state file may not be writable soon.",
                f"Make room (df -h {shlex.quote(str(folder))}).",
            )
        return f"{free / 1e9:,.1f} GB free in {folder}"

    def _lock(self) -> str:
        config = self.known_config()
        self.known_store()
        try:
            with self._app.lock(config, "doctor"):
                return "free"
        except LockedError as error:
            return error.why

    def _cron(self) -> str:
        config, store = self.known_config(), self.known_store()
        status = gather(store, config, self._app.clock.now())
        if not status.is_enabled:
            raise Skipped("the sync is disabled: ccsync configure --enable")
        if not status.is_exported:
            raise Skipped("no export has finished yet")
        jobs = [one for one in status.jobs if one.job in CRON_JOBS]
        silent = [one.job for one in jobs if is_silent(status, one)]
        if silent:
            raise Wrong(f"Cron has not started {' and '.join(silent)} lately.", "", "ccsync init --print-crontab")
        return ", ".join(f"{one.job} at {screen.local_time(one.last.started_at)}" for one in jobs if one.last)

    def close(self) -> None:
        """Close the state file."""
        if self.store is not None:
            self.store.close()
