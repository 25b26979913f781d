"""`ccsync campaign`: a draft e-mail campaign to the list, with the sender as configured. It never sends one."""

from pathlib import Path

import click

from ccsync import oauth
from ccsync.campaigns import draft as drafts
from ccsync.campaigns.page import page_of_text, with_tracking_image
from ccsync.cli.command_line import App
from ccsync.cli.owner import ORGANIZATION
from ccsync.cli.setup import live_account
from ccsync.cli.terminal import screen, tables
from ccsync.cli.wiring import active_list, clients
from ccsync.config.schema import Config
from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import ConfigError, InputError, LoginNeeded
from ccsync.models import Campaign, CampaignContent, ContactList
from ccsync.run.contact_list import gone
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.state import Store, properties, tokens

MOST_BYTES = 4 * drafts.MOST_HTML  # the most bytes that an allowed number of characters can take
_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command()
@click.argument("name")
@click.option("--subject", required=True, metavar="TEXT", help="The subject line.")
@click.option("--html", "html_file", metavar="FILE", type=_FILE, help="The page, as HTML in UTF-8; - is stdin.")
@click.option("--text", "text_file", metavar="FILE", type=_FILE, help="A plain text in UTF-8, to make a page of.")
@click.option("--preheader", metavar="TEXT", help="The short text that inboxes show beside the subject.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def campaign(
    app: App,
    name: str,
    subject: str,
    html_file: Path | None,
    text_file: Path | None,
    preheader: str | None,
    as_json: bool,
) -> None:
    """Create a draft e-mail campaign.

    It is never sent: a person reviews the draft in Constant Contact and schedules it. NAME is its name there; no other
    campaign may have it. The sender is the configured one. Needs a login with `ccsync login --campaigns`.

    \b
    Example:  ccsync campaign "November news" --subject "What is new" --html news.html
              ccsync campaign "Notice" --subject "We have moved" --text notice.txt --preheader "Our new address"
    """
    if (html_file is None) == (text_file is None):
        raise click.UsageError("give --html FILE or --text FILE.")
    _check_line("NAME", name, drafts.MOST_NAME)
    _check_line("--subject", subject)
    if preheader is not None:
        _check_line("--preheader", preheader, drafts.MOST_PREHEADER)
    page = _read(html_file) if html_file else page_of_text(_read(text_file or Path("-")), subject)
    page = with_tracking_image(page)
    if len(page) > drafts.MOST_HTML:
        raise InputError(
            f"The page has {len(page):,} characters; nothing was created.",
            f"Constant Contact takes {drafts.MOST_HTML:,} at most.",
            "Shorten it. Pictures belong on a web server or into Constant Contact's library, not into the page.",
        )
    config = app.load()
    list_id = active_list(config)
    sender = _from_address(config)
    with app.checking(config) as store:
        _check_scope(store)
        client = clients(config, store, app.clock, renewing=lambda: app.lock(config, "campaign")).constant_contact
        contact_list = client.get_list(list_id)
        if contact_list is None:
            raise gone(config.sync.list_name or list_id)
        emails = live_account.account_emails(client)
        content = CampaignContent(
            _from_name(config, store, client),
            live_account.find_confirmed(sender, "from_email", emails),
            live_account.find_confirmed(config.sync.reply_to_email or sender, "reply_to_email", emails),
            subject,
            page,
            preheader,
        )
        made = drafts.create(client, drafts.Draft(name, content, list_id), app.clock.now())
    if as_json:
        screen.print_json(_to_json(name, made, content, contact_list))
        return
    screen.print_line(f'Created the draft "{screen.clean(name)}"; nothing is sent before a person schedules it.')
    tables.print_facts(
        {
            "From": f"{content.from_name} <{content.from_email}>",
            "Reply-To": content.reply_to_email,
            "List": contact_list.name,
            "Id": made.campaign_id,
            "Look at it": drafts.link_of(made),
        }
    )


def _to_json(name: str, made: Campaign, content: CampaignContent, contact_list: ContactList) -> dict[str, object]:
    return {
        "id": made.campaign_id,
        "activity_id": made.activity_id,
        "name": name,
        "link": drafts.link_of(made),
        "status": "draft",
        "from_name": content.from_name,
        "from_email": content.from_email,
        "reply_to_email": content.reply_to_email,
        "list_id": contact_list.list_id,
        "list_name": contact_list.name,
    }


def _check_line(what: str, text: str, most: int = 1_000) -> None:
    """Check a header line of the mail: a line break could add further headers."""
    problem = (
        "it is empty"
        if not text.strip()
        else f"it has {len(text):,} characters, and {most:,} are allowed"
        if len(text) > most
        else "it holds a line break or another invisible character"
        if not text.isprintable()
        else None
    )
    if problem:
        raise InputError(f"{what} cannot be used; nothing was created.", f"{problem}.", "Give another one.")


def _read(path: Path) -> str:
    with click.open_file(str(path), "rb") as file:
        data: bytes = file.read(MOST_BYTES + 1)
    try:
        # If the cut falls inside a character, the file is too long, not badly encoded.
        text = data[:MOST_BYTES].decode("utf-8-sig", "strict" if len(data) <= MOST_BYTES else "ignore")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"The file {path} is not UTF-8; nothing was created.",
            f"line {line} holds a byte that no UTF-8 text has there.",
            f"Save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 {path} > utf8.txt",
        ) from None
    if not text.strip() or "\0" in text:
        why = "it is empty." if not text.strip() else "it holds a zero byte."
        raise InputError(f"The file {path} cannot be used; nothing was created.", why, "Give another file.")
    return text


def _from_address(config: Config) -> str:
    if config.sync.from_email is None:
        raise ConfigError(
            "No From address is chosen yet.",
            f"{config.path} has no from_email in [sync].",
            "ccsync configure --from-email ADDRESS        (a confirmed address of the account)",
        )
    return config.sync.from_email


def _from_name(config: Config, store: Store, client: ConstantContact) -> str:
    known = config.sync.from_name or properties.get(store, ORGANIZATION)
    return (known or client.get_account_summary().organization_name)[: drafts.MOST_FROM_NAME]


def _check_scope(store: Store) -> None:
    saved = tokens.get(store, CONSTANT_CONTACT)
    if saved is not None and oauth.CAMPAIGN_SCOPE not in saved.scope.split():
        raise LoginNeeded(
            "The login may not make campaigns; nothing was created.",
            f"it lacks the scope {oauth.CAMPAIGN_SCOPE}, which ccsync asks for only where it is wanted.",
            "ccsync login --campaigns",
        )
