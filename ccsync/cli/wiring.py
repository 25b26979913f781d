"""Connects what a command needs: config, state file, clients, clock."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ccsync import oauth
from ccsync.cli import config_check, idle_login, logging_setup, owner
from ccsync.cli.clock import RealClock
from ccsync.cli.terminal import screen
from ccsync.config import Config, constant_contact_secret, find_config, kibo_secret, load_config
from ccsync.constant_contact import ConstantContact
from ccsync.errors import ConfigError, LockedError
from ccsync.from_constant_contact.restored import RESTORED, WHAT_FOLLOWS
from ccsync.kibo import Kibo
from ccsync.run.access import CONSTANT_CONTACT, KIBO, SIGN_IN, ConstantContactToken, KiboToken, LedgerGate
from ccsync.run.context import Context, Progress
from ccsync.state import Lock, Store, open_store, properties, tokens
from ccsync.state.database import copies
from ccsync.state.database.times import to_text
from ccsync.state.log import runs
from ccsync.transport import Clock, Transport, origin

LOCK_SECONDS = 1.0
"""Between two looks at a lock that is waited for."""


class WallClock(Clock, Protocol):
    """A run's clock that also knows the date."""

    def now(self) -> datetime: ...


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
    """Set once the config is read, so that an SQLite error can name the file."""
    monitored: Config | None = None
    """The config of the cron job that a monitor hears of."""
    cron_job: str | None = None
    """The job of those that cron runs, once it is known that it is to do its work."""

    @property
    def verbosity(self) -> int:
        """0 to 2: what is done, and every call."""
        return 0 if self.is_quiet else self.talkativeness

    def find(self) -> Path:
        """The config file in force."""
        return find_config(self.config_option, os.environ, Path.cwd())

    def load(self, *, only_reads: bool = False, mends_mapping: bool = False) -> Config:
        """Read the config file in force, and check it whole before the state file is opened.

        Who `only_reads` the state file needs no secret: its command is run only where there is no state file, so that
        the first of two faults is told first. Who `mends_mapping` may find a wrong one.
        """
        logging_setup.tell_environment(os.environ)
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
        """The state file, open for writing, with the writers' lock. Waits up to so many seconds for the lock."""
        with self._locked(config, command, wait_seconds) as lock:
            store = open_store(config.state.path)
            try:
                owner.check_tenant(config, store)
                self._check_alone(store)
                if copies.begin(store, lock) and not self.is_quiet:
                    screen.say(f"{RESTORED} {WHAT_FOLLOWS}")
                protect_tokens(store)
                if command != "login":
                    idle_login.warn_once(store, self.clock.now())
                with copies.ending(store, lock):
                    yield store
            finally:
                store.close()

    @contextmanager
    def checking(self, config: Config) -> Iterator[Store]:
        """The state file, open for writing beside a job that may run: only for what is safe in single transactions."""
        store = open_store(config.state.path)
        try:
            owner.check_tenant(config, store)
            protect_tokens(store)
            yield store
        finally:
            store.close()

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
        """If the lock file of a running job was deleted, a second job gets in. The log still knows the first."""
        other = runs.other_alive(store)
        if other is not None:
            raise LockedError(
                "Another run is under way; nothing was done.",
                f"`ccsync {other.job}` since {screen.local_time(other.started_at)}; its lock file is gone.",
                "Wait until it has ended; `ccsync logs` shows it.",
            )

    @contextmanager
    def reading(self, config: Config) -> Iterator[Store]:
        """The state file, open for reading; never waits for a writer."""
        store = open_store(config.state.path, is_reader=True)
        try:
            owner.check_tenant(config, store)
            idle_login.warn(store, self.clock.now())
            yield store
        finally:
            store.close()


@dataclass(frozen=True, slots=True)
class Clients:
    """Both vendors, with the gate of the one that counts calls."""

    kibo: Kibo
    constant_contact: ConstantContact
    gate: LedgerGate
    app: oauth.App
    sign_in: Transport


def protect_tokens(store: Store) -> None:
    """Keep the saved tokens out of log lines."""
    for vendor in (KIBO, CONSTANT_CONTACT):
        saved = tokens.get(store, vendor)
        if saved:
            logging_setup.protect([saved.access_token, saved.refresh_token])


def clients(
    config: Config,
    store: Store,
    clock: WallClock,
    now: Callable[[], datetime] | None = None,
    on_boundary: Callable[[str], None] = lambda _: None,
    renewing: Callable[[], AbstractContextManager[object]] = nullcontext,
    *,
    tries_secret: bool = False,
) -> Clients:
    """Make the clients. `store` is the real state file: calls are counted and tokens kept there.

    `renewing` is entered while the login is renewed: whoever does not hold the writers' lock takes it for that.
    With `tries_secret` Kibo is asked for a new token, so that a wrong secret shows though an old token lasts.
    """
    now = now or clock.now
    settings, limits = config.constant_contact, config.limits
    gate = LedgerGate(
        store,
        CONSTANT_CONTACT,
        now,
        per_second=limits.requests_per_second,
        per_day=limits.requests_per_day,
        reserve=limits.reserve_per_day,
    )
    api = Transport(
        vendor="Constant Contact",
        origins=[origin(settings.api_url)],
        clock=clock,
        gate=gate,
        on_boundary=on_boundary,
    )
    sign_in = Transport(
        vendor="Constant Contact",
        origins=[origin(settings.auth_url)],
        clock=clock,
        gate=LedgerGate(store, SIGN_IN, now, per_second=1.0),
        on_boundary=on_boundary,
    )
    secret = constant_contact_secret(config, os.environ) if settings.flow == "code" else None
    logging_setup.protect([secret])
    app = oauth.App(settings.auth_url, settings.client_id, settings.flow, secret)
    token = ConstantContactToken(store, sign_in, now, app, renewing)
    contact = ConstantContact(api, token, api_url=settings.api_url)
    kibo = _kibo(config, store, clock, now, on_boundary, tries_secret=tries_secret)
    return Clients(kibo, contact, gate, app, sign_in)


def work_of(
    config: Config, store: Store, tools: Clients, list_id: str, clock: WallClock, report: Callable[[Progress], None]
) -> Context:
    """What a job works with. Raises `ConfigError` when the state file proves to be another tenant's."""
    owner.prove_tenant(
        config, store, lambda: config.kibo.tenant_url or url_of_host(config, tools.kibo.get_tenant().domain)
    )
    return Context(
        store=store,
        kibo=tools.kibo,
        constant_contact=tools.constant_contact,
        gate=tools.gate,
        config=config,
        list_id=list_id,
        clock=clock,
        now=clock.now,
        report=report,
    )


def _kibo(
    config: Config,
    store: Store,
    clock: Clock,
    now: Callable[[], datetime],
    on_boundary: Callable[[str], None],
    *,
    tries_secret: bool,
) -> Kibo:
    settings = config.kibo
    tenant_url = settings.tenant_url or properties.get(store, owner.TENANT_URL)
    transport = Transport(
        vendor="Kibo",
        origins=[origin(url) for url in (settings.home_url, settings.event_url, tenant_url) if url],
        clock=clock,
        gate=LedgerGate(store, KIBO, now, per_second=config.limits.kibo_requests_per_second),
        on_boundary=on_boundary,
    )

    def secret() -> str:
        value = kibo_secret(config, os.environ)
        logging_setup.protect([value])
        return value

    token = KiboToken(
        store,
        transport,
        now,
        home_url=settings.home_url,
        client_id=settings.client_id,
        secret=secret,
        begins_anew=tries_secret,
    )
    return Kibo(
        transport,
        token,
        tenant_id=settings.tenant_id,
        home_url=settings.home_url,
        tenant_url=tenant_url,
        event_url=settings.event_url,
    )


def url_of_host(config: Config, host: str) -> str:
    """The tenant's URL for the host that Kibo names; with the scheme of the home host."""
    return f"{urlsplit(config.kibo.home_url).scheme}://{host}"


def active_list(config: Config) -> str:
    """The id of the list that is configured. Raises `ConfigError` when there is none yet."""
    if config.sync.list_id is None:
        raise ConfigError(
            "No contact list is chosen yet.",
            f"{config.path} has no list_id in [sync].",
            'ccsync configure --list "Web shop customers" --create-list',
        )
    return config.sync.list_id
