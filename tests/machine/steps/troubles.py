"""Records that a vendor refuses for good (A1), vendors that half work (A2), a clock that is wrong in one run (A3), and
an older state file that is put back (A5).

What a vendor does lasts until the world relents.
"""

from datetime import timedelta

from tests.machine.running import carry_out
from tests.machine.steps.registry import ANY, pick, step
from tests.machine.world import JOBS, POOL, World

RECORD_STATUSES = (400, 409, 500)
KIBO_RECORD = ("put", "search", "read")
CC_RECORD = ("removal", "addition", "import", "change", "read", "tagging")
EVERYTHING = (("kibo", 503), ("kibo", 400), ("cc", 400), ("cc", 503))
ENDS = ("failed", "cancelled", "timed_out")
SLOW = ("import", "removal", "addition", "export", "tagging")
DAY = 86_400.0
SKEWS = (600.0, -600.0, 30 * DAY, -30 * DAY, 365 * DAY, 5 * 365 * DAY, -56 * 365 * DAY)
HOURS = (1, 30, None)
"""How long a job hangs; `None`: until the world relents."""


@step("records", 5, ANY, len(KIBO_RECORD), len(RECORD_STATUSES))
def refuse_account(world: World, who: int, operation: int, status: int) -> None:
    """Kibo turns one account down at one kind of call."""
    account_id = pick(world.accounts(), who)
    if account_id is None:
        return
    address = str(world.kibo.account(account_id)["emailAddress"] or "")
    kind = KIBO_RECORD[operation]
    record = address if kind == "search" else account_id
    if record:
        world.kibo.refuse(kind, RECORD_STATUSES[status], record=record)
        world.has_had_trouble = True


@step("records", 5, ANY, len(CC_RECORD), len(RECORD_STATUSES))
def refuse_contact(world: World, who: int, operation: int, status: int) -> None:
    """Constant Contact turns down what names one contact, or an address that it does not know yet."""
    homes = sorted({*POOL, *world.contacts()})
    world.cc.refuse(CC_RECORD[operation], RECORD_STATUSES[status], record=pick(homes, who))
    world.has_had_trouble = True


@step("halves", 4, len(SLOW), len(HOURS))
def hang(world: World, kind: int, hours: int) -> None:
    """The next job of a kind takes very long, or never ends; its work may be done all the same."""
    taken = HOURS[hours]
    seconds = None if taken is None else taken * 3_600.0
    world.cc.jobs.add(SLOW[kind], seconds=seconds, takes_effect=kind % 2 == 0)
    world.has_had_trouble = True


@step("halves", 4, len(SLOW), len(ENDS), 2)
def end_badly(world: World, kind: int, end: int, takes_effect: int) -> None:
    """The next job of a kind ends otherwise than well."""
    world.cc.jobs.add(SLOW[kind], seconds=1.0, state=ENDS[end], takes_effect=bool(takes_effect))
    world.has_had_trouble = True


@step("halves", 3, 2, 4)
def short_page(world: World, where: int, nth: int) -> None:
    """One page of members, or of accounts, is cut off and looks like the last."""
    faults = world.cc.page_faults if where else world.kibo.page_faults
    faults.add("short", nth=nth + 1)
    world.has_had_trouble = True


@step("halves", 2, 2)
def wrong_total(world: World, is_right: int) -> None:
    """Kibo's total is one too high from now on, or right again."""
    world.kibo.total_off = 0 if is_right else 1
    world.has_had_trouble = True


@step("halves", 3, len(EVERYTHING), 2)
def refuse_everything(world: World, which: int, days: int) -> None:
    """One vendor turns everything down for an hour or a day."""
    vendor, status = EVERYTHING[which]
    seconds = (3_600.0, 90_000.0)[days]
    if vendor == "kibo":
        world.kibo.refuse(None, status, seconds=seconds)
    else:
        world.cc.refuse(None, status, seconds=seconds)
    world.has_had_trouble = True


@step("clocks", 4, len(JOBS), 3, len(SKEWS))
def wrong_clock(world: World, job: int, whose: int, skew: int) -> None:
    """One run in which our clock is wrong, or the `Date` of everything that one vendor answers."""
    world.are_clocks_right = False
    if whose == 0:
        world.shop.skew = timedelta(seconds=SKEWS[skew])
    else:
        world.box.clocks[("kibo", "cc")[whose - 1]].set_date_ahead(SKEWS[skew], None)
    carry_out(world, JOBS[job])
    world.set_clocks_right()


@step("copies", 3)
def keep_copy(world: World) -> None:
    """Somebody copies the state file."""
    world.keep_copy()


@step("copies", 2)
def put_back(world: World) -> None:
    """Somebody puts the latest copy back, as after a disk has failed."""
    world.put_back()
