"""A shop in a box: the sandbox of both vendors, a config, a state file, and ccsync wired up inside the process.

Time is fake and shared: what ccsync sleeps, the vendors see pass. No socket is in between unless a shop has a wire.
"""

import functools
import json
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from ccsync.cli.owner import ACCOUNT, TENANT
from ccsync.cli.wiring import Clients, clients
from ccsync.config.reading import load_config
from ccsync.config.schema import Config
from ccsync.jobs import export as export_job
from ccsync.jobs import poll_unsubscribes as poll_job
from ccsync.jobs.export import Request
from ccsync.jobs.flush_events import Flush
from ccsync.oauth import App, await_approval, start_device_flow
from ccsync.reports.export_plan import Plan
from ccsync.reports.flush_plan import Plan as FlushPlan
from ccsync.reports.poll_plan import Plan as PollPlan
from ccsync.run.access import save_login
from ccsync.run.context import Context
from ccsync.run.job_names import EXPORT, POLL_UNSUBSCRIBES
from ccsync.run.life_cycle import carry_out, try_out
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, Store, create_store, open_store, parked, properties, tokens
from ccsync.state.database import copies
from ccsync.state.database.times import to_text
from ccsync.state.log import runs
from ccsync.state.log.runs import RejectedRecord, Run
from tests.direct import without_wire
from tests.doubles import FakeClock

LIST = "Web shop customers"
FAST = "\n[limits]\nrequests_per_second = 100\nkibo_requests_per_second = 1000\n"
T = TypeVar("T")
S = TypeVar("S", bound=Store)


@functools.cache
def _empty_state_file() -> bytes:
    """What `create_store` makes; it is made once, and every shop has a copy."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ccsync.db"
        create_store(path).close()
        return path.read_bytes()


class Crash(BaseException):
    """The process dies here: nothing of ours may catch it."""


class Kept(Store):
    """A state file that stays open from run to run: to open it takes as long as most of what a run does with it."""

    is_in_use = False
    is_kept = True

    def close(self) -> None:
        """A run is over, or died; what it had not committed is gone, as at a real end."""
        self.is_in_use = False
        if not self.is_kept:
            self._connection.close()
        elif self.is_in_transaction:
            self._connection.execute("ROLLBACK")

    def let_go(self) -> None:
        """Close it really, at the end of the run that uses it."""
        self.is_kept = False
        if not self.is_in_use:
            self._connection.close()


class Shop(AbstractContextManager["Shop"]):
    """A sandbox with ccsync beside it. `on_boundary` hears before and after every call and commit.

    The state file stays open between the runs. Whoever copies it, puts another in its place, or forks lets go of it.
    """

    is_direct_beside_the_wire = False
    """Is the wire for other processes alone?"""
    keeps_open = True
    """Does the state file stay open? Not where commands open it for themselves."""

    def __init__(
        self,
        folder: Path,
        settings: SandboxSettings,
        config_changes: str = "",
        clock: FakeClock | None = None,
        *,
        logs_in: bool = True,
        has_wire: bool = False,
    ) -> None:
        self._logs_in, self._has_wire = logs_in, has_wire
        self._open = ExitStack()
        self._read: tuple[str, Config] | None = None
        self._kept: Kept | None = None
        self.clock = clock or FakeClock()
        self.box = Sandbox(settings, clock=self.clock.now)
        self.folder = folder
        self._config_changes = config_changes
        self.on_boundary: Callable[[str], None] = lambda _: None
        self.agrees = True
        self.is_restored = False
        """Did the latest job find that an older copy of the state file was put back?"""
        self.run: Run | None = None

    def __enter__(self) -> "Shop":
        try:
            return self._entered()
        except BaseException:
            self._open.close()
            raise

    def _entered(self) -> "Shop":
        self._open.callback(self.box.stop)
        self._open.callback(self._end_kept)
        self._direct = self._open.enter_context(ExitStack())
        if self._has_wire:
            self.box.start()
        if not self._has_wire or self.is_direct_beside_the_wire:
            self._direct.enter_context(without_wire(self.box))
        self.list_id = self.box.cc.add_list(LIST)
        self.config_path = self.folder / "ccsync.toml"
        self.config_path.write_text(self.box.config_text(list_id=self.list_id, list_name=LIST) + self._config_changes)
        self.config_path.chmod(0o600)
        if self._logs_in:
            state = self.config.state.path
            state.touch(0o600)
            state.write_bytes(_empty_state_file())
            self._log_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def begin_wire(self) -> None:
        """From now on the vendors are reached over the wire only."""
        self.end_direct()
        self.box.start()

    def end_direct(self) -> None:
        """From now on the vendors are reached over the wire only, whoever serves them."""
        self._direct.close()

    @property
    def config(self) -> Config:
        """The config as the file has it now."""
        text = self.config_path.read_text()
        if self._read is None or self._read[0] != text:
            self._read = text, load_config(self.config_path, {})
        return self._read[1]

    def open(self) -> Store:
        if not self.keeps_open or (self._kept is not None and self._kept.is_in_use):
            return self._open_anew(Store)
        if self._kept is None:
            self._kept = self._open_anew(Kept)
        self._kept.is_in_use = True
        return self._kept

    def forget_kibo_token(self) -> None:
        """The next call signs in anew."""
        store = self.open()
        store.run("DELETE FROM tokens WHERE vendor = 'kibo'")
        store.close()

    def _open_anew(self, kind: type[S]) -> S:
        path = self.config.state.path
        store = open_store(path)
        return kind(store._connection, path, lambda label: self.on_boundary(label))

    def let_go(self) -> Path:
        """The path of the state file, which is now as a program that has ended leaves it."""
        self._end_kept()
        return self.config.state.path

    def _end_kept(self) -> None:
        if self._kept is not None:
            self._kept.let_go()
            self._kept = None

    def _log_in(self) -> None:
        store = self.open()
        tools = self._clients(store)
        tenant = tools.kibo.get_tenant()
        properties.put(store, TENANT, str(tenant.tenant_id))
        properties.put(store, properties.TENANT_URL, f"http://{tenant.domain}")
        grant = start_device_flow(tools.sign_in, tools.app, "state")
        self.box.cc.approve_device(grant.user_code)
        answer = await_approval(tools.sign_in, tools.app, grant, self.clock)
        save_login(store, answer, tools.app, self.clock.now())
        properties.put(store, ACCOUNT, self.box.cc.account.encoded_account_id)
        self._close(store, tools)

    def _clients(self, store: Store) -> Clients:
        return clients(self.config, store, self.clock, self.clock.now, lambda label: self.on_boundary(label))

    def _close(self, store: Store, tools: Clients) -> None:
        for transport in (tools.kibo.transport, tools.constant_contact.transport, tools.sign_in):
            transport.close()
        store.close()

    def export(self, **asked: object) -> Run:
        """One whole export, as the command runs it; its row of the log."""
        request = Request(agree_to_departures=lambda _gone, _of: self.agrees, **asked)  # type: ignore[arg-type]
        return self._carry_out(EXPORT, lambda context: export_job.run(context, request))

    def dry_run(self, **asked: object) -> tuple[Plan, dict[str, int]]:
        """A dry run's plan and counts, on a copy of the state file."""
        request = Request(is_dry_run=True, **asked)  # type: ignore[arg-type]
        return self._try_out("export", lambda context: export_job.run(context, request) or Plan())

    def flush(self, accept: int = 0) -> Run:
        """One whole flush, as cron runs it; its row of the log."""
        return self._carry_out("flush-events", lambda context: Flush(context, accept).run())

    def dry_flush(self, accept: int = 0) -> tuple[FlushPlan, dict[str, int]]:
        """A flush's dry run: the plan and the counts."""
        return self._try_out("flush-events", lambda context: Flush(context, accept).run() or FlushPlan((), 0))

    def _carry_out(self, job: str, body: Callable[[Context], object]) -> Run:
        with Lock(self.config.state.path, job, to_text(self.clock.now())) as lock:
            store = self.open()
            tools = self._clients(store)
            context = self._context(store, tools)
            try:
                self.is_restored = copies.begin(store, lock)
                with copies.ending(store, lock):
                    carry_out(context, job, lambda: body(context))
                found = runs.get(store, context.run_id)
                self.news = parked.news_of(context.store, context.run_id) > 0
            finally:
                self.notices, self.remarks = dict(context.notices), list(context.remarks)
                self._close(store, tools)
        assert found is not None
        return found

    def poll(self, **asked: object) -> Run:
        """One whole poll for unsubscribes, as cron runs it; its row of the log."""
        news = list[int]()
        request = poll_job.Request(**asked)  # type: ignore[arg-type]
        run = self._carry_out(POLL_UNSUBSCRIBES, lambda context: news.append(poll_job.run(context, request).news))
        self.news = news != [0]
        return run

    def plan_poll(self, **asked: object) -> tuple[PollPlan, dict[str, int]]:
        """A dry run of the poll: the plan and the counts."""
        request = poll_job.Request(is_dry_run=True, **asked)  # type: ignore[arg-type]
        return self._try_out(POLL_UNSUBSCRIBES, lambda context: poll_job.run(context, request).plan or PollPlan())

    def _try_out(self, job: str, body: Callable[[Context], T]) -> tuple[T, dict[str, int]]:
        store = self.open()
        tools = self._clients(store)
        context = self._context(store, tools)
        try:
            _, plan = try_out(context, job, lambda: body(context))
        finally:
            self._close(store, tools)
        return plan, dict(context.counts)

    def _context(self, store: Store, tools: Clients) -> Context:
        return Context(
            store=store,
            kibo=tools.kibo,
            constant_contact=tools.constant_contact,
            gate=tools.gate,
            config=self.config,
            list_id=self.list_id,
            clock=self.clock,
            now=self.clock.now,
        )

    # looking at the outcome

    def members(self) -> set[str]:
        """The list's members, in lower case."""
        return {address.lower() for address in self.box.cc.members(self.list_id)}

    def latest(self) -> list[Run]:
        store = self.open()
        found = runs.latest(store)
        store.close()
        return found

    def rejected(self, run: Run) -> list[RejectedRecord]:
        store = self.open()
        found = runs.rejected(store, run.id or 0)
        store.close()
        return found

    def customers(self) -> list[dict[str, object]]:
        """Every account as the store has it."""
        return [self.box.kibo.account(account_id) for account_id in self.box.kibo.account_ids()]

    def requests(self, method: str = "", path: str = "") -> list[str]:
        """The wire log: `METHOD path` of every request, filtered."""
        return [
            f"{one.method} {one.path}"
            for one in self.box.requests.records
            if one.method.startswith(method) and path in one.path
        ]

    def expire_token(self) -> None:
        """Constant Contact's access token has run out."""
        store = self.open()
        saved = tokens.get(store, CONSTANT_CONTACT)
        assert saved is not None
        # Long ago: where time is slept away, the login is younger than real processes think it can be.
        past = "2020-01-01T00:00:00.000Z"
        store.run("UPDATE tokens SET expires_at = ? WHERE vendor = ?", past, CONSTANT_CONTACT)
        store.close()

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**delta).total_seconds())


def imported_rows(shop: Shop) -> list[dict[str, object]]:
    """Every row of every import that reached the vendor."""
    rows = []
    for record in shop.box.requests.records:
        if record.path.endswith("contacts_json_import"):
            rows += json.loads(record.body)["import_data"]
    return rows


__all__ = ["App", "Crash", "Shop", "imported_rows"]
