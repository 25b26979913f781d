"""Numbers by day: each run and each change of consent is counted once, and they outlive the runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.state import Store, create_store
from ccsync.state.ledger import ConsentChange, append
from ccsync.state.log import days, runs

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_run(store: Store, status: str = "COMPLETE", **counts: int) -> None:
    run_id = runs.start(store, "flush-events", "to", NOW)
    runs.finish(store, run_id, status, NOW + timedelta(seconds=30), counts, "")


def today(store: Store) -> dict[str, int]:
    return dict(days.since(store, NOW.date()).get(NOW.date(), {}))


def test_each_run_is_counted_once(tmp_path: Path) -> None:
    """Counting again changes nothing; a run that was killed is counted with the next one."""
    store = create_store(tmp_path / "ccsync.db")
    a_run(store, added=3)
    days.count(store)
    days.count(store)
    killed = runs.start(store, "flush-events", "to", NOW)
    runs.update(store, killed, {"added": 2})
    days.count(store)
    a_run(store, "FAILED", removed=1)
    days.count(store)
    found = today(store)
    assert found["run flush-events"] == 3
    assert found["failed flush-events"] == 2
    assert found["seconds flush-events"] == 60
    assert (found["count flush-events added"], found["count flush-events removed"]) == (5, 1)
    runs.prune(store, NOW + timedelta(days=90))
    assert today(store) == found
    store.close()


def test_changes_of_consent_are_counted_by_source(tmp_path: Path) -> None:
    """Whoever unsubscribed and never was on the list did not leave it."""
    store = create_store(tmp_path / "ccsync.db")

    def change(person: bytes, what: str, source: str) -> None:
        with store.transaction():
            append(store, 1, [ConsentChange(person, None, what, source, None, NOW)])

    change(b"a", "opted-in", "kibo")
    change(b"b", "unsubscribed", "constant_contact")
    days.count(store)
    store.run("INSERT INTO sent VALUES (?, 'list', NULL, 1, ?, NULL, NULL)", b"a", NOW.isoformat())
    change(b"a", "unsubscribed", "constant_contact")
    days.count(store)
    assert {what: number for what, number in today(store).items() if what.startswith("consent")} == {
        "consent opted-in kibo": 1,
        "consent before unsubscribed constant_contact": 1,
        "consent unsubscribed constant_contact": 1,
    }
    store.close()


def test_another_list_begins_anew(tmp_path: Path) -> None:
    """The members of one list are not drawn in one line with another's."""
    store = create_store(tmp_path / "ccsync.db")
    days.note_members(store, "one", NOW - timedelta(days=1), 100)
    days.note_members(store, "one", NOW, 90)
    days.note_members(store, "one", NOW, 91)
    assert today(store) == {"members": 91}
    days.note_members(store, "two", NOW, 5)
    assert days.since(store, (NOW - timedelta(days=9)).date()) == {NOW.date(): {"members": 5}}
    store.close()


def test_many_changes_of_consent_are_counted_in_short_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first export makes one for each customer; a run that is killed in between has counted none twice."""
    monkeypatch.setattr(days, "_AT_ONCE", 3)
    store = create_store(tmp_path / "ccsync.db")
    ends = list[str]()

    def count_until_killed() -> None:
        def kill(boundary: str) -> None:
            ends.append(boundary)
            if ends.count("after commit") == 3:
                raise KeyboardInterrupt

        store._on_boundary = kill
        with pytest.raises(KeyboardInterrupt):
            days.count(store)
        store._on_boundary = lambda _: None

    with store.transaction():
        append(store, 1, [ConsentChange(bytes([one]), None, "opted-in", "kibo", None, NOW) for one in range(8)])
    count_until_killed()
    assert today(store) == {"consent opted-in kibo": 6}
    days.count(store)
    days.count(store)
    assert today(store) == {"consent opted-in kibo": 8}
    store.close()
