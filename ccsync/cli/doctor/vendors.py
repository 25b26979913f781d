"""What can be wrong at the vendors: logins, rights, the list, the fields, events, and the clocks."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from ccsync.cli import idle_login
from ccsync.cli.command_line import App
from ccsync.cli.doctor.findings import Check, Skipped, Wrong
from ccsync.cli.doctor.machine import Machine
from ccsync.cli.doctor.probe import Probe, probed
from ccsync.cli.owner import check_account
from ccsync.cli.setup import live_account, rights
from ccsync.cli.terminal import screen
from ccsync.cli.wiring import Clients, clients
from ccsync.errors import ConfigError, LoginNeeded, RefusedError
from ccsync.from_kibo.events import EVER_SEEN
from ccsync.mapping.targets import CUSTOM_FIELD_PREFIX
from ccsync.reports import first_export
from ccsync.reports.status import gather
from ccsync.run.job_names import FLUSH_EVENTS
from ccsync.run.vendor_names import CONSTANT_CONTACT, LAPSES_AFTER
from ccsync.state import events, person_tags, properties, tokens
from ccsync.state.log import runs
from ccsync.transport.http import Transport

MOST_SECONDS = 60.0
MOST_SKEW = timedelta(minutes=2)


class Vendors:
    """The checks that make calls. Later checks use what earlier ones found. None changes anything."""

    def __init__(self, app: App, machine: Machine) -> None:
        self._app = app
        self._machine = machine
        self._tools: Clients | None = None
        self._logged_in = False
        self._knows_tenant = False
        app.clock.limit(MOST_SECONDS)

    def checks(self) -> Mapping[str, Check]:
        """Kibo's first, because everything is read from there."""
        return {
            "Kibo login": self._kibo,
            "Kibo customers": self._customers,
            "Kibo events": self._events,
            "Constant Contact login": self._login,
            "rights": self._rights,
            "contact list": self._list,
            "custom fields": self._fields,
            "tags": self._tags,
            "automations": self._automations,
            "clock": self._clock,
        }

    def probe(self) -> Iterator[tuple[str, str]]:
        """Run the probe, fact by fact, and remember what runs rely on. Raises `Skipped`."""
        config, tools = self._machine.known_config(), self._logged_in_client()
        with self._app.lock(config, "doctor"):
            store, now = self._machine.known_store(), self._app.clock.now()
            yield from probed(Probe(tools.kibo, tools.constant_contact, store, now))

    def _clients(self) -> Clients:
        config, store = self._machine.known_config(), self._machine.known_store()
        if self._tools is None:
            lock = lambda: self._app.lock(config, "doctor")  # noqa: E731
            self._tools = clients(config, store, self._app.clock, renewing=lock, tries_secret=True)
        return self._tools

    def _kibo(self) -> str:
        tenant = self._clients().kibo.get_tenant()
        self._knows_tenant = True
        return f"tenant {tenant.tenant_id} ({tenant.name}), with a new token"

    def _customers(self) -> str:
        tools = self._clients()
        if not self._knows_tenant:
            raise Skipped("the login at Kibo does not work")
        page = tools.kibo.get_customers(start=0, size=1)
        return f"{page.total:,} can be read"

    def _events(self) -> str:
        store = self._machine.known_store()
        if properties.get(store, EVER_SEEN) is not None or events.have_ever_come(store):
            return "have come"
        if runs.last_success_of(store, FLUSH_EVENTS) is None:
            raise Skipped("flush-events has not run yet")
        raise Wrong(
            "No event has ever come from Kibo, so ccsync does not notice changes in the store.",
            "",
            "In Dev Center, subscribe the application to customeraccount.created, .updated and .deleted",
        )

    def _login(self) -> str:
        tools, store = self._clients(), self._machine.known_store()
        summary = tools.constant_contact.get_account_summary()
        check_account(self._machine.known_config(), store, summary)
        self._logged_in = True
        age = idle_login.age_of_login(store, self._app.clock.now())
        left = f", good for {LAPSES_AFTER.days - age.days} days without use" if age else ""
        return f'"{summary.organization_name}"{left}'

    def _logged_in_client(self) -> Clients:
        tools = self._clients()
        if not self._logged_in:
            raise Skipped("the login at Constant Contact does not work")
        return tools

    def _rights(self) -> str:
        tools = self._logged_in_client()
        scopes = rights.missing_scopes(tokens.scope(self._machine.known_store(), CONSTANT_CONTACT))
        privileges = rights.missing_privileges(tools.constant_contact.get_privileges())
        if scopes or privileges:
            what = "; ".join(rights.shortfalls(scopes, privileges))
            raise LoginNeeded(f"{what[:1].upper()}{what[1:]}.", "", "Log in as the account's owner: ccsync login")
        return "the login has every scope and privilege that ccsync needs"

    def _list(self) -> str:
        config, tools = self._machine.known_config(), self._logged_in_client()
        if config.sync.list_id is None:
            raise ConfigError("No contact list is chosen yet.", "", "ccsync configure --list NAME")
        found = tools.constant_contact.get_list(config.sync.list_id)
        if found is None:
            raise RefusedError("The contact list no longer exists.", "", "ccsync configure --list NAME")
        status = gather(self._machine.known_store(), config, self._app.clock.now())
        members = "" if found.membership_count is None else f", {found.membership_count:,} members"
        return f'"{found.name}"{members}' + ("" if status.is_exported else "; an export is due")

    def _fields(self) -> str:
        mapping, tools = self._machine.known_config().mapping, self._logged_in_client()
        missing = live_account.missing_fields(mapping, live_account.custom_fields(tools.constant_contact))
        if missing:
            raise ConfigError(
                f"The account has no custom field {', '.join(missing)}, which [mapping] fills.",
                "",
                "ccsync configure --create-fields",
            )
        number = sum(key.startswith(CUSTOM_FIELD_PREFIX) for key in mapping)
        return f"{number} mapped, all there" if number else "none mapped"

    def _tags(self) -> str:
        store, tools = self._machine.known_store(), self._logged_in_client()
        if not self._machine.known_config().tags:
            return "none mapped"
        shown = {one.tag_id for one in tools.constant_contact.iter_tags()}
        managed = person_tags.managed(store)
        gone = [one.name for one in managed if one.is_gone or (one.tag_id is not None and one.tag_id not in shown)]
        if gone:
            names = ", ".join(f'"{one}"' for one in gone)
            raise RefusedError(f"Deleted in Constant Contact: {names}.", "", "ccsync configure --create-tags")
        return f"{len(managed)} set by ccsync, all there"

    def _automations(self) -> str:
        config, tools = self._machine.known_config(), self._logged_in_client()
        if config.sync.list_id is None:
            raise Skipped("no contact list is chosen")
        store = self._machine.known_store()
        found = first_export.find_automations(store, tools.constant_contact, config.sync.list_id)
        if found is None:
            raise Skipped("the login may not see them: ccsync login --campaigns")
        if not found:
            return "none starts when somebody joins the list"
        return f"start when somebody joins the list: {first_export.named(found)}"

    def _clock(self) -> str:
        tools, clock = self._clients(), self._app.clock
        asked: dict[str, Transport] = {
            "Kibo": tools.kibo.transport,
            "Constant Contact": tools.constant_contact.transport,
        }
        answered = {vendor: one for vendor, one in asked.items() if one.dates.answers}
        if not answered:
            raise Skipped("no vendor has answered")
        for vendor, transport in answered.items():
            ahead = transport.dates.ahead(clock.monotonic(), clock.now())
            if abs(ahead) > MOST_SKEW:
                raise Wrong(screen.of_clock(f"{vendor}'s", ahead), "", screen.SET_CLOCK)
        return f"agrees with {' and '.join(answered)}"
