"""State files that version 0.2.0 left behind: whatever they hold is still known after opening them."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ccsync.clocks import OurTime
from ccsync.mapping.addresses import person_key_text
from ccsync.state import (
    Store,
    accounts,
    batches,
    events,
    kibo_writes,
    ledger,
    open_store,
    parked,
    people,
    properties,
    suppressions,
    tokens,
)
from ccsync.state import contacts as state_contacts
from ccsync.state.database.times import to_text
from ccsync.state.log import calls, history, runs
from ccsync.state.outbox import queue, removals, write_backs
from ccsync.state.properties import Stream

LATER = datetime(2030, 1, 1, tzinfo=UTC)
FOLDER = Path(__file__).parent.parent / "fixtures" / "state_0_2"
NAMES = ("empty-after-login", "exported", "half-sent", "held", "mixed", "version-1", "version-2")

WroteBack = Mapping[str, Any]
"""What the file beside a fixture tells of it."""
Compared = Iterator[tuple[str, object, object]]
"""What is compared, what the store shows, and what was told."""


def text(at: datetime | None) -> str | None:
    """A time as the file has it."""
    return None if at is None else to_text(at)


def told_of(name: str) -> WroteBack:
    told: WroteBack = json.loads((FOLDER / f"{name}.json").read_text())
    return told


@pytest.fixture(params=NAMES)
def told(request: pytest.FixtureRequest) -> WroteBack:
    return told_of(request.param) | {"name": request.param}


@pytest.fixture
def store(told: WroteBack, tmp_path: Path) -> Iterator[Store]:
    """The fixture's copy, opened and so brought up to date."""
    copied = tmp_path / "ccsync.db"
    shutil.copy(FOLDER / f"{told['name']}.db", copied)
    opened = open_store(copied)
    yield opened
    opened.close()


def picked(rows: object, *keys: str) -> list[tuple[object, ...]]:
    """These keys of told rows."""
    assert isinstance(rows, list)
    return [tuple(row[key] for key in keys) for row in rows]


def _bookmark(store: Store, name: str) -> datetime | None:
    found = properties.bookmark(store, Stream(name, OurTime), datetime.max.replace(tzinfo=UTC) - timedelta(days=1))
    return found.at if found else None


def facts(store: Store, told: WroteBack) -> Compared:
    """Single facts, how far streams were read, the tokens, the calls."""
    for key, value in told["meta"].items():
        yield key, properties.get(store, key), value
    yield "account", properties.get(store, "encoded_account_id"), told["encoded_account_id"]
    for stream, at in told["bookmarks"].items():
        yield stream, text(_bookmark(store, stream)), at
    for vendor, token in told["tokens"].items():
        saved = tokens.get(store, vendor)
        assert saved is not None
        shown = (saved.access_token, saved.refresh_token, saved.scope, text(saved.expires_at))
        yield vendor, shown, tuple(token[key] for key in ("access_token", "refresh_token", "scope", "expires_at"))
    for row in told["calls"]:
        day = datetime.fromisoformat(row["day"] + "T12:00:00Z")
        yield row["day"], calls.calls_on(store, row["vendor"], day), row["calls"]


def consents(store: Store, told: WroteBack) -> Compared:
    """Who may not be sent and why, what Kibo is to be told of them, and the ledger."""
    for address, person, one in each_person(store, told):
        yield f"hash of {address}", person.hex(), one["person"]
        kept = [
            (s.kind, s.list_id, text(s.since), s.source, s.contact_id) for s in suppressions.of_person(store, person)
        ]
        yield address, sorted(kept), picked(one["suppressions"], "kind", "list_id", "since", "source", "contact_id")
        tellings = [
            (u.kind, u.list_id, text(u.happened_at) or "", u.is_checked, u.was_on_list, u.is_wanted, u.attempts)
            for u in write_backs.of_person(store, person)
        ]
        keys = ("kind", "list_id", "happened_at", "is_checked", "was_on_list", "is_wanted", "attempts")
        yield address, tellings, picked(one["untold"], *keys)
        ends = [(u.last_error, text(u.done_at), u.outcome) for u in write_backs.of_person(store, person)]
        yield address, ends, picked(one["untold"], "last_error", "told_at", "outcome")
        rows = [
            (c.change, c.source, c.email, c.account_id, c.contact_id, text(c.happened_at), text(c.seen_at))
            for c in ledger.of_person(store, person)
        ]
        keys = ("change", "source", "email", "account_id", "contact_id", "happened_at", "seen_at")
        yield address, rows, picked(one["ledger"], *keys)


def contacts(store: Store, told: WroteBack) -> Compared:
    """Whom ccsync put on which list, with what and for whom, and who is to leave it."""
    waiting = {
        (one.person, one.list_id): (one.account_id, one.email, one.reason, " ".join(one.activity_ids) or None)
        for list_id in {row["list_id"] for _, _, one in each_person(store, told) for row in one["removals"]}
        for one in removals.waiting(store, list_id, LATER)
    }
    expected = {}
    for address, person, one in each_person(store, told):
        contact = one["contact"]
        list_id = (contact and contact["list_id"]) or told["list_id"] or ""
        known = state_contacts.known(store, person, list_id)
        shown = known and (known.is_ours, known.contact_id, known.is_on(list_id), known.member_of)
        keys = ("is_ours", "contact_id", "seen_list_id")
        is_ours, contact_id, member_of = tuple(contact[key] for key in keys) if contact else (None, None, None)
        member_of = (contact and contact["list_id"]) or member_of
        yield address, shown, contact and (is_ours, contact_id, contact["list_id"] is not None, member_of)
        mark = known and known.sent and known.sent.fingerprint and known.sent.fingerprint.hex()
        yield address, mark, contact and contact["fingerprint"]
        yield address, accounts.of_person(store, person), one["accounts"]
        steps = [(step.act, step.reason, step.fields, step.run_id) for step in history.of_person(store, person)]
        yield address, steps, picked(one["history"], "act", "reason", "fields", "run_id")
        for row in one["removals"]:
            keys = ("account_id", "email", "reason", "activity_id")
            expected[(person, row["list_id"])] = tuple(row[key] for key in keys)
    yield "removals", waiting, expected


def kibo_accounts(store: Store, told: WroteBack) -> Compared:
    """Each account's consent, addresses, events, place in the queue, rejection, and what ccsync set there."""
    person_of = people.person_key(store)
    for key, one in told["accounts"].items():
        number, seen, write = int(key), one["seen"], one["kibo_write"]
        known = accounts.known(store, [number]).get(number)
        shown = known and (known.person, known.accepts_marketing)
        yield key, shown, seen and (person_of(seen["address"]), seen["accepts_marketing"])
        present = {person_of(seen["address"])} if seen and seen["accepts_marketing"] else set[bytes]()
        answerable = {person_of(address) for address in one["addresses_put_on_list"]} | present
        yield key, set(accounts.addresses_of(store, number)), answerable
        row = queue.queued(store, number)
        queued = one["queue"]
        keys = ("status", "attempts", "next_at", "last_error")
        yield (
            key,
            row and (row.status, row.attempts, text(row.next_at), row.last_error),
            queued and tuple(queued[k] for k in keys),
        )
        shown = [(e.event_id, e.topic, text(done)) for e, _, done in events.of_account(store, number)]
        yield key, shown, picked(one["events"], "event_id", "topic", "done_at")
        standing, aside = parked.standing(store, number), one["set_aside"]
        refused = standing and (standing[0], standing[1] and standing[1].hex())
        yield key, refused, aside and (aside["code"], aside["fingerprint"])
        was = kibo_writes.among(store, [number]).get(number)
        written = was and (was.person, was.accepts_marketing, was.reason, text(was.done_at), text(was.updated_at))
        keys = ("accepts_marketing", "reason", "done_at", "updated_at")
        yield key, written, write and (person_of(write["address"]), *(write[k] for k in keys))


def work_and_log(store: Store, told: WroteBack) -> Compared:
    """Imports under way with everybody in them, and the log with its rejected records."""
    person_of = people.person_key(store)
    under_way = [one for one in told["batches"] if one["finished_at"] is None]
    shown = [(b.id, b.list_id, b.state, b.activity_id, b.rows, text(b.prepared_at)) for b in batches.unfinished(store)]
    yield "batches", shown, picked(under_way, "id", "list_id", "state", "activity_id", "rows", "prepared_at")
    # What is finished is not taken for the import of a batch whose answer was lost.
    yield "activities", batches.known_activities(store), {one["activity_id"] for one in told["batches"]} - {None}
    for one in under_way:
        rows = [
            (r.person, r.account_id, r.email, r.fingerprint.hex(), r.fields) for r in batches.rows_of(store, one["id"])
        ]
        keys = ("account_id", "email", "fingerprint", "fields")
        yield "rows", rows, [(person_of(row["address"]), *(row[k] for k in keys)) for row in one["people"]]
    for row in told["runs"]:
        run = runs.get(store, row["id"])
        assert run is not None
        # The process of a run that was RUNNING then has ended since.
        status = "INTERRUPTED" if row["status"] == "RUNNING" else row["status"]
        shown = [(run.job, run.status, text(run.started_at), dict(run.counts))]
        yield "run", shown, [(row["job"], status, row["started_at"], row["counts"])]
        rejected = [(r.account_id, r.email, r.code, r.reason) for r in runs.rejected(store, row["id"])]
        yield "rejected", rejected, picked(row["rejected"], "account_id", "email", "code", "reason")


def each_person(store: Store, told: WroteBack) -> Iterator[tuple[str, bytes, WroteBack]]:
    """Everybody, also those of whom nothing may be known any more."""
    person_of = people.person_key(store)
    for address, one in told["people"].items():
        yield address, person_of(person_key_text(address)), one


@pytest.mark.parametrize(
    "subject", [facts, consents, contacts, kibo_accounts, work_and_log], ids=lambda one: one.__name__
)
def test_nothing_is_lost(subject: Callable[[Store, WroteBack], Compared], store: Store, told: WroteBack) -> None:
    """What a state file of 0.2.0 holds is known after opening it, and nothing that was erased comes back."""
    for what, shown, expected in subject(store, told):
        assert shown == expected, what


def test_every_fixture_is_looked_at() -> None:
    """Each state file has its sidecar, and both are among those that are tested."""
    assert {path.stem for path in FOLDER.glob("*.db")} == {path.stem for path in FOLDER.glob("*.json")} == set(NAMES)


def test_the_fixtures_hold_what_could_be_lost() -> None:
    """Among them they have every kind of suppression, telling, waiting account, removal and batch."""
    everything = [told_of(name) for name in NAMES]
    persons = [one for told in everything for one in told["people"].values()]
    numbered = [one for told in everything for one in told["accounts"].values()]
    assert {row["kind"] for one in persons for row in one["suppressions"]} == {
        "unsubscribed", "departed", "opted-out", "forgotten"
    }  # fmt: skip
    assert {(row["kind"], row["told_at"] is None) for one in persons for row in one["untold"]} == {
        ("unsubscribed", True), ("unsubscribed", False), ("departed", True), ("departed", False),
        ("resubscribed", False),
    }  # fmt: skip
    assert {(row["reason"], row["activity_id"] is None) for one in persons for row in one["removals"]} == {
        ("opted-out", True), ("opted-out", False), ("deleted", True), ("deleted", False)
    }  # fmt: skip
    assert {one["queue"]["status"] for one in numbered if one["queue"]} == {"pending", "retrying", "failed"}
    assert {one["set_aside"]["code"] for one in numbered if one["set_aside"]} == {"bad-address", "refused"}
    assert {one["kibo_write"]["done_at"] is None for one in numbered if one["kibo_write"]} == {True, False}
    assert {row["state"] for told in everything for row in told["batches"]} == {
        "prepared", "running", "adopted", "done", "failed"
    }  # fmt: skip
    assert {told["format"] for told in everything} == {1, 2, 3}
