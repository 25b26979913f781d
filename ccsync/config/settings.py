"""The settings as the rest of ccsync sees them: frozen, typed, with the defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KiboSettings:
    """`[kibo]`. URLs have no trailing slash; `tenant_url` is `None` until it is found at login."""

    tenant_id: int
    client_id: str
    client_secret: str | None = field(repr=False)
    client_secret_command: tuple[str, ...] | None
    home_url: str
    tenant_url: str | None
    event_url: str


@dataclass(frozen=True, slots=True)
class ConstantContactSettings:
    """`[constant_contact]`. `api_url` ends in /v3, `auth_url` in /oauth2/default/v1."""

    client_id: str
    client_secret: str | None = field(repr=False)
    client_secret_command: tuple[str, ...] | None
    flow: str
    redirect_uri: str | None
    api_url: str
    auth_url: str


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """`[sync]`."""

    enabled: bool
    list_id: str | None
    list_name: str | None
    welcome_email: bool
    from_name: str | None
    from_email: str | None
    reply_to_email: str | None
    opt_out: str
    list_departures: bool
    resubscribes: bool
    overwrite_existing: bool
    interval_minutes: int
    max_opt_outs: int


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """`[limits]`: requests per second and per UTC day."""

    requests_per_second: float
    requests_per_day: int
    reserve_per_day: int
    kibo_requests_per_second: float


@dataclass(frozen=True, slots=True)
class StateSettings:
    """`[state]`: the absolute path of the state file, and how many days runs are kept."""

    path: Path
    keep_days: int


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """`[monitor]`: what is pinged around the cron jobs, and the file for Prometheus; both may be absent."""

    ping_url: str | None = None
    metrics_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """One config file, read and checked.

    `mapping` is Constant Contact field → Kibo field, `tags` is Kibo segment code → Constant Contact tag.
    """

    path: Path
    kibo: KiboSettings
    constant_contact: ConstantContactSettings
    sync: SyncSettings
    limits: LimitSettings
    mapping: Mapping[str, str]
    tags: Mapping[str, str]
    state: StateSettings
    monitor: MonitorSettings = MonitorSettings()
