"""Three clocks: the sandbox's, and one of each vendor, which may be wrong for one answer or until it is put right."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Request
from tests.doubles import FakeClock

YEAR = 365 * 86_400.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def box(clock: FakeClock) -> Iterator[Sandbox]:
    with Sandbox(SandboxSettings(customers=0), clock=clock.now) as made:
        yield made


def date(box: Sandbox, vendor: str) -> datetime:
    """The Date of one answer of a vendor."""
    reply, _ = box.exchange(Request(vendor, "GET", "/nothing", (), {}, b""))
    return parsedate_to_datetime(reply.headers["Date"])


@pytest.mark.parametrize("vendor", ["kibo_home", "kibo_tenant", "cc_api", "cc_auth"])
def test_every_answer_carries_the_vendor_s_date(box: Sandbox, clock: FakeClock, vendor: str) -> None:
    """Date is the clock's, on answers and refusals of every host."""
    assert date(box, vendor) == clock.now()


def test_one_wrong_date_header(box: Sandbox, clock: FakeClock) -> None:
    """One answer of one vendor is dated a year ahead; the other vendor, and the next answer, are right."""
    box.clocks["cc"].set_date_ahead(YEAR)
    assert date(box, "kibo_home") == clock.now()
    assert date(box, "cc_api") == clock.now() + timedelta(seconds=YEAR)
    assert date(box, "cc_api") == clock.now()


def test_wrong_date_headers_until_put_right(box: Sandbox, clock: FakeClock) -> None:
    """Without a number all answers are wrong, and nothing but their header."""
    box.clocks["kibo"].set_date_ahead(-YEAR, None)
    assert [date(box, "kibo_tenant") for _ in range(3)] == [clock.now() - timedelta(seconds=YEAR)] * 3
    box.kibo.add_account(emailAddress="ann@example.com")
    assert [one.at for one in box.acts] == [clock.now()]
    box.clocks["kibo"].set_date_ahead(0, 0)
    assert date(box, "kibo_tenant") == clock.now()


def test_the_vendors_clocks_differ_from_each_other(box: Sandbox, clock: FakeClock) -> None:
    """What a vendor dates is by its own clock: accounts and events here, contacts there."""
    box.clocks["kibo"].set_ahead(600)
    box.clocks["cc"].set_ahead(-600)
    account_id = box.kibo.add_account(emailAddress="ann@example.com")
    created = str(box.kibo.account(account_id)["customerSinceDate"])
    assert datetime.fromisoformat(created) == clock.now() + timedelta(minutes=10)
    assert date(box, "kibo_home") - date(box, "cc_api") == timedelta(minutes=20)
    box.cc.add_sms_contact("2025550198")
    box.cc.add_list("Later")
    assert box.acts.by("person")[0].at == clock.now() + timedelta(minutes=10)
    box.clocks["kibo"].set_ahead(0)
    assert date(box, "kibo_home") == clock.now()
