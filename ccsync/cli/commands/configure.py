"""`ccsync configure`: chooses the list, the addresses, the mapping; checks each against the live account."""

from dataclasses import dataclass

import click

from ccsync.cli.clock import now
from ccsync.cli.command_line import App
from ccsync.cli.setup import crontab, live_account, showing
from ccsync.cli.setup.consequences import explain
from ccsync.cli.setup.draft import Draft, check_not_empty, unwritten
from ccsync.cli.setup.interview import OPT_OUT_MODES, interview
from ccsync.cli.setup.mapping_choice import created_field, sample_of
from ccsync.cli.shell_completion import complete_list_name
from ccsync.cli.terminal import screen
from ccsync.cli.terminal.prompts import Talk
from ccsync.cli.wiring import Clients, clients
from ccsync.config.editing import Change, check_edit, edit_config
from ccsync.errors import ConfigError
from ccsync.mapping.checks import mapping_problems
from ccsync.mapping.fields import ATTRIBUTE_PREFIX
from ccsync.models import ContactList, CustomField
from ccsync.state import Store, person_tags


@dataclass(frozen=True, slots=True)
class Options:
    """The values of the options."""

    list_name: str | None
    creates_list: bool
    from_email: str | None
    reply_to: str | None
    maps: tuple[str, ...]
    unmaps: tuple[str, ...]
    creates_fields: bool

    @property
    def concern_mapping(self) -> bool:
        return bool(self.maps or self.unmaps or self.creates_fields)


@click.command()
@click.option(
    "--list", "list_name", metavar="NAME", help="The contact list to fill.", shell_complete=complete_list_name
)
@click.option("--create-list", is_flag=True, help="Create the list if it does not exist.")
@click.option("--welcome-email/--no-welcome-email", default=None, help="Welcome e-mail for new customers.")
@click.option("--from-name", metavar="NAME", help="From name of draft campaigns; default: the account's name.")
@click.option("--from-email", metavar="ADDRESS", help="From address; must be a confirmed address of the account.")
@click.option("--reply-to", metavar="ADDRESS", help="Reply-To address; must be a confirmed address of the account.")
@click.option("--map", "maps", metavar="CC=KIBO", multiple=True, help="Map a Constant Contact field to a Kibo field.")
@click.option("--unmap", "unmaps", metavar="CC", multiple=True, help="Unmap a Constant Contact field.")
@click.option("--create-fields", is_flag=True, help="Create mapped custom fields that do not exist.")
@click.option("--create-tags", is_flag=True, help="Create tags again that were deleted in Constant Contact.")
@click.option("--opt-out", type=click.Choice(list(OPT_OUT_MODES)), help="What an opt-out in the store does.")
@click.option("--enable/--disable", "enabled", default=None, help="Enable or disable the cron jobs.")
@click.option("--show", is_flag=True, help="Show the settings; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --show: print JSON.")
@click.pass_obj
def configure(
    app: App,
    list_name: str | None,
    create_list: bool,
    welcome_email: bool | None,
    from_name: str | None,
    from_email: str | None,
    reply_to: str | None,
    maps: tuple[str, ...],
    unmaps: tuple[str, ...],
    create_fields: bool,
    create_tags: bool,
    opt_out: str | None,
    enabled: bool | None,
    show: bool,
    as_json: bool,
) -> None:
    """Choose the list and the mapping.

    Also sets From and ReplyTo, the welcome e-mail and what an opt-out does. Without options it asks on a terminal. All
    settings are checked against the accounts first. Comments in the config file are kept.

    \b
    Example:  ccsync configure
              ccsync configure --list "Web shop customers" --create-list --from-email info@example.com
              ccsync configure --map "cf:kibo_id=id" --create-fields --unmap phones
              ccsync configure --show
    """
    config = app.load(mends_mapping=True)
    options = Options(list_name, create_list, from_email, reply_to, maps, unmaps, create_fields)
    settings = (list_name, from_name, from_email, reply_to, welcome_email, opt_out, enabled)
    has_options = options.concern_mapping or create_tags or any(one is not None for one in settings)
    if show:
        if has_options or create_list:
            raise click.UsageError("--show changes nothing and goes only with --json.")
        showing.show(config, as_json)
        return
    if as_json:
        raise click.UsageError("--json goes with --show.")
    if create_list and list_name is None:
        raise click.UsageError("--create-list needs --list NAME.")
    if not has_options and not screen.may_ask():
        raise click.UsageError(
            "no terminal to ask on; use options, for example --list NAME. See `ccsync configure --help`."
        )
    draft = Draft(config, from_name=from_name, opt_out=opt_out, welcome_email=welcome_email, enabled=enabled)
    with app.writing(config, "configure") as store:
        tools = clients(config, store, app.clock)
        with unwritten(draft):
            if has_options:
                odd_fields = _take(options, draft, tools, store)
            else:
                check_edit(config.path, [Change("sync", "list_id", "-")])
                odd_fields = interview(draft, tools, store, Talk(app.clock.check), now())
            changes = draft.changes()
            edit_config(config.path, changes)
        if has_options and not app.is_quiet:
            showing.show_changes(draft)
        if not changes:
            screen.say("Nothing changed.")
        explain(draft, store, odd_fields)
        if create_tags:
            _make_tags_again(store)
    if config.sync.list_id is None:  # later they stay the same
        crontab.print_lines(config)


def _make_tags_again(store: Store) -> None:
    names = person_tags.make_gone_again(store, now())
    for name in names:
        screen.print_line(f'The tag "{screen.clean(name)}" is made again by the next run that sets it.')
    if not names:
        screen.print_line("No tag that ccsync sets is missing in Constant Contact.")


def _take(options: Options, draft: Draft, tools: Clients, store: Store) -> list[CustomField]:
    """Put the options into the draft. Checks everything before it creates anything. Returns odd mapped fields."""
    client = tools.constant_contact
    fields = live_account.custom_fields(client) if options.concern_mapping else []
    missing = _take_mapping(options, draft, fields) if options.concern_mapping else []
    _doubt_attributes(draft, tools)
    _take_addresses(options, draft, tools)
    if options.list_name is not None:
        draft.chosen = _find_list(options.list_name, options.creates_list, tools, store)
    check_edit(draft.config.path, [*draft.changes(), *_of_new_list(options, draft)])
    for name in missing:
        made = live_account.create_field(client, name)
        draft.made.append(f'the custom field "{made.label}"')
        draft.mapping = live_account.with_field(draft.mapping or {}, name, made)
        fields.append(made)
        screen.print_line(created_field(made))
    if options.list_name is not None and draft.chosen is None:
        draft.chosen = live_account.create_list(client, store, options.list_name)
        draft.made.append(f'the list "{draft.chosen.name}"')
        screen.print_line(f'Created the contact list "{screen.clean(draft.chosen.name)}"; it is empty.')
    return live_account.odd_fields(draft.mapping or {}, fields)


def _doubt_attributes(draft: Draft, tools: Clients) -> None:
    """Compare newly mapped attributes with one customer's: for a wrong name Kibo returns nothing, and no error."""
    before = draft.config.mapping.items()
    new = {key: source for key, source in (draft.mapping or {}).items() if (key, source) not in before}
    if any(source.startswith(ATTRIBUTE_PREFIX) for source in new.values()):
        customer = sample_of(tools, new)
        for doubt in live_account.attribute_doubts(customer, new) if customer else ():
            screen.say(screen.clean(doubt))


def _of_new_list(options: Options, draft: Draft) -> list[Change]:
    is_new = options.list_name is not None and draft.chosen is None
    return [Change("sync", "list_id", "-"), Change("sync", "list_name", options.list_name)] if is_new else []


def _find_list(name: str, creates: bool, tools: Clients, store: Store) -> ContactList | None:
    """The list, or `None` if it must be created."""
    lists = live_account.read_lists(tools.constant_contact, store, now())
    try:
        return live_account.find_list(name, lists)
    except ConfigError:
        if not creates:
            raise
    live_account.check_new_list(name, lists)
    return None


def _take_addresses(options: Options, draft: Draft, tools: Clients) -> None:
    wanted = {"from_email": options.from_email, "reply_to_email": options.reply_to}
    if not any(one is not None for one in wanted.values()):
        return
    emails = live_account.account_emails(tools.constant_contact)
    for key, address in wanted.items():
        if address is not None:
            setattr(draft, key, live_account.find_confirmed(address, key, emails))


def _take_mapping(options: Options, draft: Draft, fields: list[CustomField]) -> list[str]:
    """Change the draft's mapping. Returns the names of custom fields to create."""
    mapping = dict(draft.config.mapping)
    for pair in options.maps:
        target, separator, source = (part.strip() for part in pair.partition("="))
        if not separator or not target or not source:
            raise click.UsageError(f"--map wants CC=KIBO, for example --map last_name=lastName; not {pair!r}.")
        mapping[target] = source
    for target in options.unmaps:
        if target not in mapping:
            raise click.UsageError(f"--unmap {target}: nothing is mapped to it; mapped are {', '.join(mapping)}.")
        del mapping[target]
    check_not_empty(mapping)
    mapping = live_account.with_labels_as_names(mapping, fields)
    missing = live_account.missing_fields(mapping, fields) if options.creates_fields else []
    problems = mapping_problems(mapping, [*(one.name for one in fields), *missing])
    if problems:
        fix = "Correct it."
        if live_account.missing_fields(mapping, fields):
            fix = "Correct it, or add --create-fields, which creates missing custom fields."
        raise ConfigError("The mapping cannot work; nothing was changed.", "", fix, tuple(problems))
    live_account.check_room(missing, fields)
    draft.mapping = mapping
    return missing
