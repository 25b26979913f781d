"""One world of the machine: a shop, its people, what is known of them, and the troubles that are on."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from ccsync.cli.wiring import Clients, clients
from ccsync.config.reading import load_config
from ccsync.config.schema import Config
from ccsync.run.context import Context
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Store, properties
from tests.harness import Shop
from tests.jobs.test_export import seed_contact
from tests.machine import tagging
from tests.machine.facts import FULL, Facts, Span
from tests.machine.history import History, Settled
from tests.machine.ways import WAYS, has_tags

POOL = [f"p{number}@example.com" for number in range(6)]
OTHER_LIST = "Newsletter of somebody else"
FIELDS = {"firstName": "Pat", "lastName": "Doe", "externalId": "X-1", "taxId": "T-1"}
JOBS = ("flush", "poll", "full poll", "export", "repair")


class OwnClockShop(Shop):
    """A shop where ccsync's own clock may be wrong: `skew` ahead of the world's."""

    skew = timedelta()

    @cached_property
    def config(self) -> Config:
        """Nobody changes the file in a history."""
        return load_config(self.config_path, {})

    def own_now(self) -> datetime:
        """What ccsync takes for the time."""
        return self.clock.now() + self.skew

    def _clients(self, store: Store) -> Clients:
        return clients(self.config, store, self.clock, self.own_now, lambda label: self.on_boundary(label))

    def _context(self, store: Store, tools: Clients) -> Context:
        context = super()._context(store, tools)
        context.now = self.own_now
        return context


class World:
    """A store and a contact account with a handful of addresses between them."""

    def __init__(self, folder: Path, way: int) -> None:
        settings, config = WAYS[way % len(WAYS)]
        # A rotating token is lost with a death at the wrong moment, as the README says: that takes a person.
        how: dict[str, Any] = {"customers": 0, "cc_requests_per_second": 0, "import_seconds": 1.0, **settings}
        self.folder = folder
        self.keeps_lists = bool(settings.get("unsubscribed_keep_lists"))
        self.shop = OwnClockShop(folder, SandboxSettings(refresh_tokens="long-lived", **how))
        self.shop.__enter__()
        text = self.shop.config_path.read_text()
        self.shop.config_path.write_text(text + config)
        vars(self.shop).pop("config", None)
        store = self.shop.open()
        # People go out in the order of their keyed hashes. Drawn by chance, a seed that breaks might not break again.
        properties.put(store, "person_secret", hashlib.sha256(str(way).encode()).hexdigest())
        store.close()
        self.box, self.kibo, self.cc = self.shop.box, self.shop.box.kibo, self.shop.box.cc
        self.cc.add_list(OTHER_LIST)
        self.tags = tagging.Tags(self.shop, has_tags(way))
        self._path = self.shop.config.state.path
        self._copied: tuple[int, int, int, bool] | None = None
        self._lost: list[tuple[int, int]] = []
        self.settled: list[Settled] = []
        self.business: set[int] = set()
        self.outsiders: set[str] = set()
        self.strangers: set[str] = set()
        """The contacts (ids) that came with another source's data."""
        self.erased: set[str] = set()
        self.edits: dict[int, str] = {}
        self.moves = 0
        self.has_had_trouble = False
        self.are_clocks_right = True
        """Were they always?"""
        self.has_exported = False
        self.runs: list[Span] = []
        self._replayed: tuple[int, tuple[Span, ...]] | None = None
        self.judged_until = 0

    def close(self) -> None:
        """Let go of everything."""
        self.shop.__exit__(None, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep_copy(self) -> None:
        """Copy the state file, as it is at rest."""
        self._copy_path.unlink(missing_ok=True)
        self.shop.let_go()
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("VACUUM INTO ?", [str(self._copy_path)])
        self._copied = len(self.box.acts), len(self.runs), len(self.settled), self.has_exported

    def put_back(self) -> None:
        """Put the copy in the place of the state file: what was seen since it was made is known to nobody any more."""
        if self._copied is None:
            return
        self.shop.let_go()
        for end in ("-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        shutil.copyfile(self._copy_path, self._path)
        number, runs, settled, self.has_exported = self._copied
        self._lost.append((number, len(self.box.acts)))
        # Not by the number of acts: a run that changed nothing at a vendor may have seen what the copy does not know.
        del self.runs[runs:], self.settled[settled:]

    @property
    def _copy_path(self) -> Path:
        return self._path.with_name("copy.db")

    # looking

    def facts(self, until: int | None = None) -> Facts:
        """What happened so far; the latest is kept, for it is asked several times in a row."""
        acts, runs = tuple(self.box.acts)[:until], tuple(self.runs)
        if (len(acts), runs) != self._replayed:
            self._replayed, self._facts = (len(acts), runs), Facts(acts, self.shop.list_id, runs)
        return self._facts

    def history(self, until: int | None = None) -> History:
        settled = [one for one in self.settled if until is None or one.number <= until]
        gone = frozenset(self.business), frozenset(self.erased), self._lost
        return History(self.facts(until), settled, *gone, are_clocks_right=self.are_clocks_right)

    def accounts(self) -> list[int]:
        """The accounts there are, but for those whose person was erased."""
        gone = {one.account_id for one in self.facts().accounts.values() if one.gone_at is not None}
        return sorted(set(self.kibo.account_ids()) - gone)

    def contacts(self) -> dict[str, dict[str, Any]]:
        """The contacts there are, deleted ones included, by address."""
        homes = {one.address for one in self.facts().contacts.values()}
        found = {home: self.cc.contact(home) for home in sorted(homes)}
        return {home: one for home, one in found.items() if one is not None}

    def fresh_address(self) -> str:
        """One that nobody ever had."""
        self.moves += 1
        return f"moved{self.moves}@example.com"

    @property
    def seen_until(self) -> int:
        """The returns before this number could be seen, by a job that reads everybody or by the run just judged."""
        looks = (one for one in self.runs if one.is_well and (one.job in FULL or one is self.runs[-1]))
        return max((one.start for one in looks), default=0)

    # people and clocks

    def tick(self, minutes: float = 3) -> None:
        """People act minutes apart."""
        self.shop.later(minutes=minutes)

    def relent(self) -> None:
        """All troubles are over, and all clocks are right."""
        self.kibo.relent()
        self.cc.relent()
        self.cc.plan.limit = 0
        self.box.faults.clear()
        self.set_clocks_right()

    def set_clocks_right(self) -> None:
        """Every clock shows the time."""
        self.shop.skew = timedelta()
        for clock in self.box.clocks.values():
            clock.set_ahead(0)
            clock.set_date_ahead(0, 0)

    def sign_up(self, address: str, accepts: bool) -> int:
        """Somebody makes an account."""
        self.tick()
        return self.kibo.add_account(emailAddress=address, acceptsMarketing=accepts, **FIELDS)

    def add_outsider(self, address: str, lists: tuple[str, ...], permission: str) -> None:
        """Somebody comes to Constant Contact by another way."""
        self.tick()
        now = self.shop.clock.now()
        given = seed_contact(address, permission, lists=lists, created_at=now, updated_at=now)
        self.cc.add_contact(given)
        self.outsiders.add(address)
        self.strangers.add(str(self.contacts()[address]["contact_id"]))
