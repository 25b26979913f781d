"""`ccsync login`: checks the credentials for both vendors and gets the operator's approval."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import click

from ccsync import oauth
from ccsync.cli.command_line import App
from ccsync.cli.idle_login import age_of_login
from ccsync.cli.owner import ACCOUNT, ORGANIZATION, check_account, prove_tenant
from ccsync.cli.setup import rights
from ccsync.cli.setup.login_check import check
from ccsync.cli.setup.sign_in import needs_paste, sign_in
from ccsync.cli.terminal import screen
from ccsync.cli.terminal.prompts import Talk
from ccsync.cli.wiring import Clients, clients, url_of_host
from ccsync.config.schema import Config
from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import Declined, Interrupted, LoginNeeded, RefusedError
from ccsync.models import AccountSummary
from ccsync.run.access import save_login
from ccsync.run.vendor_names import CONSTANT_CONTACT, LAPSES_AFTER
from ccsync.state import Store, create_store, properties, tokens
from ccsync.words import days_ago

AS_OWNER = "Sign out in the browser, sign in there as the account's owner, then: ccsync login"


@dataclass(frozen=True, slots=True)
class FreshToken:
    """A token that is not saved yet; satisfies `transport.Token`."""

    value: str

    def current(self) -> str:
        """The token itself."""
        return self.value

    def renew(self, refused: str) -> str:
        """Raise: a brand-new login that is refused is unusable."""
        raise LoginNeeded(
            "Constant Contact refused the new login; nothing was saved.",
            "401 right after the approval: the browser was probably signed in as a user without account data.",
            AS_OWNER,
        )


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask whether the account is right.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser or a port; paste the address by hand.")
@click.option("--kibo-only", is_flag=True, help="Check Kibo only.")
@click.option("--cc-only", is_flag=True, help="Log in to Constant Contact only.")
@click.option("--campaigns", is_flag=True, help="Also ask for the right to create draft campaigns.")
@click.option("--check", "checks", is_flag=True, help="Do not log in; show what works, and exit 0 or 5.")
@click.option("--json", "as_json", is_flag=True, help="With --check: print JSON.")
@click.pass_obj
def login(
    app: App, yes: bool, no_browser: bool, kibo_only: bool, cc_only: bool, campaigns: bool, checks: bool, as_json: bool
) -> int:
    """Log in to both vendors.

    Checks the Kibo credentials and gets your approval at Constant Contact. With flow = "device" it prints an address
    and a code: open the address in any browser, on any machine, and type the code. With flow = "pkce" or "code" it
    opens a browser here and waits for it; with --no-browser, or when redirect_uri is not on this machine, paste the
    address where the browser ended.

    --campaigns also asks for the scope campaign_data, which `ccsync campaign` needs; later logins ask for it again.

    --check asks and changes nothing and needs no terminal. It works while a job runs. If the login has to be renewed,
    it takes the lock like a job, and exits with 7 if another run holds it.

    \b
    Example:  ccsync login
              ccsync login --check
    """
    if kibo_only and cc_only:
        raise click.UsageError("--kibo-only and --cc-only do not go together.")
    config = app.load()
    if checks:
        return check(app, config, wants_kibo=not cc_only, wants_cc=not kibo_only, as_json=as_json)
    if as_json:
        raise click.UsageError("--json needs --check.")
    if not (yes or kibo_only or screen.may_ask()):
        raise click.UsageError("no terminal to confirm the account on; add --yes.")
    contact = config.constant_contact
    is_pasted = needs_paste(contact.flow, contact.redirect_uri, opens_browser=not no_browser)
    if is_pasted and not kibo_only and not screen.may_ask():
        raise click.UsageError("no terminal to paste the browser's address into; log in from a terminal.")
    if not config.state.path.exists():
        _create_state(config)
    with app.writing(config, "login") as store:
        tools = clients(config, store, app.clock, tries_secret=True)
        if not cc_only:
            _log_in_to_kibo(config, store, tools)
        if not kibo_only:
            tools = replace(tools, app=_with_campaigns(tools.app, store, campaigns))
            with _saved_or_not(store):
                if not yes:
                    _ask_whether_again(app, store)
                _log_in_to_constant_contact(app, config, store, tools, yes=yes, opens_browser=not no_browser)
    return 0


def _with_campaigns(app: oauth.App, store: Store, asked: bool) -> oauth.App:
    """Keep asking for campaigns once granted: a plain login would drop the scope again."""
    if not asked and oauth.CAMPAIGN_SCOPE not in tokens.scope(store, CONSTANT_CONTACT).split():
        return app
    return replace(app, scopes=f"{app.scopes} {oauth.CAMPAIGN_SCOPE}")


def _ask_whether_again(app: App, store: Store) -> None:
    """Show the current login. Raises `Declined` if it should stay."""
    age = age_of_login(store, app.clock.now())
    if age is None or age.days >= LAPSES_AFTER.days:
        return
    name = screen.clean(properties.get(store, ORGANIZATION) or "an account whose name is not known")
    screen.say(f'A login to Constant Contact is saved: "{name}", renewed {days_ago(age.days)}.')
    if not Talk(app.clock.check).confirm("Log in again?"):
        raise Declined("Cancelled. The login stays as it is.", "", "To try it out: ccsync login --check")


@contextmanager
def _saved_or_not(store: Store) -> Iterator[None]:
    """If anything stops the login midway, say what has been saved."""
    try:
        yield
    except (click.Abort, Interrupted) as error:
        had_one = tokens.get(store, CONSTANT_CONTACT) is not None
        what = "the login that was saved before is unchanged" if had_one else "no login was saved"
        code = error.exit_code if isinstance(error, Interrupted) else Interrupted.exit_code
        raise Interrupted(f"Stopped; {what}.", "", "ccsync login begins again.", code) from None


def _create_state(config: Config) -> None:
    create_store(config.state.path).close()
    screen.say(f"New state file {config.state.path}.")
    if config.sync.list_id is not None:
        screen.say(
            "A contact list is already configured, so there was a state file before. The next export first reads all "
            "opt-outs again from Constant Contact."
        )


def _log_in_to_kibo(config: Config, store: Store, tools: Clients) -> None:
    tenant = tools.kibo.get_tenant()
    url = config.kibo.tenant_url or url_of_host(config, tenant.domain)
    prove_tenant(config, store, lambda: url)
    properties.put(store, properties.TENANT_URL, url)
    name = f" ({screen.clean(tenant.name)})" if tenant.name else ""
    screen.print_line(f"Kibo: tenant {tenant.tenant_id}{name} at {screen.clean(url)}")


def _log_in_to_constant_contact(
    app: App, config: Config, store: Store, tools: Clients, *, yes: bool, opens_browser: bool
) -> None:
    contact = config.constant_contact
    answer = sign_in(tools, app.clock, contact.redirect_uri, opens_browser=opens_browser)
    fresh = ConstantContact(tools.constant_contact.transport, FreshToken(answer.access_token), api_url=contact.api_url)
    scopes = rights.missing_scopes(answer.scope, tools.app.scopes)
    privileges = rights.missing_privileges(fresh.get_privileges(), tools.app.scopes)
    summary = _read_account(fresh, scopes, privileges)
    _agree_to_account(app, config, store, summary, yes)
    with store.transaction():
        save_login(store, answer, tools.app, app.clock.now())
        properties.put(store, ACCOUNT, summary.encoded_account_id)
        properties.put(store, ORGANIZATION, summary.organization_name)
    screen.print_line(f"Constant Contact: logged in to {_name_of(summary)}")
    for shortfall in rights.shortfalls(scopes, privileges):
        screen.say(f"Warning: {shortfall}.")


def _read_account(client: ConstantContact, scopes: Sequence[str], privileges: Sequence[str]) -> AccountSummary:
    """The account of the login. Raises `LoginNeeded` if the login may not read it."""
    lacking = "; ".join(rights.shortfalls(scopes, privileges))
    if "account_read" in scopes:
        raise LoginNeeded(
            "The login lacks a required scope; nothing was saved.",
            f"{lacking}.",
            "In the browser, allow everything that is requested. If it is not requested, create a new app in the"
            " developer portal. Then: ccsync login",
        )
    try:
        if "account:read" not in privileges:
            return client.get_account_summary()
    except RefusedError as error:
        if error.status != 403:
            raise
        lacking = lacking or f"it may not read the account ({error.why.rstrip('.')})"
    raise LoginNeeded(
        "The user who approved may not read the account; nothing was saved.",
        f"{lacking}.",
        AS_OWNER,
    )


def _agree_to_account(app: App, config: Config, store: Store, summary: AccountSummary, yes: bool) -> None:
    if not summary.encoded_account_id:
        raise LoginNeeded(
            "The login belongs to no Constant Contact account; nothing was saved.",
            "the browser was probably signed in as a user without account data.",
            AS_OWNER,
        )
    check_account(config, store, summary)
    if yes:
        return
    if not Talk(app.clock.check).confirm(f"Is {_name_of(summary)} the right account?"):
        raise Declined("Cancelled. The new login was not saved.", "", AS_OWNER)


def _name_of(summary: AccountSummary) -> str:
    return f'"{screen.clean(summary.organization_name)}" ({screen.clean(summary.contact_email)})'
