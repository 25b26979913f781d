"""`ccsync configure --show`: the settings in force, the built-in ones included, without secrets."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ccsync.cli.setup.draft import Draft
from ccsync.cli.terminal import screen, tables
from ccsync.config.schema import Config


def show(config: Config, as_json: bool) -> None:
    """Print every setting except secrets."""
    facts = _facts(config)
    if as_json:
        screen.print_json(facts)
        return
    for section, values in facts.items():
        screen.print_line(f"[{section}]")
        tables.print_facts({f"  {key}": in_file(value) for key, value in values.items()})


def show_changes(draft: Draft) -> None:
    """Print the old and the new value of each setting that changes, on stderr."""
    changes = draft.changes()
    settings = draft.config.sync
    before = {**{key: getattr(settings, key) for key in settings.__slots__}, **draft.config.mapping}
    keys = {one.key for one in changes}
    named = keys - {"list_id"} if "list_name" in keys else keys  # the list's name is shown instead
    shown = [one for one in changes if one.key in named and before.get(one.key) != one.value]
    rows = [(one.key, in_file(before.get(one.key)), in_file(one.value)) for one in shown]
    if rows:
        tables.print_table(("Setting", "Old", "New"), rows, is_talk=True)


def in_file(value: object) -> object:
    """A value as the config file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-" if value is None else value


def _masked(url: str | None) -> str | None:
    """The host of the ping URL. Anyone who knows the whole URL can send pings."""
    return None if url is None else f"{urlsplit(url).scheme}://{urlsplit(url).hostname}/***"


def _facts(config: Config) -> dict[str, Mapping[str, object]]:
    """Every setting except secrets."""
    kibo, contact, sync, limits = config.kibo, config.constant_contact, config.sync, config.limits
    return {
        "kibo": {
            "tenant_id": kibo.tenant_id,
            "client_id": kibo.client_id,
            "home_url": kibo.home_url,
            "tenant_url": kibo.tenant_url,
            "event_url": kibo.event_url,
        },
        "constant_contact": {
            "client_id": contact.client_id,
            "flow": contact.flow,
            "redirect_uri": contact.redirect_uri,
            "api_url": contact.api_url,
            "auth_url": contact.auth_url,
        },
        "sync": {name: getattr(sync, name) for name in sync.__slots__},
        "limits": {name: getattr(limits, name) for name in limits.__slots__},
        "mapping": dict(config.mapping),
        "tags": dict(config.tags),
        "monitor": {
            "ping_url": _masked(config.monitor.ping_url),
            "metrics_file": str(config.monitor.metrics_file) if config.monitor.metrics_file else None,
        },
        "state": {"path": str(config.state.path), "keep_days": config.state.keep_days},
    }
