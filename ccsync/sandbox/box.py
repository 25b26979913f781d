"""One sandbox: both vendors, their servers, their faults, one seed."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType

from ccsync.sandbox.acts import Acts
from ccsync.sandbox.clocks import VendorClock
from ccsync.sandbox.constant_contact.service import ConstantContact
from ccsync.sandbox.control import Control
from ccsync.sandbox.faults import Fault, Faults
from ccsync.sandbox.kibo.tenant import Kibo
from ccsync.sandbox.population.people import Population
from ccsync.sandbox.server import RequestLog, Servers
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock, Reply, Request


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the simulated vendors listen."""

    kibo_home: str
    kibo_tenant: str
    cc_api: str
    cc_auth: str
    control: str


class Sandbox:
    """Both vendors on loopback, as a context manager. Without a `clock` it uses real time, which can be advanced."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        clock: Clock | None = None,
        *,
        port_base: int = 0,
        keeps_bodies: bool = True,
    ) -> None:
        self.settings = settings or SandboxSettings()
        self._ahead = timedelta()
        self._clock = clock or (lambda: datetime.now(UTC) + self._ahead)
        population = Population(
            self.settings.customers, self.settings.seed, self.settings.opted_in_percent, self.settings.hostile
        )
        self._chance = random.Random(self.settings.seed)
        self.acts = Acts(keeps_bulk=keeps_bodies)
        self.clocks = {"kibo": VendorClock(self._clock), "cc": VendorClock(self._clock)}
        self.kibo = Kibo(self.settings, self.clocks["kibo"], population, self.acts)
        people = population.iter_contacts()
        self.cc = ConstantContact(self.settings, self.clocks["cc"], people, auth_url="", acts=self.acts)
        self.faults = Faults()
        self.requests = RequestLog(keeps_bodies)
        control = Control(self.kibo, self.cc, self.faults, self.requests, self.advance, self.clocks, self.acts)
        self._servers = Servers(
            {
                "kibo_home": self.kibo.handle_home,
                "kibo_tenant": self.kibo.handle_tenant,
                "cc_api": self.cc.handle_api,
                "cc_auth": self.cc.handle_auth,
                "control": control.handle,
            },
            self.faults,
            self.requests,
            self._next_date,
            self._latency,
            port_base,
        )
        self.kibo.tenant_host = f"127.0.0.1:{self._servers.port('kibo_tenant')}"
        self.cc.auth_url = f"http://127.0.0.1:{self._servers.port('cc_auth')}"

    @property
    def urls(self) -> Urls:
        """The base URLs as a config has them."""
        base = {vendor: f"http://127.0.0.1:{self._servers.port(vendor)}" for vendor in
                ("kibo_home", "kibo_tenant", "cc_api", "cc_auth", "control")}  # fmt: skip
        return Urls(
            base["kibo_home"],
            base["kibo_tenant"],
            base["cc_api"] + "/v3",
            base["cc_auth"] + "/oauth2/default/v1",
            base["control"],
        )

    def __enter__(self) -> "Sandbox":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start answering."""
        self._servers.start()

    def stop(self) -> None:
        """Stop answering and close every port."""
        self._servers.stop()

    def advance(self, seconds: float) -> None:
        """Set the sandbox's clock ahead."""
        self._ahead += timedelta(seconds=seconds)

    def exchange(self, request: Request) -> tuple[Reply, Fault | None]:
        """Answer one request without a wire; see `Servers.exchange`."""
        return self._servers.exchange(request)

    def _next_date(self, vendor: str) -> datetime:
        return self.clocks[vendor.partition("_")[0]].next_date()

    def _latency(self, vendor: str) -> float:
        least, most = self.settings.latency_ms, max(self.settings.latency_ms, self.settings.latency_most_ms)
        return self._chance.uniform(least, most) / 1_000 if vendor.startswith("kibo") else 0.0

    def config_text(self, list_id: str | None = None, list_name: str | None = None, **limits: float) -> str:
        """A whole config file for this sandbox; `limits` are keys of `[limits]`."""
        urls, settings = self.urls, self.settings
        lines = [
            "[kibo]",
            f"tenant_id = {settings.tenant_id}",
            f'client_id = "{settings.kibo_client_id}"',
            f'client_secret = "{settings.kibo_client_secret}"',
            f'home_url = "{urls.kibo_home}"',
            *([f'event_url = "{urls.kibo_tenant}"'] if settings.event_host == "tenant" else []),
            "",
            "[constant_contact]",
            f'client_id = "{settings.cc_client_id}"',
            *self._flow_lines(),
            f'api_url = "{urls.cc_api}"',
            f'auth_url = "{urls.cc_auth}"',
            "",
            "[sync]",
        ]
        if list_id is not None:
            lines += [f'list_id = "{list_id}"', f'list_name = "{list_name or ""}"']
        if limits:
            lines += ["", "[limits]", *(f"{name} = {value}" for name, value in limits.items())]
        return "\n".join(lines) + "\n"

    def _flow_lines(self) -> list[str]:
        if self.settings.app_flow == "device":
            return []
        lines = [f'flow = "{self.settings.app_flow}"', f'redirect_uri = "{self.settings.redirect_uri}"']
        secret = [f'client_secret = "{self.settings.cc_client_secret}"'] if self.settings.app_flow == "code" else []
        return secret + lines
