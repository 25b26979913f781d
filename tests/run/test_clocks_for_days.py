"""Several clocks that are wrong at once, for hours or days: meanwhile nobody who said no is on the list, and within a
day of the clocks being right again everything is as if they had never been wrong.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.copies import World as Copies
from tests.run.test_clocks_sweep import DAY, MINUTE, NUMBERS, YEAR, World, address, check_consent, check_state

HOUR = 3_600.0
SPANS = {
    "-1 year": -YEAR,
    "-30 days": -30 * DAY,
    "-2 days": -2 * DAY,
    "-1 day": -DAY,
    "-3 hours": -3 * HOUR,
    "-10 min": -10 * MINUTE,
    "+10 min": 10 * MINUTE,
    "+3 hours": 3 * HOUR,
    "+1 day": DAY,
    "+2 days": 2 * DAY,
    "+30 days": 30 * DAY,
    "+1 year": YEAR,
}
CLOCKS = {
    "all": ("ours", "kibo", "cc"),
    "ours and Constant Contact's": ("ours", "cc"),
    "Constant Contact's": ("cc",),
    "ours": ("ours",),
    "both Dates": ("Date of kibo", "Date of cc"),
    "Kibo's Date": ("Date of kibo",),
    "Constant Contact's Date": ("Date of cc",),
    "ours and Kibo's Date": ("ours", "Date of kibo"),
    "ours and Constant Contact's Date": ("ours", "Date of cc"),
    "ours and both Dates": ("ours", "Date of kibo", "Date of cc"),
}
"""Which of them are wrong together: the clocks by which a vendor dates its records, or only its headers."""
QUICK = {
    ("all", "-1 day", 48),
    ("ours", "-2 days", 48),
    ("both Dates", "-2 days", 48),
    ("both Dates", "+2 days", 2),
    ("Kibo's Date", "+10 min", 2),
    ("ours and Constant Contact's Date", "-1 year", 2),
    ("ours and both Dates", "+30 days", 48),
    ("ours and Kibo's Date", "+3 hours", 48),
}


def set_ahead(world: World, clock: str, seconds: float) -> None:
    """From now on a clock is off by so much; 0 is right."""
    if clock == "ours":
        world.clock.skew = seconds
    elif clock.startswith("Date"):
        world.shop.box.clocks[clock.rpartition(" ")[2]].set_date_ahead(seconds, None if seconds else 0)
    else:
        world.shop.box.clocks[clock].set_ahead(seconds)


def cases() -> list[object]:
    """Every group of clocks by every span; a login is over where Constant Contact's clock runs on for a year."""
    return [
        pytest.param(who, way, hours, marks=() if (who, way, hours) in QUICK else pytest.mark.deep)
        for who, clocks in CLOCKS.items()
        for number, way in enumerate(SPANS)
        for hours in (2, 48)
        if not (way.endswith("year") and "cc" in clocks)
        # The other one takes long and finds the same.
        and ((who, way, hours) in QUICK or hours == (2, 48)[number % 2])
    ]


@pytest.mark.parametrize(("who", "way", "hours"), cases())
def test_clocks_that_are_wrong_for_a_while(world: tuple[World, Copies], who: str, way: str, hours: int) -> None:
    """Acts before, in and after that time reach both sides, and runs by wrong clocks are no restored state file."""
    made, copies = world
    spans = dict.fromkeys(CLOCKS[who], SPANS[way])
    copies.in_copy(partial(play, made, spans, timedelta(hours=hours)))


@pytest.mark.parametrize("hours", [2, pytest.param(48, marks=pytest.mark.deep)])
def test_headers_of_the_year_8999(world: tuple[World, Copies], hours: int) -> None:
    """The latest that counts as a date: what is noted by it is brought back as well."""
    made, copies = world
    seconds = (datetime(8999, 6, 1, tzinfo=UTC) - made.shop.clock.now()).total_seconds()
    spans = {"Date of kibo": seconds, "Date of cc": seconds}
    copies.in_copy(partial(play, made, spans, timedelta(hours=hours)))


def play(world: World, spans: dict[str, float], time: timedelta) -> None:
    """Four cycles within the time by wrong clocks, then a day by the right ones."""
    before = {one["id"]: one["acceptsMarketing"] for one in world.shop.customers()}
    said_no, returned = set[str](), set[int]()

    def act(number: int) -> None:
        world.act(number)
        said_no.update(address(role, number) for role in ("gone", "left"))

    def cycle() -> None:
        world.cycle()
        assert not said_no & world.shop.members()
        returned.update(one for one in NUMBERS if one not in returned and world.opt_in_again(one))

    act(1)
    for clock, seconds in spans.items():
        set_ahead(world, clock, seconds)
    for number in range(4):
        cycle()
        if number == 1:
            act(2)
        world.shop.later(seconds=time.total_seconds() / 4)
    for clock in spans:
        set_ahead(world, clock, 0)
    act(3)
    for number in range(8):
        cycle()
        world.shop.later(minutes=30 if number != 4 else 20 * 60)
    assert returned == set(NUMBERS)
    check_consent(world, before, NUMBERS)
    # Where all three show the same wrong time, nobody can tell, and what is old by it is pruned.
    check_state(world, has_every_run=not {"ours", "kibo", "cc"} <= {one.split()[-1] for one in spans})
    assert world.texts("SELECT value FROM meta WHERE key = 'restored'") == []


@pytest.mark.parametrize("clocks", [("ours",), ("ours", "kibo", "cc")], ids=["ours", "all"])
def test_another_program_s_bulk_job_while_clocks_were_behind(
    world: tuple[World, Copies], clocks: tuple[str, ...]
) -> None:
    """Staff's, or another program's: that ccsync does not know it is no sign of a restored state file."""
    made, copies = world
    copies.in_copy(partial(run_beside, made, clocks))


def run_beside(world: World, clocks: tuple[str, ...]) -> None:
    """One before the first run by clocks that are behind, and one between two of them, days later."""
    world.cycle()
    start_job(world)
    for clock in clocks:
        set_ahead(world, clock, -2 * DAY)
    for days in (0, 3):
        world.shop.later(days=days)
        world.cycle()
    start_job(world)
    for _ in range(2):
        world.shop.later(minutes=30)
        world.cycle()
    for clock in clocks:
        set_ahead(world, clock, 0)
    world.run("flush-events")
    assert world.texts("SELECT value FROM meta WHERE key = 'restored'") == []


def start_job(world: World) -> None:
    """Somebody else has the list exported."""
    store = world.shop.open()
    other = world.shop._clients(store).constant_contact
    other.export_list(world.shop.list_id)
    other.transport.close()
    store.close()
