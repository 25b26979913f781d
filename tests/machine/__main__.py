"""Many histories, in pieces: `python -m tests.machine --histories 100000 --from 7000` prints figures and what broke."""

import argparse
import sys
import time

from tests.machine.axes import ENABLED
from tests.machine.histories import drawn, fault_of, kind_of, shrunk

BETWEEN = 250
"""So many histories between two lines of figures."""


def main() -> int:
    """Play; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.machine", description=__doc__)
    parser.add_argument("--histories", type=int, default=1_000, metavar="N", help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED", help="the first one's seed")
    parser.add_argument("--seconds", type=float, default=None, metavar="S", help="stop after so long")
    parser.add_argument("--axes", nargs="+", default=ENABLED, help="the axes that vary")
    parser.add_argument("--no-shrink", action="store_true", help="only name the seeds that break")
    asked = parser.parse_args()
    began, broken, steps = time.monotonic(), dict[str, list[int]](), 0
    number = 0
    for number, seed in enumerate(range(asked.first, asked.first + asked.histories), start=1):
        way, history = drawn(seed, tuple(asked.axes))
        steps += len(history)
        if fault := fault_of(way, history):
            _report(seed, way, history, fault, broken, shrinks=not asked.no_shrink)
        spent = time.monotonic() - began
        is_last = asked.seconds is not None and spent > asked.seconds
        if number % BETWEEN == 0 or number == asked.histories or is_last:
            _print_figures(number, steps, spent, broken, seed)
        if is_last:
            break
    return 1 if broken else 0


def _report(
    seed: int, way: int, history: list[tuple[object, ...]], fault: str, broken: dict[str, list[int]], *, shrinks: bool
) -> None:
    kind = kind_of(fault)
    broken.setdefault(kind, []).append(seed)
    print(f"seed {seed}: {fault}")
    if shrinks and len(broken[kind]) == 1:
        way, short = shrunk(way, history, lambda other: kind_of(other) == kind)
        print(f"  shrunk: way {way}, {fault_of(way, short)}")
        print("".join(f"    {one!r},\n" for one in short))
    sys.stdout.flush()


def _print_figures(number: int, steps: int, spent: float, broken: dict[str, list[int]], seed: int) -> None:
    failing = sum(map(len, broken.values()))
    print(
        f"{number:,} histories (to seed {seed}), {steps:,} steps, {failing:,} broken of {len(broken)} kinds,"
        f" {spent:.0f} s, {spent / number * 1_000:.0f} ms each",
        flush=True,
    )
    for kind, seeds in broken.items():
        print(f"  {len(seeds):,} times {kind!r}, such as seed {seeds[0]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
