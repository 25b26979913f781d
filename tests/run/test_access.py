"""Tokens that renew themselves, and gates that pace and count."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.errors import LoginNeeded, QuotaSpent
from ccsync.run.access import LedgerGate
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Store, create_store, tokens
from tests.doubles import FakeClock
from tests.harness import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SandboxSettings(customers=20, seed=2)) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = create_store(tmp_path / "gate.db")
    yield made
    made.close()


def token_calls(shop: Shop) -> int:
    return len(shop.requests("POST", "/token"))


def saved_refresh_token(shop: Shop) -> str | None:
    store = shop.open()
    saved = tokens.get(store, CONSTANT_CONTACT)
    store.close()
    return saved.refresh_token if saved else None


def test_a_token_is_used_as_long_as_it_lasts(shop: Shop) -> None:
    """Two runs within the day ask neither vendor for another token."""
    shop.export()
    before = token_calls(shop), len(shop.requests("POST", "authtickets"))
    shop.export()
    assert (token_calls(shop), len(shop.requests("POST", "authtickets"))) == before


def test_a_refresh_is_committed_before_its_token_is_used(shop: Shop) -> None:
    """Between the token's answer and the next call to the API lies a commit."""
    shop.export()
    shop.expire_token()
    labels: list[str] = []
    shop.on_boundary = labels.append
    before = saved_refresh_token(shop)
    labels.clear()
    shop.export()
    answered = next(i for i, label in enumerate(labels) if label.startswith("after POST") and "/token" in label)
    used = next(i for i, label in enumerate(labels) if i > answered and label.startswith("before GET"))
    assert "after commit" in labels[answered:used]
    assert saved_refresh_token(shop) != before


def test_a_401_in_mid_run_refreshes_once(shop: Shop) -> None:
    """Valid-looking tokens do get a 401 now and then: one refresh, and the run goes on."""
    shop.box.cc.revoke(refresh=False)
    before = token_calls(shop)
    assert shop.export().status == "COMPLETE"
    assert token_calls(shop) == before + 1


def test_a_dead_refresh_token_asks_for_a_login(shop: Shop) -> None:
    """`invalid_grant` ends the run with the one command to give; nothing else is lost."""
    shop.box.cc.revoke()
    with pytest.raises(LoginNeeded) as caught:
        shop.export()
    assert "ccsync login" in caught.value.fix
    assert saved_refresh_token(shop) is not None


def test_a_run_asks_once_with_a_dead_refresh_token(shop: Shop) -> None:
    """A poll goes on to its other steps: asked again for each, the sign-in would hold the run for a minute. The next
    run asks anew.
    """
    shop.export()
    shop.later(minutes=5)
    shop.box.cc.revoke()
    for asked in (1, 2):
        before = shop.clock.monotonic()
        with pytest.raises(LoginNeeded):
            shop.poll()
        assert (token_calls(shop) - asked, shop.clock.monotonic() - before < 30) == (1, True)
        shop.later(minutes=5)


def test_a_token_endpoint_that_is_down_costs_no_login(shop: Shop) -> None:
    """Only `invalid_grant` is final: after an outage the same refresh token still works."""
    shop.expire_token()
    shop.box.faults.add("status", vendor="cc_auth", nth=None, status=503)
    with pytest.raises(Exception, match="could not be reached"):
        shop.export()
    shop.box.faults.clear()
    assert shop.export().status == "COMPLETE"


def test_the_reserve_is_for_opt_outs(store: Store) -> None:
    """Ordinary calls stop where the reserve begins; opt-outs may use it."""
    clock = FakeClock()
    gate = LedgerGate(store, "v", clock.now, per_second=4, per_day=10, reserve=3)
    for _ in range(7):
        gate.admit()
    with pytest.raises(QuotaSpent, match=r"7 of 10, 3 kept for opt-outs"):
        gate.admit()
    with gate.for_opt_outs():
        for _ in range(3):
            gate.admit()
        with pytest.raises(QuotaSpent):
            gate.admit()
    clock.advance(timedelta(days=1).total_seconds())
    gate.admit()


def test_a_run_keeps_to_four_calls_a_second(shop: Shop) -> None:
    """The vendor, counting arrivals in any second, never has to throttle."""
    shop.export()
    assert shop.box.cc.throttled_count == 0
    assert shop.box.cc.calls_today > 5


def test_a_spent_quota_is_asked_once_a_day(shop: Shop) -> None:
    """After `quota_exceeded` no run of that day calls again; after midnight all goes on."""
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=429, body='{"error_key": "quota_exceeded"}')
    for _ in range(2):
        with pytest.raises(QuotaSpent):
            shop.export()
    asked = sum(record.vendor == "cc_api" for record in shop.box.requests.records)
    assert asked == 1
    shop.box.faults.clear()
    shop.later(hours=13)
    assert shop.export().status == "COMPLETE"
