"""H: random histories of both systems, persons, staff, faults, crashes and cron's runs; the promises hold after each.

CI plays a thousand, as `--deep` does; without it there are fewer of the same. `pytest tests/machine --histories 20000`
plays more, and other ones each time.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ccsync.errors import CcsyncError, SafetyLimitError
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import Crash, Shop
from tests.jobs.test_export import seed_contact
from tests.machine.model import NEGATIVE, SPOKEN_AT_CONSTANT_CONTACT, Account, Address

PARTS = 4
STEPS = 16
POOL = [f"p{number}@example.com" for number in range(5)]
OTHER_LIST = "Newsletter of somebody else"
JOBS = ("flush", "poll", "export")
FAULTS: dict[str, dict[str, Any]] = {
    "reset before": {"kind": "reset-before"},
    "reset after": {"kind": "reset-after"},
    "truncated": {"kind": "truncated"},
    "500": {"kind": "status", "status": 500},
    "down": {"kind": "status", "status": 503, "times": 50},
    "null": {"kind": "wrong-body", "body": "null"},
    "quota": {"kind": "status", "status": 429, "body": '{"error_key": "quota_exceeded"}'},
}
MEMORY = Path("/dev/shm")

addresses = st.sampled_from(POOL)
choices = st.integers(min_value=0, max_value=1_000)
jobs = st.sampled_from(JOBS)
calls = st.integers(min_value=1, max_value=14)


class Histories(RuleBasedStateMachine):
    """One history: a store and a contact account with five addresses between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        # A rotating token is lost with a death at the wrong moment, as the README says: that takes a person.
        how = SandboxSettings(customers=0, cc_requests_per_second=0, import_seconds=1.0, refresh_tokens="long-lived")
        self.shop = Shop(self.folder, how)
        self.shop.__enter__()
        self.shop.box.cc.add_list(OTHER_LIST)
        self.model: dict[str, Address] = {address: Address() for address in POOL}
        self.accounts: dict[int, Account] = {}
        self.others: set[str] = set()
        self.moves = 0

    def teardown(self) -> None:
        self.shop.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    @initialize(opts_in=st.lists(st.booleans(), min_size=3, max_size=5))
    def begin(self, opts_in: list[bool]) -> None:
        """A store with some customers, exported for the first time."""
        for address, accepts in zip(POOL, opts_in, strict=False):
            self._sign_up(address, accepts)
        self.shop.export()
        self._settle()

    # what people do in the store

    @rule(address=addresses, accepts=st.booleans())
    def sign_up(self, address: str, accepts: bool) -> None:
        self._sign_up(address, accepts)

    @precondition(lambda self: self.accounts)
    @rule(choice=choices, accepts=st.booleans())
    def decide_in_the_store(self, choice: int, accepts: bool) -> None:
        self._decide(choice, accepts)

    @precondition(lambda self: self.accounts)
    @rule(choice=choices)
    def change_name(self, choice: int) -> None:
        account = self._account(choice)
        account.fields["lastName"] = f"Name{self.shop.clock.monotonic():.0f}"
        self._update(account, lastName=account.fields["lastName"])

    @precondition(lambda self: self.accounts and self.moves < 4)
    @rule(choice=choices)
    def move(self, choice: int) -> None:
        """Somebody has another address from now on."""
        account = self._account(choice)
        self.moves += 1
        new = f"moved{self.moves}@example.com"
        self.model[account.address].add("away", self._now(), account.account_id)
        self.model[new] = Address()
        account.address, account.accepts = new, self._accepts(account.account_id)
        if account.accepts:
            self.model[new].add("yes", self._now(), account.account_id)
        self._update(account, emailAddress=new)

    @precondition(lambda self: self.accounts)
    @rule(choice=choices)
    def delete_account(self, choice: int) -> None:
        account = self._account(choice)
        self.model[account.address].add("deleted", self._now(), account.account_id)
        self.shop.box.kibo.delete_account(account.account_id)
        del self.accounts[account.account_id]

    # what people and staff do at Constant Contact

    @rule(choice=choices, source=st.sampled_from(["Contact", "Account"]))
    def unsubscribe(self, choice: int, source: str) -> None:
        self._at_constant_contact("unsubscribe", choice, source)

    @rule(choice=choices)
    def come_back(self, choice: int) -> None:
        self._at_constant_contact("return", choice, "Contact")

    @rule(choice=choices, source=st.sampled_from(["Contact", "Account"]))
    def leave_list(self, choice: int, source: str) -> None:
        self._at_constant_contact("leave", choice, source)

    @rule(choice=choices)
    def staff_delete_contact(self, choice: int) -> None:
        self._at_constant_contact("wipe", choice, "Account")

    @rule(address=addresses)
    def another_source_adds(self, address: str) -> None:
        """Somebody comes to Constant Contact by another way, and is on another list there."""
        if self.shop.box.cc.contact(address) is None:
            now = self._now()
            self.shop.box.cc.add_contact(seed_contact(address, lists=(OTHER_LIST,), created_at=now, updated_at=now))
            self.model[address].is_outsiders = True
            self.others.add(address)

    # what cron does, and what goes wrong

    @rule(job=jobs)
    def run_job(self, job: str) -> None:
        self._run(job)

    @rule(job=jobs, boundary=st.integers(min_value=1, max_value=60))
    def die(self, job: str, boundary: int) -> None:
        """The process dies at a call or a commit."""
        passed = 0

        def strike(_: str) -> None:
            nonlocal passed
            passed += 1
            if passed == boundary:
                raise Crash

        self.shop.on_boundary = strike
        self._run(job)
        self.shop.on_boundary = lambda _: None

    @rule(job=jobs, nth=calls, fault=st.sampled_from(sorted(FAULTS)))
    def fail(self, job: str, nth: int, fault: str) -> None:
        """A call fails."""
        self.shop.box.faults.add(nth=nth, **FAULTS[fault])
        self._run(job)
        self.shop.box.faults.clear()

    @rule(
        job=jobs,
        nth=calls,
        choice=choices,
        change=st.sampled_from(["unsubscribe", "leave", "return", "wipe", "yes", "no"]),
    )
    def race(self, job: str, nth: int, choice: int, change: str) -> None:
        """The world changes just before a call."""

        def act() -> None:
            if change in ("yes", "no"):
                self._decide(choice, change == "yes")
            else:
                self._at_constant_contact(change, choice, "Contact")

        self.shop.box.faults.before(act, nth=nth)
        self._run(job)
        self.shop.box.faults.clear()

    @rule(hours=st.sampled_from([1, 30, 200]))
    def time_passes(self, hours: int) -> None:
        self.shop.later(hours=hours)

    @rule()
    def two_clean_cycles(self) -> None:
        self._settle()

    # the promises

    @invariant()
    def nobody_unsubscribed_is_mailed(self) -> None:
        """Who unsubscribed is not on the list, and is still unsubscribed; no call was made that could undo it."""
        members = self.shop.members()
        assert not self.shop.box.cc.forbidden_calls
        for address, known in self.model.items():
            if known.is_unsubscribed:
                assert address not in members, f"{address} is on the list"
                assert self._permission(address) == "unsubscribed", f"{address} was subscribed again"

    @invariant()
    def nothing_else_is_touched(self) -> None:
        """Other lists, other sources' data, all fields of accounts, and consent that nobody spoke against."""
        assert {one.lower() for one in self.shop.box.cc.members(OTHER_LIST)} <= self.others
        for account in self.accounts.values():
            now = self.shop.box.kibo.account(account.account_id)
            assert now["emailAddress"] == account.address
            assert {key: now[key] for key in account.fields} == account.fields
            if not self.model[account.address].has(*SPOKEN_AT_CONSTANT_CONTACT):
                assert now["acceptsMarketing"] is account.accepts, f"{account.account_id}: consent was touched"
        for address in self.others:
            contact = self.shop.box.cc.contact(address)
            if contact is not None and not self.model[address].has("wipe"):
                assert contact["first_name"] == "Their"

    def _check_settled(self) -> None:
        members = self.shop.members()
        for address, known in self.model.items():
            accounts = [one for one in self.accounts.values() if one.address == address]
            values = {one.account_id: self._accepts(one.account_id) for one in accounts}
            self._check_opt_out_arrived(address, known, values)
            self._check_consent_arrived(address, known, accounts, address in members)
            self._check_store_opt_out(address, known, accounts, address in members)
            known.was_member, known.settled_at = address in members, self._now()
            known.said_yes = frozenset(one for one, accepts in values.items() if accepts)
            for account in accounts:
                account.accepts = values[account.account_id]

    def _check_opt_out_arrived(self, address: str, known: Address, values: dict[int, bool]) -> None:
        """An unsubscribe is in every account of the address, unless the customer has opted in there since."""
        last = known.latest("unsubscribe", "return")
        if last is None or last.kind == "return" or known.has("away"):
            return
        for account_id, accepts in values.items():
            assert not accepts or known.newer_yes(account_id, last.at), f"{address} still opts in in the store"

    def _check_consent_arrived(self, address: str, known: Address, accounts: list[Account], is_member: bool) -> None:
        """Who consents, and against whom nothing was said, is on the list."""
        consents = any(self._accepts(one.account_id) for one in accounts)
        if consents and not known.has(*NEGATIVE):
            assert is_member, f"{address} consents and is not on the list"
        was_no = known.settled_at is not None and not known.said_yes
        opted_in = {one.account_id for one in known.since_settled("yes")}
        if was_no and opted_in and consents and not known.since_settled(*NEGATIVE) and not known.is_unsubscribed:
            assert is_member or known.has("wipe"), f"{address} opted in again and is not on the list"

    def _check_store_opt_out(self, address: str, known: Address, accounts: list[Account], is_member: bool) -> None:
        """Who was on the list for accounts that all say no now, by their owner's act, is off it."""
        if not known.was_member or not known.said_yes or known.is_outsiders:
            return
        said_no = {one.account_id for one in known.since_settled("no")}
        if accounts and known.said_yes <= said_no and not any(self._accepts(one.account_id) for one in accounts):
            assert not is_member, f"{address} opted out in the store and is on the list"

    # the machine's hands

    def _now(self) -> Any:
        return self.shop.clock.now()

    def _tick(self) -> None:
        self.shop.later(minutes=3)

    def _sign_up(self, address: str, accepts: bool) -> None:
        if sum(one.address == address for one in self.accounts.values()) >= 2:
            return
        self._tick()
        fields = {"firstName": "Pat", "lastName": "Doe", "externalId": "X-1", "taxId": "T-1"}
        account_id = self.shop.box.kibo.add_account(emailAddress=address, acceptsMarketing=accepts, **fields)
        self.accounts[account_id] = Account(account_id, address, accepts, fields)
        if accepts:
            self.model[address].add("yes", self._now(), account_id)

    def _account(self, choice: int) -> Account:
        self._tick()
        return self.accounts[sorted(self.accounts)[choice % len(self.accounts)]]

    def _decide(self, choice: int, accepts: bool) -> None:
        if not self.accounts:
            return
        account = self._account(choice)
        if self._accepts(account.account_id) is not accepts:
            account.accepts = accepts
            self.model[account.address].add("yes" if accepts else "no", self._now(), account.account_id)
            self._update(account, acceptsMarketing=accepts)

    def _update(self, account: Account, **fields: object) -> None:
        self.shop.box.kibo.update_account(account.account_id, **fields)

    def _at_constant_contact(self, kind: str, choice: int, source: str) -> None:
        cc = self.shop.box.cc
        there = sorted(one for one in self.model if cc.contact(one) is not None and self._suits(kind, one))
        if not there:
            return
        self._tick()
        address = there[choice % len(there)]
        actions: dict[str, Callable[[], object]] = {
            "unsubscribe": lambda: cc.unsubscribe(address, source),
            "return": lambda: cc.resubscribe(address),
            "leave": lambda: cc.leave_list(address, self.shop.list_id, source),
            "wipe": lambda: cc.delete_contact(address),
        }
        actions[kind]()
        self.model[address].add(kind, self._now())

    def _suits(self, kind: str, address: str) -> bool:
        contact = self.shop.box.cc.contact(address) or {}
        is_deleted = contact.get("deleted_at") is not None
        is_out = self._permission(address) == "unsubscribed"
        return {
            "unsubscribe": not is_deleted and not is_out,
            "return": not is_deleted and is_out,
            "leave": address in self.shop.members(),
            "wipe": not is_deleted,
        }[kind]

    def _permission(self, address: str) -> str:
        contact: Any = self.shop.box.cc.contact(address) or {"email_address": {}}
        return str(contact["email_address"].get("permission_to_send", ""))

    def _accepts(self, account_id: int) -> bool:
        return self.shop.box.kibo.account(account_id)["acceptsMarketing"] is True

    def _run(self, job: str) -> None:
        """One run, as cron starts it; our errors and a death are part of life."""
        self.shop.later(minutes=10)
        try:
            getattr(self.shop, job)()
        except (CcsyncError, Crash):
            pass

    def _settle(self) -> None:
        self.shop.later(hours=25)  # past any wait a vendor asked for, and past the daily passes
        for _ in range(2):
            self.shop.flush()
            self.shop.later(minutes=10)
            self._poll()
            self.shop.later(minutes=20)
        self.shop.flush()
        self._check_settled()

    def _poll(self) -> None:
        """One poll; when everybody seems to have left the list, a person looks and lets it through."""
        try:
            self.shop.poll()
        except SafetyLimitError:
            self.shop.poll(accept=100)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_breaks_a_promise(part: int, pytestconfig: pytest.Config) -> None:
    """Whatever happens in whatever order: consent holds, nothing is lost, nothing else is touched."""
    asked = pytestconfig.getoption("histories")
    usual = 1_000 if pytestconfig.getoption("deep") else 160
    how = settings(
        max_examples=(asked or usual) // PARTS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=[Phase.generate] if asked else [Phase.generate, Phase.shrink],
        report_multiple_bugs=True,
    )
    machine: type[Histories] = type(f"Histories{part}", (Histories,), {})
    if not asked:
        seed(part)(machine)  # the same histories in every run of CI
    run_state_machine_as_test(machine, settings=how)
