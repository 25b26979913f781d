"""Runs of ccsync in a world, each judged when it is over; and how a world comes to rest."""

from collections.abc import Callable

from ccsync.errors import CcsyncError, SafetyLimitError
from tests.harness import Crash
from tests.jobs.reconciling import reconcile
from tests.machine import judging
from tests.machine.facts import Span
from tests.machine.world import World


def carry_out(world: World, job: str, *, is_clean: bool = False) -> None:
    """One run as cron starts it, and what must hold after it. Our errors and a death are part of life."""
    world.tick(10)
    start = len(world.box.acts)
    before, began_at, is_well = world.history(start), world.shop.clock.now(), False
    try:
        _start(world, job)
    except Crash:
        pass
    except CcsyncError as error:
        if is_clean:
            raise judging.Broken(f"a clean {job} failed: {error.what} {error.why}") from error
    else:
        is_well = True
    world.runs.append(Span(job, began_at, start, len(world.box.acts), is_well))
    judging.judge_run(world, before, world.runs[-1])


def _start(world: World, job: str) -> None:
    bodies: dict[str, Callable[[], object]] = {
        "flush": world.shop.flush,
        "poll": lambda: _poll(world),
        "full poll": lambda: _poll(world, is_full=True),
        "export": world.shop.export,
        "repair": lambda: reconcile(world.shop, fixes=True),
    }
    bodies[job]()
    world.has_exported |= job == "export"


def _poll(world: World, **asked: bool) -> None:
    """When everybody seems to have gone, a person looks and lets it through."""
    try:
        world.shop.poll(**asked)
    except SafetyLimitError:
        world.shop.poll(accept=100, **asked)


def come_to_rest(world: World, *, exports: bool = False) -> None:
    """Everything is well again, two clean cycles pass, and what must hold then is looked at."""
    world.relent()
    if world.has_had_trouble:
        # Past what a vendor asked to wait for, and past the day and the three days of a parked record.
        for days in (1.1, 3.1, 7.1, 1.1):
            world.shop.later(days=days)
            for job in ("poll", "flush"):
                carry_out(world, job)
        world.has_had_trouble = False
    world.shop.later(hours=25)
    if not world.has_exported:
        carry_out(world, "export", is_clean=True)  # the first one is a person's decision
    _mend(world)
    for _ in range(2):
        carry_out(world, "flush", is_clean=True)
        carry_out(world, "full poll", is_clean=True)
        world.tick(10)
        if exports:
            carry_out(world, "export", is_clean=True)
    carry_out(world, "flush", is_clean=True)
    judging.judge_rest(world)


def _mend(world: World) -> None:
    """I5: what `reconcile` calls drift, whatever happened before, its repair and a run of each cron job mend."""
    world.tick()
    before = judging.drift(world)
    if before:
        for job in ("repair", "flush", "poll", "flush"):
            carry_out(world, job, is_clean=True)
        world.tick()
        left = sorted(f"{kind} {address}" for kind, address in before & judging.drift(world))
        judging.raise_any([f"I5 the repair left {one}" for one in left])
