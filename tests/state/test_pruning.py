"""What is old is forgotten, run by run; what a wrong clock has dated neither goes too early nor stays for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from ccsync.state import Store, wrong_clock
from ccsync.state.log import history, runs
from ccsync.state.log.history import Step
from ccsync.state.log.runs import RejectedRecord

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT = NOW - 90 * DAY


def add_run(store: Store, at: datetime) -> int:
    """A run that ended then, with one step and one rejected record."""
    run_id = runs.start(store, "export", "to", at)
    with store.transaction():
        history.append(store, run_id, at, [Step(b"p%d" % run_id, 7, "added", f"run {run_id}")])
        runs.add_rejected(store, run_id, [RejectedRecord(7, None, "code", "reason", at)])
    runs.finish(store, run_id, "COMPLETE", at, {}, "")
    return run_id


def prune(store: Store) -> list[int]:
    """The runs that are kept; steps and rejected records are theirs."""
    history.prune(store, KEPT)
    runs.prune(store, KEPT)
    kept = sorted(run.id or 0 for run in runs.latest(store))
    assert [one for (one,) in store.rows("SELECT DISTINCT run_id FROM rejected ORDER BY 1")] == kept
    assert [one for (one,) in store.rows("SELECT DISTINCT run_id FROM history ORDER BY 1")] == kept
    return kept


def test_old_runs_are_forgotten(store: Store) -> None:
    """What ended before the limit goes, what ended after it stays."""
    old = [add_run(store, KEPT - days * DAY) for days in (20, 1)]
    new = [add_run(store, KEPT + days * DAY) for days in (1, 90)]
    assert prune(store) == new
    assert old < new


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), NOW + 1_825 * DAY])
def test_a_run_with_a_wrong_date_goes_with_its_neighbours(store: Store, at: datetime) -> None:
    """It is kept as long as the runs before it, and forgotten with the runs after it."""
    first, wrong, last = add_run(store, NOW - 10 * DAY), add_run(store, at), add_run(store, NOW)
    assert prune(store) == [first, wrong, last]
    store.run("UPDATE runs SET finished_at = '2026-01-01T00:00:00.000Z' WHERE id = ?", first)
    assert prune(store) == [last]


@pytest.mark.parametrize("back", [timedelta(minutes=2), DAY, 30 * DAY])
def test_a_clock_that_was_set_back_keeps_the_log(store: Store, back: timedelta) -> None:
    """Then every earlier run has a later date than the one that prunes."""
    earlier = [add_run(store, NOW + back - minutes * timedelta(minutes=1)) for minutes in (1, 0)]
    last = add_run(store, NOW)
    assert prune(store) == [*earlier, last]


DUE = {
    "pending": (NOW + 2 * DAY, True),
    "retrying": (NOW + timedelta(hours=11), False),
    "failed": (NOW + 6 * DAY, False),
}


@pytest.mark.parametrize("status", DUE)
@pytest.mark.parametrize("ahead", [timedelta(), 365 * DAY])
def test_a_due_time_further_ahead_than_its_own_interval_is_due(store: Store, status: str, ahead: timedelta) -> None:
    """One that a clock of next year has set comes now; one within its interval keeps its turn."""
    at, is_far = DUE[status]
    text = (at + ahead).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    store.run(
        "INSERT INTO tasks (kind, account_id, status, queued_at, next_at) VALUES ('read', 7, ?, ?, ?)",
        status,
        text,
        text,
    )
    wrong_clock.bring_back(store, NOW)
    row = store.one("SELECT next_at FROM tasks")
    assert row is not None
    assert row[0] == ("2026-11-23T12:00:00.000Z" if is_far or ahead else text)


def test_departures_of_the_future_can_be_outweighed(store: Store) -> None:
    """What ccsync dated by a wrong clock was so by now; the vendor's own date of an unsubscribe stays."""
    later = "2027-11-23T12:00:00.000Z"
    for number, kind in enumerate(("departed", "unsubscribed")):
        store.run(
            "INSERT INTO suppressions (person, kind, list_id, since, seen_at) VALUES (?, ?, '', ?, ?)",
            b"p%d" % number,
            kind,
            later,
            later,
        )
    wrong_clock.bring_back(store, NOW)
    found = store.rows("SELECT kind, since, seen_at FROM suppressions ORDER BY kind")
    now = "2026-11-23T12:00:00.000Z"
    assert found == [("departed", now, now), ("unsubscribed", later, now)]
