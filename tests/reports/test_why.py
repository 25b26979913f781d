"""The order of what happened to a person."""

from datetime import UTC, datetime, timedelta

from ccsync.reports.why import Entry, in_order

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_within_a_second_the_earlier_run_comes_first() -> None:
    """A vendor that dates by whole seconds does not put an answer before what it answers."""
    event = Entry(NOON + timedelta(seconds=0.9), "event", "created")
    sent = Entry(NOON + timedelta(seconds=0.7), "sent", "added", run_id=4)
    wrote = Entry(NOON + timedelta(seconds=0.8), "decision", "opted out", run_id=5)
    unsubscribed = Entry(NOON, "consent", "unsubscribed", run_id=5)
    later = Entry(NOON + timedelta(seconds=1), "sent", "added", run_id=3)
    assert in_order([later, wrote, unsubscribed, sent, event]) == [event, sent, unsubscribed, wrote, later]
