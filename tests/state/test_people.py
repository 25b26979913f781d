"""What is remembered of people: by keyed hashes, append-only where it is evidence."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.models import Sighting
from ccsync.state import Store, contacts, create_store, ledger, people, suppressions
from ccsync.state.ledger import ConsentChange
from ccsync.state.suppressions import UNSUBSCRIBED, Suppression

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PAT = b"p" * 16


def test_people_are_known_by_a_keyed_hash(store: Store, tmp_path: Path) -> None:
    """The same address gives the same person in one state file, and another in the next."""
    other = create_store(tmp_path / "other.db")
    here, there = people.person_key(store), people.person_key(other)
    assert here("pat@example.com") == people.person_key(store)("pat@example.com")
    assert here("pat@example.com") != there("pat@example.com")
    other.close()


def test_a_suppression_is_news_once(store: Store) -> None:
    """Seen again it is none; with a later date it is."""
    found = Suppression(PAT, UNSUBSCRIBED, "", "c1", NOON, "Contact")
    later = Suppression(PAT, UNSUBSCRIBED, "", "c1", NOON + timedelta(days=1), "Contact")
    assert suppressions.record(store, found, NOON, 1)
    assert not suppressions.record(store, found, NOON, 2)
    assert suppressions.record(store, later, NOON, 3)
    assert not suppressions.record(store, found, NOON, 4)
    assert [one.since for one in suppressions.of_person(store, PAT)] == [later.since]


def test_the_consent_ledger_is_append_only(store: Store) -> None:
    """No row is ever changed or removed."""
    with store.transaction():
        ledger.append(store, 1, [ConsentChange(PAT, "pat@example.com", "opted-in", "kibo", None, NOON)])
    for sql in ("UPDATE consent SET change = 'opted-out'", "DELETE FROM consent"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store.run(sql)
    assert [one.change for one in ledger.of_person(store, PAT)] == ["opted-in"]


def test_hostile_text_can_be_stored(store: Store) -> None:
    """A lone surrogate from a vendor's JSON does not stop the run."""
    with store.transaction():
        ledger.append(store, 1, [ConsentChange(PAT, "\ud800@example.com", "opted-in", "kibo", None, NOON)])
    assert ledger.of_person(store, PAT)[0].email == "?@example.com"


@pytest.mark.parametrize(
    ("case", "prepared", "created", "is_ours"),
    [
        ("never sent by us", None, NOON, False),
        ("there before we set out to send", NOON, NOON - timedelta(days=1), False),
        ("made by our import", NOON, NOON + timedelta(minutes=1), True),
    ],
)
def test_whose_contact_it_is(
    store: Store, case: str, prepared: datetime | None, created: datetime, is_ours: bool
) -> None:
    """A contact that was there before ccsync first set out to send it is another source's."""
    if prepared is not None:
        store.run("INSERT INTO contacts (person, is_ours, prepared_at) VALUES (?, 1, ?)", PAT, prepared.isoformat())
    with store.transaction():
        contacts.observe(store, [Sighting(PAT, "c1", "implicit", None, NOON, created)])
    found = contacts.known(store, PAT, "L")
    assert found is not None
    assert found.is_ours is is_ours, case


def test_members_of_an_adopted_list_are_ours(store: Store) -> None:
    """`--adopt-list` makes ccsync responsible for the members of that list, and of no other."""
    with store.transaction():
        seen = [Sighting(PAT, "c1", "implicit", "L", NOON), Sighting(b"q" * 16, "c2", "implicit", None, NOON)]
        contacts.observe(store, seen, adopt_list_id="L")
    mine, other = contacts.known(store, PAT, "L"), contacts.known(store, b"q" * 16, "L")
    assert mine is not None
    assert other is not None
    assert (mine.is_ours, other.is_ours) == (True, False)
