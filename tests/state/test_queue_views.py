"""What readers see of the queue and the runs: one moment, the newest first, and nobody who needs a person is hidden."""

from datetime import UTC, datetime, timedelta

import pytest

from ccsync.models import Event
from ccsync.state import Store, events, open_store, parked
from ccsync.state.log import calls, last_errors, runs
from ccsync.state.log.last_errors import Trouble
from ccsync.state.outbox import queue, tasks
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, UNSUBSCRIBED, Suppression, record
from ccsync.state.views import summary

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
UPDATED = "customeraccount.updated"


def pulled(store: Store, *account_ids: int) -> None:
    """One event for each account, each a second later than the one before."""
    found = [Event(f"{n:032x}", UPDATED, one, NOW + timedelta(seconds=n)) for n, one in enumerate(account_ids)]
    with store.transaction():
        events.take_in(store, found, NOW)


def settled(store: Store, *account_ids: int) -> None:
    queue.mark_read(store, account_ids)
    with store.transaction():
        queue.finish(store, NOW)


def test_the_newest_event_comes_first_and_done_ones_only_when_asked_for(store: Store) -> None:
    """The default view holds what is still to be dealt with; `wants_done` adds the rest."""
    pulled(store, 1, 2, 3)
    settled(store, 2)
    assert [(one.account_id, one.status) for one in events.view(store)] == [(3, "pending"), (1, "pending")]
    everything = events.view(store, wants_done=True)
    assert [(one.account_id, one.status) for one in everything] == [(3, "pending"), (2, "done"), (1, "pending")]
    assert [one.account_id for one in events.view(store, wants_done=True, limit=2)] == [3, 2]


def test_an_account_that_was_queued_without_an_event_is_shown(store: Store) -> None:
    """A sweep queues accounts, too: when one fails, `--failed` and the default view show it."""
    pulled(store, 1)
    with store.transaction():
        queue.enqueue(store, [2, 3], NOW - timedelta(hours=1))
    queue.note_failure(store, 2, 8, NOW, "Kibo answered 500.", is_parked=True)
    (failed,) = events.view(store, only_failed=True)
    assert (failed.event_id, failed.topic, failed.account_id, failed.attempts) == (None, None, 2, 8)
    assert failed.created_at == NOW - timedelta(hours=1)
    assert {one.account_id for one in events.view(store)} == {1, 2, 3}


def test_an_account_with_old_events_is_shown_by_a_row_of_its_own(store: Store) -> None:
    """Its events are done, and it was queued again without one."""
    pulled(store, 1)
    settled(store, 1)
    assert events.view(store) == []
    with store.transaction():
        queue.enqueue(store, [1], NOW)
    assert [(one.event_id, one.status) for one in events.view(store)] == [(None, "pending")]
    assert [one.status for one in events.view(store, wants_done=True)] == ["done", "pending"]


def test_retry_takes_more_accounts_than_a_statement_has_room_for(store: Store) -> None:
    """Every one of 1,200 failed accounts is due again, with its set-aside record, and one that is pending is left."""
    everybody = list(range(1, 1_201))
    pulled(store, *everybody)
    with store.transaction():
        for one in everybody[1:]:
            queue.note_failure(store, one, 8, NOW, "no", is_parked=True)
            parked.put(store, one, "refused", b"x", NOW, 1)
    assert queue.retry(store, NOW, everybody) == 1_199
    assert tasks.count_by_status(store, tasks.READ) == {"pending": 1_200}
    assert parked.account_ids(store) == []
    assert queue.retry(store, NOW, []) == 0


def test_a_snapshot_is_one_moment(store: Store) -> None:
    """What another process commits meanwhile is seen after it, not inside."""
    reader = open_store(store.path, is_reader=True)
    with reader.snapshot():
        assert tasks.count_by_status(reader, tasks.READ) == {}
        pulled(store, 1)
        assert tasks.count_by_status(reader, tasks.READ) == {}
    assert tasks.count_by_status(reader, tasks.READ) == {"pending": 1}
    reader.close()


def test_a_snapshot_ends_with_its_block(store: Store) -> None:
    """After an error inside, the file can be read and written as before."""
    with pytest.raises(KeyError), store.snapshot():
        raise KeyError
    assert not store.is_in_transaction
    pulled(store, 1)
    assert tasks.count_by_status(store, tasks.READ) == {"pending": 1}


def ran(store: Store, job: str, status: str, at: datetime) -> int:
    run_id = runs.start(store, job, "to", at)
    runs.finish(store, run_id, status, at + timedelta(minutes=1), {}, "")
    return run_id


def test_the_latest_run_of_a_job_and_its_success(store: Store) -> None:
    """Other jobs do not count, and neither do failures before the latest success."""
    assert (runs.last_of(store, "export"), runs.last_success_of(store, "export")) == (None, None)
    for minutes, status in enumerate(["FAILED", "COMPLETE", "FAILED", "INTERRUPTED", "FAILED"]):
        ran(store, "export", status, NOW + timedelta(minutes=minutes))
    other = ran(store, "flush-events", "COMPLETE", NOW + timedelta(hours=1))
    latest = runs.last_of(store, "export")
    assert latest is not None
    assert (latest.id, latest.status) == (other - 1, "FAILED")
    assert runs.last_success_of(store, "export") == NOW + timedelta(minutes=2)
    assert runs.failures_of(store, "export") == 2
    assert runs.failures_of(store, "flush-events") == 0


def test_the_trouble_of_a_run_that_is_not_the_latest_is_none(store: Store) -> None:
    """The fix of an older run is not shown for a newer one; a saved text that cannot be parsed is ignored."""
    last_errors.note(store, "export", Trouble(3, 10, "Too many have left.", "ccsync export --yes"))
    assert last_errors.of_run(store, "export", 3) == Trouble(3, 10, "Too many have left.", "ccsync export --yes")
    assert last_errors.of_run(store, "export", 4) is None
    assert last_errors.of_run(store, "flush-events", 3) is None
    store.run("UPDATE meta SET value = '[1' WHERE key LIKE 'trouble%'")
    assert last_errors.of_run(store, "export", 3) is None


def test_people_are_counted_once_whatever_keeps_them_away(store: Store) -> None:
    """By kind somebody may count twice; on other lists nobody counts."""
    for person, kind, list_id in (
        (b"a", UNSUBSCRIBED, ""),
        (b"a", DEPARTED, "list"),
        (b"b", OPTED_OUT, ""),
        (b"c", DEPARTED, "another"),
    ):
        record(store, Suppression(person, kind, list_id, None, None, None), NOW, 1)
    assert summary.suppressed_by_kind(store, "list") == {UNSUBSCRIBED: 1, DEPARTED: 1, OPTED_OUT: 1}
    assert summary.count_suppressed(store, "list") == 2


def test_a_rejected_account_that_failed_in_the_queue_is_counted_once(store: Store) -> None:
    """One trouble is one line of `status`: as rejected, which tells why."""
    pulled(store, 1, 3)
    for account_id in (1, 3):
        queue.note_failure(store, account_id, 1, NOW, "no", is_parked=True)
    for account_id in (1, 2):
        parked.put(store, account_id, "bad-address", None, NOW, 1)
    assert summary.count_rejected(store) == 2
    assert summary.count_given_up(store) == 1


def test_a_closed_day_ends(store: Store) -> None:
    """That the quota is spent holds until the vendor's midnight."""
    assert calls.closed_until(store, "constant_contact", NOW) is None
    calls.close_for_today(store, "constant_contact", NOW)
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    assert calls.closed_until(store, "constant_contact", NOW) == midnight
    assert calls.closed_until(store, "constant_contact", midnight) is None
