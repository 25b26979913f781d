"""The ledger of calls: paced across processes, counted per UTC day."""

from datetime import UTC, datetime, timedelta

import pytest

from ccsync.state import Store
from ccsync.state.log import calls

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_calls_are_spaced(store: Store) -> None:
    """Each call waits until the one before it is a slot old, whoever made it."""
    waits = [calls.admit(store, "v", NOON, 0.25, None).wait_seconds for _ in range(4)]
    assert waits == pytest.approx([0, 0.25, 0.5, 0.75])
    assert calls.admit(store, "other", NOON, 0.25, None).wait_seconds == 0
    assert calls.admit(store, "v", NOON + timedelta(seconds=10), 0.25, None).wait_seconds == 0


def test_the_day_has_an_end(store: Store) -> None:
    """Nothing is counted beyond the day's limit, and 00:00 UTC begins a new day."""
    for _ in range(3):
        assert calls.admit(store, "v", NOON, 0, 3).closed_until is None
    refused = calls.admit(store, "v", NOON, 0, 3)
    assert refused.closed_until == datetime(2026, 11, 24, tzinfo=UTC)
    assert calls.calls_on(store, "v", NOON) == 3
    assert calls.admit(store, "v", refused.closed_until, 0, 3).closed_until is None


def test_the_vendor_may_close_the_day(store: Store) -> None:
    """After `quota_exceeded` no call goes out on that day, in any run."""
    calls.close_for_today(store, "v", NOON)
    assert calls.admit(store, "v", NOON + timedelta(hours=11), 0, None).closed_until is not None
    assert calls.admit(store, "v", NOON + timedelta(hours=13), 0, None).closed_until is None


def test_a_wait_holds_for_everybody(store: Store) -> None:
    """Retry-After of one run is obeyed by the next."""
    calls.hold(store, "v", NOON, 900)
    assert calls.admit(store, "v", NOON + timedelta(seconds=300), 0, None).wait_seconds == pytest.approx(600)


def test_a_clock_set_back_does_not_block(store: Store) -> None:
    """A slot reserved by a clock that ran a day ahead is forgotten."""
    calls.admit(store, "v", NOON + timedelta(days=3), 1, None)
    assert calls.admit(store, "v", NOON, 1, None).wait_seconds == 0


@pytest.mark.parametrize("back", [timedelta(minutes=2), timedelta(minutes=50), timedelta(hours=23), timedelta(days=2)])
def test_a_clock_set_back_in_mid_run_holds_nobody_up(store: Store, back: timedelta) -> None:
    """Neither the pace nor a wait of a vendor nor a closed day outlives the clock that they were noted by."""
    calls.admit(store, "v", NOON, 0.25, None)
    calls.hold(store, "v", NOON, 1_800)
    assert calls.admit(store, "v", NOON - back, 0.25, None).wait_seconds <= 1
    ahead = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
    calls.close_for_today(store, "w", ahead)
    assert calls.admit(store, "w", ahead - max(back, timedelta(hours=1)), 0.25, None).closed_until is None


def test_a_longer_wait_is_not_cut_short(store: Store) -> None:
    """The later end of two waits holds."""
    calls.hold(store, "v", NOON, 3_000)
    calls.hold(store, "v", NOON + timedelta(seconds=5), 1)
    assert calls.admit(store, "v", NOON + timedelta(seconds=10), 0.25, None).wait_seconds == pytest.approx(2_990)


@pytest.mark.parametrize("seconds", [3_601.0, 315_360_000.0, 1e12])
def test_a_wait_holds_an_hour_at_most(store: Store, seconds: float) -> None:
    """Whatever a vendor asks for, an hour later a call goes out; so it is for waits that 0.2 had noted."""
    calls.hold(store, "v", NOON, seconds)
    assert calls.admit(store, "v", NOON + timedelta(seconds=10), 0.25, None).wait_seconds == pytest.approx(3_590)
    store.run("UPDATE gates SET next_at = ? WHERE vendor = 'v hold'", NOON.timestamp() + seconds)
    assert calls.admit(store, "v", NOON + timedelta(hours=1, seconds=1), 0.25, None).wait_seconds == 0
