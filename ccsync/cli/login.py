"""`ccsync login`: checks the credentials of both vendors and gets the operator's approval."""

from collections.abc import Callable
from dataclasses import dataclass

import click

from ccsync import oauth
from ccsync.cli import screen
from ccsync.cli.clock import now
from ccsync.cli.sign_in import needs_paste, sign_in
from ccsync.cli.wiring import ACCOUNT, ORGANIZATION, TENANT_URL, App, Clients, clients, url_of_host
from ccsync.config import Config
from ccsync.constant_contact import ConstantContact
from ccsync.errors import CcsyncError, ConfigError, LoginNeeded
from ccsync.jobs import list_names
from ccsync.jobs.access import CONSTANT_CONTACT, save_login
from ccsync.models import AccountSummary
from ccsync.state import Store, create_store, meta, tokens

NEEDED_PRIVILEGES = {
    "contacts:read": "reading contacts and opt-outs",
    "contacts:write": "importing contacts",
    "contacts:lists:read": "finding the contact list",
    "contacts:lists:write": "creating a contact list",
    "account:read": "checking From and Reply-To addresses",
}
IDLE_DAYS = 180
"""A refresh token dies after so many days without use."""


@dataclass(frozen=True, slots=True)
class FreshToken:
    """A token that is not saved yet; satisfies `transport.Token`."""

    value: str

    def current(self) -> str:
        """The token itself."""
        return self.value

    def renew(self, refused: str) -> str:
        """A login that is refused at once is none."""
        raise LoginNeeded("Constant Contact refused the new login.", "401 right after the approval.", "ccsync login")


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask whether the account is the right one.")
@click.option("--no-browser", is_flag=True, help="Open no browser and no port: paste the browser's address by hand.")
@click.option("--kibo-only", is_flag=True, help="Check Kibo only.")
@click.option("--cc-only", is_flag=True, help="Log in to Constant Contact only.")
@click.option("--check", is_flag=True, help="Log in nowhere; say what works, and exit 0 or 5.")
@click.pass_obj
def login(app: App, yes: bool, no_browser: bool, kibo_only: bool, cc_only: bool, check: bool) -> int:
    """Log in: check the credentials for Kibo, and approve ccsync at Constant Contact.

    With flow = "device" it prints an address and a code; open the address in any browser, on any machine, and type
    the code. With flow = "pkce" or "code" it opens a browser here and waits for it to come back; with --no-browser,
    or when redirect_uri is not on this machine, you paste the address where the browser ended.

    \b
    Example:  ccsync login
              ccsync login --check
    """
    if kibo_only and cc_only:
        raise click.UsageError("--kibo-only and --cc-only do not go together.")
    config = app.load()
    if check:
        return _check(app, config, wants_kibo=not cc_only, wants_cc=not kibo_only)
    if not (yes or kibo_only or screen.may_ask()):
        raise click.UsageError("nobody is there to say whether the account is the right one; add --yes.")
    contact = config.constant_contact
    is_pasted = needs_paste(contact.flow, contact.redirect_uri, opens_browser=not no_browser)
    if is_pasted and not kibo_only and not screen.may_ask():
        raise click.UsageError("nobody is there to paste the browser's address; log in from a terminal.")
    if not config.state.path.exists():
        _create_state(config)
    with app.writing(config, "login") as store:
        tools = clients(config, store, app.clock)
        if not cc_only:
            _log_in_to_kibo(config, store, tools)
        if not kibo_only:
            _log_in_to_constant_contact(app, config, store, tools, yes=yes, opens_browser=not no_browser)
    return 0


def _create_state(config: Config) -> None:
    create_store(config.state.path).close()
    screen.say(f"New state file {config.state.path}.")
    if config.sync.list_id is not None:
        screen.say(
            "A contact list is already configured, so there was a state file before. Nothing is lost that Kibo and\n"
            "Constant Contact do not still know: the next export begins with a full pass over the opt-outs."
        )


def _log_in_to_kibo(config: Config, store: Store, tools: Clients) -> None:
    tenant = tools.kibo.get_tenant()
    url = config.kibo.tenant_url or url_of_host(config, tenant.domain)
    meta.put(store, TENANT_URL, url)
    name = f" ({screen.clean(tenant.name)})" if tenant.name else ""
    screen.print_line(f"Kibo: tenant {tenant.tenant_id}{name} at {screen.clean(url)}")


def _log_in_to_constant_contact(
    app: App, config: Config, store: Store, tools: Clients, *, yes: bool, opens_browser: bool
) -> None:
    contact = config.constant_contact
    answer = sign_in(tools, app.clock, contact.redirect_uri, opens_browser=opens_browser)
    fresh = ConstantContact(tools.constant_contact.transport, FreshToken(answer.access_token), api_url=contact.api_url)
    _warn_of_missing_scopes(answer.scope)
    summary = fresh.get_account_summary()
    _agree_to_account(store, summary, yes)
    with store.transaction():
        save_login(store, answer, now())
        if meta.get(store, ACCOUNT) != summary.encoded_account_id:
            list_names.forget(store)
        meta.put(store, ACCOUNT, summary.encoded_account_id)
        meta.put(store, ORGANIZATION, summary.organization_name)
    screen.print_line(f"Constant Contact: logged in to {_name_of(summary)}")
    _warn_of_missing_privileges(fresh)


def _agree_to_account(store: Store, summary: AccountSummary, yes: bool) -> None:
    if not summary.encoded_account_id:
        raise LoginNeeded(
            "The login belongs to no Constant Contact account; nothing was saved.",
            "the browser was probably signed in as a user without account data.",
            "Sign out in the browser, sign in as the account's owner, then: ccsync login",
        )
    known = meta.get(store, ACCOUNT)
    if known is not None and known != summary.encoded_account_id:
        before = meta.get(store, ORGANIZATION) or known
        screen.say(
            f'This is another account: {_name_of(summary)}; so far it was "{screen.clean(before)}".\n'
            "What ccsync remembers of opt-outs and of the list belongs to the other one."
        )
    if yes:
        return
    if not screen.confirm(f"Is {_name_of(summary)} the right account?"):
        raise LoginNeeded("The login was not saved.", "it is for another account.", "ccsync login")


def _name_of(summary: AccountSummary) -> str:
    return f'"{screen.clean(summary.organization_name)}" ({screen.clean(summary.contact_email)})'


def _warn_of_missing_scopes(scope: str) -> None:
    missing = set(oauth.SCOPES.split()) - set(scope.split()) - {"offline_access"}
    if missing:
        screen.say(
            f"Warning: the login lacks the scopes {', '.join(sorted(missing))}; some commands will fail with 403."
        )


def _warn_of_missing_privileges(client: ConstantContact) -> list[str]:
    have = client.get_privileges()
    missing = [name for name in NEEDED_PRIVILEGES if name not in have]
    for name in missing:
        screen.say(f"Warning: the user lacks the privilege {name}, needed for {NEEDED_PRIVILEGES[name]}.")
    return missing


def _check(app: App, config: Config, *, wants_kibo: bool, wants_cc: bool) -> int:
    """Try each login without changing it."""
    code = 0
    with app.writing(config, "login --check") as store:
        tools = clients(config, store, app.clock)
        checks: dict[str, Callable[[], str]] = {}
        if wants_kibo:
            checks["Kibo"] = lambda: _check_kibo(tools)
        if wants_cc:
            checks["Constant Contact"] = lambda: _check_constant_contact(store, tools)
        for name, check in checks.items():
            try:
                screen.print_line(f"{name}: {check()}")
            except (ConfigError, LoginNeeded) as error:
                code = LoginNeeded.exit_code
                _show_failed_check(name, error)
    return code


def _show_failed_check(name: str, error: CcsyncError) -> None:
    screen.print_line(f"{name}: does not work. {screen.clean(error.what)}")
    screen.say(f"Why:   {screen.clean(error.why)}")
    screen.say(f"Fix:   {screen.clean(error.fix)}")


def _check_kibo(tools: Clients) -> str:
    tenant = tools.kibo.get_tenant()
    return f"works, tenant {tenant.tenant_id} ({screen.clean(tenant.name)})"


def _check_constant_contact(store: Store, tools: Clients) -> str:
    summary = tools.constant_contact.get_account_summary()
    if summary.encoded_account_id != meta.get(store, ACCOUNT):
        raise LoginNeeded(
            "The login belongs to another account than before.", f"it is {_name_of(summary)}.", "ccsync login"
        )
    missing = _warn_of_missing_privileges(tools.constant_contact)
    if missing:
        raise LoginNeeded("The user lacks privileges.", ", ".join(missing), "Log in as the account's owner.")
    saved = tokens.get(store, CONSTANT_CONTACT)
    days = max(0, (now() - saved.obtained_at).days) if saved else 0
    return (
        f"works, {_name_of(summary)}; the login was renewed {days} days ago"
        f" and would lapse after {IDLE_DAYS} days without use, in {IDLE_DAYS - days} days"
    )
