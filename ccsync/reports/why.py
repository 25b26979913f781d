"""Everything ccsync knows and has decided about one person, in the order in which it happened."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from ccsync.config.schema import Config
from ccsync.consent.explanation import Answer, Facts, judge
from ccsync.errors import SafetyLimitError
from ccsync.reports.status import next_run_at
from ccsync.run.job_names import FLUSH_EVENTS
from ccsync.state import Store, contacts, events, ledger, parked, people, person_tags, properties, suppressions
from ccsync.state.ledger import LedgerRow
from ccsync.state.log import history, last_errors, runs
from ccsync.state.log.history import Step
from ccsync.state.log.runs import Run
from ccsync.state.outbox import queue, tasks, write_backs
from ccsync.state.outbox.write_backs import WriteBack
from ccsync.state.views import person_facts
from ccsync.state.views.person_facts import AccountKnown, Rejected, SuppressionSeen


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `kind` is event, consent, decision, sent or rejected.

    `at` is when it happened, if a vendor shows that, else when ccsync saw it; `until` is when it was done, or the last
    of several times. `fields` and `fingerprint` say what was sent, without values.
    """

    at: datetime
    kind: str
    what: str
    why: str = ""
    run_id: int | None = None
    account_id: int | None = None
    person: bytes | None = None
    seen_at: datetime | None = None
    until: datetime | None = None
    event_id: str | None = None
    fields: tuple[str, ...] = ()
    fingerprint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Former:
    """Somebody whose address the account had before, as far as that is kept, and how they stand to the list."""

    person: bytes
    address: str | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class Story:
    """The answer about one person, or about one account and all people whose addresses it had.

    `person` is the one the conclusion is about, `address` their address as a vendor last showed it, if it is kept.
    `write_backs` is what waits to be written to Kibo.
    """

    asked: str
    answer: Answer
    facts: Facts
    person: bytes | None
    address: str | None
    former: tuple[Former, ...]
    accounts: tuple[AccountKnown, ...]
    suppressions: tuple[SuppressionSeen, ...]
    write_backs: tuple[WriteBack, ...]
    entries: tuple[Entry, ...]
    runs: tuple[Run, ...]
    next_attempt_at: datetime | None
    tags: tuple[tuple[str, bool, bool], ...] = ()
    """Of the segments: the name, whether they are to have it, whether ccsync has set it."""


def find(store: Store, config: Config, asked: str) -> Story:
    """Read everything about an address, or about the account of a number, as of one moment."""
    with store.snapshot():
        account_ids, everybody = _subjects(store, asked)
        person = everybody[0] if everybody else None
        nothing = _nothing(store, config, asked)
        facts = _facts(store, nothing, account_ids, person)
        entries = tuple(in_order(_entries(store, account_ids, everybody)))
        facts = replace(facts, is_known=bool(entries) or facts != nothing)
        return Story(
            asked,
            judge(facts),
            facts,
            person,
            ledger.address_of(store, person) if person else None,
            tuple(
                Former(one, ledger.address_of(store, one), judge(_facts(store, nothing, account_ids, one)))
                for one in everybody[1:]
            ),
            tuple(person_facts.accounts_known(store, account_ids)),
            tuple(person_facts.suppressions_seen(store, person)) if person else (),
            tuple(one for one in write_backs.of_person(store, person) if one.done_at is None) if person else (),
            entries,
            tuple(_runs(store, entries)),
            _next_attempt(store, config, facts),
            tuple(person_tags.of_person(store, person)) if person else (),
        )


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """As it happened. Constant Contact's dates have whole seconds; within one, an earlier run's entry comes first."""
    return sorted(entries, key=lambda one: (one.at.replace(microsecond=0), one.run_id or 0, one.at))


def account_id_of(asked: str) -> int | None:
    """The account's number, if it is one that was asked for and not an address."""
    text = asked.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _subjects(store: Store, asked: str) -> tuple[list[int], list[bytes]]:
    """The accounts and the people it is about."""
    account_id = account_id_of(asked)
    if account_id is not None:
        return [account_id], person_facts.people_of(store, account_id)
    person = people.person_key(store)(asked)
    return sorted({*person_facts.accounts_of(store, person), *person_facts.accounts_rejected_as(store, asked)}), [
        person
    ]


def _nothing(store: Store, config: Config, asked: str) -> Facts:
    list_id = config.sync.list_id
    last = runs.last_of(store, FLUSH_EVENTS)
    trouble = last_errors.of_run(store, FLUSH_EVENTS, last.id) if last else None
    return Facts(
        list_id,
        config.sync.list_name,
        is_of_account=account_id_of(asked) is not None,
        is_enabled=config.sync.enabled,
        is_exported=properties.has_exported(store, list_id),
        overwrite_existing=config.sync.overwrite_existing,
        is_held_back=trouble is not None and trouble.code == SafetyLimitError.exit_code,
    )


def _facts(store: Store, nothing: Facts, account_ids: Sequence[int], person: bytes | None) -> Facts:
    known = person_facts.accounts_known(store, account_ids)
    moved = [one.account_id for one in known if one.person != person]
    present = [one for one in account_ids if one not in moved]  # pending work of the others concerns their new address
    happened = [one for account_id in account_ids for one in events.of_account(store, account_id)]
    deleted = {event.account_id for event, _, _ in happened if event.topic == queue.DELETED}
    facts = replace(
        nothing,
        accounts=tuple(one for one in known if one.person == person),
        moved=tuple(moved),
        queue=tuple(found for one in present if (found := queue.queued(store, one)) is not None),
        rejection=_rejection(store, present),
        is_deleted=bool(deleted - {one.account_id for one in known}),
        is_read=any(done_at for _, _, done_at in happened),
    )
    return facts if person is None else _with_person(store, facts, person)


def _with_person(store: Store, facts: Facts, person: bytes) -> Facts:
    list_id = facts.list_id or ""
    arrivals = [one.at for one in history.of_person(store, person) if one.act == "added"]
    return replace(
        facts,
        suppressions=tuple(suppressions.of_person(store, person)),
        contact=contacts.known(store, person, list_id),
        contact_of=tuple(person_facts.accounts_of_moved_contact(store, person)),
        listed_since=arrivals[-1] if arrivals else None,
        leaving=person_facts.removal_reason(store, person, list_id),
        importing=person_facts.import_under_way(store, person, list_id),
    )


def _rejection(store: Store, account_ids: Sequence[int]) -> str | None:
    """Why the latest record that is still parked was rejected."""
    standing = [one for one in account_ids if parked.standing(store, one) is not None]
    reasons = [one.record.reason for one in person_facts.rejections_of(store, standing)]
    return (reasons or [f"account {standing[0]} is parked"])[-1] if standing else None


def _next_attempt(store: Store, config: Config, facts: Facts) -> datetime | None:
    """When an account of the queue is next due, if that is known."""
    if not facts.is_enabled:
        return None
    upcoming = next_run_at(runs.last_of(store, FLUSH_EVENTS), config)
    turns = [one.next_at for one in facts.queue if one.status == tasks.RETRYING]
    turns += [upcoming for one in facts.queue if one.status == tasks.PENDING and upcoming is not None]
    return min(turns, default=None)


def _entries(store: Store, account_ids: Sequence[int], everybody: Sequence[bytes]) -> Iterator[Entry]:
    for account_id in account_ids:
        yield from _of_events(store, account_id)
    for person in everybody:
        yield from (_of_step(one) for one in history.of_person(store, person))
        yield from (_of_consent(one) for one in ledger.rows_of_person(store, person))
    yield from _of_rejections(_about(store, everybody, person_facts.rejections_of(store, account_ids)))


def _of_events(store: Store, account_id: int) -> Iterator[Entry]:
    for event, seen_at, done_at in events.of_account(store, account_id):
        yield Entry(
            event.created_at or seen_at,
            "event",
            event.topic or "",
            account_id=account_id,
            seen_at=seen_at,
            until=done_at,
            event_id=event.event_id,
        )


def _of_step(one: Step) -> Entry:
    assert one.at is not None  # noqa: S101 - the column is never NULL
    return Entry(
        one.at,
        "sent" if one.fingerprint is not None else "decision",
        one.act,
        one.reason,
        one.run_id,
        one.account_id,
        one.person,
        fields=tuple(one.fields.split()),
        fingerprint=one.fingerprint,
    )


def _of_consent(row: LedgerRow) -> Entry:
    one = row.change
    # The audit log's own time would mostly repeat the row's; `ccsync consent` shows it.
    shown = {name: value for name, value in one.evidence.items() if value and name != "changed_at"}
    said = ", ".join(f"{name} {value}" for name, value in shown.items())
    return Entry(
        one.happened_at or one.seen_at,
        "consent",
        one.change,
        f"{_SOURCES.get(one.source, one.source)}: {said}" if said else _SOURCES.get(one.source, one.source),
        row.run_id,
        one.account_id,
        one.person,
        seen_at=one.seen_at,
    )


_SOURCES = {"kibo": "Kibo", "constant_contact": "Constant Contact"}


def _about(store: Store, everybody: Sequence[bytes], found: Iterable[Rejected]) -> Iterator[Rejected]:
    """The rejections of these people; an account may have belonged to someone else before."""
    person_of = people.person_key(store)
    for one in found:
        email = one.record.email
        if not everybody or email is None or person_of(email) in everybody:
            yield one


def _of_rejections(found: Iterable[Rejected]) -> Iterator[Entry]:
    """One entry for a record that was rejected again and again for the same reason."""
    by_account = sorted(found, key=lambda one: one.record.account_id or 0)
    for (account_id, reason), same in groupby(by_account, lambda one: (one.record.account_id, one.record.reason)):
        first, *others = same
        last = others[-1] if others else None
        yield Entry(
            first.record.at,
            "rejected",
            first.record.code,
            reason,
            first.run_id,
            account_id,
            until=last.record.at if last else None,
        )


def _runs(store: Store, entries: Iterable[Entry]) -> Iterator[Run]:
    """The runs of these entries that are still in the log."""
    for run_id in sorted({one.run_id for one in entries if one.run_id}):
        run = runs.get(store, run_id)
        if run is not None:
            yield run
