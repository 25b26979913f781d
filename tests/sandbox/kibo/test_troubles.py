"""A store that half works: accounts not to be written, addresses not to be searched, a total that is wrong."""

from collections.abc import Iterator

import pytest

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from tests.doubles import FakeClock
from tests.sandbox.kibo.world import ACCOUNTS, KiboWorld


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> Iterator[KiboWorld]:
    with Sandbox(SandboxSettings(customers=10), clock=clock.now) as box, KiboWorld(box) as made:
        yield made


@pytest.mark.parametrize("status", [400, 409, 500])
def test_one_account_cannot_be_written(world: KiboWorld, status: int) -> None:
    """Its PUT is refused for good and changes nothing; it can be read, and others can be written."""
    world.box.kibo.refuse("put", status, record=1001)
    answer = world.put(1001, {"firstName": "New"})
    assert (answer.status_code, answer.json()["errorCode"]) == (status, "UNEXPECTED_ERROR")
    assert answer.json()["correlationId"] == answer.headers["x-vol-correlation"]
    assert world.get(f"{ACCOUNTS}/1001").json()["firstName"] != "New"
    assert world.put(1002, {"firstName": "New"}).status_code == 200
    world.box.kibo.relent("put")
    assert world.put(1001, {"firstName": "New"}).status_code == 200


def test_one_account_cannot_be_read(world: KiboWorld) -> None:
    """Its single GET fails; the list shows it all the same."""
    world.box.kibo.refuse("read", 500, record=1001)
    assert world.get(f"{ACCOUNTS}/1001").status_code == 500
    assert world.get(f"{ACCOUNTS}/1002").status_code == 200
    assert 1001 in world.ids()


def test_one_address_cannot_be_searched(world: KiboWorld) -> None:
    """A filter by that address is 400, by another not."""
    address = world.box.kibo.account(1001)["emailAddress"]
    world.box.kibo.refuse("search", 400, record=address)
    assert world.accounts(filter=f"emailAddress eq {str(address).upper()}").status_code == 400
    assert world.accounts(filter="emailAddress eq other@example.com").status_code == 200


def test_everything_fails_for_a_while(world: KiboWorld, clock: FakeClock) -> None:
    """Every operation of both hosts, until the time is over."""
    world.box.kibo.refuse(None, 503, seconds=600)
    answers = [world.accounts(), world.get(f"{ACCOUNTS}/1001"), world.put(1001, {}), world.pull(), world.sign_in()]
    assert {one.status_code for one in answers} == {503}
    clock.sleep(601)
    assert world.accounts().status_code == 200


def test_a_hold_of_ten_years(world: KiboWorld) -> None:
    """A 429 has no body and may name any number of seconds."""
    world.box.kibo.refuse("list", 429, retry_after=315_360_000)
    answer = world.accounts()
    assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (429, b"", "315360000")


def test_now_and_then_one_call_fails(world: KiboWorld) -> None:
    """Each so many-th call of an operation, and no other."""
    world.box.kibo.refuse("read", 500, every=2)
    assert [world.get(f"{ACCOUNTS}/1001").status_code for _ in range(4)] == [200, 500, 200, 500]


def test_a_total_that_stays_one_too_high(world: KiboWorld) -> None:
    """The pages hold all that there is, and the total says more, for as long as it is set."""
    world.box.kibo.total_off = 1
    for _ in range(2):
        page = world.accounts(pageSize=5, startIndex=5).json()
        assert (page["totalCount"], page["pageCount"], len(page["items"])) == (11, 3, 5)
    assert world.accounts(pageSize=5, startIndex=10).json()["items"] == []
    world.box.kibo.relent()
    assert world.accounts().json()["totalCount"] == 10


def test_a_short_page_and_a_page_that_comes_again(world: KiboWorld) -> None:
    """A page with half its rows, then one with the first rows again, then all is well."""
    world.box.kibo.page_faults.add("short")
    world.box.kibo.page_faults.add("repeat", nth=2)
    first = [1001, 1002, 1003, 1004]
    assert world.ids(pageSize=4) == first[:2]
    assert world.ids(pageSize=4, startIndex=4) == first
    assert world.ids(pageSize=4, startIndex=4) == [1005, 1006, 1007, 1008]
    with pytest.raises(ValueError, match="page fault"):
        world.box.kibo.page_faults.add("blank")
