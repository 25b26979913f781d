"""One world of the machine: a shop, its people, and the runs of ccsync in it, each judged when it is over."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from ccsync.cli.wiring import Clients, clients
from ccsync.config import Config, load_config
from ccsync.consent.drift import DRIFT, Kind
from ccsync.errors import CcsyncError, SafetyLimitError
from ccsync.run.context import Context
from ccsync.sandbox.settings import CUSTOMER_TOPICS, ROW_SECTIONS, SEGMENT_TOPICS, SandboxSettings
from ccsync.state import Store
from tests.harness import Crash, Shop
from tests.jobs.reconciling import reconcile
from tests.jobs.test_export import seed_contact
from tests.machine import invariants, store_consent, tagging
from tests.machine.facts import FULL, Facts, Span
from tests.machine.history import History, Settled

POOL = [f"p{number}@example.com" for number in range(6)]
OTHER_LIST = "Newsletter of somebody else"
FIELDS = {"firstName": "Pat", "lastName": "Doe", "externalId": "X-1", "taxId": "T-1"}
JOBS = ("flush", "poll", "full poll", "export", "repair")
WAYS: tuple[tuple[dict[str, object], str], ...] = (
    ({}, ""),
    ({"confirmed_opt_in": True}, "welcome_email = true\n"),
    ({"unsubscribed_keep_lists": True, "list_change_trace": "both"}, ""),
    ({"export_holds_deleted": True, "status_default": "active"}, ""),
    ({"update_date_filter": "refuse", "resubscribe_keeps_opt_out_date": False}, ""),
    ({}, 'opt_out = "unsubscribe"\n'),
    ({"rename_moves_updated_at": True, "import_updates_unsubscribed": False}, "overwrite_existing = true\n"),
    ({}, tagging.CONFIG),
    (
        {"part_edits_make_events": False, "event_topics": CUSTOMER_TOPICS | SEGMENT_TOPICS},
        'opt_out = "unsubscribe"\n' + tagging.CONFIG,
    ),
    (
        {"rows_carry": ROW_SECTIONS - {"segments"}, "confirmed_opt_in": True},
        "welcome_email = true\n" + tagging.CONFIG,
    ),
)
"""How the vendors go, where their descriptions leave it open, and what is configured."""


def has_tags(way: int) -> bool:
    """Are segments mapped to tags?"""
    return tagging.CONFIG in WAYS[way % len(WAYS)][1]


class Broken(AssertionError):
    """A promise is broken."""


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
        self._keeps_lists = bool(settings.get("unsubscribed_keep_lists"))
        self.shop = OwnClockShop(folder, SandboxSettings(refresh_tokens="long-lived", **how))
        self.shop.__enter__()
        text = self.shop.config_path.read_text()
        self.shop.config_path.write_text(text + config)
        vars(self.shop).pop("config", None)
        self.box, self.kibo, self.cc = self.shop.box, self.shop.box.kibo, self.shop.box.cc
        self.cc.add_list(OTHER_LIST)
        self.tags = tagging.Tags(self.shop, has_tags(way))
        self._path = self.shop.config.state.path
        self._copied: tuple[int, bool] | None = None
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
        self.undatable: list[tuple[datetime, datetime]] = []
        """When a return can be taken for older than the look before it, which is dated too late."""
        self._slow_since: datetime | None = None
        self.has_exported = False
        self.runs: list[Span] = []
        self._replayed: tuple[int, tuple[Span, ...]] | None = None
        self._judged = 0

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
        self._copied = len(self.box.acts), self.has_exported

    def put_back(self) -> None:
        """Put the copy in the place of the state file: what was seen since it was made is known to nobody any more."""
        if self._copied is None:
            return
        self.shop.let_go()
        for end in ("-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        shutil.copyfile(self._copy_path, self._path)
        number, self.has_exported = self._copied
        self._lost.append((number, len(self.box.acts)))
        self.settled = [one for one in self.settled if one.number <= number]
        self.runs = [one for one in self.runs if one.end <= number]

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
        dates = {"are_clocks_right": self.are_clocks_right, "undatable": self._with_slow(self.undatable)}
        return History(self.facts(until), settled, *gone, **dates)

    def be_slow(self) -> None:
        """An import puts people on the list long before it ends, and so before they are taken to be there."""
        self._slow_since = self._slow_since or self.shop.clock.now()

    def _with_slow(self, spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
        return spans if self._slow_since is None else [*spans, (self._slow_since, self.shop.clock.now())]

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

    # running

    def tick(self, minutes: float = 3) -> None:
        """People act minutes apart."""
        self.shop.later(minutes=minutes)

    def run(self, job: str, *, is_clean: bool = False) -> None:
        """One run as cron starts it, and what must hold after it. Our errors and a death are part of life."""
        self.tick(10)
        start = len(self.box.acts)
        before, began_at, is_well = self.history(start), self.shop.clock.now(), False
        try:
            self._start(job)
        except Crash:
            pass
        except CcsyncError as error:
            if is_clean:
                raise Broken(f"a clean {job} failed: {error.what} {error.why}") from error
        else:
            is_well = True
        self.runs.append(Span(job, began_at, start, len(self.box.acts), is_well))
        self.judge_run(before, self.runs[-1])

    def _start(self, job: str) -> None:
        bodies: dict[str, Callable[[], object]] = {
            "flush": self.shop.flush,
            "poll": self._poll,
            "full poll": lambda: self._poll(is_full=True),
            "export": self.shop.export,
            "repair": lambda: reconcile(self.shop, fixes=True),
        }
        bodies[job]()
        self.has_exported |= job == "export"

    def _poll(self, **asked: bool) -> None:
        """When everybody seems to have gone, a person looks and lets it through."""
        try:
            self.shop.poll(**asked)
        except SafetyLimitError:
            self.shop.poll(accept=100, **asked)

    def relent(self) -> None:
        """All troubles are over, and all clocks are right."""
        self.kibo.relent()
        self.cc.relent()
        self.cc.plan.limit = 0
        self.box.faults.clear()
        self.undatable, self._slow_since = self._with_slow(self.undatable), None
        self.set_clocks_right()

    def set_clocks_right(self) -> None:
        """Every clock shows the time."""
        self.shop.skew = timedelta()
        for clock in self.box.clocks.values():
            clock.set_ahead(0)
            clock.set_date_ahead(0, 0)

    def settle(self, *, exports: bool = False) -> None:
        """Everything is well again, two clean cycles pass, and what must hold then is looked at."""
        self.relent()
        if self.has_had_trouble:
            # Past what a vendor asked to wait for, and past the day and the three days of a parked record.
            for days in (1.1, 3.1, 7.1, 1.1):
                self.shop.later(days=days)
                for job in ("poll", "flush"):
                    self.run(job)
            self.has_had_trouble = False
        self.shop.later(hours=25)
        if not self.has_exported:
            self.run("export", is_clean=True)  # the first one is a person's decision
        self._mend()
        for _ in range(2):
            self.run("flush", is_clean=True)
            self.run("full poll", is_clean=True)
            self.tick(10)
            if exports:
                self.run("export", is_clean=True)
        self.run("flush", is_clean=True)
        self.judge_settled()

    def _mend(self) -> None:
        """I5: what `reconcile` calls drift, whatever happened before, its repair and a run of each cron job mend."""
        self.tick()
        before = self._drift()
        if before:
            for job in ("repair", "flush", "poll", "flush"):
                self.run(job, is_clean=True)
            self.tick()
            left = sorted(f"{kind} {address}" for kind, address in before & self._drift())
            self._raise_any([f"I5 the repair left {one}" for one in left])

    def _drift(self) -> set[tuple[str, str]]:
        """What `reconcile` would repair: kinds and addresses."""
        _, _, findings = reconcile(self.shop)
        return {(one.kind, one.email or "") for one in findings if one.repair and Kind(one.kind) in DRIFT}

    # judging

    def judge_run(self, before: History, span: Span) -> None:
        """What must hold at all times."""
        now, contacts = self.history(), self.contacts()
        found = [
            *invariants.nobody_is_sent_after_a_no(before, now, span),
            *store_consent.no_consent_is_touched(now, self._judged, self.seen_until),
            *invariants.nobody_is_subscribed_again(now, _permissions(contacts), self.cc.forbidden_calls),
            *invariants.nobody_unsubscribed_is_member(now, frozenset(self.shop.members()), keeps=self._keeps_lists),
            *self.tags.of_run(before, now, span),
            *self._what_else_was_touched(now, contacts),
        ]
        self._judged = span.end
        self._raise_any(found)

    def judge_settled(self) -> None:
        """What must hold when two clean cycles have passed."""
        now, members = self.history(), frozenset(self.shop.members())
        waiting = frozenset(
            key for key, value in _permissions(self.contacts()).items() if value == "pending_confirmation"
        )
        found = [
            *invariants.who_says_no_is_no_member(now, members),
            *invariants.who_says_yes_is_member(now, members, waiting),
            *store_consent.store_knows(now),
            *self.tags.of_rest(now, members),
        ]
        self._raise_any(found)
        self.tick()
        report, by_kind, _ = reconcile(self.shop)
        if report.drift:
            kinds = sorted(kind.value for kind in DRIFT if kind.value in by_kind)
            self._raise_any([f"I5 drift {' '.join(kinds)}", *(f"{kind}: {by_kind[kind]}" for kind in kinds)])
        consents = {one: self.kibo.account(one)["acceptsMarketing"] is True for one in self.accounts()}
        self.settled.append(Settled(len(self.box.acts), members, consents))

    def _what_else_was_touched(self, now: History, contacts: dict[str, dict[str, Any]]) -> Iterator[str]:
        """Other lists, other sources' data (decision 9), and all of an account but its consent."""
        strangers = {one.lower() for one in self.cc.members(OTHER_LIST)} - self.outsiders
        yield from (f"other lists: {one}" for one in sorted(strangers))
        if not self.shop.config.sync.overwrite_existing:
            for one in contacts.values():
                is_theirs = one["contact_id"] in self.strangers and one.get("deleted_at") is None
                if is_theirs and one["first_name"] != "Their":
                    yield f"another source's data were touched: {one['first_name']}"
        for account in now.facts.accounts.values():
            if account.gone_at is None and account.account_id not in self.business:
                shown = self.kibo.account(account.account_id)
                wanted = {**FIELDS, "lastName": self.edits.get(account.account_id, FIELDS["lastName"])}
                if any(shown[key] != value for key, value in wanted.items()):
                    yield f"account {account.account_id}: more than its consent was touched"

    def _raise_any(self, found: list[str]) -> None:
        if found:
            raise Broken("\n".join(found))

    # people

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


def _permissions(contacts: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {
        str(one["contact_id"]): str(one["email_address"].get("permission_to_send", "")) for one in contacts.values()
    }
