"""`ccsync login --check`: what works of the logins, how old Constant Contact's is, and when it would lapse.

It asks nothing and changes nothing; only a login whose token has run out is renewed, as any run would do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ccsync.cli.command_line import App
from ccsync.cli.idle_login import age_of_login
from ccsync.cli.owner import ACCOUNT
from ccsync.cli.setup import rights
from ccsync.cli.terminal import error_lines, screen, tables
from ccsync.cli.terminal.screen import clean
from ccsync.cli.wiring import Clients, clients
from ccsync.config.schema import Config
from ccsync.errors import CcsyncError, ConfigError, Interrupted, LockedError, LoginNeeded, RefusedError
from ccsync.run.access import is_login_refused
from ccsync.run.vendor_names import CONSTANT_CONTACT, LAPSES_AFTER
from ccsync.state import Store, properties, tokens
from ccsync.words import counted, days_ago


@dataclass(slots=True)
class Finding:
    """The result for one login: lines for people, facts for programs, and what is wrong."""

    vendor: str
    lines: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    error: CcsyncError | None = None

    @property
    def works(self) -> bool | None:
        """`None` if unknown."""
        return None if self.error and not isinstance(self.error, LoginNeeded) else self.error is None


def check(app: App, config: Config, *, wants_kibo: bool, wants_cc: bool, as_json: bool) -> int:
    """Try each login. Raises `LoginNeeded` when one does not work, else what kept one from being tried."""
    findings = []
    with app.checking(config) as store:
        tools = clients(config, store, app.clock, renewing=lambda: app.lock(config, "login --check"), tries_secret=True)
        if wants_kibo:
            findings.append(_try(Finding("Kibo"), lambda found: _check_kibo(tools, found)))
        if wants_cc:
            findings.append(
                _try(Finding("Constant Contact"), lambda found: _check_constant_contact(app, store, tools, found))
            )
    _report(findings, as_json)
    errors = [found.error for found in findings if found.error is not None]
    if not errors:
        return 0
    errors.sort(key=lambda error: isinstance(error, LoginNeeded))
    for error in errors[:-1]:
        error_lines.show(error)
    raise errors[-1]


def _try(found: Finding, look: Callable[[Finding], None]) -> Finding:
    try:
        look(found)
    except (Interrupted, LockedError):
        raise
    except CcsyncError as error:
        is_logins = isinstance(error, ConfigError) or (isinstance(error, RefusedError) and error.status == 403)
        found.error = LoginNeeded(error.what, error.why, error.fix) if is_logins else error
    return found


def _check_kibo(tools: Clients, found: Finding) -> None:
    tenant = tools.kibo.get_tenant()
    found.lines = [f"tenant {tenant.tenant_id} ({tenant.name})"]
    found.facts = {"tenant_id": tenant.tenant_id, "tenant_name": tenant.name, "tenant_host": tenant.domain}


def _check_constant_contact(app: App, store: Store, tools: Clients, found: Finding) -> None:
    before = age_of_login(store, app.clock.now())
    try:
        granted = tokens.scope(store, CONSTANT_CONTACT)
        missing = rights.missing_privileges(tools.constant_contact.get_privileges(), granted)
    finally:
        _show_age(app, store, found, before.days if before else 0)
    scopes = rights.missing_scopes(tokens.scope(store, CONSTANT_CONTACT))
    found.facts |= {"missing_scopes": scopes, "missing_privileges": missing}
    if "account_read" not in scopes and "account:read" not in missing:
        summary = tools.constant_contact.get_account_summary()
        found.facts["organization_name"] = summary.organization_name
        found.facts["contact_email"] = summary.contact_email
        name = f'"{summary.organization_name}" ({summary.contact_email})'
        if summary.encoded_account_id != properties.get(store, ACCOUNT):
            raise LoginNeeded(
                "The Constant Contact login belongs to another account than before.", f"it is {name}.", "ccsync login"
            )
        found.lines.insert(0, name)
    if scopes or missing:
        raise LoginNeeded(
            "The Constant Contact login may not do all that ccsync needs.",
            "; ".join(rights.shortfalls(scopes, missing)) + ".",
            "Log in as the account's owner: ccsync login",
        )


def _show_age(app: App, store: Store, found: Finding, days_before: int) -> None:
    age = age_of_login(store, app.clock.now())
    if age is None:
        return
    found.facts |= {
        "renewed_at": screen.utc_time(age.renewed_at),
        "idle_days": age.days,
        "lapses_at": screen.utc_time(age.lapses_at),
    }
    when = days_ago(age.days) if age.days == days_before else f"just now, after {counted(days_before, 'day')}"
    left = LAPSES_AFTER.days - age.days
    day = f"{age.lapses_at:%Y-%m-%d}"
    expiry = f"; expires {day} if unused ({counted(left, 'day')} left)" if not is_login_refused(store) else ""
    found.lines.append(f"login renewed {when}{expiry if left > 0 else f'; expired {day}, unused'}")


def _report(findings: list[Finding], as_json: bool) -> None:
    if as_json:
        facts: dict[str, object] = {"works": all(found.works for found in findings)}
        for found in findings:
            error = error_lines.facts(found.error) if found.error else None
            facts[found.vendor.lower().replace(" ", "_")] = {"works": found.works, **found.facts, "error": error}
        screen.print_json(facts)
        return
    for found in findings:
        state = {True: "works", False: "does not work", None: "could not be tried"}[found.works]
        first, *others = found.lines or [""]
        screen.print_line(clean(f"{found.vendor}: {state}{', ' if first else ''}{first}"))
        for line in others:
            tables.print_facts({"  ": line})
