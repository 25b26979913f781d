"""Every key of the config file: its type, what is allowed, its default. Everything else is derived from these classes.

The rest of ccsync sees them as settings: frozen, typed, with the defaults filled in.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Problem = str
Check = Callable[[object], Problem | None]


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `check` returns what is wrong with a value, as "must be …", or `None`.

    `placeholder` is what the example has where only the operator knows the value; it counts as missing.
    """

    check: Check
    default: object = None
    is_required: bool = False
    placeholder: object = None


def text(value: object) -> Problem | None:
    """A string that is not empty."""
    return None if isinstance(value, str) and value.strip() else "must be a text that is not empty"


def word(value: object) -> Problem | None:
    """A text that goes into requests unchanged; surrounding blanks and line breaks come from pasting."""
    is_good = isinstance(value, str) and value and value == value.strip() and value.isprintable()
    return None if is_good else "must be a text that is not empty, without blanks around it or line breaks in it"


def word_of(most: int) -> Check:
    """A word, and no longer than the vendor takes."""

    def check(value: object) -> Problem | None:
        return word(value) or (f"must have {most} characters at most" if len(str(value)) > most else None)

    return check


def path(value: object) -> Problem | None:
    """A path; whether it is usable shows when the state file is opened."""
    is_good = isinstance(value, str) and value.strip() and "\0" not in value
    return None if is_good else "must be a path in quotes"


def boolean(value: object) -> Problem | None:
    """True or false."""
    return None if isinstance(value, bool) else "must be true or false"


def whole_number(least: int, most: int) -> Check:
    """A whole number within bounds; `true` is not a number."""

    def check(value: object) -> Problem | None:
        is_good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if is_good else f"must be a whole number from {least:,} to {most:,}"

    return check


def rate(most: float) -> Check:
    """A number above 0."""

    def check(value: object) -> Problem | None:
        is_good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most
        return None if is_good else f"must be a number above 0, up to {most:g}"

    return check


def choice(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object) -> Problem | None:
        return None if value in allowed else f"must be one of {', '.join(allowed)}"

    return check


def command(value: object) -> Problem | None:
    """A program and its arguments."""
    is_good = (
        isinstance(value, list)
        and value
        and all(isinstance(one, str) and "\0" not in one for one in value)
        and value[0].strip()
    )
    return None if is_good else 'must be a list of texts, such as ["pass", "show", "kibo"]'


def url(value: object) -> Problem | None:
    """https://…, without credentials, query or fragment; http only on this machine."""
    if not isinstance(value, str):
        return "must be a URL in quotes"
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "must be a URL such as https://home.mozu.com"
    if parts.scheme not in ("https", "http") or not host or re.search(r"[\x00-\x20\x7f\s\\]", value):
        return "must be a URL such as https://home.mozu.com"
    if parts.username is not None or "?" in value or "#" in value:  # an empty query is lost in `parts`
        return "must be a URL without user, query or fragment"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "must begin with https:// (http:// is for this machine only)"
    return None


def address(value: object) -> Problem | None:
    """Something like an e-mail address; the live account decides."""
    is_good = isinstance(value, str) and re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", value) and value.isprintable()
    return None if is_good else "must be an e-mail address"


@dataclass(frozen=True, slots=True)
class KiboSettings:
    """`[kibo]`. URLs have no trailing slash; `tenant_url` is `None` until it is found at login."""

    tenant_id: Annotated[int, Key(whole_number(1, 2**31 - 1), is_required=True, placeholder=12345)]
    client_id: Annotated[str, Key(word, is_required=True, placeholder="your-application-key")]
    client_secret: Annotated[str | None, Key(word, placeholder="your-shared-secret")] = field(repr=False)
    client_secret_command: Annotated[tuple[str, ...] | None, Key(command)]
    home_url: Annotated[str, Key(url, "https://home.mozu.com")]
    tenant_url: Annotated[str | None, Key(url)]
    event_url: Annotated[str, Key(url)]


@dataclass(frozen=True, slots=True)
class ConstantContactSettings:
    """`[constant_contact]`. `api_url` ends in /v3, `auth_url` in /oauth2/default/v1."""

    client_id: Annotated[str, Key(word, is_required=True, placeholder="your-api-key")]
    client_secret: Annotated[str | None, Key(word, placeholder="your-app-secret")] = field(repr=False)
    client_secret_command: Annotated[tuple[str, ...] | None, Key(command)]
    flow: Annotated[str, Key(choice("device", "pkce", "code"), "device")]
    redirect_uri: Annotated[str | None, Key(url)]
    api_url: Annotated[str, Key(url, "https://api.cc.email/v3")]
    auth_url: Annotated[str, Key(url, "https://authz.constantcontact.com/oauth2/default/v1")]


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """`[sync]`."""

    enabled: Annotated[bool, Key(boolean, True)]
    list_id: Annotated[str | None, Key(word)]
    list_name: Annotated[str | None, Key(text)]
    welcome_email: Annotated[bool, Key(boolean, False)]
    from_name: Annotated[str | None, Key(word_of(100))]
    from_email: Annotated[str | None, Key(address)]
    reply_to_email: Annotated[str | None, Key(address)]
    opt_out: Annotated[str, Key(choice("remove-from-list", "unsubscribe"), "remove-from-list")]
    list_departures: Annotated[bool, Key(boolean, True)]
    resubscribes: Annotated[bool, Key(boolean, True)]
    overwrite_existing: Annotated[bool, Key(boolean, False)]
    interval_minutes: Annotated[int, Key(whole_number(1, 1_440), 30)]
    max_opt_outs: Annotated[int, Key(whole_number(0, 10_000_000), 500)]

    @property
    def interval(self) -> timedelta:
        """How often cron runs its jobs."""
        return timedelta(minutes=self.interval_minutes)


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """`[limits]`: requests per second and per UTC day."""

    requests_per_second: Annotated[float, Key(rate(100), 4)]
    requests_per_day: Annotated[int, Key(whole_number(1, 10_000_000), 10_000)]
    reserve_per_day: Annotated[int, Key(whole_number(0, 10_000_000), 500)]
    kibo_requests_per_second: Annotated[float, Key(rate(1_000), 5)]


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """`[monitor]`: what is pinged around the cron jobs, and the file for Prometheus; both may be absent."""

    ping_url: Annotated[str | None, Key(url)]
    metrics_file: Annotated[Path | None, Key(path)]


@dataclass(frozen=True, slots=True)
class StateSettings:
    """`[state]`: the absolute path of the state file, and how many days runs are kept."""

    path: Annotated[Path, Key(path)]
    keep_days: Annotated[int, Key(whole_number(1, 36_500), 90)]


@dataclass(frozen=True, slots=True)
class Config:
    """One config file, read and checked.

    `mapping` is Constant Contact field → Kibo field, `tags` is Kibo segment code → Constant Contact tag.
    """

    path: Path
    mapping: Mapping[str, str]
    tags: Mapping[str, str]
    kibo: KiboSettings
    constant_contact: ConstantContactSettings
    sync: SyncSettings
    limits: LimitSettings
    monitor: MonitorSettings
    state: StateSettings


SETTINGS: Mapping[str, type[Any]] = {
    "kibo": KiboSettings,
    "constant_contact": ConstantContactSettings,
    "sync": SyncSettings,
    "limits": LimitSettings,
    "monitor": MonitorSettings,
    "state": StateSettings,
}
"""Every section but `[mapping]` and `[tags]`, whose keys are Constant Contact's fields and Kibo's segments."""
SCHEMA: Mapping[str, Mapping[str, Key]] = {
    section: {key: hint.__metadata__[0] for key, hint in get_type_hints(kind, include_extras=True).items()}
    for section, kind in SETTINGS.items()
}
MAPPING = "mapping"
DEFAULT_MAPPING: Mapping[str, str] = {
    "first_name": "firstName",
    "last_name": "lastName",
    "company_name": "companyOrOrganization",
    "phones": "phoneNumbers",
    "address": "address",
}
TAGS = "tags"
SECTIONS = (*SCHEMA, MAPPING, TAGS)


def is_placeholder(section: str, key: str, value: object) -> bool:
    """Is it still the example's placeholder?"""
    rule = SCHEMA[section].get(key)
    return rule is not None and rule.placeholder is not None and value == rule.placeholder
