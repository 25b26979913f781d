"""Runs, what goes wrong with one of them, and time that passes between them."""

from typing import Any

from tests.harness import Crash
from tests.machine.running import carry_out, come_to_rest
from tests.machine.steps.registry import ANY, KINDS, step
from tests.machine.world import JOBS, POOL, World

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "reset-before"},
    {"kind": "reset-after"},
    {"kind": "truncated"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "times": 50},
    {"kind": "wrong-body", "body": "null"},
    {"kind": "status", "status": 429, "body": '{"error_key": "quota_exceeded"}'},
)


@step("jobs", 18, len(JOBS))
def run(world: World, job: int) -> None:
    """One run."""
    carry_out(world, JOBS[job])


@step("crashes", 8, len(JOBS), 70)
def die(world: World, job: int, boundary: int) -> None:
    """The process dies at a call or a commit."""
    passed = 0

    def strike(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == boundary + 1:
            raise Crash

    world.shop.on_boundary = strike
    try:
        carry_out(world, JOBS[job])
    finally:
        world.shop.on_boundary = lambda _: None


@step("faults", 6, len(JOBS), 20, len(FAULTS))
def fail(world: World, job: int, nth: int, fault: int) -> None:
    """A call fails."""
    world.box.faults.add(nth=nth + 1, **FAULTS[fault])
    carry_out(world, JOBS[job])
    world.box.faults.clear()


RACES = (
    *("decide", "unsubscribe", "come_back", "leave", "rejoin", "move", "rename", "delete_contact", "delete_account"),
    *("change_segment", "untag_by_hand"),
)


@step("crashes", 6, len(JOBS), 25, len(RACES), ANY, ANY, len(POOL))
def race(world: World, job: int, nth: int, what: int, *numbers: int) -> None:
    """The world changes just before a call."""
    kind = KINDS[RACES[what]]
    given = [number % most for number, most in zip(numbers, kind.ranges, strict=False)]
    world.box.faults.before(lambda: kind.act(world, *given), nth=nth + 1)
    carry_out(world, JOBS[job])
    world.box.faults.clear()


@step("jobs", 4, 4)
def time_passes(world: World, how_long: int) -> None:
    """Nothing happens for an hour, a day, five days, nine days."""
    world.shop.later(hours=(1, 30, 120, 216)[how_long])


@step("jobs", 5, 2)
def settle(world: World, exports: int) -> None:
    """Everything is well, and two clean cycles pass."""
    come_to_rest(world, exports=bool(exports))
