"""One decision for a person: export, flush, why and reconcile agree on thousands of random people."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.consent.decisions import Act, Decision, Stand, as_last_seen, blocking_suppression, reason_of, stand_of
from ccsync.consent.drift import Kind
from ccsync.consent.explanation import Standing
from ccsync.from_kibo.staged_decisions import iter_decisions, iter_judged
from ccsync.mapping.contact import fingerprint
from ccsync.reports import differences
from ccsync.reports import why as report
from ccsync.run.context import Context
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import accounts, contacts, parked, people, properties, staging, suppressions
from ccsync.state.accounts import B2B, AccountSeen
from ccsync.state.database.store import Store
from ccsync.state.outbox import queue, removals
from ccsync.state.staging import Staged
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, OPTED_OUT, UNSUBSCRIBED, Suppression
from ccsync.state.views import comparison
from ccsync.state.views.comparison import AtKibo
from tests.harness import Shop

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MARK, OLD_MARK = b"as it is now", b"as it was sent"
OTHER_LIST = "another-list"
PASSED_OVER = "a B2B account"
EXPLAINED = {Kind.SUPPRESSED, Kind.NOT_WRITTEN_BACK, Kind.WAITING}
"""What reconcile may call somebody who opts in, is suppressed, and is not on the list."""


@dataclass(slots=True)
class Person:
    """One random person, as the state file and both vendors have them."""

    address: str
    key: bytes
    accounts: list[AccountSeen] = field(default_factory=list)
    is_member: bool = False
    is_queued: bool = False
    is_leaving: bool = False
    is_due_again: bool = False
    """Its refusal has expired: it is sent again, and known as rejected until then."""

    @property
    def accepting(self) -> list[AccountSeen]:
        return [one for one in self.accounts if one.accepts_marketing and one.kind != B2B]


class Crowd:
    """Makes random people and writes what is known of them into a state file."""

    def __init__(self, store: Store, list_id: str, seed: int) -> None:
        self._store = store
        self._list_id = list_id
        self._chance = random.Random(seed)
        self._next_account = 1_000

    def _one_of(self, *values: object) -> object:
        return self._chance.choice(values)

    def _happens(self, percent: int) -> bool:
        return self._chance.random() * 100 < percent

    def make(self, number: int) -> Iterator[Person]:
        """So many people; the caller has a transaction open."""
        person_of = people.person_key(self._store)
        for index in range(number):
            address = f"person{index}@example.com"
            person = Person(address, person_of(address))
            self._contact(person, index)
            self._accounts(person)
            self._suppress(person)
            self._work(person)
            yield person

    def _contact(self, person: Person, index: int) -> None:
        """A contact as it was last seen, and what was sent of it."""
        if self._happens(15):
            return
        permission = self._one_of(
            None, "implicit", "implicit", "explicit", "pending_confirmation", "deleted", "vanished"
        )
        person.is_member = permission in (None, "implicit", "explicit") and self._happens(60)
        moved_to = self._chance.randbytes(16) if permission == "implicit" and self._happens(15) else None
        seen_at = None if permission is None else NOW - self._chance.choice([timedelta(minutes=1), timedelta(days=7)])
        self._store.run(
            "INSERT INTO contacts (person, is_ours, contact_id, permission, member_of, seen_at, moved_to)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            person.key,
            int(self._happens(70)),
            f"contact-{index}" if permission != "vanished" else None,
            str(permission) if permission else None,
            self._list_id if person.is_member else None,
            seen_at,
            moved_to,
        )
        # What a row of a moved contact shows is the other address's: this one is no member.
        person.is_member &= moved_to is None
        for list_id in (self._list_id, OTHER_LIST):
            # Who came onto the list without being sent to it was put there by others.
            if self._happens(75 if list_id == self._list_id else 10):
                self._store.run(
                    "INSERT INTO sent (person, list_id, fingerprint, account_id, sent_at, removed_at)"
                    " VALUES (?, ?, ?, NULL, ?, ?)",
                    person.key,
                    list_id,
                    self._one_of(MARK, OLD_MARK, OLD_MARK, None),  # type: ignore[arg-type]
                    NOW - timedelta(days=9),
                    NOW - timedelta(days=8) if self._happens(15) else None,
                )

    def _accounts(self, person: Person) -> None:
        for _ in range(self._chance.choice([0, 1, 1, 1, 2, 3])):
            self._next_account += 1
            made = NOW - timedelta(days=self._chance.randrange(1, 400))
            kind = B2B if self._happens(10) else ""
            person.accounts.append(AccountSeen(self._next_account, person.key, self._happens(70), made, kind))
        accounts.observe(self._store, person.accounts, NOW)

    def _suppress(self, person: Person) -> None:
        kinds = [UNSUBSCRIBED, DEPARTED, OPTED_OUT, FORGOTTEN]
        for kind in self._chance.sample(kinds, self._chance.choice([0, 0, 0, 1, 1, 2])):
            list_id = str(self._one_of(self._list_id, OTHER_LIST)) if kind == DEPARTED else ""
            since = NOW - timedelta(days=self._chance.randrange(1, 400)) if self._happens(80) else None
            suppressions.record(self._store, Suppression(person.key, kind, list_id, None, since, None), NOW, 1)
            person.is_member &= kind != UNSUBSCRIBED
            if kind == UNSUBSCRIBED:
                contacts.note_removed(self._store, person.key, None, NOW)

    def _work(self, person: Person) -> None:
        """Rejected records, accounts that wait, people who are about to leave."""
        if person.accepting and self._happens(10):
            known = contacts.known(self._store, person.key, self._list_id)
            sent = MARK if known is None or known.is_ours else fingerprint({"email": person.address})
            newest = max(person.accepting, key=lambda one: (one.since or NOW, one.account_id))
            parked.put(self._store, newest.account_id, "refused", sent, NOW, 1)
            if self._happens(20):
                person.is_due_again = True
                parked.put_until(self._store, newest.account_id, 1, NOW - timedelta(hours=1))
        if person.accounts and self._happens(10):
            person.is_queued = True
            queue.enqueue(self._store, [person.accounts[0].account_id], NOW)
        is_out = any(one.kind == OPTED_OUT for one in suppressions.of_person(self._store, person.key))
        if is_out and person.is_member and self._happens(50):
            account_id = person.accounts[0].account_id if person.accounts else 1
            asked = removals.ask(self._store, [person.key], account_id, None, removals.OPTED_OUT, NOW, only_own=True)
            person.is_leaving = asked > 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What each of those who are asked says of everybody, by person."""

    export: Mapping[bytes, Decision]
    flush: Mapping[bytes, Decision]
    findings: Mapping[bytes, set[Kind]]


def ask_everybody(context: Context, crowd: list[Person]) -> Answers:
    """Stage whoever opts in, as an export and a flush do, and compare both sides, as reconcile does."""
    store = context.store
    staging.clear(store)
    with store.transaction():
        staging.stage(
            store,
            [
                Staged(one.account_id, one.since, person.key, MARK, f'{{"email":"{person.address}"}}')
                for person in crowd
                for one in person.accepting
            ],
        )
        # A job looks at these contacts before it decides, and finds them as they were.
        for staged in [one.staged for one in iter_judged(context, is_retry=False) if one.needs_a_look]:
            store.run("UPDATE contacts SET seen_at = ? WHERE person = ?", NOW, staged.person)
    export, flush = (
        {staged.person: decision for staged, decision in iter_decisions(context, is_retry=False)} for _ in range(2)
    )
    staging.clear(store)
    comparison.begin(store)
    comparison.note_members(store, [(one.key, one.address) for one in crowd if one.is_member])
    comparison.note_accounts(store, [at_kibo(person, one) for person in crowd for one in person.accounts])
    differences.compare(context, None)
    findings: dict[bytes, set[Kind]] = {}
    for one in comparison.iter_findings(store, [kind.value for kind in Kind]):
        if one.reason != PASSED_OVER:
            findings.setdefault(one.person, set()).add(Kind(one.kind))
    return Answers(export, flush, findings)


def at_kibo(person: Person, one: AccountSeen) -> AtKibo:
    why_not = PASSED_OVER if one.kind == B2B else ""
    return AtKibo(one.account_id, person.key, person.address, one.accepts_marketing, one.since, one.since, why_not)


def check(context: Context, person: Person, answers: Answers) -> None:
    """Nothing that one of them says of a person contradicts what another one says."""
    store = context.store
    found = report.find(store, context.config, person.address).answer
    kinds = answers.findings.get(person.key, set()) - {Kind.SEVERAL_ACCOUNTS}
    known = contacts.known(store, person.key, context.list_id)
    stand = stand_of(known, as_last_seen(context.list_id, overwrite_existing=False))
    is_shown = found.standing in (Standing.LISTED, Standing.LEAVING)
    is_elsewhere = stand is Stand.MOVED and known is not None and known.member_of == context.list_id
    assert is_shown == (person.is_member or (is_elsewhere and "under another address" in found.text)), found.text
    assert (found.standing is Standing.LEAVING) == person.is_leaving
    decision = answers.export.get(person.key)
    assert decision == answers.flush.get(person.key)
    assert (decision is not None) == bool(person.accepting)
    if decision is None:
        assert not kinds & {Kind.MISSING, Kind.LEFT, Kind.NOT_WRITTEN_BACK, Kind.SUPPRESSED}
        return
    holding = blocking_suppression(suppressions.of_person(store, person.key), context.list_id)
    assert (decision.act is Act.SUPPRESS) == (holding is not None)
    if holding is not None:
        assert person.is_leaving or reason_of(holding) in found.text
    check_finding(decision, person, kinds)
    check_why(decision, person, found.standing, found.text)


def check_finding(decision: Decision, person: Person, kinds: set[Kind]) -> None:
    """Does what reconcile calls somebody who opts in fit what is decided about them?"""
    allowed: dict[Act, set[Kind]]
    if person.is_member:
        held = {Kind.NOT_REMOVED, Kind.BACK_ON_LIST, Kind.FORGOTTEN_LISTED, Kind.WAITING}
        allowed = {Act.SUPPRESS: held}
        assert kinds <= allowed.get(decision.act, set()), (decision, kinds)
        return
    queued = {Kind.WAITING} if person.is_queued else set()
    allowed = {
        Act.SUPPRESS: EXPLAINED,
        Act.ADD: {Kind.MISSING} | queued,
        Act.UNCHANGED: {Kind.RENAMED, Kind.WAITING},
        Act.DEPARTED: {Kind.LEFT} | queued,
        Act.PARKED: {Kind.REJECTED},
    }
    assert len(kinds) == 1, (decision, kinds)
    assert kinds <= allowed[decision.act], (decision, kinds)


def check_why(decision: Decision, person: Person, standing: Standing, text: str) -> None:
    """Does what `why` says fit it?"""
    if decision.act is Act.DEPARTED:
        says = "rejected" if person.is_due_again else decision.reason
        assert (standing, says in text) == (Standing.NOT_LISTED, True), (decision, text)
    if decision.act is Act.ADD and not person.is_member and not person.is_queued:
        assert ("rejected" if person.is_due_again else "nothing was sent") in text, (decision, text)
    if decision.act is Act.UPDATE:
        assert standing is Standing.LISTED, (decision, text)
    if decision.act is Act.PARKED and not person.is_queued:
        assert "rejected" in text, (decision, text)
    if decision.act is Act.UNCHANGED and not person.is_member:
        assert decision.reason in text, (decision, text)


@pytest.mark.parametrize("number", [1_000, pytest.param(10_000, marks=pytest.mark.deep)])
def test_everybody_says_the_same_of_a_person(number: int, tmp_path: Path) -> None:
    """What export and flush decide, what `why` tells and what reconcile finds rest on the same rules."""
    with Shop(tmp_path, SandboxSettings(customers=0)) as shop:
        store = shop.open()
        tools = shop._clients(store)
        context = shop._context(store, tools)
        with store.transaction():
            properties.put(store, properties.EXPORTED_LIST, shop.list_id)
            crowd = list(Crowd(store, shop.list_id, seed=number).make(number))
        answers = ask_everybody(context, crowd)
        for person in crowd:
            check(context, person, answers)
        acts = {one.act for one in answers.export.values()}
        assert acts == {Act.ADD, Act.UPDATE, Act.UNCHANGED, Act.SUPPRESS, Act.DEPARTED, Act.PARKED}
        shop._close(store, tools)
