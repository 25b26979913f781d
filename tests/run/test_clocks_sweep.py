"""A clock that was wrong in one run: no act is lost, none is invented, and within a day all is as ever.

Each wrong clock × each job. Ours is off by minutes, a month, years, or stands at its beginning; one answer of a vendor
has a wrong `Date`; the two vendors differ by twenty minutes.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.copies import World as Copies
from tests.inside import InsideShop, SkewedClock

MINUTE, DAY, YEAR = 60.0, 86_400.0, 365 * 86_400.0
JOBS = {
    "export": ["export", "--yes"],
    "flush": ["flush-events"],
    "poll": ["poll-unsubscribes"],
    "reconcile": ["reconcile"],
}
ROLES = ("gone", "left", "back", "out", "stay")
NUMBERS = (1, 2, 3)
MOST_IDLE_CALLS = 12
"""Of a flush and a poll when nothing has changed."""


def address(role: str, number: int) -> str:
    return f"{role}{number}@example.com"


class World:
    """A shop whose people act before a run with a wrong clock, and after it."""

    def __init__(self, shop: InsideShop) -> None:
        self.shop = shop
        self.clock = SkewedClock(shop.clock)
        shop.own_clock = self.clock
        self.runs = 0
        self.exported_at = shop.clock.now()
        self.ids = {
            address(role, number): shop.box.kibo.add_account(
                emailAddress=address(role, number), firstName="Pat", lastName="Doe", acceptsMarketing=True
            )
            for role in ROLES
            for number in NUMBERS
        }

    def run(self, *words: str) -> int:
        self.runs += 1
        return self.shop.ccsync(*words).returncode

    def cycle(self) -> None:
        """What cron does every half hour."""
        for name in ("flush", "poll"):
            assert self.run(*JOBS[name]) in (0, 3)

    def act(self, number: int) -> None:
        """One unsubscribes, two leave the list, one opts out in the store, one signs up."""
        box = self.shop.box
        box.cc.unsubscribe(address("gone", number))
        for role in ("left", "back"):
            box.cc.leave_list(address(role, number), self.shop.list_id)
        box.kibo.update_account(self.ids[address("out", number)], acceptsMarketing=False)
        self.ids[address("new", number)] = box.kibo.add_account(
            emailAddress=address("new", number), firstName="New", acceptsMarketing=True
        )

    def accepts(self, whose: str) -> object:
        return self.shop.box.kibo.account(self.ids[whose])["acceptsMarketing"]

    def opt_in_again(self, number: int) -> bool:
        """Five minutes after the store was told that they left, they opt in there."""
        if self.accepts(address("back", number)) is True:
            return False
        self.shop.later(minutes=5)
        self.shop.box.kibo.update_account(self.ids[address("back", number)], acceptsMarketing=True)
        return True

    def texts(self, sql: str) -> list[datetime]:
        store = self.shop.open()
        found = [datetime.fromisoformat(at) for (at,) in store.rows(sql)]
        store.close()
        return found


def ours(seconds: float) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        world.clock.skew = seconds

    return prepare


def at_its_beginning(world: World) -> None:
    world.clock.skew = -(world.shop.clock.now() - datetime(1970, 1, 1, 0, 1, tzinfo=UTC)).total_seconds()


def one_date(vendor: str, seconds: float, nth: int) -> Callable[[World], None]:
    """The nth answer of a vendor in the run has another `Date`."""
    host, clock = ("kibo_tenant", "kibo") if vendor == "kibo" else ("cc_api", "cc")

    def prepare(world: World) -> None:
        box = world.shop.box
        box.faults.before(lambda: box.clocks[clock].set_date_ahead(seconds), vendor=host, nth=nth)

    return prepare


def apart(kibo: float, cc: float) -> Callable[[World], None]:
    """The vendors' clocks differ from each other, and from ours, from now on."""

    def prepare(world: World) -> None:
        world.shop.box.clocks["kibo"].set_ahead(kibo)
        world.shop.box.clocks["cc"].set_ahead(cc)

    return prepare


CLOCKS: dict[str, Callable[[World], None]] = {
    "ours -10 min": ours(-10 * MINUTE),
    "ours +10 min": ours(10 * MINUTE),
    "ours -30 days": ours(-30 * DAY),
    "ours +30 days": ours(30 * DAY),
    "ours +1 year": ours(YEAR),
    "ours +5 years": ours(5 * YEAR),
    "ours 1970": at_its_beginning,
    **{
        f"{vendor} Date {way} in answer {nth}": one_date(vendor, seconds, nth)
        for vendor in ("kibo", "cc")
        for way, seconds in (("+1 year", YEAR), ("-1 year", -YEAR))
        for nth in (1, 2, 4)
    },
    "Kibo ahead, Constant Contact behind": apart(10 * MINUTE, -10 * MINUTE),
    "Kibo behind, Constant Contact ahead": apart(-10 * MINUTE, 10 * MINUTE),
}


# Each clock meets one of the jobs, in turns; with --deep all four.
@pytest.mark.parametrize(
    ("wrong", "job"),
    [
        pytest.param(wrong, job, marks=() if number % 4 == place else pytest.mark.deep)
        for number, wrong in enumerate(CLOCKS)
        for place, job in enumerate(JOBS)
    ],
)
def test_after_one_run_with_a_wrong_clock(world: tuple[World, Copies], wrong: str, job: str) -> None:
    """All acts before and after it are honored at both vendors, nobody else's consent changes, nothing is forgotten."""
    made, copies = world
    copies.in_copy(partial(run_once, made, wrong, job))


def run_once(world: World, wrong: str, job: str) -> None:
    """Run the job by the wrong clock, let two days pass by the right one, and look."""
    shop = world.shop
    before = {one["id"]: one["acceptsMarketing"] for one in shop.customers()}
    world.act(1)
    CLOCKS[wrong](world)
    assert world.run(*JOBS[job]) in (0, 3, 8)
    check_bookmarks(world)
    world.clock.skew = 0.0
    shop.box.faults.clear()
    has_opted_in = world.opt_in_again(1)
    world.act(2)
    for number in range(6):
        shop.later(minutes=30 if number != 3 else 24 * 60)
        world.cycle()
        has_opted_in = has_opted_in or world.opt_in_again(1)
        if number == 1:
            assert world.accepts(address("gone", 2)) is False  # found within the hour
    assert world.opt_in_again(2)
    shop.later(minutes=30)
    world.cycle()

    assert has_opted_in
    check_consent(world, before)
    check_state(world)
    before_idle = len(shop.box.requests.records)
    shop.later(minutes=30)
    world.cycle()
    assert len(shop.box.requests.records) - before_idle <= MOST_IDLE_CALLS


def check_bookmarks(world: World) -> None:
    """Nothing counts as read that the vendor has not shown yet, by its own clock."""
    clocks = world.shop.box.clocks
    for stream, vendor in (("events", "kibo"), ("opt-outs", "cc"), ("contacts", "cc")):
        (at,) = world.texts(f"SELECT at FROM bookmarks WHERE stream = '{stream}'")
        assert at <= max(clocks[vendor](), world.exported_at), stream


def check_consent(world: World, before: dict[object, object], numbers: Sequence[int] = (1, 2)) -> None:
    """Who acted is where the act put them; nobody else is anywhere else."""
    said_no = {address(role, number) for role in ("gone", "left", "out") for number in numbers}
    said_yes = {address(role, number) for role in ("back", "stay", "new") for number in numbers}
    assert {one: world.accepts(one) for one in said_no} == dict.fromkeys(said_no, False)
    assert {one: world.accepts(one) for one in said_yes} == dict.fromkeys(said_yes, True)
    members = world.shop.members()
    assert said_yes <= members
    assert not said_no & members
    acted = {world.ids[one] for one in world.ids}
    after = {one["id"]: one["acceptsMarketing"] for one in world.shop.customers() if one["id"] not in acted}
    assert after == {account_id: before[account_id] for account_id in after}
    assert not world.shop.box.cc.forbidden_calls


def check_state(world: World, *, has_every_run: bool = True) -> None:
    """No bookmark, token or due time is ahead; each stream was read today; the log has every run.

    Two clocks that agree may both be wrong: then old runs are forgotten too early.
    """
    now = world.shop.clock.now()
    bookmarks = world.texts("SELECT at FROM bookmarks WHERE stream != 'contacts'")
    assert all(now - timedelta(hours=26) <= at <= now for at in bookmarks), bookmarks
    assert all(at <= now for at in world.texts("SELECT obtained_at FROM tokens"))
    assert all(at <= now + timedelta(hours=13) for at in world.texts("SELECT next_at FROM tasks WHERE done_at IS NULL"))
    assert all(at <= now for at in world.texts("SELECT seen_at FROM suppressions"))
    assert len(world.shop.latest()) == world.runs or not has_every_run


@pytest.mark.parametrize("hours", [3, 30 * 24])
def test_a_clock_that_stays_behind(world: tuple[World, Copies], hours: int) -> None:
    """Set back for good, it delays nothing: who leaves the list is found within half an hour. Nor do runs by a clock
    that was behind for a while look like an older state file that was put back once it is right again.
    """
    made, copies = world
    copies.in_copy(partial(run_behind, made, hours * 3_600.0))


def run_behind(world: World, seconds: float) -> None:
    """Some runs by a clock that is behind, and some by the right one, with people who leave in both times."""
    world.clock.skew = -seconds
    world.cycle()
    for number in (1, 2):
        if number == 2:  # all that was noted by the clock of before is past by this one, too
            world.clock.skew = -seconds
            world.shop.later(seconds=seconds)
            world.cycle()
            world.shop.box.kibo.opt_out(world.ids[address("stay", 1)])
            world.shop.later(minutes=30)
            world.cycle()
            world.shop.later(minutes=30)
            world.cycle()
            world.clock.skew = 0.0
        world.act(number)
        for _ in range(2):
            world.shop.later(minutes=30)
            world.cycle()
        assert world.accepts(address("left", number)) is False
        assert world.opt_in_again(number)
        world.shop.later(minutes=30)
        world.cycle()
        assert address("back", number) in world.shop.members()
    assert world.texts("SELECT value FROM meta WHERE key = 'restored'") == []
