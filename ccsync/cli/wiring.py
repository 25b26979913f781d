"""Connects what a command needs: config, state file, clients, clock."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from ccsync import oauth
from ccsync.cli import logging_setup, owner
from ccsync.cli.command_line import App
from ccsync.cli.terminal.progress import ProgressLine
from ccsync.config.schema import Config
from ccsync.config.secrets import constant_contact_secret, kibo_secret
from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import ConfigError
from ccsync.kibo.client import Kibo
from ccsync.run.access import ConstantContactToken, KiboToken, LedgerGate
from ccsync.run.context import Context
from ccsync.run.vendor_names import CONSTANT_CONTACT, KIBO, SIGN_IN
from ccsync.state import Store, properties
from ccsync.transport.calls import Clock, origin
from ccsync.transport.http import Transport


class WallClock(Clock, Protocol):
    """A run's clock that also knows the date."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Clients:
    """Both vendors, with the gate of the one that counts calls."""

    kibo: Kibo
    constant_contact: ConstantContact
    gate: LedgerGate
    app: oauth.App
    sign_in: Transport


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

    `renewing` is entered while the login is renewed; a command without the writers' lock takes the lock there. With
    `tries_secret` Kibo is asked for a new token, so that a wrong secret is found while an old token is still valid.
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


@contextmanager
def working(
    app: App, config: Config, command: str, list_id: str, *, shows_progress: bool, wait_seconds: float = 0.0
) -> Iterator[Context]:
    """The context of a job, with the state file open for writing; waits so long for the lock.

    Raises `ConfigError` if the state file belongs to another tenant.
    """
    with app.writing(config, command, wait_seconds) as store:
        tools = clients(config, store, app.clock)
        owner.prove_tenant(
            config, store, lambda: config.kibo.tenant_url or url_of_host(config, tools.kibo.get_tenant().domain)
        )
        yield Context(
            store=store,
            kibo=tools.kibo,
            constant_contact=tools.constant_contact,
            gate=tools.gate,
            config=config,
            list_id=list_id,
            clock=app.clock,
            now=app.clock.now,
            report=ProgressLine(shows_progress and not app.is_quiet),
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
    tenant_url = settings.tenant_url or properties.get(store, properties.TENANT_URL)
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
