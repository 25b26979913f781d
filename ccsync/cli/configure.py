"""`ccsync configure`: chooses the list, the addresses, the mapping; checks each against the live account."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from ccsync.cli import screen
from ccsync.cli.wiring import App, Clients, clients
from ccsync.config import Change, Config, edit_config
from ccsync.errors import ConfigError
from ccsync.jobs.export import EXPORTED_LIST
from ccsync.mapping import mapping_problems
from ccsync.models import ContactList
from ccsync.state import Store, meta


@click.command()
@click.option("--list", "list_name", metavar="NAME", help="The contact list to fill.")
@click.option("--create-list", is_flag=True, help="Create the list if there is none of that name.")
@click.option("--welcome-email/--no-welcome-email", default=None, help="Welcome e-mail for new customers.")
@click.option("--from-email", metavar="ADDRESS", help="From address; a confirmed address of the account.")
@click.option("--reply-to", metavar="ADDRESS", help="Reply-To address; a confirmed address of the account.")
@click.option("--map", "maps", metavar="CC=KIBO", multiple=True, help="Fill a Constant Contact field from Kibo.")
@click.option("--unmap", "unmaps", metavar="CC", multiple=True, help="Stop filling a Constant Contact field.")
@click.option(
    "--opt-out",
    type=click.Choice(["remove-from-list", "unsubscribe"]),
    help="What an opt-out in the store does in Constant Contact.",
)
@click.option("--enable/--disable", "enabled", default=None, help="Switch the cron jobs on or off.")
@click.option("--show", is_flag=True, help="Show the settings; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --show: print JSON.")
@click.pass_obj
def configure(
    app: App,
    list_name: str | None,
    create_list: bool,
    welcome_email: bool | None,
    from_email: str | None,
    reply_to: str | None,
    maps: tuple[str, ...],
    unmaps: tuple[str, ...],
    opt_out: str | None,
    enabled: bool | None,
    show: bool,
    as_json: bool,
) -> None:
    """Choose the contact list, the addresses and the field mapping. Comments in the config file survive.

    \b
    Example:  ccsync configure --list "Web shop customers" --create-list --from-email info@example.com
              ccsync configure --map "cf:kibo_id=id" --unmap phones
              ccsync configure --show
    """
    config = app.load()
    if show:
        _show(config, as_json)
        return
    settings = (list_name, welcome_email, from_email, reply_to, opt_out, enabled)
    if not (maps or unmaps or any(one is not None for one in settings)):
        raise click.UsageError("say what to set, for example --list NAME; `ccsync configure --help` lists all.")
    if create_list and list_name is None:
        raise click.UsageError("--create-list needs --list NAME.")
    with app.writing(config, "configure") as store:
        tools = clients(config, store, app.clock)
        changes = list[Change]()
        if maps or unmaps:
            changes += _mapping_changes(config, tools, maps, unmaps)
        changes += _address_changes(tools, from_email, reply_to)
        if opt_out is not None:
            changes.append(Change("sync", "opt_out", opt_out))
        if welcome_email is not None:
            changes.append(Change("sync", "welcome_email", welcome_email))
        if enabled is not None:
            changes.append(Change("sync", "enabled", enabled))
        chosen = _choose_list(tools, list_name, create_list) if list_name is not None else None
        if chosen is not None:
            changes += [Change("sync", "list_id", chosen.list_id), Change("sync", "list_name", chosen.name)]
        edit_config(config.path, changes)
        _explain(config, store, chosen, welcome_email, opt_out)
    _print_cron_line(config)


def _choose_list(tools: Clients, name: str, create: bool) -> ContactList:
    found = tools.constant_contact.find_list(name)
    if found is not None:
        return found
    if create:
        made = tools.constant_contact.create_list(name)
        screen.print_line(f'Created the contact list "{screen.clean(made.name)}"; it is empty.')
        return made
    names = [one.name for one in tools.constant_contact.iter_lists()]
    near = _nearest(name, names)
    raise ConfigError(
        f'Constant Contact has no list named "{name}"; nothing was changed.',
        f'the nearest is "{near}".' if near else f"it has {len(names)} lists with other names.",
        "Correct the name, or add --create-list.",
    )


def _nearest(name: str, names: Sequence[str]) -> str | None:
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.5)), None)


def _address_changes(tools: Clients, from_email: str | None, reply_to: str | None) -> list[Change]:
    wanted = {"from_email": from_email, "reply_to_email": reply_to}
    if not any(wanted.values()):
        return []
    confirmed = {one.address.lower(): one for one in tools.constant_contact.get_account_emails()}
    changes = []
    for key, address in wanted.items():
        if address is None:
            continue
        known = confirmed.get(address.lower())
        if known is None or not known.is_confirmed:
            good = sum(one.is_confirmed for one in confirmed.values())
            raise ConfigError(
                f"The address given for {key} cannot send; nothing was changed.",
                "Constant Contact has not confirmed it." if known else "it is not an address of the account.",
                "Confirm it in Constant Contact (My Account > Settings > Verified emails),"
                f" or choose one of the account's {good} confirmed addresses.",
            )
        changes.append(Change("sync", key, known.address))
    return changes


def _mapping_changes(config: Config, tools: Clients, maps: Sequence[str], unmaps: Sequence[str]) -> list[Change]:
    mapping = dict(config.mapping)
    for pair in maps:
        target, separator, source = pair.partition("=")
        if not separator or not target.strip() or not source.strip():
            raise click.UsageError(f"--map wants CC=KIBO, for example --map last_name=lastName; not {pair!r}.")
        mapping[target.strip()] = source.strip()
    for target in unmaps:
        if target not in mapping:
            raise click.UsageError(f"--unmap {target}: nothing is mapped to it; mapped are {', '.join(mapping)}.")
        del mapping[target]
    needs_fields = any(target.startswith("cf:") for target in mapping)
    names = {one.name for one in tools.constant_contact.iter_custom_fields()} if needs_fields else None
    problems = mapping_problems(mapping, names)
    if problems:
        raise ConfigError("The mapping cannot work; nothing was changed.", "", "Correct it.", tuple(problems))
    # Written whole: a first [mapping] section ends the built-in one, key by key.
    gone = [Change("mapping", target, None) for target in config.mapping if target not in mapping]
    return gone + [Change("mapping", target, source) for target, source in mapping.items()]


def _explain(
    config: Config, store: Store, chosen: ContactList | None, welcome_email: bool | None, opt_out: str | None
) -> None:
    """Say what the change means where it bites."""
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


def _print_cron_line(config: Config) -> None:
    program = Path(sys.argv[0]).absolute()
    words = [sys.executable, "-m", "ccsync"] if program.name == "__main__.py" else [str(program)]
    command = shlex.join([*words, "--config", str(config.path.absolute())])
    screen.print_line("For cron (crontab -e):")
    screen.print_line(f"17 3 * * *  {command} export --no-progress")


def _show(config: Config, as_json: bool) -> None:
    facts = _facts(config)
    if as_json:
        screen.print_json(facts)
        return
    for section, values in facts.items():
        screen.print_line(f"[{section}]")
        screen.print_facts({f"  {key}": _as_in_file(value) for key, value in values.items()})


def _as_in_file(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-" if value is None else value


def _facts(config: Config) -> dict[str, Mapping[str, object]]:
    """Every setting that is no secret."""
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
        "state": {"path": str(config.state.path), "keep_days": config.state.keep_days},
    }
